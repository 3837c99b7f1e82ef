"""Uploads, their verdicts, and spreadsheets."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from ninja import Schema
from pydantic import Field

OUTCOMES = Literal["waiting", "accepted", "linked", "duplicate", "skipped", "refused"]


class RefusalOut(Schema):
    """Why an upload as a whole could not be read."""

    code: str
    message: str
    remedy: str


class UploadSummaryOut(Schema):
    """How many files of an upload had which outcome so far."""

    members: int | None = Field(description="Files found; null until the container was read.")
    waiting: int
    accepted: int
    linked: int
    duplicate: int
    skipped: int
    refused: int


class UploadOut(Schema):
    """An upload given to a cohort. Bytes arrive by tus at `/uploads/tus/`."""

    id: UUID
    created: datetime
    cohort: int
    filename: str
    size: int = Field(description="Bytes.")
    offset: int = Field(description="Bytes that are safe here.")
    state: Literal["arriving", "unpacking", "converting", "done", "refused"]
    is_final: bool = Field(description="Nothing will change any more.")
    finished: datetime | None
    refusal: RefusalOut | None
    summary: UploadSummaryOut


class VerdictOut(Schema):
    """What became of one file of an upload."""

    ordinal: int
    path: str
    name: str
    size: int | None
    outcome: OUTCOMES
    code: str
    message: str
    remedy: str
    note: str = Field(description="What was found in the file beside its verdict, in sentences; mostly empty.")
    accession: int | None
    isic_id: str | None
    other: int | None = Field(description="The accession that has the same name, bytes or pixels.")
