"""Dry runs."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
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
    image: int = Field(0, description="The `number` of the image that it is a file of; 0 for none.")
    removed: list[str] = Field(description="Kinds of data that the public copy would be without.")
    exif: list[str] = Field(description="What the EXIF tells of people and places, never the values.")
    alike: list[str] = Field(description="Paths of pictures that look nearly the same.")


class TriedSpacingOut(Schema):
    """Millimetres between centres of pixels or voxels; null along an axis that the file is silent of."""

    x: float | None
    y: float | None
    z: float | None


class TriedWindowOut(Schema):
    """Values to show: centre and width in real-world values."""

    centre: float
    width: float
    name: str


class InspectedImageOut(Schema):
    """An image that files would become."""

    number: int
    name: str = Field(description="What it would be called in its cohort.")
    files: list[str] = Field(description="Paths of its files, the one by which it is called first.")
    container: str
    kind: Literal["picture", "volume", "slide", "document"]
    format: str
    media_type: str
    size: list[int] = Field(
        min_length=3, max_length=3, description="Pixels or voxels along x, y and z; zeros for a document."
    )
    timepoints: int
    channels: int
    bits: int
    colour_space: str
    value_type: str = Field(description="Such as `int16`; empty for a document.")
    spacing: TriedSpacingOut | None
    time_step: float | None = Field(description="Seconds between time points.")
    origin: list[float] | None = Field(description="Of the first voxel's centre, in mm, LPS.")
    direction: list[float] | None = Field(description="3 by 3, row by row, LPS; its columns are directions of x, y, z.")
    windows: list[TriedWindowOut]
    levels: list[Annotated[list[int], Field(min_length=2, max_length=2)]] = Field(
        description="Widths and heights of a slide's resolutions."
    )
    vendor: str
    title: str = Field(description="What a document is.")
    facts: dict[str, Any] = Field(description="Modality, body part and the like, as the header has them.")
    notes: list[str]
    text_suspected: str = Field(description="Why a person has to look before it can be public; empty otherwise.")


class RefusedContainerOut(RefusalOut):
    """A ZIP that could not be read at all."""

    container: str


class InspectionReportOut(Schema):
    """What was found. `clean` says that nothing would be refused."""

    clean: bool
    counts: dict[str, int] = Field(description="Files by outcome.")
    refused: list[RefusedContainerOut]
    files: list[InspectedFileOut]
    images: list[InspectedImageOut] = Field([], description="What the files would become.")
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
