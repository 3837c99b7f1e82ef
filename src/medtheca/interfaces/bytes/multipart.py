"""Parts of uploads, sent as to S3: `PUT /uploads/s3/ID/NUMBER?ticket=…`, then `POST /uploads/s3/ID/complete?ticket=…`.

Clients of S3's multipart protocol send nothing but the bytes: who they are, the ticket in the address says. The API
gives the addresses out (`/api/v2/s3-upload/`, and `/api/v1/uploads/`, whose uploads are declared whole there).
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

from medtheca.domains.access.serving import holder_of_ticket
from medtheca.domains.storage.multipart import Part, complete_multipart, part_to_receive, record_part
from medtheca.domains.storage.open_ended import record_open_part, require_open, reserve_part
from medtheca.domains.storage.queries import upload_of
from medtheca.interfaces.bytes.parts import PartWriter
from medtheca.interfaces.bytes.turns import Turn, Turns
from medtheca.interfaces.bytes.tus_headers import read_number
from medtheca.interfaces.bytes.wire import Headers, Problem, Request
from medtheca.interfaces.http.authentication import headers_from_here
from medtheca.interfaces.http.upload_tickets import COMPLETION, read_upload_ticket

if TYPE_CHECKING:
    from medtheca.domains.storage.models import Upload
    from medtheca.interfaces.bytes.threads import Threads

ROOT = "/uploads/s3/"
_PATH = re.compile(ROOT + r"([0-9a-f-]{36})/([1-9][0-9]{0,4}|complete)")
_ALWAYS: Headers = [
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    # Whoever has the address has the ticket; a browser adds nothing to it.
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"ETag"),
]
_PREFLIGHT: Headers = [
    *_ALWAYS,
    (b"access-control-allow-methods", b"PUT, POST, OPTIONS"),
    (b"access-control-allow-headers", b"Content-Type"),
    (b"access-control-max-age", b"86400"),
]
_RESULT = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n'
    b'<CompleteMultipartUploadResult><ETag>"%s"</ETag></CompleteMultipartUploadResult>'
)
_GATHER = 512 * 1024
_SILENCE = 30.0
_LONGEST_LIST = 1 << 20


class MultipartUploads:
    """Answers to clients of S3's multipart protocol. Uploads of others are as absent."""

    extra: Headers = _ALWAYS[2:]
    """What refusals carry too."""

    def __init__(self, threads: Threads) -> None:
        self._threads = threads
        self._turns = Turns()

    async def __call__(self, request: Request) -> None:
        """Answer one request. Raises `Problem` and domain errors."""
        if request.method == "OPTIONS":
            await request.answer(204, _PREFLIGHT)
            return
        match = _PATH.fullmatch(request.path)
        try:
            upload_id = UUID(match[1]) if match else None
        except ValueError:
            upload_id = None
        if match is None or upload_id is None:
            raise _no_upload()
        number = COMPLETION if match[2] == "complete" else int(match[2])
        method = "POST" if number == COMPLETION else "PUT"
        if request.method != method:
            raise Problem(
                405, "method_not_allowed", f"This address takes {method}.", headers={"Allow": f"{method}, OPTIONS"}
            )
        owner_id = await self._owner(request, upload_id, number)
        if number == COMPLETION:
            await self._complete(request, owner_id, upload_id)
        else:
            await self._receive(request, owner_id, upload_id, number)

    async def _owner(self, request: Request, upload_id: UUID, number: int) -> int:
        owner_id = read_upload_ticket(request.query("ticket"), upload_id=upload_id, number=number)
        if owner_id is None:
            raise Problem(
                403,
                "bad_ticket",
                "The address has no ticket for this upload, or one that is over.",
                remedy="Ask for new addresses, or begin the upload anew.",
            )
        holder = await self._threads.ask(holder_of_ticket, owner_id)
        from_here = headers_from_here(
            request.headers, address=request.address, http_version=request.scope.get("http_version", "")
        )
        if holder.viewer.user_id is None or (holder.is_demo and not from_here):
            raise Problem(403, "bad_ticket", "The person of this ticket may not upload.")
        return owner_id

    async def _receive(self, request: Request, owner_id: int, upload_id: UUID, number: int) -> None:
        async with self._turns.take(uuid5(upload_id, str(number))) as turn:
            # Looked up first without the file, so that what is refused touches nothing.
            upload = await self._threads.ask(upload_of, owner_id, upload_id)
            part = await self._place(request, upload, number)
            writer = await self._threads.on_disk(PartWriter, upload_id, part.offset, None, shared=True)
            try:
                # And again while it is held: from here on nobody declares the upload whole.
                await self._threads.ask(_require_taker, owner_id, upload_id, number)
                etag = await self._take_in(request, part, writer, turn)
                await self._threads.on_disk(writer.sync)
                if upload.open_ended:
                    await self._threads.change(
                        record_open_part, owner_id=owner_id, upload_id=upload_id, part=part, etag=etag
                    )
                else:
                    await self._threads.change(record_part, upload_id=upload_id, number=number, etag=etag)
            finally:
                await asyncio.shield(self._threads.on_disk(writer.close))
        await request.answer(200, [*_ALWAYS, (b"etag", f'"{etag}"'.encode())])

    async def _place(self, request: Request, upload: Upload, number: int) -> Part:
        if not upload.open_ended:
            part = await self._threads.ask(part_to_receive, upload.owner_id, upload.pk, number)
            _check_length(request, part)
            return part
        text = request.header(b"content-length")
        if not text:
            raise Problem(411, "length_required", "A part says its length.", remedy="Send Content-Length.")
        size = read_number(text, "Content-Length")
        return await self._threads.change(
            reserve_part, owner_id=upload.owner_id, upload_id=upload.pk, number=number, size=size
        )

    async def _take_in(self, request: Request, part: Part, writer: PartWriter, turn: Turn) -> str:
        # MD5 because that is what an ETag of S3 is; it guards against accidents and no more.
        digest = hashlib.md5(usedforsecurity=False)
        gathered, came, more = bytearray(), 0, True
        while more:
            piece, more = await _next(request, turn)
            came += len(piece)
            if came > part.size:
                raise _wrong_length(part, came)
            gathered += piece
            if gathered and (len(gathered) >= _GATHER or not more):
                digest.update(gathered)
                await self._threads.on_disk(writer.write, gathered)
                gathered = bytearray()
        if came != part.size:
            raise _wrong_length(part, came)
        return digest.hexdigest()

    async def _complete(self, request: Request, owner_id: int, upload_id: UUID) -> None:
        # The list of parts was compared when this address was given out; here it is only taken off the line.
        announced = request.header(b"content-length")
        if announced and read_number(announced, "Content-Length") > _LONGEST_LIST:
            raise Problem(413, "too_many_bytes", "The list of parts is longer than any.")
        await request.drain()
        writer = await self._threads.on_disk(_hold, upload_id)
        try:
            upload = await self._threads.change(complete_multipart, owner_id=owner_id, upload_id=upload_id)
        finally:
            if writer is not None:
                await asyncio.shield(self._threads.on_disk(writer.close))
        await request.answer(200, [*_ALWAYS, (b"content-type", b"application/xml")], _RESULT % str(upload.pk).encode())


def _require_taker(owner_id: int, upload_id: UUID, number: int) -> None:
    """Raise `Conflict` where the upload takes no more parts."""
    upload = upload_of(owner_id, upload_id)
    if upload.open_ended:
        require_open(upload)
    else:
        part_to_receive(owner_id, upload_id, number)


def _hold(upload_id: UUID) -> PartWriter | None:
    """The part file for oneself. None where it is gone: then the upload is over, or the database says so."""
    try:
        return PartWriter(upload_id, 0, None)
    except Problem as problem:
        if problem.status != 410:
            raise
        return None


async def _next(request: Request, turn: Turn) -> tuple[bytes, bool]:
    receiving = asyncio.ensure_future(request.receive())
    await asyncio.wait({receiving, turn.ended}, timeout=_SILENCE, return_when=asyncio.FIRST_COMPLETED)
    if not receiving.done():
        receiving.cancel()
        if turn.ended.done():
            raise Problem(423, "turn_over", "A newer request sends this part.")
        raise Problem(408, "cut_off", "The bytes stopped coming.", remedy="Send the part again.")
    message = receiving.result()
    if message["type"] != "http.request":
        raise Problem(408, "cut_off", "The bytes stopped coming.", remedy="Send the part again.")
    return message.get("body", b""), message.get("more_body", False)


def _check_length(request: Request, part: Part) -> None:
    """Refuse a body of another length before a byte of it is stored."""
    text = request.header(b"content-length")
    if text and (length := read_number(text, "Content-Length")) != part.size:
        raise _wrong_length(part, length)


def _wrong_length(part: Part, came: int) -> Problem:
    words = f"Part {part.number} has {part.size:,} bytes; the request has {came:,}."
    return Problem(
        413 if came > part.size else 400, "wrong_length", words, remedy="Send exactly the bytes of the part."
    )


def _no_upload() -> Problem:
    return Problem(404, "not_found", "There is no such upload of yours.")
