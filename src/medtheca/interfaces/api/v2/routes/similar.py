"""Images that look like another, and groups of such."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from medtheca.domains.provenance.queries import cohort_for
from medtheca.domains.search.lookalikes import Duplicate, duplicate_groups, duplicates_of, similar_entries
from medtheca.interfaces.api.v2.calling import caller_of, user_of
from medtheca.interfaces.api.v2.shapes.images import image_out, site_of
from medtheca.interfaces.api.v2.shapes.reviews import (
    DuplicateGroupsOut,
    DuplicateGroupsQuery,
    DuplicateImageOut,
    SimilarImageOut,
)
from medtheca.interfaces.http.api_auth import anybody, somebody
from medtheca.interfaces.http.authentication import Caller

router = Router(tags=["images"])
cohort_router = Router(tags=["cohorts"], auth=somebody)


class SimilarQuery(Schema):
    """How many."""

    limit: int = Field(10, ge=1, le=50)


@router.get("/{isic_id}/similar/", auth=somebody, response=list[SimilarImageOut], url_name="image_similar")
def list_similar(request: HttpRequest, isic_id: str, wanted: Query[SimilarQuery]) -> Any:
    """Images that the caller may see and that look nearly the same, the nearest first."""
    caller, site = caller_of(request), site_of(request)
    found = similar_entries(caller.user, isic_id, limit=wanted.limit)
    return [image_out(entry, site=site, caller=caller) | {"distance": distance} for entry, distance in found]


@router.get("/{isic_id}/duplicates/", auth=anybody, response=list[DuplicateImageOut], url_name="image_duplicates")
def list_duplicates(request: HttpRequest, isic_id: str) -> Any:
    """Its near-duplicates, theirs, and so on, over images that the caller sees: the 100 that are most alike.

    A search for `duplicate_group:ID` finds the group whole.
    """
    caller, site = caller_of(request), site_of(request)
    return [_duplicate_out(found, site, caller) for found in duplicates_of(caller.user, isic_id)]


@cohort_router.get("/{int:cohort_id}/duplicates/", response=DuplicateGroupsOut, url_name="cohort_duplicates")
def list_duplicate_groups(request: HttpRequest, cohort_id: int, wanted: Query[DuplicateGroupsQuery]) -> Any:
    """Groups of near-duplicates with an image of the cohort; what the caller does not see is not among them."""
    caller, site = caller_of(request), site_of(request)
    cohort = cohort_for(user_of(request), cohort_id)
    number, groups = duplicate_groups(caller.user, cohort.pk, first=wanted.offset, limit=wanted.limit)
    return {"count": number, "results": [[_duplicate_out(found, site, caller) for found in group] for group in groups]}


def _duplicate_out(found: Duplicate, site: str, caller: Caller) -> dict[str, Any]:
    shown = image_out(found.entry, site=site, caller=caller)
    return shown | {"distance": found.distance, "same_pixels": found.same_pixels}
