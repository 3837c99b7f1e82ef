"""The bytes of a file as an answer, the same for pages and programs: to be kept, never shown as a page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import quote

from django.http import StreamingHttpResponse

from medtheca.domains.provenance.copies import CopyFile
from medtheca.domains.storage.opening import chunks_of, open_ranges
from medtheca.toolkit.ranges.readers import RangeReader

_PLAIN = re.compile(r"[A-Za-z0-9_.-]+")
_INERT = frozenset(
    (
        *("application/dicom", "application/json", "application/pdf", "application/vnd.sqlite3", "application/zip"),
        *("image/jpeg", "image/png", "model/obj", "text/csv", "text/plain", "video/mp4"),
    )
)


def send_copy(copy: CopyFile) -> StreamingHttpResponse:
    """Stream a copy that the person may have: who may was asked when it was found."""
    return send_blob(copy.sha256, size=copy.size, name=copy.name, media_type=copy.media_type)


def send_blob(sha256: str, *, size: int, name: str, media_type: str) -> StreamingHttpResponse:
    """Stream a blob that the person may have. What a browser could run is sent as bytes of no kind."""
    kind = media_type if media_type in _INERT else "application/octet-stream"
    response = StreamingHttpResponse(_chunks(open_ranges(sha256)), content_type=kind)
    response["Content-Length"] = str(size)
    named = f'filename="{name}"' if _PLAIN.fullmatch(name) else f"filename*=UTF-8''{quote(name, safe='')}"
    response["Content-Disposition"] = f"attachment; {named}"
    response["Cache-Control"] = "private, no-store"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response


def _chunks(file: RangeReader) -> Iterator[bytes]:
    with closing(file):
        yield from chunks_of(file)
