"""Images that look like another."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from medtheca.domains.search.lookalikes import similar_entries
from medtheca.interfaces.api.v2.calling import caller_of
from medtheca.interfaces.api.v2.shapes.images import image_out, site_of
from medtheca.interfaces.api.v2.shapes.reviews import SimilarImageOut
from medtheca.interfaces.http.api_auth import somebody

router = Router(tags=["images"])


class SimilarQuery(Schema):
    """How many."""

    limit: int = Field(10, ge=1, le=50)


@router.get("/{isic_id}/similar/", auth=somebody, response=list[SimilarImageOut], url_name="image_similar")
def list_similar(request: HttpRequest, isic_id: str, wanted: Query[SimilarQuery]) -> Any:
    """Images that the caller may see and that look nearly the same, the nearest first."""
    caller, site = caller_of(request), site_of(request)
    found = similar_entries(caller.user, isic_id, limit=wanted.limit)
    return [image_out(entry, site=site, caller=caller) | {"distance": distance} for entry, distance in found]
