"""The door to an image's bytes: who asks, whether they may see it, and what every answer says of itself."""

from __future__ import annotations

import functools
from typing import Protocol
from uuid import UUID

from medtheca.domains.access.queries import Viewer
from medtheca.domains.access.serving import ServedImage, find_served_image
from medtheca.interfaces.bytes.callers import Callers
from medtheca.interfaces.bytes.conditions import precondition_status
from medtheca.interfaces.bytes.memory import BY_LINK, PUBLIC, Memory
from medtheca.interfaces.bytes.threads import Threads
from medtheca.interfaces.bytes.wire import Headers, Problem, Request

# An image is data: should a browser take it for a page after all, that page may do nothing.
_ALWAYS: Headers = [
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
# Other sites have the token or the ticket already; what a browser sends by itself opens nothing here.
_FOR_KEYS: Headers = [
    *_ALWAYS,
    (b"cache-control", b"private, no-store"),
    (b"cross-origin-resource-policy", b"cross-origin"),
    (b"access-control-allow-origin", b"*"),
]
PREFLIGHT: Headers = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-allow-methods", b"GET, HEAD, OPTIONS"),
    (b"access-control-allow-headers", b"Authorization, If-None-Match, If-Range, Range"),
    (b"access-control-max-age", b"86400"),
]
_SHORTEST_KEY = 32


class _Takeable(Protocol):
    @property
    def takeable(self) -> bool: ...


class Door:
    """Finds images for those who may see them, from memory where it can."""

    def __init__(self, threads: Threads, memory: Memory) -> None:
        self._threads = threads
        self._memory = memory
        self.callers = Callers(threads)

    async def find(self, request: Request, text: str) -> ServedImage:
        """The image of a key or public id. Raises `Problem` 404 alike for what is absent and what is invisible."""
        reference = canonical_reference(text)
        image = self._memory.recall(PUBLIC, reference)
        if image is None:
            image = await self._ask(request, reference)
        if image is None:
            raise no_such_file()
        return image

    async def _ask(self, request: Request, reference: str) -> ServedImage | None:
        viewer = await self.callers.viewer_of(request, reference)

        async def read() -> ServedImage | None:
            return await self._threads.ask(find_served_image, viewer, reference)

        # What is read for who has links is never theirs who have none.
        key = f"{reference} by {viewer.links}" if viewer.links else reference
        return await self._memory.look_up(_viewer_id(viewer), key, read)


@functools.lru_cache(maxsize=4096)
def canonical_reference(text: str) -> str:
    """A key in its usual form, or the public id as it is.

    >>> canonical_reference("5F0C3B9A1D7E4C2F8A6B0D9E1F2A3B4C")
    '5f0c3b9a-1d7e-4c2f-8a6b-0d9e1f2a3b4c'
    >>> canonical_reference("ISIC_0000042")
    'ISIC_0000042'
    """
    if len(text) < _SHORTEST_KEY:
        return text  # Sooner known than by an error, for most references are public ids.
    try:
        return str(UUID(text))
    except ValueError:
        return text


def require_takeable(thing: _Takeable) -> None:
    """Raises `Problem` 403 where whoever asks may look at the thing and take nothing away."""
    if not thing.takeable:
        raise Problem(
            403,
            "look_only",
            "You may look at this, and not download it.",
            remedy="Ask an editor of the archive that shows it to you.",
        )


def headers_of(image: ServedImage, request: Request) -> Headers:
    """What every answer about an image carries: how it may be kept, and by whom it may be embedded."""
    return headers_for(request, public=image.is_public)


def headers_for(request: Request, *, public: bool) -> Headers:
    """The same for anything that is everybody's, or not."""
    if public:
        return _FOR_ALL
    return _FOR_KEYS if request.by_key else _FOR_SOME


def require_reading(request: Request) -> None:
    """Raises `Problem` 405 for anything but GET and HEAD."""
    if request.method not in {"GET", "HEAD"}:
        raise Problem(405, "method_not_allowed", "Files can be read only.", headers={"Allow": "GET, HEAD"})


async def is_known(request: Request, etag: str, headers: Headers) -> bool:
    """Answer 304 where the client has these bytes already, and say so. Raises `Problem` 412 as If-Match asks."""
    status = precondition_status(
        if_match=request.header(b"if-match"), if_none_match=request.header(b"if-none-match"), etag=etag
    )
    if status == 412:
        raise Problem(412, "other_file", "The file is not the one that If-Match names.")
    if status == 304:
        await request.answer(304, headers)
    return status == 304


def no_such_file() -> Problem:
    """The one answer for what is absent and what is not for this viewer."""
    return Problem(404, "not_found", "There is no such file.")


def _viewer_id(viewer: Viewer) -> int:
    if viewer.user_id is not None:
        return viewer.user_id
    return BY_LINK if viewer.links else PUBLIC
