"""Slices of volumes: `/files/images/ID/slices/axial/12.png` as pictures, `/files/images/ID/slices/12.raw` as voxels.

Read from our own `.mha` alone, of which each slice can be inflated by itself.
"""

from __future__ import annotations

import hashlib
import io
import logging
import math
import os
import re
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar, cast

from medtheca.domains.imaging.enums import FileKind
from medtheca.domains.storage.queries import blob_store
from medtheca.interfaces.bytes.door import Door, headers_of, is_known, no_such_file, require_reading
from medtheca.interfaces.bytes.sending import open_sized, unavailable
from medtheca.interfaces.bytes.shelf import Shelf
from medtheca.interfaces.bytes.wire import Headers, Problem, Request
from medtheca.interfaces.bytes.workshop import Workshop
from medtheca.toolkit.errors import Refused
from medtheca.toolkit.images import stored as volumes
from medtheca.toolkit.images.stored import StoredVolume
from medtheca.toolkit.renditions.planes import Plane
from medtheca.toolkit.tiles.index import read_range

if TYPE_CHECKING:
    from collections.abc import Iterator

    from medtheca.domains.access.serving import ServedFile, ServedImage

_PATH = re.compile(
    r"/files/images/(?P<ref>[A-Za-z0-9_-]{1,64})/slices/"
    r"(?:(?P<plane>axial|coronal|sagittal)/(?P<index>\d{1,7})\.png|(?P<z>\d{1,7})\.raw)"
)
_VOLUME = "application/x-metaimage"
_RECIPE = "slice/1"
MOST_SLICE_BYTES = 64_000_000
"""Of a slice inflated; a larger one is shown from the reduced volume."""
MOST_VOLUME_BYTES = 64_000_000
"""Of a time point inflated, for slices across those of the file; from a larger volume they are cut at less detail."""
_SIDES = range(16, 2049)
_SHELF_BYTES = 64_000_000
_RESOLUTION = b"medtheca-resolution"

_log = logging.getLogger(__name__)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class _Files:
    """The files of a volume: its voxels, what is said of them, and the reduced copy where there is one."""

    full: ServedFile
    geometry: ServedFile
    small: ServedFile | None


@dataclass(frozen=True, slots=True)
class _Wish:
    """A picture that is asked for. `window` is centre and width, None for the volume's own."""

    plane: Plane
    index: int
    time: int
    window: tuple[float, float] | None
    longest: int

    def etag(self, files: _Files) -> str:
        small = files.small.digest if files.small else ""
        words = f"{_RECIPE} {files.full.digest} {files.geometry.digest} {small} {self}"
        return f'"{hashlib.sha256(words.encode()).hexdigest()[:40]}"'


@dataclass(frozen=True, slots=True)
class _Known:
    whole: StoredVolume
    small: StoredVolume | None


class Slices:
    """Answers for slices of volumes."""

    def __init__(self, door: Door, workshop: Workshop) -> None:
        self._door = door
        self._workshop = workshop
        self._known: Shelf[_Known] = Shelf(limit=_SHELF_BYTES)
        self._windows: Shelf[tuple[float, float]] = Shelf(limit=10_000)

    async def __call__(self, request: Request) -> None:
        """Send a slice, or the same refusal whether it is absent or not for this viewer."""
        require_reading(request)
        match = _PATH.fullmatch(request.path)
        if match is None:
            raise no_such_file()
        image = await self._door.find(request, match["ref"])
        files = _files_of(image)
        known = await self._describe(files)
        if match["z"] is not None:
            await self._send_raw(request, image, files, known.whole, int(match["z"]))
        else:
            wish = _read_wish(request, cast("Plane", match["plane"]), int(match["index"]), known.whole)
            await self._send_picture(request, image, files, known, wish)

    async def _describe(self, files: _Files) -> _Known:
        name = f"{files.geometry.digest} {files.full.digest}"
        known = self._known.get(name)
        if known is None:
            known = await self._workshop.make(_in_good_order, _read_description, files)
            places = len(known.whole.offsets) + (len(known.small.offsets) if known.small else 0)
            self._known.put(name, known, 1000 + 16 * places)
        return known

    async def _send_raw(self, request: Request, image: ServedImage, files: _Files, whole: StoredVolume, z: int) -> None:
        time = _read_time(request, whole)
        if z >= whole.size[2]:
            raise _no_such_slice(whole.size[2])
        if whole.slice_bytes > MOST_SLICE_BYTES:
            raise _too_large("Fetch its bytes by range from full.mha; geometry.json says where they are.")
        etag = f'"{hashlib.sha256(f"raw/1 {files.full.digest} {z} {time}".encode()).hexdigest()[:40]}"'
        headers: Headers = [(b"etag", etag.encode()), *headers_of(image, request)]
        if await is_known(request, etag, headers):
            return
        body = await self._workshop.make(_in_good_order, _read_raw, files.full, whole, z, time)
        await request.answer(200, [*headers, (b"content-type", b"application/octet-stream")], body)

    async def _send_picture(
        self, request: Request, image: ServedImage, files: _Files, known: _Known, wish: _Wish
    ) -> None:
        file, source = _choose_source(files, known, wish.plane)
        etag = wish.etag(files)
        headers: Headers = [
            (b"etag", etag.encode()),
            *headers_of(image, request),
            (_RESOLUTION, b"full" if source is known.whole else b"reduced"),
            (b"access-control-expose-headers", _RESOLUTION),
        ]
        if await is_known(request, etag, headers):
            return
        window = await self._find_window(file, source, wish)
        body = await self._workshop.make(_in_good_order, _draw, file, source, known.whole, wish, window)
        await request.answer(200, [*headers, (b"content-type", b"image/png")], body)

    async def _find_window(self, file: ServedFile, source: StoredVolume, wish: _Wish) -> tuple[float, float]:
        if wish.window is not None:
            centre, width = wish.window
            return centre - width / 2, centre + width / 2
        window = self._windows.get(file.digest)
        if window is None:
            window = await self._workshop.make(_in_good_order, _look_for_window, file, source)
            self._windows.put(file.digest, window, 1)
        return window


# -- what is asked for


def _files_of(image: ServedImage) -> _Files:
    files = image.files
    full, geometry = files.get(FileKind.PUBLIC.value), files.get(FileKind.GEOMETRY.value)
    if full is None or geometry is None or full.media_type != _VOLUME:
        raise no_such_file()
    return _Files(full, geometry, files.get(FileKind.SMALL.value))


def _read_wish(request: Request, plane: Plane, index: int, whole: StoredVolume) -> _Wish:
    number = volumes.count_slices(whole, plane)
    if index >= number:
        raise _no_such_slice(number)
    text = request.query("size")
    longest = int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else 0
    if text and longest not in _SIDES:
        raise Problem(400, "bad_size", f"A size is a whole number from {_SIDES.start} to {_SIDES.stop - 1}.")
    return _Wish(plane, index, _read_time(request, whole), _read_window(request), longest or _SIDES.stop - 1)


def _read_time(request: Request, whole: StoredVolume) -> int:
    text = request.query("time") or "0"
    time = int(text) if text.isascii() and text.isdecimal() and len(text) < 8 else -1
    if not 0 <= time < whole.timepoints:
        raise Problem(404, "no_such_time", f"There are {whole.timepoints:,} time points, counted from 0.")
    return time


def _read_window(request: Request) -> tuple[float, float] | None:
    text = request.query("window")
    if not text:
        return None
    try:
        centre, width = (float(part) for part in text[:100].split(","))
    except ValueError:
        centre, width = 0.0, 0.0
    low, high = centre - width / 2, centre + width / 2
    if not (math.isfinite(low) and math.isfinite(high) and high > low):
        raise Problem(400, "bad_window", "A window is its centre and its width, above 0.", remedy="Such as 40,400.")
    return centre, width


def _choose_source(files: _Files, known: _Known, plane: Plane) -> tuple[ServedFile, StoredVolume]:
    """The full volume where a slice of it costs little enough, otherwise the reduced one."""
    whole = known.whole
    natural = volumes.is_natural(whole, plane)
    cost, most = (whole.slice_bytes, MOST_SLICE_BYTES) if natural else (whole.volume_bytes, MOST_VOLUME_BYTES)
    if cost <= most:
        return files.full, whole
    if files.small is None or known.small is None or known.small.volume_bytes > MOST_VOLUME_BYTES:
        raise _too_large("Download the volume and open it in a viewer.")
    return files.small, known.small


def _no_such_slice(number: int) -> Problem:
    return Problem(404, "no_such_slice", f"There are {number:,} slices, counted from 0.")


def _too_large(remedy: str) -> Problem:
    return Problem(413, "slice_too_large", "Slices of this volume are too large to be made here.", remedy=remedy)


# -- in a thread


def _in_good_order(function: Callable[..., _T], *args: object) -> _T:
    """What the function gives; a file of ours that is not as it should be counts as one that is not there."""
    try:
        return function(*args)
    except Refused as refusal:
        _log.error("A file made of an image is damaged: %s", refusal.message)
        raise unavailable() from None


@contextmanager
def _opened(file: ServedFile) -> Iterator[int]:
    descriptor = open_sized(blob_store().path(file.digest), file.size)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _read_description(files: _Files) -> _Known:
    if files.geometry.size > volumes.MOST_DESCRIPTION:
        raise _too_large("Download the volume and open it in a viewer.")
    with _opened(files.geometry) as descriptor:
        data = read_range(descriptor, 0, files.geometry.size)
    small = files.small.size if files.small else None
    return _Known(*volumes.parse_description(data, file_size=files.full.size, small_size=small))


def _read_raw(file: ServedFile, whole: StoredVolume, z: int, time: int) -> bytes:
    with _opened(file) as descriptor:
        return volumes.read_raw(descriptor, whole, z, time=time)


def _look_for_window(file: ServedFile, source: StoredVolume) -> tuple[float, float]:
    with _opened(file) as descriptor:
        return volumes.find_window(descriptor, source)


def _draw(
    file: ServedFile, source: StoredVolume, whole: StoredVolume, wish: _Wish, window: tuple[float, float]
) -> bytes:
    index = wish.index
    if source is not whole:
        # The middle of the slice asked for lies in this one.
        mine = volumes.count_slices(source, wish.plane)
        index = min(mine - 1, (2 * index + 1) * mine // (2 * volumes.count_slices(whole, wish.plane)))
    with _opened(file) as descriptor:
        picture = volumes.show_stored(
            descriptor, source, wish.plane, index, window=window, longest=wish.longest, time=wish.time
        )
    packed = io.BytesIO()
    # Level 1 takes a third of the time of the usual 6, and a tenth more bytes.
    picture.save(packed, "PNG", compress_level=1)
    return packed.getvalue()
