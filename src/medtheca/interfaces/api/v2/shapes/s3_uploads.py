"""Uploads in parts, as `django-s3-file-field` and its clients speak of them."""

from __future__ import annotations

from typing import Literal

from ninja import Schema
from pydantic import Field

from medtheca.domains.storage.multipart import MOST_BYTES
from medtheca.interfaces.api.v2.shapes.common import Given, Text

ORIGINAL = "ingest.Accession.original_blob"
_MOST_PARTS = 10_000


class NewUploadIn(Given):
    """What is to be uploaded."""

    field_id: Literal["ingest.Accession.original_blob"] = Field(
        description="What the file is for.", examples=[ORIGINAL]
    )
    file_name: Text = Field(min_length=1, max_length=255, examples=["IMG_0001.jpg"])
    file_size: int = Field(ge=0, description=f"Bytes, at most {MOST_BYTES:,}.")
    content_type: Text = Field("", max_length=255, examples=["image/jpeg"])


class PartToSendOut(Schema):
    """A part, and where its bytes go."""

    part_number: int
    size: int = Field(description="Bytes, exactly.")
    upload_url: str = Field(description="PUT the bytes here within a day, without any header; keep the answer's ETag.")


class BegunOut(Schema):
    """An upload that waits for its parts."""

    object_key: str
    upload_id: str
    parts: list[PartToSendOut]
    upload_signature: str = Field(description="Names the upload in what follows; for the same person, for a day.")


class SentPartIn(Given):
    """A part that was sent."""

    part_number: int = Field(ge=1, le=_MOST_PARTS)
    size: int = Field(ge=0)
    etag: Text = Field(max_length=100, description="As the answer to the PUT had it.")


class CompleteIn(Given):
    """All parts that were sent."""

    upload_id: Text = Field("", max_length=100)
    parts: list[SentPartIn] = Field(max_length=_MOST_PARTS)
    upload_signature: str


class CompletionOut(Schema):
    """Where to say that the upload is whole."""

    complete_url: str = Field(description="POST `body` here within a day.")
    body: str


class FinalizeIn(Given):
    """An upload that was declared whole."""

    upload_signature: str


class FinalizedOut(Schema):
    """What stands for the file in another request."""

    field_value: str = Field(description="For `original_blob` of `accessions/`; for the same person, once, for a day.")
