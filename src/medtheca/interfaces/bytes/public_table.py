"""The public metadata of all images as one file: `/files/public/metadata.parquet`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medtheca.domains.downloads.public_table import is_table_coming, published_table
from medtheca.domains.storage.queries import blob_store
from medtheca.interfaces.bytes.door import headers_for, is_known, no_such_file, require_reading
from medtheca.interfaces.bytes.sending import send_file, wanted_part
from medtheca.interfaces.bytes.wire import Problem
from medtheca.interfaces.http.download_urls import PUBLIC_TABLE

if TYPE_CHECKING:
    from medtheca.interfaces.bytes.threads import Threads
    from medtheca.interfaces.bytes.wire import Headers, Request

_RETRY = 30


class PublicTable:
    """Answers for the file. Nothing of it is remembered: whether it may be sent is asked each time."""

    def __init__(self, threads: Threads) -> None:
        self._threads = threads

    async def __call__(self, request: Request) -> None:
        """Send it, or a part; 503 where it may name what is not public any more, until the next is made."""
        require_reading(request)
        found = await self._threads.ask(published_table)
        if found is None and not await self._threads.ask(is_table_coming):
            raise no_such_file()
        if found is None:
            raise Problem(
                503,
                "being_prepared",
                "The table of public metadata is being made anew.",
                remedy="Try again in a minute.",
                headers={"Retry-After": str(_RETRY)},
            )
        etag = f'"{found.sha256}"'
        headers: Headers = [
            (b"etag", etag.encode()),
            (b"accept-ranges", b"bytes"),
            *headers_for(request, public=True),
        ]
        if await is_known(request, etag, headers):
            return
        name = PUBLIC_TABLE.rpartition("/")[2]
        headers += [
            (b"content-type", b"application/vnd.apache.parquet"),
            (b"content-disposition", f'attachment; filename="{name}"'.encode()),
        ]
        span = wanted_part(request, etag=etag, size=found.size, headers=headers)
        path = blob_store().path(found.sha256)
        await send_file(request, self._threads, path=path, size=found.size, headers=headers, span=span)
