"""The start page and the gallery."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from medtheca.domains.search.filters import Filters
from medtheca.domains.search.queries import count, decode_cursor, find_page
from medtheca.interfaces.web.facets import SORTS, active_filters, filters_shown, read_search
from medtheca.interfaces.web.paging import address
from medtheca.interfaces.web.progress import ingest_progress
from medtheca.interfaces.web.tiles import tiles_of

_PAGE = 60
_RECENT = 24
_IN_FORMS = {"q", "sort", "age_from", "age_to", "cursor"}


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """How many images there are, the newest of them, and where to search."""
    nothing_asked = Filters()
    recent = find_page(nothing_asked, asker=request.user, limit=_RECENT, newest_first=True)
    context = {
        "counts": {"images": count(nothing_asked, asker=request.user)},
        "recent": tiles_of(recent.images),
        "progress": ingest_progress(request),
    }
    return render(request, "pages/home.html", context)


@require_safe
def gallery(request: HttpRequest) -> HttpResponse:
    """Images that match the filters in the address."""
    search = read_search(request)
    cursor = decode_cursor(request.GET["cursor"]) if request.GET.get("cursor") else None
    found = find_page(search.filters, asker=request.user, limit=_PAGE, cursor=cursor, newest_first=search.newest_first)
    number = count(search.filters, asker=request.user)
    context = {
        "images": tiles_of(found.images, query=search.query),
        "count": number,
        "filters": filters_shown(search),
        "active": active_filters(search, tell_gain=number == 0),
        "clear_url": request.path,
        "hidden": [(name, value) for name, value in search.given.items() if name not in _IN_FORMS],
        "query": search.filters.words,
        "sort": request.GET.get("sort", ""),
        "sorts": SORTS,
        "next_url": address(request, cursor=found.next.encode()) if found.next else None,
        "previous_url": address(request, cursor=found.previous.encode()) if found.previous else None,
        "progress": ingest_progress(request),
    }
    return render(request, "pages/gallery.html", context)
