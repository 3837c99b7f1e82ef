"""Uploads in parts, as clients of the ISIC Archive begin, complete and finalize them. Bytes go to the byte plane."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from xml.sax.saxutils import escape

from django.http import HttpRequest, HttpResponse
from ninja import Router

from medtheca.base.errors import Invalid, Problem
from medtheca.domains.storage.multipart import begin_multipart, check_parts, is_whole, multipart_of, parts_of_upload
from medtheca.interfaces.api.v2.calling import user_of
from medtheca.interfaces.api.v2.shapes.images import site_of
from medtheca.interfaces.api.v2.shapes.s3_uploads import (
    BegunOut,
    CompleteIn,
    CompletionOut,
    FinalizedOut,
    FinalizeIn,
    NewUploadIn,
)
from medtheca.interfaces.http.api_auth import somebody
from medtheca.interfaces.http.limits import UPLOADS_BEGUN, seconds_to_wait_for
from medtheca.interfaces.http.problems import problem_response
from medtheca.interfaces.http.upload_tickets import COMPLETION, make_upload_ticket, read_upload, sign_upload

if TYPE_CHECKING:
    from medtheca.domains.accounts.models import User
    from medtheca.domains.storage.models import Upload

ROOT = "/uploads/s3/"
router = Router(tags=["uploads"], auth=somebody)


@router.post("/upload-initialize/", response=BegunOut, url_name="s3_upload_initialize")
def begin_upload_in_parts(request: HttpRequest, given: NewUploadIn) -> Any:
    """Begin an upload in parts; the answer says where each part goes."""
    user = user_of(request)
    if wait := seconds_to_wait_for(UPLOADS_BEGUN, f"user {user.pk}"):
        return _too_many(request, wait)
    upload = begin_multipart(owner=user, filename=given.file_name, size=given.file_size, media_type=given.content_type)
    parts = parts_of_upload(upload)
    return {
        "object_key": f"{upload.pk}/{upload.filename}",
        "upload_id": str(upload.pk),
        "parts": [
            {"part_number": part.number, "size": part.size, "upload_url": _address(request, user, upload, part.number)}
            for part in parts
        ],
        "upload_signature": sign_upload(owner_id=user.pk, upload_id=upload.pk, purpose="signature"),
    }


@router.post("/upload-complete/", response=CompletionOut, url_name="s3_upload_complete")
def complete_upload_in_parts(request: HttpRequest, given: CompleteIn) -> Any:
    """Say which parts were sent; the answer says where to declare the upload whole. 400 names parts that differ."""
    user = user_of(request)
    upload = _upload(user, given.upload_signature)
    if given.upload_id not in {"", str(upload.pk)}:
        raise _refused("upload_id", "The signature is another upload's.", "Send what `upload-initialize` answered.")
    check_parts(upload, [(part.part_number, part.size, part.etag) for part in given.parts])
    return {"complete_url": _address(request, user, upload, COMPLETION), "body": _list_of_parts(given)}


@router.post("/finalize/", response=FinalizedOut, url_name="s3_upload_finalize")
def finalize_upload_in_parts(request: HttpRequest, given: FinalizeIn) -> Any:
    """Have a value that stands for a whole upload."""
    user = user_of(request)
    upload = _upload(user, given.upload_signature)
    if not is_whole(upload):
        remedy = "Send all parts, then what `upload-complete` answers; a file that was used is uploaded again."
        raise _refused("upload_signature", "The upload is not whole, or was used already.", remedy)
    return {"field_value": sign_upload(owner_id=user.pk, upload_id=upload.pk, purpose="field")}


def _upload(user: User, signature: str) -> Upload:
    upload_id = read_upload(signature, owner_id=user.pk, purpose="signature")
    if upload_id is None:
        raise _refused(
            "upload_signature", "The signature is not right, or more than a day old.", "Begin the upload anew."
        )
    return multipart_of(user.pk, upload_id)


def _address(request: HttpRequest, user: User, upload: Upload, number: int) -> str:
    ticket = make_upload_ticket(owner_id=user.pk, upload_id=upload.pk, number=number)
    name = "complete" if number == COMPLETION else str(number)
    return f"{site_of(request)}{ROOT}{upload.pk}/{name}?ticket={quote(ticket, safe='')}"


def _list_of_parts(given: CompleteIn) -> str:
    """As clients send it to S3."""
    parts = "".join(
        f"<Part><PartNumber>{part.part_number}</PartNumber><ETag>{escape(part.etag)}</ETag></Part>"
        for part in sorted(given.parts, key=lambda part: part.part_number)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{parts}</CompleteMultipartUpload>'
    )


def _refused(field: str, message: str, remedy: str) -> Invalid:
    return Invalid(message, problems=[Problem(field, message, remedy=remedy)])


def _too_many(request: HttpRequest, wait: int) -> HttpResponse:
    return problem_response(
        request,
        status=429,
        code="too_many_uploads",
        message=f"You have begun {UPLOADS_BEGUN.amount:,} uploads within the hour.",
        remedy="Put the files into a ZIP, and upload that on the upload page.",
        headers={"Retry-After": str(wait)},
    )
