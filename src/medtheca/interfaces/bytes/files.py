"""Files of images: `/files/images/ISIC_0000042/thumbnail.jpg`, permission decided from memory."""

from __future__ import annotations

import re
from uuid import UUID

from medtheca.domains.access.queries import ANYBODY, Viewer
from medtheca.domains.access.serving import ServedImage, find_served_image
from medtheca.domains.storage.queries import blob_store
from medtheca.interfaces.bytes.callers import Callers
from medtheca.interfaces.bytes.conditions import precondition_status, wanted_span
from medtheca.interfaces.bytes.memory import PUBLIC, Memory
from medtheca.interfaces.bytes.sending import send_file
from medtheca.interfaces.bytes.threads import Threads
from medtheca.interfaces.bytes.wire import Headers, Problem, Request
from medtheca.interfaces.http.file_urls import EXTENSIONS, NAMES

_PATH = re.compile(r"/files/images/([A-Za-z0-9_-]{1,64})/([a-z]{1,12})(?:\.([a-z]{1,5}))?")

# An image is data: should a browser take it for a page after all, that page may do nothing.
_ALWAYS: Headers = [
    (b"accept-ranges", b"bytes"),
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"sandbox; default-src 'none'"),
]
_FOR_ALL: Headers = [
    *_ALWAYS,
    (b"cache-control", b"no-cache"),
    (b"cross-origin-resource-policy", b"cross-origin"),
    (b"access-control-allow-origin", b"*"),
]
_FOR_SOME: Headers = [
    *_ALWAYS,
    (b"cache-control", b"private, no-store"),
    (b"cross-origin-resource-policy", b"same-origin"),
]


class Files:
    """Answers for files of images."""

    def __init__(self, threads: Threads, memory: Memory) -> None:
        self._threads = threads
        self._memory = memory
        self.callers = Callers(threads)

    async def __call__(self, request: Request) -> None:
        """Send a file, a part of it, or the same refusal whether it is absent or not for this viewer."""
        if request.method not in {"GET", "HEAD"}:
            raise Problem(405, "method_not_allowed", "Files can be read only.", headers={"Allow": "GET, HEAD"})
        match = _PATH.fullmatch(request.path)
        kind = NAMES.get(match[2]) if match else None
        if match is None or kind is None:
            raise _no_such_file()
        image = await self._find(request, canonical_reference(match[1]))
        file = image.files.get(kind.value) if image else None
        if image is None or file is None:
            raise _no_such_file()
        extension = EXTENSIONS.get(file.media_type, "")
        if match[3] is not None and match[3] != extension:
            raise _no_such_file()
        etag = f'"{file.digest}"'
        headers: Headers = [
            (b"content-type", file.media_type.encode()),
            (b"etag", etag.encode()),
            *(_FOR_ALL if image.is_public else _FOR_SOME),
        ]
        status = precondition_status(
            if_match=request.header(b"if-match"), if_none_match=request.header(b"if-none-match"), etag=etag
        )
        if status == 304:
            await request.answer(304, headers[1:])
            return
        if status == 412:
            raise Problem(412, "other_file", "The file is not the one that If-Match names.")
        disposition = "inline"
        if match[2] == "full":
            disposition = f'inline; filename="{image.name}.{extension}"' if extension else "inline"
        headers.append((b"content-disposition", disposition.encode()))
        await self._send(request, file.digest, file.size, headers, etag)

    async def _send(self, request: Request, digest: str, size: int, headers: Headers, etag: str) -> None:
        span = None
        if b"range" in request.headers and request.method == "GET":
            try:
                span = wanted_span(
                    range_=request.header(b"range"), if_range=request.header(b"if-range"), etag=etag, size=size
                )
            except ValueError:
                raise Problem(
                    416,
                    "range_not_satisfiable",
                    f"The file has {size} bytes; the range lies behind them.",
                    headers={"Content-Range": f"bytes */{size}"},
                ) from None
        if span is not None:
            headers.append((b"content-range", b"bytes %d-%d/%d" % (span.first, span.last, size)))
        await send_file(request, self._threads, path=blob_store().path(digest), size=size, headers=headers, span=span)

    async def _find(self, request: Request, reference: str) -> ServedImage | None:
        public = self._memory.recall(PUBLIC, reference)
        if public is not None:
            return public
        viewer = await self.callers.viewer_of(request, reference)

        async def read() -> ServedImage | None:
            return await self._threads.ask(find_served_image, viewer, reference)

        return await self._memory.look_up(_viewer_id(viewer), reference, read)


def canonical_reference(text: str) -> str:
    """A key in its usual form, or the public id as it is.

    >>> canonical_reference("5F0C3B9A1D7E4C2F8A6B0D9E1F2A3B4C")
    '5f0c3b9a-1d7e-4c2f-8a6b-0d9e1f2a3b4c'
    >>> canonical_reference("ISIC_0000042")
    'ISIC_0000042'
    """
    try:
        return str(UUID(text))
    except ValueError:
        return text


def _viewer_id(viewer: Viewer) -> int:
    return PUBLIC if viewer == ANYBODY or viewer.user_id is None else viewer.user_id


def _no_such_file() -> Problem:
    return Problem(404, "not_found", "There is no such file.")
