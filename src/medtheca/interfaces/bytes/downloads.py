"""Downloads: `/downloads/{id}/images.zip`, and each file of one under `/downloads/{id}/files/`.

Nothing is sent before it was seen that everything is still as it was frozen, and is visible to whoever asked for it: a
ZIP without some of its files would look whole.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from contextlib import ExitStack, closing
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import quote
from uuid import UUID

from medtheca.base.errors import DomainError
from medtheca.domains.downloads.enums import DownloadState
from medtheca.domains.downloads.queries import (
    Opening,
    opened,
    opening_of,
    require_sound,
    require_unchanged,
    served_as_frozen,
)
from medtheca.interfaces.bytes.door import headers_for, is_known, no_such_file, require_reading
from medtheca.interfaces.bytes.sending import send_ranges, send_start, unavailable, until_gone, wanted_part
from medtheca.interfaces.bytes.wire import Problem
from medtheca.interfaces.bytes.zipping import CHUNK, ZipBytes, open_member
from medtheca.interfaces.http.download_urls import DOWNLOADS, ticket_subject
from medtheca.toolkit.images.extensions import EXTENSIONS
from medtheca.toolkit.ranges.recipe import Damaged
from medtheca.toolkit.zips.frozen import NotFrozen

if TYPE_CHECKING:
    from medtheca.interfaces.bytes.conditions import Span
    from medtheca.interfaces.bytes.door import Door
    from medtheca.interfaces.bytes.memory import Memory
    from medtheca.interfaces.bytes.threads import Threads
    from medtheca.interfaces.bytes.wire import Headers, Request
    from medtheca.toolkit.zips.frozen import Frozen, Member

_PATH = re.compile(rf"{DOWNLOADS}([0-9a-f-]{{36}})/(?:[A-Za-z0-9-]{{1,80}}\.zip|files/(\d{{1,9}})/(.{{1,300}}))")
_WRITTEN = "1"
"""Of the way in which a list becomes a ZIP: another one gives other bytes, and so another ETag."""
_CHECK_GOOD_FOR = 20.0
_MOST_CHECKED = 1000
_RETRY = 5
_TYPES = {extension: media_type for media_type, extension in EXTENSIONS.items()} | {
    "csv": "text/csv; charset=utf-8",
    "txt": "text/plain; charset=utf-8",
}
_log = logging.getLogger(__name__)


class Downloads:
    """Answers for downloads."""

    def __init__(self, threads: Threads, door: Door, memory: Memory) -> None:
        self._threads = threads
        self._door = door
        self._memory = memory
        self._checked: dict[UUID, tuple[int, float]] = {}

    async def __call__(self, request: Request) -> None:
        """Send the ZIP, or one file of it, or a part; refused alike where there is none and where it is another's."""
        require_reading(request)
        match = _PATH.fullmatch(request.path)
        try:
            download_id = UUID(match[1]) if match else None
        except ValueError:
            download_id = None
        if match is None or download_id is None:
            raise no_such_file()
        viewer = await self._door.callers.viewer_of(request, ticket_subject(download_id))
        opening = await self._threads.ask(opening_of, viewer, download_id)
        require_sound(opening)
        with ExitStack() as stack:
            try:
                frozen = stack.enter_context(opened(opening.listing))
                if match[2]:
                    await self._send_member(request, opening, frozen, int(match[2]), match[3])
                else:
                    await self._send_zip(request, opening, frozen)
            except (OSError, NotFrozen) as error:
                if request.answered:
                    raise
                _log.error("The list of the download %s cannot be read: %s", download_id, error)
                raise unavailable() from None

    async def _send_zip(self, request: Request, opening: Opening, frozen: Frozen) -> None:
        if opening.state is DownloadState.PREPARING:
            raise Problem(
                503,
                "being_prepared",
                "The download is being prepared.",
                remedy="Try again in a few seconds.",
                headers={"Retry-After": str(_RETRY)},
            )
        await self._check(opening, frozen)
        etag = f'"{opening.listing[:40]}-{_WRITTEN}"'
        headers = _headers(request, opening, etag)
        if await is_known(request, etag, headers):
            return
        name = f"{opening.name}.zip"
        headers += [
            (b"content-type", b"application/zip"),
            (b"content-disposition", f'attachment; filename="{name}"'.encode()),
        ]
        span = wanted_part(request, etag=etag, size=frozen.size, headers=headers)
        await self._stream(request, opening, frozen, headers, span)

    async def _stream(
        self, request: Request, opening: Opening, frozen: Frozen, headers: Headers, span: Span | None
    ) -> None:
        position, end = (span.first, span.last + 1) if span else (0, frozen.size)
        if request.method == "HEAD":
            await send_start(request, 200, headers, frozen.size)
            await request.send({"type": "http.response.body", "body": b""})
            return
        gone = asyncio.ensure_future(until_gone(request)) if end - position > CHUNK else None
        with closing(ZipBytes(self._threads, frozen, opening.viewer)) as source:
            try:
                pieces = await source.read(position, end)
                await send_start(request, 206 if span else 200, headers, end - position)
                while not (gone and gone.done()):
                    position += sum(map(len, pieces))
                    # What comes next is read while this is sent.
                    reading = asyncio.ensure_future(source.read(position, end)) if position < end else None
                    try:
                        await _send_pieces(request, pieces, more=position < end)
                    finally:
                        # Never left alone: its thread reads from files that are closed at the end.
                        if reading:
                            await asyncio.wait([reading])
                    if reading is None:
                        return
                    pieces = reading.result()
            except (DomainError, Problem) as error:
                if not request.answered:
                    raise
                # Shorter than promised: the connection breaks off, and asked again, the answer says why.
                _log.warning("The download %s breaks off: %s", opening.id, error)
                raise ConnectionError("the download changed") from None
            finally:
                if gone:
                    gone.cancel()

    async def _send_member(self, request: Request, opening: Opening, frozen: Frozen, place: int, path: str) -> None:
        found = await self._threads.on_disk(frozen.read, place, 1)
        if not found or found[0].path != path:
            raise no_such_file()
        member = found[0]
        served = await self._threads.ask(served_as_frozen, opening.viewer, found)
        if member.is_inner:
            # What is told of images is for whoever may see them all.
            await self._check(opening, frozen)
        etag = f'"{member.sha256}"'
        headers = _headers(request, opening, etag)
        if await is_known(request, etag, headers):
            return
        headers += _content_of(path)
        span = wanted_part(request, etag=etag, size=member.size, headers=headers)
        try:
            reader = _InnerRanges(frozen, member) if member.is_inner else open_member(member, served[member.subject])
        except (OSError, Damaged):
            raise unavailable() from None
        with closing(reader):
            await send_ranges(request, self._threads, reader=reader, headers=headers, span=span)

    async def _check(self, opening: Opening, frozen: Frozen) -> None:
        """See that nothing has changed, unless that was seen a moment ago and nothing was heard since."""
        seen = self._checked.get(opening.id)
        if seen and self._memory.hears and seen[0] == self._memory.moment and seen[1] > time.monotonic():
            return
        moment, until = self._memory.moment, time.monotonic() + _CHECK_GOOD_FOR
        await self._threads.ask(require_unchanged, opening.viewer, frozen)
        self._checked.pop(opening.id, None)
        self._checked[opening.id] = (moment, until)
        while len(self._checked) > _MOST_CHECKED:
            del self._checked[next(iter(self._checked))]


async def _send_pieces(request: Request, pieces: list[bytes | bytearray], *, more: bool) -> None:
    *others, last = pieces
    for piece in others:
        await request.send({"type": "http.response.body", "body": piece, "more_body": True})
    await request.send({"type": "http.response.body", "body": last, "more_body": more})


class _InnerRanges:
    """A file that is kept in the list."""

    def __init__(self, frozen: Frozen, member: Member) -> None:
        self._frozen, self._member = frozen, member

    @property
    def size(self) -> int:
        return self._member.size

    def read(self, offset: int, count: int) -> bytes:
        return self._frozen.read_inner(self._member, offset, count)

    def read_now(self, offset: int, count: int) -> bytes | None:
        return None

    def forget(self) -> None:
        """The list is held by whoever opened it."""

    def close(self) -> None:
        """As `forget`."""


def _headers(request: Request, opening: Opening, etag: str) -> Headers:
    public = opening.viewer.user_id is None
    return [(b"etag", etag.encode()), (b"accept-ranges", b"bytes"), *headers_for(request, public=public)]


def _content_of(path: str) -> Headers:
    name = PurePosixPath(path).name
    media_type = _TYPES.get(name.rpartition(".")[2], "application/octet-stream")
    return [
        (b"content-type", media_type.encode()),
        (b"content-disposition", f'attachment; filename="{quote(name)}"'.encode()),
    ]
