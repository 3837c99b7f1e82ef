"""Saved searches: the caller's own, and nobody else's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.http import HttpRequest
from ninja import Router, Status

from medtheca.domains.search.operations import change_saved_search, delete_saved_search, save_search
from medtheca.domains.search.saved import fault_of, saved_search_for, saved_searches_of
from medtheca.interfaces.api.v2.calling import user_of
from medtheca.interfaces.api.v2.shapes.images import site_of
from medtheca.interfaces.api.v2.shapes.saved import SavedSearchChangeIn, SavedSearchIn, SavedSearchOut
from medtheca.interfaces.http.api_auth import somebody

if TYPE_CHECKING:
    from medtheca.domains.search.models import SavedSearch

router = Router(tags=["saved searches"], auth=somebody)
_ONE = "/{int:saved_id}/"


@router.get("/", response=list[SavedSearchOut], url_name="saved_searches")
def list_saved_searches(request: HttpRequest) -> Any:
    """Your saved searches by name; at most 100."""
    return [_shown(row, request) for row in saved_searches_of(user_of(request))]


@router.post("/", response={201: SavedSearchOut}, url_name="saved_searches")
def make_saved_search(request: HttpRequest, given: SavedSearchIn) -> Any:
    """Keep a query under a name. 409 where another one of yours has it, or where there are 100."""
    oldest_first = given.sort == "oldest"
    made = save_search(user=user_of(request), name=given.name, query=given.query, oldest_first=oldest_first)
    return Status(201, _shown(made, request))


@router.get(_ONE, response=SavedSearchOut, url_name="saved_search")
def show_saved_search(request: HttpRequest, saved_id: int) -> Any:
    """One of your saved searches."""
    return _shown(saved_search_for(user_of(request), saved_id), request)


@router.patch(_ONE, response=SavedSearchOut, url_name="saved_search")
def edit_saved_search(request: HttpRequest, saved_id: int, given: SavedSearchChangeIn) -> Any:
    """Rename it, or have it ask for something else."""
    saved = saved_search_for(user_of(request), saved_id)
    oldest_first = None if given.sort is None else given.sort == "oldest"
    changed = change_saved_search(saved=saved, name=given.name, query=given.query, oldest_first=oldest_first)
    return _shown(changed, request)


@router.delete(_ONE, response={204: None}, url_name="saved_search")
def remove_saved_search(request: HttpRequest, saved_id: int) -> Any:
    """Forget it."""
    delete_saved_search(saved_search_for(user_of(request), saved_id))
    return Status(204, None)


def _shown(saved: SavedSearch, request: HttpRequest) -> dict[str, Any]:
    error = fault_of(saved)
    wanted = {"q": saved.query} | ({"sort": "oldest"} if saved.oldest_first else {})
    return {
        "id": saved.pk,
        "name": saved.name,
        "query": saved.query,
        "sort": "oldest" if saved.oldest_first else "newest",
        "error": f"Column {error.column}: {error.message}" if error else "",
        "url": f"{site_of(request)}/gallery/?{urlencode(wanted)}",
        "created": saved.created,
        "modified": saved.modified,
    }
