"""Uploads by tus 1.0 at `/uploads/tus/`, with creation, creation-with-upload, termination, checksum and expiration."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings

from medtheca.base.clock import now
from medtheca.base.errors import NotFound
from medtheca.domains.storage.enums import UploadState
from medtheca.domains.storage.queries import upload_of
from medtheca.domains.storage.upkeep import UPLOAD_IDLE
from medtheca.interfaces.bytes.receiving import Receiving
from medtheca.interfaces.bytes.threads import Threads
from medtheca.interfaces.bytes.turns import Turns
from medtheca.interfaces.bytes.tus_headers import (
    CHECKSUMS,
    EXTENSIONS,
    OFFSET_TYPE,
    VERSION,
    Checksum,
    Declaration,
    read_checksum,
    read_declaration,
    read_number,
)
from medtheca.interfaces.bytes.wire import Headers, Problem, Request
from medtheca.interfaces.http.authentication import caller_from_headers
from medtheca.interfaces.http.limits import UPLOADS_BEGUN, seconds_to_wait_for
from medtheca.interfaces.http.refusals import NotSignedIn
from medtheca.workflows.receive import begin_delivery, cancel_delivery
from medtheca.workflows.replace import begin_replacement

if TYPE_CHECKING:
    from medtheca.domains.accounts.models import User
    from medtheca.domains.storage.models import Upload

ROOT = "/uploads/tus/"
_PATH = re.compile(r"/uploads/tus(?:/([0-9a-fA-F-]{32,36})?)?/?")
_ALWAYS: Headers = [
    (b"tus-resumable", VERSION.encode()),
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
]


class Uploads:
    """Answers to tus clients. Uploads of others are as absent."""

    extra: Headers = _ALWAYS[:1]
    """What refusals carry too."""

    def __init__(self, threads: Threads) -> None:
        self._threads = threads
        self._turns = Turns()

    async def __call__(self, request: Request) -> None:
        """Answer one request. Raises `Problem`, domain errors and `Refused`."""
        match = _PATH.fullmatch(request.path)
        if match is None:
            raise _no_upload()
        method = request.method
        if method == "POST" and b"x-http-method-override" in request.headers:
            # For clients behind something that lets no PATCH through (tus 1.0, X-HTTP-Method-Override).
            method = request.header(b"x-http-method-override").upper()
        if method == "OPTIONS":
            await request.answer(204, _options())
            return
        if request.header(b"tus-resumable") != VERSION:
            raise Problem(
                412,
                "unknown_version",
                f"This is tus {VERSION}; the request says {request.header(b'tus-resumable')[:20] or 'nothing'}.",
                remedy=f"Send the header Tus-Resumable: {VERSION}.",
                headers={"Tus-Version": VERSION},
            )
        if match[1] is None:
            if method != "POST":
                raise _not_allowed("POST, OPTIONS")
            await self._create(request)
            return
        try:
            upload_id = UUID(match[1])
        except ValueError:
            raise _no_upload() from None
        actions = {"HEAD": self._head, "PATCH": self._patch, "DELETE": self._delete}
        if method not in actions:
            raise _not_allowed("HEAD, PATCH, DELETE, OPTIONS")
        await actions[method](request, upload_id)

    async def _create(self, request: Request) -> None:
        if b"upload-defer-length" in request.headers:
            raise Problem(
                400, "length_missing", "The length has to be known at the start.", remedy="Send Upload-Length."
            )
        size = read_number(request.header(b"upload-length"), "Upload-Length")
        declared = read_declaration(request.header(b"upload-metadata"))
        checksum = read_checksum(request.header(b"upload-checksum"))
        brings_bytes = _media_type(request) == OFFSET_TYPE
        if brings_bytes:
            _check_length(request, size)
        # In one go, so that a storm of new uploads takes one turn of a thread each.
        upload = await self._threads.change(_begin, request, declared, size)
        place: Headers = [(b"location", f"{ROOT}{upload.pk}".encode())]
        offset = 0
        if brings_bytes and size > 0:
            offset = await self._receive(request, upload, checksum, begun_at=0, extra=place)
        if brings_bytes:
            place.append((b"upload-offset", b"%d" % offset))
        await request.answer(201, [*_ALWAYS, *place, *_expires(upload, offset)])

    async def _head(self, request: Request, upload_id: UUID) -> None:
        upload = await self._threads.ask(_find, request, upload_id)
        state: Headers = [(b"upload-offset", b"%d" % upload.offset), (b"upload-length", b"%d" % upload.size)]
        # No length of a body: the answer has none, and its length is not the upload's.
        await request.answer(200, [*_ALWAYS, *state, *_expires(upload, upload.offset)])

    async def _patch(self, request: Request, upload_id: UUID) -> None:
        if _media_type(request) != OFFSET_TYPE:
            raise Problem(415, "wrong_type", f"Bytes come with Content-Type: {OFFSET_TYPE}.")
        begun_at = read_number(request.header(b"upload-offset"), "Upload-Offset")
        checksum = read_checksum(request.header(b"upload-checksum"))
        upload = await self._threads.ask(_find, request, upload_id)
        offset = await self._receive(request, upload, checksum, begun_at=begun_at, extra=[])
        await request.answer(204, [*_ALWAYS, (b"upload-offset", b"%d" % offset), *_expires(upload, offset)])

    async def _receive(
        self, request: Request, upload: Upload, checksum: Checksum | None, *, begun_at: int, extra: Headers
    ) -> int:
        upload_id = UUID(str(upload.pk))
        async with self._turns.take(upload_id) as turn:
            # Asked again: whoever had the turn before may have moved the offset.
            upload = await self._threads.ask(upload_of, upload.owner_id, upload_id)
            if upload.offset != begun_at or upload.state != UploadState.RECEIVING:
                raise Problem(
                    409,
                    "wrong_offset",
                    f"{upload.offset:,} bytes are here; the request begins at {begun_at:,}.",
                    remedy="Ask for the offset and go on from there.",
                    headers={"Upload-Offset": str(upload.offset)},
                )
            _check_length(request, upload.size - upload.offset)
            receiving = Receiving(request, self._threads, turn, upload, checksum, upload.offset)
            try:
                return await receiving.run()
            except Problem as problem:
                problem.headers.setdefault("Upload-Offset", str(receiving.offset))
                problem.headers.update({name.decode().title(): value.decode() for name, value in extra})
                raise

    async def _delete(self, request: Request, upload_id: UUID) -> None:
        # Who may not delete must not interrupt whoever is sending either.
        await self._threads.ask(_find, request, upload_id)
        async with self._turns.take(upload_id):
            await self._threads.change(_cancel, request, upload_id)
        await request.answer(204, _ALWAYS)


def _caller(request: Request) -> User:
    caller = caller_from_headers(
        method=request.method,
        headers=request.scope["headers"],
        address=request.address,
        path=request.path,
        scheme=request.scope.get("scheme", "http"),
        http_version=request.scope.get("http_version", ""),
    )
    if caller.user is None:
        raise NotSignedIn
    return caller.user


def _begin(request: Request, declared: Declaration, size: int) -> Upload:
    user = _caller(request)
    # Each leaves rows behind, even an empty one, and rows cost the sender nothing.
    if wait := seconds_to_wait_for(UPLOADS_BEGUN, f"user {user.pk}"):
        raise Problem(
            429,
            "too_many_uploads",
            f"You have begun {UPLOADS_BEGUN.amount:,} uploads within the hour.",
            remedy="Put the files into a ZIP, which is one upload.",
            headers={"Retry-After": str(wait)},
        )
    if declared.accession_id:
        return _begin_replacement(user, declared, size)
    try:
        return begin_delivery(
            user=user,
            cohort_id=declared.cohort_id,
            filename=declared.filename,
            size=size,
            media_type=declared.media_type,
            sha256=declared.sha256,
        )
    except NotFound as error:
        # A 404 would say that the address of uploads is wrong.
        raise Problem(400, "cohort_unknown", error.message, remedy="Choose one of your cohorts.") from None


def _begin_replacement(user: User, declared: Declaration, size: int) -> Upload:
    try:
        return begin_replacement(
            user=user,
            accession_id=declared.accession_id,
            filename=declared.filename,
            size=size,
            reason=declared.reason,
            media_type=declared.media_type,
            sha256=declared.sha256,
        )
    except NotFound as error:
        raise Problem(400, "accession_unknown", error.message, remedy="Choose one of your submissions.") from None


def _find(request: Request, upload_id: UUID) -> Upload:
    upload = upload_of(_caller(request).pk, upload_id)
    if upload.part_size is not None:
        raise _no_upload()  # One in parts has no offset from which tus could go on.
    if upload.state == UploadState.CANCELLED:
        raise Problem(410, "cancelled", "This upload was cancelled.", remedy="Upload the file afresh.")
    return upload


def _cancel(request: Request, upload_id: UUID) -> None:
    cancel_delivery(user=_caller(request), upload=_find(request, upload_id))


def _options() -> Headers:
    return [
        *_ALWAYS,
        (b"tus-version", VERSION.encode()),
        (b"tus-extension", EXTENSIONS.encode()),
        (b"tus-max-size", b"%d" % settings.ENVIRONMENT.max_upload),
        (b"tus-checksum-algorithm", ",".join(CHECKSUMS).encode()),
    ]


def _check_length(request: Request, room: int) -> None:
    """Refuse a body that is longer than the rest before a byte of it is stored."""
    text = request.header(b"content-length")
    if text and read_number(text, "Content-Length") > room:
        raise Problem(413, "too_many_bytes", f"{room:,} bytes are missing; the request has {int(text):,}.")


def _media_type(request: Request) -> str:
    return request.header(b"content-type").partition(";")[0].strip().lower()


def _expires(upload: Upload, offset: int) -> Headers:
    if offset >= upload.size or upload.state != UploadState.RECEIVING:
        return []
    # The upkeep looks at when bytes last came; now is as good, since something has just been heard of it.
    moment: datetime = now() + UPLOAD_IDLE
    return [(b"upload-expires", format_datetime(moment.astimezone(UTC), usegmt=True).encode())]


def _no_upload() -> Problem:
    return Problem(404, "not_found", "There is no such upload of yours.")


def _not_allowed(allowed: str) -> Problem:
    return Problem(405, "method_not_allowed", f"This address takes {allowed}.", headers={"Allow": allowed})
