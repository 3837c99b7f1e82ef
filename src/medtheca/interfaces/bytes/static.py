"""Static files at `/static/`, straight from the folders of the installed packages: nothing has to be collected.

Each is checked against its file at every request, so that a rebuilt one is seen at once; its ETag is the hash of its
bytes. An address that carries that hash, as `?v=…`, may be kept for ever.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
import os
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from django.contrib.staticfiles import finders

from medtheca.interfaces.bytes.conditions import precondition_status
from medtheca.interfaces.bytes.threads import Threads
from medtheca.interfaces.bytes.wire import Headers, Problem, Request

ROOT = "/static/"
_SAFE = re.compile(r"(?:[A-Za-z0-9_-][A-Za-z0-9._-]*/)*[A-Za-z0-9_-][A-Za-z0-9._-]*")
_FOR_EVER = b"public, max-age=31536000, immutable"
_VERSION_LENGTH = 16
_TYPES = {".js": "text/javascript", ".mjs": "text/javascript", ".woff2": "font/woff2", ".svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A file in memory, packed too where that makes it smaller. `version` begins its hash."""

    content: bytes
    packed: bytes | None
    version: str
    media_type: str


class StaticFiles:
    """Answers for static files."""

    def __init__(self, threads: Threads) -> None:
        self._threads = threads

    async def __call__(self, request: Request) -> None:
        """Send a static file. Raises `Problem` where there is none."""
        if request.method not in {"GET", "HEAD"}:
            raise Problem(405, "method_not_allowed", "Files can be read only.", headers={"Allow": "GET, HEAD"})
        found = await self._threads.on_disk(find_static, request.path.removeprefix(ROOT))
        if found is None:
            raise Problem(404, "not_found", "There is no such file.")
        pack = found.packed is not None and "gzip" in request.header(b"accept-encoding")
        etag = f'"{found.version}{"-gzip" if pack else ""}"'
        named = request.query("v") == found.version
        headers: Headers = [
            (b"content-type", found.media_type.encode()),
            (b"etag", etag.encode()),
            (b"cache-control", _FOR_EVER if named else b"public, no-cache"),
            (b"vary", b"accept-encoding"),
            (b"x-content-type-options", b"nosniff"),
            (b"cross-origin-resource-policy", b"same-origin"),
        ]
        status = precondition_status(if_match="", if_none_match=request.header(b"if-none-match"), etag=etag)
        if status == 304:
            await request.answer(304, headers[1:])
            return
        if pack:
            headers.append((b"content-encoding", b"gzip"))
        await request.answer(200, headers, found.packed if pack and found.packed is not None else found.content)


def find_static(name: str) -> StaticFile | None:
    """A static file by its name under `/static/`, None where there is none. Reads the disk."""
    if not _SAFE.fullmatch(name):
        return None
    path = _place(name)
    if path is None:
        return None
    try:
        status = os.stat(path)  # noqa: PTH116 - the path is a plain string here
    except OSError:
        _place.cache_clear()
        return None
    return _load(path, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=1024)
def _place(name: str) -> str | None:
    found = finders.find(name)
    return str(found) if found and Path(str(found)).is_file() else None


@lru_cache(maxsize=512)
def _load(path: str, _changed: int, _size: int) -> StaticFile:
    content = Path(path).read_bytes()
    suffix = Path(path).suffix.lower()
    media_type = _TYPES.get(suffix) or mimetypes.guess_type(path)[0] or "application/octet-stream"
    is_text = media_type.startswith("text/") or media_type in {"application/json", "image/svg+xml"}
    packed = gzip.compress(content, 6, mtime=0) if is_text and len(content) > 1024 else None
    if is_text:
        media_type += "; charset=utf-8"
    version = hashlib.sha256(content).hexdigest()[:_VERSION_LENGTH]
    return StaticFile(content, packed if packed and len(packed) < len(content) else None, version, media_type)
