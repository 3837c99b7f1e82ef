"""Reviews, the queue of reviewers, redactions."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from ninja import Schema
from pydantic import Field

from medtheca.interfaces.api.v2.shapes.common import Given, Reason, Text
from medtheca.interfaces.api.v2.shapes.images import ImageOut

ReasonCode = Literal["", "identifiable", "text", "quality", "content", "duplicate", "metadata", "consent", "other"]
Decision = Literal["accepted", "rejected", "flagged"]
MOST_AT_ONCE = 10_000


class ReviewIn(Given):
    """What is said of an accession. A rejection or a flag needs a reason: a code, or words."""

    decision: Decision
    reason_code: ReasonCode = ""
    reason: Text = Field("", max_length=500, description="For the contributor.")


class ReviewOut(Schema):
    """What a reviewer said. Of each reviewer the newest that is `standing` counts."""

    id: int
    accession: int
    reviewer: int
    decision: Decision
    reason_code: ReasonCode
    reason: str
    file_version: int = Field(description="Which version of the file was judged.")
    standing: bool = Field(description="False once the file or its description changed after it, or it was undone.")
    created: datetime


class QueuedOut(Schema):
    """An accession for reviewers."""

    accession: int
    cohort: int
    created: datetime
    name: str
    isic_id: str = Field(description="The public id of its image, or its key; `/images/{isic_id}/` answers to both.")
    review_state: Literal["awaiting", "flagged", "accepted", "rejected"]


class BulkReviewIn(Given):
    """One accession of many, in the ISIC Archive's shape."""

    id: int
    value: bool = Field(description="Whether it is accepted. A rejection gets the reason code `quality`.")


class SimilarImageOut(ImageOut):
    """An image, and how far it is from the one that was asked about."""

    distance: float = Field(description="Of 64 bits of the perceptual hash, how many differ; 10 at most.")


class DuplicateImageOut(ImageOut):
    """An image of a group of near-duplicates, and how it is like the one it is compared with."""

    distance: int = Field(description="Of 64 bits of the perceptual hash, how many differ from it.")
    same_pixels: bool = Field(description="Whether it is the very same picture, whatever the file around it.")


class DuplicateGroupsQuery(Schema):
    """Which groups."""

    limit: int = Field(20, ge=1, le=100)
    offset: int = Field(0, ge=0, le=1_000_000)


class DuplicateGroupsOut(Schema):
    """Groups of near-duplicates; in each, images are compared with its first, and the 100 most alike are listed."""

    count: int = Field(description="How many groups there are in all.")
    results: list[list[DuplicateImageOut]]


class RedactionIn(Given):
    """Boxes to be blacked out. Of a published image those from before stay."""

    boxes: list[tuple[int, int, int, int]] = Field(
        min_length=1,
        max_length=200,
        description="x and y of the upper left corner, width, height: in pixels of the upright picture.",
        examples=[[[120, 40, 300, 80]]],
    )
    reason: Reason


class RedactionOut(Schema):
    """A version of the file that is being redacted. It takes the place of the present one when it is made."""

    accession: int
    version: int
    state: Literal["waiting", "candidate", "current", "superseded", "refused"]
    boxes: list[Annotated[list[int], Field(min_length=4, max_length=4)]]
    reason: str
