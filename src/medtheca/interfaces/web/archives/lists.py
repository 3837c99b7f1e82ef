"""Archives in a list, found by words and filters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from medtheca.domains.archives.listing import LISTS, Wanted, count_items, find_archives, offered_values
from medtheca.interfaces.web.archives.frame import logo_url, url_of
from medtheca.interfaces.web.paging import address, slice_of
from medtheca.interfaces.web.people import person

if TYPE_CHECKING:
    from medtheca.domains.archives.access import Asker
    from medtheca.domains.archives.models import Archive

_PAGE = 24
_LONGEST = 200
_VIEWS = (("", "All"), ("mine", "Yours"), ("public", "Public"))
_PARAMETERS = {
    "modality": ("modalities", "Modality"),
    "structure": ("structures", "Structure"),
    "organisation": ("organizations", "Organisation"),
    "keyword": ("keywords", "Keyword"),
}


@require_safe
def archives(request: HttpRequest) -> HttpResponse:
    """Archives that the person may find, the newest first."""
    user = person(request.user)
    view = request.GET.get("view", "")
    chosen = {name: request.GET.get(name, "").strip()[:_LONGEST] for name in _PARAMETERS}
    words = request.GET.get("q", "").strip()[:_LONGEST]
    wanted = Wanted(
        words=words,
        kept={_PARAMETERS[name][0]: value for name, value in chosen.items() if value},
        mine=view == "mine" and user is not None,
        public=True if view == "public" else None,
    )
    rows = find_archives(request.user, wanted)
    found = slice_of(request, rows.select_related("contributor"), size=_PAGE)
    offered = offered_values(request.user)
    context = {
        "archives": cards_of(found.rows, request.user),
        "count": rows.count(),
        "words": words,
        "view": view,
        "views": [
            {"label": label, "url": address(request, view=name, page=None), "is_current": view == name}
            for name, label in _VIEWS
            if name != "mine" or user
        ],
        "filters": [
            {"name": name, "label": label, "value": chosen[name], "options": offered[field]}
            for name, (field, label) in _PARAMETERS.items()
            if offered[field]
        ],
        "chosen": [
            {"label": _PARAMETERS[name][1], "value": value, "url": address(request, page=None, **{name: None})}
            for name, value in chosen.items()
            if value
        ],
        "is_narrowed": bool(words or any(chosen.values()) or view),
        "create_url": url_of("archive_create") if user else "",
        **found.links(),
    }
    return render(request, "pages/archives/list.html", context)


def cards_of(rows: list[Archive], asker: Asker) -> list[dict[str, Any]]:
    """What a list shows of archives: two queries, whatever their number."""
    items = count_items(asker, rows)
    return [
        {
            "title": row.title,
            "url": url_of("archive", row.slug),
            "logo_url": logo_url(row),
            "description": row.description,
            "modalities": row.modalities,
            "structures": row.structures,
            "items": items.get(row.pk),
            "public": row.public,
            "hidden": row.hidden,
            "approved": row.approved,
            "licence": row.licence,
        }
        for row in rows
    ]


assert set(LISTS) == {field for field, _ in _PARAMETERS.values()}
