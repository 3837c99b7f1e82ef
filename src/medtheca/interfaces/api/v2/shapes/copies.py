"""Shapes of de-identified copies."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from ninja import Schema
from pydantic import Field

if TYPE_CHECKING:
    from medtheca.domains.provenance.models import DicomCopy


class ActionOut(Schema):
    """What was done to one attribute, and how often. Never a value."""

    path: str = Field(description="Tags from the outermost sequence on.", examples=["00081140/00081155"])
    keyword: str = Field(description="Empty for what the data dictionary does not know.")
    action: str = Field(description="X removed, Z emptied, D replaced, U another UID, C cleaned.", examples=["Z"])
    count: int


class CopyOut(Schema):
    """The de-identified DICOM of an accession."""

    state: Literal["waiting", "made", "refused"]
    asked: datetime
    made: datetime | None
    files: int = Field(description="Files of DICOM in it; several come in one ZIP. 0 until it is made.")
    text_suspected: str = Field(description="Why text may be burned into the pixels, which are copied unseen.")
    refusal: str
    remedy: str
    actions: list[ActionOut]


def copy_out(copy: DicomCopy) -> dict[str, Any]:
    """`CopyOut` as plain values."""
    report = copy.report
    names = ("path", "keyword", "action", "count")
    return {
        "state": copy.state,
        "asked": copy.asked,
        "made": copy.made,
        "files": report.get("files", 0),
        "text_suspected": report.get("text_suspected", ""),
        "refusal": copy.refusal,
        "remedy": copy.remedy,
        "actions": [dict(zip(names, row, strict=True)) for row in report.get("actions", ())],
    }
