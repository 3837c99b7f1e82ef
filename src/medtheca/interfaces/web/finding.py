"""Quick-find: going somewhere by a few letters, in the dialog of every page and as a page of its own."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from medtheca.interfaces.web.searching import gallery_url
from medtheca.workflows.quickfind import SHORTEST, Found, quickfind

_LONGEST = 200
# Of each kind: its heading, its icon, and the name of the address of its pages.
_KINDS = {
    "image": ("Images", "image", "image"),
    "lesion": ("Lesions", "microscope", "lesion"),
    "collection": ("Collections", "library", "collection"),
    "archive": ("Archives", "file-archive", "archive"),
    "cohort": ("Cohorts", "images", "cohort"),
    "contributor": ("Contributors", "building-2", "contributor"),
    "user": ("People", "user-round", "staff_person"),
}


@require_safe
def find(request: HttpRequest) -> HttpResponse:
    """What a text names, by kind. With `part=options` only that, for the dialog; a whole public id leads there."""
    text = request.GET.get("q", "").strip()[:_LONGEST]
    found = quickfind(request.user, text)
    context = {
        "text": text,
        "groups": [_group(kind, list(rows)) for kind, rows in groupby(found, key=lambda one: one.kind)],
        "number": len(found),
        "gallery_url": gallery_url(text) if text else "",
        "shortest": SHORTEST,
        "is_short": len(text) < SHORTEST,
        "longest": _LONGEST,
    }
    if request.GET.get("part") == "options":
        return render(request, "pages/parts/find_options.html", context)
    if len(found) == 1 and found[0].kind in {"image", "lesion"} and found[0].key == text.upper():
        return redirect(_url(found[0]))
    return render(request, "pages/find.html", context)


def _group(kind: str, rows: list[Found]) -> dict[str, Any]:
    title, icon, _ = _KINDS[kind]
    shown = [{"title": row.title, "notes": _notes(row), "url": _url(row)} for row in rows]
    return {"kind": kind, "title": title, "icon": icon, "rows": shown}


def _notes(found: Found) -> str:
    # The heading says what kind of thing it is; names alone do not tell images and collections apart.
    words = found.subtitle if found.kind in {"image", "collection", "archive", "user"} else ""
    return " · ".join(filter(None, (words, "yours" if found.yours else "")))


def _url(found: Found) -> str:
    return reverse(_KINDS[found.kind][2], args=[found.key])
