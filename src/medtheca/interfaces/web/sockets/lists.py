"""The catalogue of sockets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from medtheca.domains.sockets.access import may_define
from medtheca.domains.sockets.queries import matching
from medtheca.interfaces.web.paging import slice_of
from medtheca.interfaces.web.sockets.forms import KIND_GROUPS
from medtheca.toolkit.sockets.kinds import KINDS
from medtheca.workflows.socketing import archives_of, archives_to_define_for, of_archive

if TYPE_CHECKING:
    from medtheca.domains.sockets.access import Asker
    from medtheca.domains.sockets.models import Socket

_PAGE = 50


@require_safe
def sockets(request: HttpRequest) -> HttpResponse:
    """Sockets that the person may use, by words, kind and archive."""
    text = request.GET.get("q", "")[:200]
    kind = request.GET.get("kind", "")
    archive = request.GET.get("archive", "")
    rows = of_archive(matching(request.user, text=text, kind=kind), request.user, archive)
    found = slice_of(request, rows, size=_PAGE)
    may = may_define(request.user, None) or bool(archives_to_define_for(request.user))
    context = {
        "rows": rows_of(found.rows, request.user),
        "count": found.total,
        "q": text,
        "kind": kind if kind in KINDS else "",
        "archive": archive,
        "kinds": KIND_GROUPS,
        "is_narrowed": bool(text or kind or archive),
        "create_url": reverse("socket_create") if may else None,
        **found.links(),
    }
    return render(request, "pages/sockets/list.html", context)


def rows_of(sockets: list[Socket], asker: Asker) -> list[dict[str, Any]]:
    """What a list shows of sockets: few queries, whatever their number."""
    archives = archives_of(asker, sockets)
    return [
        {
            "title": socket.title,
            "url": reverse("socket", args=[socket.slug]),
            "slug": socket.slug,
            "description": socket.description,
            "kind": socket.kind_details.label,
            "super_kind": socket.super_kind.value,
            "path": socket.relative_path,
            "archive": archives.get(socket.pk),
            "of_archive": socket.scope_id is not None,
        }
        for socket in sockets
    ]
