"""IIIF Image API 3.0, level 2, for slides and photographs: `/iiif/ID/info.json`, `/iiif/ID/full/max/0/default.jpg`.

What is exactly one stored tile is sent as stored; everything else is made in the sandbox.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from medtheca.domains.access.serving import ServedFile, ServedImage
from medtheca.domains.imaging.enums import FileKind
from medtheca.interfaces.bytes.deepzoom import pyramid_of
from medtheca.interfaces.bytes.door import Door, headers_of, is_known, no_such_file, require_takeable
from medtheca.interfaces.bytes.pyramids import Pyramids
from medtheca.interfaces.bytes.rendering import Renderer
from medtheca.interfaces.bytes.wire import Headers, Problem, Request
from medtheca.interfaces.http.middleware import client_address
from medtheca.toolkit.errors import Refused
from medtheca.toolkit.images import region_task
from medtheca.toolkit.tiles import iiif
from medtheca.toolkit.tiles.iiif_request import FORMATS, ImageRequest, parse_request
from medtheca.toolkit.tiles.index import PyramidIndex, bare_index

ROOT = "/iiif/"
_PATH = re.compile(
    r"/iiif/(?P<ref>[A-Za-z0-9_-]{1,64})"
    r"(?:(?P<base>/?)|(?P<info>/info\.json)"
    r"|/(?P<region>[^/]*)/(?P<size>[^/]*)/(?P<rotation>[^/]*)/(?P<quality>[^/]*)\.(?P<format>[^/.]*))",
    re.DOTALL,
)
_PHOTOGRAPHS = frozenset({"image/jpeg", "image/png"})
# A photograph has no tiles of its own: each is cut from the whole, so few and large ones are asked for.
_PHOTOGRAPH_TILE = 1024
# What is larger than a tile is a download, for whoever may only look.
_LARGEST_LOOK = 1024
_RECIPE = "iiif/2"
_PROFILE = b'<http://iiif.io/api/image/3/level2.json>;rel="profile"'
_JSON_LD = f'application/ld+json;profile="{iiif.CONTEXT}"'
_PREFLIGHT: Headers = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-allow-methods", b"GET, HEAD, OPTIONS"),
    (b"access-control-allow-headers", b"authorization, if-none-match"),
    (b"access-control-max-age", b"86400"),
]


@dataclass(frozen=True, slots=True)
class _Source:
    """What pictures are made from; `stored` where it has tiles of its own."""

    image: ServedImage
    file: ServedFile
    index: PyramidIndex
    stored: bool


class Iiif:
    """Answers for the Image API."""

    extra: Headers = [(b"access-control-allow-origin", b"*")]
    """Of every refusal: pages elsewhere may read why they get no picture."""

    def __init__(self, door: Door, pyramids: Pyramids, renderer: Renderer) -> None:
        self._door = door
        self._pyramids = pyramids
        self._renderer = renderer

    async def __call__(self, request: Request) -> None:
        """Send information, a picture, or the way to the information. Raises `Problem` 400, 404, 501 as IIIF says."""
        if request.method == "OPTIONS":
            await request.answer(204, _PREFLIGHT)
            return
        if request.method not in {"GET", "HEAD"}:
            raise Problem(405, "method_not_allowed", "Pictures can be read only.", headers={"Allow": "GET, HEAD"})
        match = _PATH.fullmatch(request.path)
        if match is None:
            raise no_such_file()
        if match["base"] is not None:
            query = request.scope["query_string"]
            place = f"{ROOT}{match['ref']}/info.json".encode() + (b"?" + query if query else b"")
            await request.answer(303, [(b"location", place), *self.extra])
            return
        source = await self._find(request, match["ref"])
        if match["info"] is not None:
            await self._send_information(request, source)
        else:
            await self._send_picture(request, source, _read(match, source.index))

    async def _find(self, request: Request, reference: str) -> _Source:
        image = await self._door.find(request, reference)
        slide = pyramid_of(image)
        if slide is not None:
            return _Source(image, slide, await self._pyramids.index_of(slide), stored=True)
        file = image.files.get(FileKind.PUBLIC.value)
        if file is None or file.media_type not in _PHOTOGRAPHS:
            raise no_such_file()
        return _Source(image, file, bare_index(image.width, image.height, _PHOTOGRAPH_TILE), stored=False)

    async def _send_information(self, request: Request, source: _Source) -> None:
        information = _describe(source)
        body = json.dumps(information).encode()
        as_linked_data = "application/ld+json" in request.header(b"accept")
        etag = f'"{hashlib.sha256(body).hexdigest()[:40]}{"-ld" if as_linked_data else ""}"'
        headers: Headers = [
            (b"etag", etag.encode()),
            *headers_of(source.image, request),
            (b"vary", b"accept"),
            (b"link", _PROFILE),
        ]
        if await is_known(request, etag, headers):
            return
        media_type = _JSON_LD if as_linked_data else "application/json"
        await request.answer(200, [*headers, (b"content-type", media_type.encode())], body)

    async def _send_picture(self, request: Request, source: _Source, wanted: ImageRequest) -> None:
        if max(wanted.width, wanted.height) > _LARGEST_LOOK:
            require_takeable(source.image)
        canonical = _canonical(source.index, wanted)
        link = f'<{_address(source.image)}/{canonical}>;rel="canonical"'.encode()
        links: Headers = [(b"link", _PROFILE + b", " + link)]
        place = iiif.find_whole_tile(source.index, wanted) if source.stored else None
        if place is not None:
            await self._pyramids.send_tile(request, source.image, source.file, place, extra=links)
            return
        words = f"{_RECIPE} {source.file.digest} {canonical}"
        etag = f'"{hashlib.sha256(words.encode()).hexdigest()[:40]}"'
        headers: Headers = [(b"etag", etag.encode()), *headers_of(source.image, request), *links]
        if await is_known(request, etag, headers):
            return
        body = await self._render(request, source, wanted)
        await request.answer(200, [*headers, (b"content-type", FORMATS[wanted.format].encode())], body)

    async def _render(self, request: Request, source: _Source, wanted: ImageRequest) -> bytes:
        caller = client_address(request.address, request.header(b"x-forwarded-for"))
        if source.stored:
            try:
                options, pieces = region_task.options_for_pyramid(source.index, wanted)
            except Refused as refusal:
                raise _problem_of(refusal) from None
            keeps = region_task.BYTES_KEPT_OF_PYRAMID
            return await self._renderer.render(source.file, options, caller=caller, pieces=pieces, keeps=keeps)
        size = (source.index.width, source.index.height)
        options = region_task.options_for_picture(source.file.media_type, size, wanted)
        keeps = region_task.bytes_kept_of_picture(*size)
        return await self._renderer.render(source.file, options, caller=caller, keeps=keeps)


def _read(match: re.Match[str], index: PyramidIndex) -> ImageRequest:
    try:
        return parse_request(
            (index.width, index.height),
            region=match["region"],
            scale=match["size"],
            rotation=match["rotation"],
            quality=match["quality"],
            form=match["format"],
        )
    except Refused as refusal:
        raise _problem_of(refusal) from None


def _problem_of(refusal: Refused) -> Problem:
    status = 501 if refusal.code.startswith("unsupported_") else 400
    return Problem(status, refusal.code, refusal.message, remedy=refusal.remedy)


def _address(image: ServedImage) -> str:
    return f"{settings.PUBLIC_URL}{ROOT}{image.name}"


def _describe(source: _Source) -> dict[str, Any]:
    information = iiif.describe(source.index, _address(source.image))
    information["extraFeatures"] += ["canonicalLinkHeader", "profileLinkHeader"]
    if not source.image.takeable:
        information["maxWidth"] = _LARGEST_LOOK
    return information


def _canonical(index: PyramidIndex, wanted: ImageRequest) -> str:
    """The request in the one way to write it. Source: iiif.io/api/image/3.0, section 4.7."""
    region = f"{wanted.x},{wanted.y},{wanted.region_width},{wanted.region_height}"
    if region == f"0,0,{index.width},{index.height}":
        region = "full"
    enlarged = wanted.width > wanted.region_width or wanted.height > wanted.region_height
    size = f"{'^' if enlarged else ''}{wanted.width},{wanted.height}"
    if (wanted.width, wanted.height) == (wanted.region_width, wanted.region_height):
        size = "max"
    rotation = f"{'!' if wanted.mirrored else ''}{wanted.rotation}"
    return f"{region}/{size}/{rotation}/{wanted.quality}.{wanted.format}"
