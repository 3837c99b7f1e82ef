"""Uploads in presigned parts: begun, sent to the byte plane, declared whole or given up.

What becomes of a whole one is said where it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from uuid import UUID

from django.http import HttpRequest
from ninja import Query, Router

from medtheca.base.errors import Invalid, NotAllowed, NotFound, Problem, TooLarge
from medtheca.domains.storage.open_ended import (
    abort_open_upload,
    begin_open_upload,
    complete_open_upload,
    open_upload_of,
    require_open,
    require_room_for_more,
    sent_parts,
    uploads_of,
)
from medtheca.interfaces.api.v1.addresses import absolute
from medtheca.interfaces.api.v1.calling import user_of
from medtheca.interfaces.api.v1.paging import page_of, send_json
from medtheca.interfaces.api.v1.shapes.common import ListOut, WindowQuery
from medtheca.interfaces.api.v1.shapes.uploads import (
    CompleteUploadIn,
    NewUploadIn,
    PartNumbersIn,
    PresignedUrlsOut,
    UploadOut,
    UploadPartsOut,
    part_out,
    s3_id_of,
    upload_out,
    uploads_out,
)
from medtheca.interfaces.http.api_auth import somebody
from medtheca.interfaces.http.limits import UPLOADS_BEGUN, seconds_to_wait_for
from medtheca.interfaces.http.upload_tickets import make_upload_ticket

if TYPE_CHECKING:
    from medtheca.domains.accounts.models import User
    from medtheca.domains.storage.models import Upload

_PARTS = "/uploads/s3/"
router = Router(tags=["uploads"], auth=somebody)


@router.get("/", response=ListOut[UploadOut], url_name="uploads")
def list_uploads(request: HttpRequest, page: Query[WindowQuery]) -> Any:
    """The caller's own uploads, oldest first."""
    return page_of(request, uploads_of(user_of(request).pk), shape=uploads_out)


@router.post("/", response={201: UploadOut}, url_name="uploads")
def begin_upload(request: HttpRequest, given: NewUploadIn) -> Any:
    """Begin an upload. How large it is, nobody has to say before."""
    user = user_of(request)
    if seconds_to_wait_for(UPLOADS_BEGUN, f"user {user.pk}"):
        # Not 429: gcapi would wait an hour without a word.
        words = "You have created too many uploads. Please try again later."
        raise Invalid(words, problems=[Problem("", words)])
    return send_json(upload_out(begin_open_upload(owner=user, filename=given.filename)), status=201)


@router.get("/{uuid:pk}/", response=UploadOut, url_name="upload_detail")
def show_upload(request: HttpRequest, pk: UUID) -> Any:
    """One upload of the caller's."""
    return send_json(upload_out(open_upload_of(user_of(request).pk, pk)))


@router.patch(
    "/{uuid:pk}/{s3_upload_id}/generate-presigned-urls/", response=PresignedUrlsOut, url_name="upload_part_urls"
)
def give_part_addresses(request: HttpRequest, pk: UUID, s3_upload_id: str, given: PartNumbersIn) -> Any:
    """Have addresses to which the bytes of parts go."""
    user = user_of(request)
    upload = _upload(user, pk, s3_upload_id)
    require_open(upload)
    try:
        require_room_for_more(upload)
    except TooLarge as error:
        # In these words, and as 403, clients know it.
        raise NotAllowed(f"Upload limit reached. {error.message}", code=error.code, remedy=error.remedy) from None
    urls = {str(number): _address(user, upload, number) for number in given.part_numbers}
    return send_json({**upload_out(upload), "presigned_urls": urls})


@router.get("/{uuid:pk}/{s3_upload_id}/list-parts/", response=UploadPartsOut, url_name="upload_parts")
def list_upload_parts(request: HttpRequest, pk: UUID, s3_upload_id: str) -> Any:
    """Parts whose bytes are here: an upload that was cut off goes on behind them."""
    upload = _upload(user_of(request), pk, s3_upload_id)
    return send_json({**upload_out(upload), "parts": [part_out(part) for part in sent_parts(upload)]})


@router.patch("/{uuid:pk}/{s3_upload_id}/complete-multipart-upload/", response=UploadOut, url_name="upload_complete")
def complete_upload(request: HttpRequest, pk: UUID, s3_upload_id: str, given: CompleteUploadIn) -> Any:
    """Declare an upload whole. It waits a day for somebody to make something of it."""
    user = user_of(request)
    _upload(user, pk, s3_upload_id)
    told = [(part.PartNumber, part.ETag) for part in given.parts]
    return send_json(upload_out(complete_open_upload(owner_id=user.pk, upload_id=pk, told=told)))


@router.patch("/{uuid:pk}/{s3_upload_id}/abort-multipart-upload/", response=UploadOut, url_name="upload_abort")
def abort_upload(request: HttpRequest, pk: UUID, s3_upload_id: str) -> Any:
    """Give an upload up; its bytes are removed."""
    user = user_of(request)
    _upload(user, pk, s3_upload_id)
    return send_json(upload_out(abort_open_upload(owner_id=user.pk, upload_id=pk)))


def _upload(user: User, pk: UUID, s3_upload_id: str) -> Upload:
    if s3_upload_id != s3_id_of(pk):
        raise NotFound("There is no such upload of yours.")
    return open_upload_of(user.pk, pk)


def _address(user: User, upload: Upload, number: int) -> str:
    ticket = make_upload_ticket(owner_id=user.pk, upload_id=upload.pk, number=number)
    return absolute(f"{_PARTS}{upload.pk}/{number}?ticket={quote(ticket, safe='')}")
