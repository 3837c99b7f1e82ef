"""The line that tells how far images that come in now have come."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from medtheca.domains.provenance.overviews import publication_under_way, reception_under_way
from medtheca.interfaces.web.people import person


def ingest_progress(request: HttpRequest) -> dict[str, Any] | None:
    """For owners and staff what comes to their cohorts; on a demonstration everybody sees all of it. None at rest."""
    demo = settings.ENVIRONMENT.demo
    if not request.user.is_authenticated and not demo:
        return None
    user = person(request.user)
    if coming := reception_under_way(user, everyone=demo):
        return {"done": coming.done, "total": coming.total, "words": "Images are coming in"}
    if leaving := publication_under_way(user, everyone=demo):
        return {"done": leaving.done, "total": leaving.total, "words": "Images are being published"}
    return None
