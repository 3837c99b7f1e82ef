"""Files that are composed of ranges of others, opened for an answer; their recipes' heads are held in memory."""

from __future__ import annotations

import logging
import os
import tempfile
from contextlib import asynccontextmanager, closing, suppress
from typing import IO, TYPE_CHECKING

from django.conf import settings

from medtheca.domains.storage.opening import open_composed
from medtheca.domains.storage.queries import blob_store
from medtheca.interfaces.bytes.sending import unavailable
from medtheca.interfaces.bytes.shelf import Shelf
from medtheca.toolkit.ranges.recipe import Damaged, Recipe, read_recipe

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from medtheca.domains.access.serving import ServedFile
    from medtheca.interfaces.bytes.threads import Threads
    from medtheca.toolkit.ranges.readers import RangeReader

_SHELF_BYTES = 32_000_000
_CHUNK = 1 << 20
_log = logging.getLogger(__name__)


class ComposedFiles:
    """Opens composed files. They are opened for each answer: what is erased is held by nobody."""

    def __init__(self, threads: Threads) -> None:
        self._threads = threads
        self._recipes: Shelf[Recipe] = Shelf(limit=_SHELF_BYTES)

    @asynccontextmanager
    async def opened(self, file: ServedFile) -> AsyncIterator[RangeReader]:
        """A file for reading. Raises `Problem` 503 where it is away or damaged."""
        recipe = self._recipes.get(file.recipe)
        if recipe is None:
            recipe = await self._threads.on_disk(_read_head, file)
            if recipe is not None:
                self._recipes.put(file.recipe, recipe, recipe.cost)
        # Opening is a look at few inodes, cheaper than a thread.
        reader = _open(file, recipe)
        try:
            yield reader
        finally:
            reader.close()

    async def read(self, file: ServedFile, offset: int, count: int) -> bytes:
        """Bytes of a file, all of them. Raises `Problem` 503 where they cannot be had."""
        async with self.opened(file) as reader:
            try:
                found = reader.read_now(offset, count)
                if found is None:
                    found = await self._threads.on_disk(reader.read, offset, count)
            except (Damaged, OSError) as error:
                raise _told(file, error) from None
        if len(found) < count:
            raise unavailable()
        return found


def copy_for_decoder(file: ServedFile, pieces: Sequence[tuple[int, int]] | None) -> int:
    """An open descriptor of a temporary copy of a composed file, for a decoder; no name leads to it.

    All bytes but those of `pieces` (offset and length) are holes, unless that is None. Waits for the disk. Raises
    `Problem` 503.
    """
    try:
        with _open_copy(in_memory=pieces is not None) as copy, closing(_open(file, None)) as reader:
            copy.truncate(reader.size)
            for offset, length in pieces if pieces is not None else [(0, reader.size)]:
                copy.seek(offset)
                for at in range(offset, offset + length, _CHUNK):
                    copy.write(reader.read(at, min(_CHUNK, offset + length - at)))
            copy.seek(0)  # Which also writes what is still to be written.
            return os.dup(copy.fileno())
    except (Damaged, OSError) as error:
        raise _told(file, error) from None


def _open_copy(*, in_memory: bool) -> IO[bytes]:
    """A file without a name: of a few pieces in memory, as they go to a decoder within the moment; else on the disk."""
    if in_memory and hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("pieces", os.MFD_CLOEXEC), "w+b")
    folder = settings.ENVIRONMENT.data / "cases"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return tempfile.TemporaryFile(dir=folder)


def _read_head(file: ServedFile) -> Recipe | None:
    try:
        with closing(blob_store().ranges(file.recipe)) as own:
            return read_recipe(own)
    except (Damaged, OSError):
        return None  # Opening it says what is wrong, or finds a file in its place.


def _open(file: ServedFile, recipe: Recipe | None) -> RangeReader:
    try:
        reader: RangeReader = open_composed(file.recipe, recipe=recipe)
    except (Damaged, OSError) as error:
        # It may have got a file of its own since it was remembered.
        with suppress(OSError):
            reader = blob_store().ranges(file.digest)
            if reader.size == file.size:
                return reader
            reader.close()
        raise _told(file, error) from None
    if reader.size != file.size:
        reader.close()
        raise unavailable()
    return reader


def _told(file: ServedFile, error: Exception) -> Exception:
    _log.error("The file %s, composed of others, cannot be read: %s", file.digest[:16], error)
    return unavailable()
