"""Pyramids of slides: their indexes, held in memory by the hash of their bytes, and single tiles as stored."""

from __future__ import annotations

import asyncio
import functools
import logging
import os
from contextlib import closing
from typing import TYPE_CHECKING

from medtheca.domains.storage.queries import blob_store
from medtheca.interfaces.bytes.composed import ComposedFiles
from medtheca.interfaces.bytes.door import headers_of, is_known
from medtheca.interfaces.bytes.sending import open_sized, unavailable
from medtheca.interfaces.bytes.shelf import Shelf
from medtheca.interfaces.bytes.threads import Threads
from medtheca.interfaces.bytes.wire import Headers, Request
from medtheca.toolkit.errors import Refused
from medtheca.toolkit.ranges.readers import FileRanges, RangeReader
from medtheca.toolkit.ranges.recipe import Damaged
from medtheca.toolkit.tiles.index import PyramidIndex, read_index_of, read_range

if TYPE_CHECKING:
    from medtheca.domains.access.serving import ServedFile, ServedImage

_SHELF_BYTES = 128_000_000
# Linux only; elsewhere, and where a file system does not know it, a thread reads.
_NOWAIT = getattr(os, "RWF_NOWAIT", 0)
_log = logging.getLogger(__name__)


class Pyramids:
    """Reads pyramids of ours. Files are opened for each tile: what is erased is held by nobody."""

    def __init__(self, threads: Threads) -> None:
        self._threads = threads
        self._composed = ComposedFiles(threads)
        # To put a path together takes longer than to read a tile.
        self._place_of = functools.lru_cache(maxsize=4096)(_find_place)
        self._indexes: Shelf[PyramidIndex] = Shelf(limit=_SHELF_BYTES)
        self._flights: dict[str, asyncio.Task[PyramidIndex]] = {}

    async def index_of(self, file: ServedFile) -> PyramidIndex:
        """The index of a pyramid. Raises `Problem` 503 where the file is away or damaged."""
        index = self._indexes.get(file.digest)
        if index is not None:
            return index
        flight = self._flights.get(file.digest)
        if flight is None:
            # A viewer asks for a screen of tiles at once.
            flight = self._flights[file.digest] = asyncio.ensure_future(self._read(file))
        return await asyncio.shield(flight)

    async def _read(self, file: ServedFile) -> PyramidIndex:
        try:
            if file.recipe:
                async with self._composed.opened(file) as reader:
                    index = await self._threads.on_disk(_read_index_of, file, reader)
            else:
                index = await self._threads.on_disk(_read_index, file)
        finally:
            del self._flights[file.digest]
        places = sum(len(level.offsets) for level in index.levels)
        self._indexes.put(file.digest, index, 2000 + 12 * places)
        return index

    async def send_tile(
        self,
        request: Request,
        image: ServedImage,
        file: ServedFile,
        place: tuple[int, int, int],
        *,
        extra: Headers | None = None,
    ) -> None:
        """Answer with a stored tile, a whole JPEG, by level, column and row of the index. `LookupError` for none."""
        level, column, row = place
        etag = f'"{file.digest[:40]}-{level}-{column}-{row}"'
        headers: Headers = [(b"etag", etag.encode()), *headers_of(image, request), *(extra or [])]
        if await is_known(request, etag, headers):
            return
        offset, count = (await self.index_of(file)).place(level, column, row)
        body = await self._read_tile(file, offset, count)
        await request.answer(200, [*headers, (b"content-type", b"image/jpeg")], body)

    async def _read_tile(self, file: ServedFile, offset: int, count: int) -> bytes:
        if file.recipe:
            return await self._composed.read(file, offset, count)
        body = _read_from_memory(file, self._place_of(file.digest), offset, count)
        return await self._threads.on_disk(_read_part, file, offset, count) if body is None else body


def _read_from_memory(file: ServedFile, place: str, offset: int, count: int) -> bytes | None:
    """The bytes where the system has them in memory, which takes less than a change of threads; None otherwise."""
    if not _NOWAIT:
        return None
    descriptor = open_sized(place, file.size)
    try:
        part = bytearray(count)
        if os.preadv(descriptor, [part], offset, _NOWAIT) == count:
            return bytes(part)
    except OSError:
        pass  # The disk would have to be asked, or the file system cannot say.
    finally:
        os.close(descriptor)
    return None


def _find_place(digest: str) -> str:
    return str(blob_store().path(digest))


def _read_part(file: ServedFile, offset: int, count: int) -> bytes:
    descriptor = open_sized(blob_store().path(file.digest), file.size)
    try:
        return read_range(descriptor, offset, count)
    except Refused:
        raise unavailable() from None
    finally:
        os.close(descriptor)


def _read_index(file: ServedFile) -> PyramidIndex:
    with closing(FileRanges(open_sized(blob_store().path(file.digest), file.size))) as reader:
        return _read_index_of(file, reader)


def _read_index_of(file: ServedFile, reader: RangeReader) -> PyramidIndex:
    try:
        return read_index_of(reader)
    except Refused as refusal:
        _log.error("The pyramid %s is damaged: %s", file.digest[:16], refusal.message)
    except (Damaged, OSError) as error:
        _log.error("The pyramid %s cannot be read: %s", file.digest[:16], error)
    raise unavailable()
