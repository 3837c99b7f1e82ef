"""Dry runs."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from ninja import Schema
from pydantic import Field

from medtheca.interfaces.api.v2.shapes.uploads import OUTCOMES, RefusalOut


class InspectedFileOut(Schema):
    """What an upload would say of one file."""

    container: str = Field(description="The ZIP that it is in; empty for a file given by itself.")
    path: str
    name: str
    size: int
    outcome: OUTCOMES
    code: str
    message: str
    remedy: str
    format: str
    width: int = Field(description="Pixels, upright; 0 where there is no picture.")
    height: int
    removed: list[str] = Field(description="Kinds of data that the public copy would be without.")
    exif: list[str] = Field(description="What the EXIF tells of people and places, never the values.")
    alike: list[str] = Field(description="Paths of pictures that look nearly the same.")


class RefusedContainerOut(RefusalOut):
    """A ZIP that could not be read at all."""

    container: str


class InspectionReportOut(Schema):
    """What was found. `clean` says that nothing would be refused."""

    clean: bool
    counts: dict[str, int] = Field(description="Files by outcome.")
    refused: list[RefusedContainerOut]
    files: list[InspectedFileOut]
    metadata: dict[str, Any] | None = Field(
        description="Of the spreadsheet: `rows`, `columns`, `problems` grouped by cause, `problem_count`, `notes`, "
        "`rows_without_file`, `files_without_row`."
    )


class InspectionOut(Schema):
    """A dry run. Nothing of it is in the archive; after `expires` it is gone."""

    id: UUID
    created: datetime
    expires: datetime
    state: Literal["waiting", "running", "done", "failed"]
    done: int = Field(description="Files looked at.")
    total: int
    failure: str = Field(description="Why it failed; empty otherwise.")
    report: InspectionReportOut | None
