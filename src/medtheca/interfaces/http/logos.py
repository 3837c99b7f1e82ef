"""The logo of an archive as an answer, the same for pages and programs."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified

from medtheca.domains.storage.opening import read_blob
from medtheca.toolkit.renditions.monogram import monogram

if TYPE_CHECKING:
    from uuid import UUID

    from medtheca.domains.archives.models import Archive


def logo_url(archive_id: UUID) -> str:
    """Where programs fetch it, by token or session: an absolute address."""
    return f"{settings.PUBLIC_URL}/api/v2/archives/{archive_id}/logo/"


def send_logo(request: HttpRequest, archive: Archive, *, small: bool) -> HttpResponse:
    """Its own, a PNG of 640 pixels or small of 128, or else an SVG that is drawn from its title."""
    blob = archive.logo_small if small else archive.logo
    if blob is not None:
        etag, media_type = blob.sha256, "image/png"
    else:
        drawn = monogram(archive.title, name=archive.slug).encode()
        etag, media_type = hashlib.sha256(drawn).hexdigest(), "image/svg+xml"
    if f'"{etag}"' in request.headers.get("If-None-Match", ""):
        response: HttpResponse = HttpResponseNotModified()
    else:
        response = HttpResponse(read_blob(blob.sha256) if blob else drawn, content_type=media_type)
    response["ETag"] = f'"{etag}"'
    # Who finds the archive may change from one minute to the next.
    response["Cache-Control"] = "private, no-cache"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'; style-src 'unsafe-inline'"
    return response
