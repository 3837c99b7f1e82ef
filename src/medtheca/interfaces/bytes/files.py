"""Files of images: `/files/images/ISIC_0000042/thumbnail.jpg`, permission decided from memory."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from medtheca.domains.imaging.enums import TAKEN_KINDS
from medtheca.domains.storage.queries import blob_store
from medtheca.interfaces.bytes.composed import ComposedFiles
from medtheca.interfaces.bytes.door import (
    Door,
    headers_of,
    is_known,
    no_such_file,
    require_reading,
    require_takeable,
)
from medtheca.interfaces.bytes.sending import send_file, send_ranges, wanted_part
from medtheca.interfaces.bytes.threads import Threads
from medtheca.interfaces.bytes.wire import Headers, Request
from medtheca.interfaces.http.file_urls import NAMES
from medtheca.toolkit.images.extensions import EXTENSIONS

if TYPE_CHECKING:
    from medtheca.domains.access.serving import ServedFile

_PATH = re.compile(r"/files/images/([A-Za-z0-9_-]{1,64})/([a-z]{1,12})(?:\.([a-z]{1,5}))?")


class Files:
    """Answers for files of images."""

    def __init__(self, threads: Threads, door: Door) -> None:
        self._threads = threads
        self._door = door
        self._composed = ComposedFiles(threads)

    async def __call__(self, request: Request) -> None:
        """Send a file, a part of it, or the same refusal whether it is absent or not for this viewer."""
        require_reading(request)
        match = _PATH.fullmatch(request.path)
        kind = NAMES.get(match[2]) if match else None
        if match is None or kind is None:
            raise no_such_file()
        image = await self._door.find(request, match[1])
        if kind in TAKEN_KINDS:
            require_takeable(image)
        file = image.files.get(kind.value)
        extension = EXTENSIONS.get(file.media_type, "") if file else ""
        if file is None or match[3] not in {None, extension}:
            raise no_such_file()
        etag = f'"{file.digest}"'
        headers: Headers = [(b"etag", etag.encode()), (b"accept-ranges", b"bytes"), *headers_of(image, request)]
        if await is_known(request, etag, headers):
            return
        disposition = "inline"
        if match[2] == "full":
            disposition = f'inline; filename="{image.name}.{extension}"' if extension else "inline"
        headers += [(b"content-type", file.media_type.encode()), (b"content-disposition", disposition.encode())]
        await self._send(request, file, headers, etag)

    async def _send(self, request: Request, file: ServedFile, headers: Headers, etag: str) -> None:
        size = file.size
        span = wanted_part(request, etag=etag, size=size, headers=headers)
        if file.recipe:
            async with self._composed.opened(file) as reader:
                await send_ranges(request, self._threads, reader=reader, headers=headers, span=span)
            return
        path = blob_store().path(file.digest)
        await send_file(request, self._threads, path=path, size=size, headers=headers, span=span)
