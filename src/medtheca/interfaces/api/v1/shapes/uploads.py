"""Uploads in presigned parts, as `gcapi` knows them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from ninja import Schema
from pydantic import Field, field_validator

from medtheca.domains.storage.enums import UploadState
from medtheca.domains.storage.open_ended import MOST_PARTS
from medtheca.interfaces.api.v1.addresses import address_of
from medtheca.interfaces.api.v1.shapes.common import Sent, Words

if TYPE_CHECKING:
    from medtheca.domains.storage.models import Upload, UploadPart

MOST_ADDRESSES = 100
"""Of one request; `gcapi` asks for five."""


class NewUploadIn(Sent):
    """What is to be uploaded."""

    filename: Words = Field(description="A name, or a path with folders, which is kept.", examples=["ct.mha"])


class PartNumbersIn(Sent):
    """Parts that are about to be sent."""

    part_numbers: list[int] = Field(description=f"1 to {MOST_PARTS:,}; at most {MOST_ADDRESSES} at a time.")

    @field_validator("part_numbers")
    @classmethod
    def _fits(cls, numbers: list[int]) -> list[int]:
        if not numbers or len(numbers) > MOST_ADDRESSES:
            raise ValueError(f"Ensure this field has 1 to {MOST_ADDRESSES} elements.")
        if wrong := [number for number in numbers if not 1 <= number <= MOST_PARTS]:
            raise ValueError(f"Ensure each value is from 1 to {MOST_PARTS:,}; {wrong[0]} is not.")
        return numbers


class SentPartIn(Sent):
    """A part that was sent."""

    ETag: Words = Field(max_length=100, description="As the answer to the PUT had it, with its quotes.")
    PartNumber: int


class CompleteUploadIn(Sent):
    """All parts that were sent; none for an empty file."""

    parts: list[SentPartIn] = Field(max_length=MOST_PARTS)


class UploadOut(Schema):
    """An upload."""

    pk: UUID
    created: datetime
    filename: str
    key: str
    s3_upload_id: str = Field(description="Names the upload in the addresses below it, beside its pk.")
    status: Literal["Initialized", "Completed", "Aborted"]
    api_url: str


class PresignedUrlsOut(UploadOut):
    """An upload, and where its parts go."""

    presigned_urls: dict[str, str] = Field(
        description="By part number. PUT the bytes there within a day, without any header; keep the answer's ETag."
    )


class StoredPartOut(Schema):
    """A part whose bytes are here."""

    ETag: str
    PartNumber: int
    LastModified: datetime
    Size: int


class UploadPartsOut(UploadOut):
    """An upload, and what of it is here."""

    parts: list[StoredPartOut]


def upload_out(upload: Upload) -> dict[str, Any]:
    """`UploadOut` as plain values."""
    return {
        "pk": str(upload.pk),
        "created": upload.created,
        "filename": upload.filename,
        "key": f"uploads/{upload.owner_id}/{upload.pk}",
        "s3_upload_id": s3_id_of(upload.pk),
        "status": _status(upload),
        "api_url": address_of("upload", upload.pk),
    }


def part_out(part: UploadPart) -> dict[str, Any]:
    """`StoredPartOut` as plain values."""
    return {"ETag": f'"{part.etag}"', "PartNumber": part.number, "LastModified": part.received, "Size": part.size}


def uploads_out(uploads: Sequence[Upload]) -> list[dict[str, Any]]:
    """Several uploads."""
    return [upload_out(upload) for upload in uploads]


def s3_id_of(upload_id: UUID) -> str:
    """What S3 would call the upload; of ours it says no more than its pk."""
    return upload_id.hex


def _status(upload: Upload) -> str:
    if upload.state == UploadState.CANCELLED:
        return "Aborted"
    return "Initialized" if upload.whole is None else "Completed"
