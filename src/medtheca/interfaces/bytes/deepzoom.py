"""Slides as Deep Zoom: `/files/images/ID/tiles.dzi` and `/files/images/ID/tiles_files/12/3_4.jpg`, sent as stored."""

from __future__ import annotations

import re

from medtheca.domains.access.serving import ServedFile, ServedImage
from medtheca.domains.imaging.enums import FileKind
from medtheca.interfaces.bytes.door import Door, headers_of, is_known, no_such_file, require_reading
from medtheca.interfaces.bytes.pyramids import Pyramids
from medtheca.interfaces.bytes.wire import Headers, Problem, Request
from medtheca.toolkit.tiles import deepzoom

_PATH = re.compile(
    r"/files/images/([A-Za-z0-9_-]{1,64})/tiles(?:\.dzi|_files/(\d{1,2})/(\d{1,7})_(\d{1,7})\.(?:jpg|jpeg))"
)
_PYRAMID = "image/tiff"


class DeepZoom:
    """Answers for tiles of slides."""

    def __init__(self, door: Door, pyramids: Pyramids) -> None:
        self._door = door
        self._pyramids = pyramids

    async def __call__(self, request: Request) -> None:
        """Send the description or a tile, or the same refusal whether it is absent or not for this viewer."""
        require_reading(request)
        match = _PATH.fullmatch(request.path)
        if match is None:
            raise no_such_file()
        image = await self._door.find(request, match[1])
        file = pyramid_of(image)
        if file is None:
            raise no_such_file()
        if match[2] is None:
            await self._describe(request, image, file)
        else:
            await self._send_tile(request, image, file, (int(match[2]), int(match[3]), int(match[4])))

    async def _describe(self, request: Request, image: ServedImage, file: ServedFile) -> None:
        etag = f'"dzi-{file.digest[:40]}"'
        headers: Headers = [(b"etag", etag.encode()), *headers_of(image, request)]
        if await is_known(request, etag, headers):
            return
        body = deepzoom.describe(await self._pyramids.index_of(file))
        await request.answer(200, [*headers, (b"content-type", deepzoom.MEDIA_TYPE.encode())], body)

    async def _send_tile(
        self, request: Request, image: ServedImage, file: ServedFile, wanted: tuple[int, int, int]
    ) -> None:
        index = await self._pyramids.index_of(file)
        try:
            place = deepzoom.find_tile(index, *wanted)
        except LookupError:
            raise Problem(404, "no_such_tile", "The slide has no such tile.") from None
        await self._pyramids.send_tile(request, image, file, place)


def pyramid_of(image: ServedImage) -> ServedFile | None:
    """The pyramid of a slide; None for what is none."""
    file = image.files.get(FileKind.PUBLIC.value)
    return file if file is not None and file.media_type == _PYRAMID else None
