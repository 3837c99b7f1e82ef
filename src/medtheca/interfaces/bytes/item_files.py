"""Files of items of archives: `/files/items/ITEM/VALUE/report.pdf`. Nothing is remembered, each is asked for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote
from uuid import UUID

from medtheca.domains.archives.serving import find_served_value
from medtheca.domains.storage.queries import blob_store
from medtheca.interfaces.bytes.door import headers_for, is_known, no_such_file, require_reading, require_takeable
from medtheca.interfaces.bytes.sending import send_file, wanted_part
from medtheca.interfaces.http.file_urls import ITEM_FILES

if TYPE_CHECKING:
    from medtheca.interfaces.bytes.door import Door
    from medtheca.interfaces.bytes.threads import Threads
    from medtheca.interfaces.bytes.wire import Headers, Request

_PATH = re.compile(
    ITEM_FILES + r"([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})/(\d{1,18})/[^/]{1,1000}"
)
# What browsers show without running anything. All else is saved, as a program's data or nothing they know.
_SHOWN = frozenset({"image/png", "image/jpeg", "video/mp4", "application/pdf"})
_SAVED = frozenset({"application/json", "application/zip", "text/csv"})


class ItemFiles:
    """Answers for files of items."""

    def __init__(self, threads: Threads, door: Door) -> None:
        self._threads = threads
        self._door = door

    async def __call__(self, request: Request) -> None:
        """Send a file or a part of it. Whoever may only look gets 403, all who are not in the archive 404."""
        require_reading(request)
        match = _PATH.fullmatch(request.path)
        if match is None:
            raise no_such_file()
        viewer = await self._door.callers.viewer_of(request, match[1])
        found = await self._threads.ask(find_served_value, viewer, UUID(match[1]), int(match[2]))
        if found is None:
            raise no_such_file()
        require_takeable(found)
        etag = f'"{found.digest}"'
        headers: Headers = [
            (b"etag", etag.encode()),
            (b"accept-ranges", b"bytes"),
            *headers_for(request, public=False),
        ]
        if await is_known(request, etag, headers):
            return
        headers += _told(found.media_type, found.name)
        span = wanted_part(request, etag=etag, size=found.size, headers=headers)
        path = blob_store().path(found.digest)
        await send_file(request, self._threads, path=path, size=found.size, headers=headers, span=span)


def _told(media_type: str, name: str) -> Headers:
    """Of what type it is, in words that make no browser run it, and what to call it."""
    told = media_type if media_type in _SHOWN | _SAVED else "application/octet-stream"
    how = "inline" if told in _SHOWN else "attachment"
    disposition = f"{how}; filename*=UTF-8''{quote(name, safe='')}"
    return [(b"content-type", told.encode()), (b"content-disposition", disposition.encode())]
