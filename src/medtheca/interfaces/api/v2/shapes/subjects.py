"""Patients, lesions and erasures."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from ninja import Schema
from pydantic import Field

from medtheca.interfaces.api.v2.shapes.common import Given, Reason, Text
from medtheca.interfaces.api.v2.shapes.images import ImageOut

REASONS = Literal["patient", "consent", "authority", "mistake", "other"]


class LesionOut(Schema):
    """What several images are of. It is seen by whoever sees every image of it."""

    id: str = Field(examples=["IL_0000042"])
    images: list[ImageOut] = Field(description="In the order of the days on which they were made.")
    images_count: int
    longitudinally_monitored: bool = Field(description="There are images of more than one day.")
    index_image_id: str = Field(description="The image that stands for it: of the biopsy, then the earliest, nearest.")
    outcome_diagnosis: str = Field(description="Of the index image, with `:` between the levels.")
    outcome_diagnosis_1: str


class PatientOut(Schema):
    """Whom images are of. Only people of the contributor and staff see it."""

    id: str = Field(examples=["IP_0000042"])
    private_id: str = Field(description="As the contributor calls the patient.")
    contributor: int
    images_count: int
    lesions_count: int


class PatientDetailOut(PatientOut):
    """A patient with what there is of them."""

    cohorts: list[int]
    lesions: list[str]
    images: list[str] = Field(description="Public ids, or keys of what was never published; in the order of time.")
    submissions: list[int]


class ErasureIn(Given):
    """Whom to erase, and why. Nothing goes before a second person confirms it."""

    patient: Text = Field(max_length=16, examples=["IP_0000042"])
    reason: REASONS
    words: Text = Field("", max_length=500, description="More on why, for the receipt; nothing that names the patient.")


class ConfirmationIn(Given):
    """The patient's public id once more."""

    patient: Text = Field(max_length=16)


class DecliningIn(Given):
    """Why not."""

    because: Reason = Field(min_length=1)


class ErasurePreviewOut(Schema):
    """What an erasure would remove now."""

    patient: str
    removed: dict[str, int] = Field(description="Numbers by kind.")
    images: list[str]
    maybe_also: list[int] = Field(description="Other submissions whose names hold the private id; they stay.")
    same_content: list[int] = Field(description="Other submissions of the contributor with the same content; it stays.")
    same_content_elsewhere: int = Field(description="How many there are of other contributors.")
    backups: list[dict[str, Any]]


class ErasureOut(Schema):
    """The erasure of a patient. Owners of the contributor and staff see it."""

    id: UUID
    patient: str
    contributor: int
    reason: REASONS
    words: str
    state: Literal["requested", "erasing", "done", "declined"]
    stage: str = Field(description="The last step that is done: planned, rows, bytes, words, verified.")
    trouble: str = Field(description="What keeps it from going on; it is tried again.")
    requester: int | None
    requested: datetime
    decider: int | None
    decided: datetime | None
    declined_because: str
    finished: datetime | None
    replayed: datetime | None = Field(description="When it was done again after a restore.")
    may_confirm: bool = Field(description="Whether the caller is a second person who may confirm it.")
    receipt: dict[str, Any] | None
