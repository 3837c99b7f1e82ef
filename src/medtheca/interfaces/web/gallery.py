"""The start page and the gallery."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from medtheca.domains.search.filters import Filters
from medtheca.domains.search.index.snapshots import one_snapshot
from medtheca.domains.search.queries import Cursor, Page, count, decode_cursor, find_page
from medtheca.domains.search.query_text import BadQuery
from medtheca.interfaces.web.chips import active_filters
from medtheca.interfaces.web.copying import copies_of
from medtheca.interfaces.web.facets import filters_shown
from medtheca.interfaces.web.paging import address
from medtheca.interfaces.web.progress import ingest_progress
from medtheca.interfaces.web.saving import saved_menu
from medtheca.interfaces.web.searching import NEWEST, OLDEST, Search, read_search
from medtheca.interfaces.web.tiles import tiles_of
from medtheca.toolkit.querylang import LONGEST_QUERY, QueryError
from medtheca.workflows.finding import listings

_PAGE = 60
_RECENT = 24
_SORTS = [{"value": NEWEST, "label": "Newest first"}, {"value": OLDEST, "label": "Oldest first"}]
_EXAMPLES = (
    ("diagnosis:Nevus", "a nevus of any kind"),
    ("sex:(male OR female) age_approx:[20 TO 40]", "several values, and a range"),
    ("-image_type:dermoscopic", "all but these"),
    ("diagnosis_3:Melanoma*", "what begins so"),
)


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """How many images there are, the newest of them, and where to search."""
    nothing_asked = Filters()
    recent = find_page(nothing_asked, asker=request.user, limit=_RECENT, newest_first=True)
    context = {
        "counts": {"images": count(nothing_asked, asker=request.user)},
        "recent": tiles_of(recent.images, asker=request.user),
        "progress": ingest_progress(request),
    }
    return render(request, "pages/home.html", context)


@require_safe
def gallery(request: HttpRequest) -> HttpResponse:
    """Images that match the search in the address. With `part=tiles` only the grid, for the end of a page that grows.

    A query that is none comes back with what is wrong with it, as it was typed.
    """
    try:
        search = read_search(request)
    except BadQuery as refusal:
        return _refused(request, refusal.error)
    cursor = decode_cursor(request.GET["cursor"]) if request.GET.get("cursor") else None
    if request.GET.get("part") == "tiles":
        return render(request, "pages/parts/gallery_tiles.html", _tiles(request, search, _page(search, cursor)))
    # What is counted and what is shown are of one moment.
    with one_snapshot():
        found = _page(search, cursor)
        number = search.count()
        shown = filters_shown(search)
        active = active_filters(search, tell_gain=number == 0)
    context = {
        **_tiles(request, search, found),
        "count": number,
        "filters": shown,
        "active": active,
        "text": search.text,
        "sort": NEWEST if search.newest_first else OLDEST,
        "sorts": _SORTS,
        "copies": copies_of(search, request.build_absolute_uri("/").rstrip("/")),
        "add_url": f"{reverse('collection_add')}?{search.query}" if number and request.user.is_authenticated else None,
        "download_url": f"{reverse('download_new')}?{search.query}" if number else None,
        "saved": saved_menu(search),
        "progress": ingest_progress(request),
        "longest": LONGEST_QUERY,
    }
    return render(request, "pages/gallery.html", context)


def _page(search: Search, cursor: Cursor | None) -> Page:
    return find_page(
        search.tree,
        asker=search.asker,
        limit=_PAGE,
        cursor=cursor,
        newest_first=search.newest_first,
        listings=listings,
    )


def _tiles(request: HttpRequest, search: Search, found: Page) -> dict[str, Any]:
    return {
        "images": tiles_of(found.images, asker=request.user, query=search.query),
        "next_url": address(request, cursor=found.next.encode(), part=None) if found.next else None,
        "previous_url": address(request, cursor=found.previous.encode(), part=None) if found.previous else None,
        "pick_name": "image",
    }


def _refused(request: HttpRequest, error: QueryError) -> HttpResponse:
    text = request.GET.get("q", "").strip()
    sort = OLDEST if request.GET.get("sort") == OLDEST else NEWEST
    start, end = error.column - 1, error.column - 1 + error.length
    around = {"before": text[:start], "wrong": text[start:end], "after": text[end:]}
    instead = [
        {"label": word, "url": f"{request.path}?{urlencode({'q': text[:start] + word + text[end:], 'sort': sort})}"}
        for word in error.suggestions
    ]
    context = {
        "text": text,
        "sort": sort,
        "error": error,
        "around": around if len(text) <= LONGEST_QUERY else None,
        "instead": instead,
        "examples": [
            {"text": example, "words": words, "url": f"{request.path}?{urlencode({'q': example})}"}
            for example, words in _EXAMPLES
        ],
        "longest": LONGEST_QUERY,
    }
    return render(request, "pages/gallery.html", context, status=400)
