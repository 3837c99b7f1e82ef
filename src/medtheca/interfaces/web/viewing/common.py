"""What pages of all viewing settings share: lists, deleting, crumbs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from medtheca.base.errors import Conflict, NotAllowed
from medtheca.domains.viewing.access import AnySetting, may_change
from medtheca.domains.viewing.queries import creator_named, matching
from medtheca.interfaces.web.paging import address, slice_of
from medtheca.interfaces.web.people import person, signed_in
from medtheca.interfaces.web.viewing.forms import DeleteForm, show_refusal
from medtheca.workflows.viewing import delete_setting

if TYPE_CHECKING:
    from medtheca.domains.viewing.access import Setting

PAGE = 24


def list_context(
    request: HttpRequest, rows: QuerySet[AnySetting], card: Callable[[AnySetting], dict[str, Any]]
) -> dict[str, Any]:
    """A list by title, with words to find and, for who is signed in, their own."""
    text, mine = request.GET.get("q", "")[:200], request.GET.get("view") == "mine"
    user = person(request.user)
    found_rows = matching(rows, request.user, text=text, mine=mine and user is not None)
    found = slice_of(request, found_rows, size=PAGE)
    return {
        "rows": [
            {
                "row": row,
                "creator": creator_named(row, request.user),
                "may_change": may_change(request.user, row),
                **card(row),
            }
            for row in found.rows
        ],
        "count": found_rows.count(),
        "text": text,
        "mine": mine,
        "clear_url": address(request, q=None, page=None),
        "views": [
            {"label": "All", "url": address(request, view=None, page=None), "is_current": not mine},
            {"label": "Yours", "url": address(request, view="mine", page=None), "is_current": mine},
        ]
        if user
        else [],
        **found.links(),
    }


def crumbs_of(list_name: str, label: str, *more: tuple[str, str | None]) -> list[dict[str, str | None]]:
    """The way back: the guide, the list, and what follows."""
    first = [("How items are shown", reverse("viewing_guide")), (label, reverse(list_name))]
    return [{"label": words, "url": url} for words, url in [*first, *more]]


def require_change(request: HttpRequest, row: Setting) -> None:
    """Raise `NotAllowed` before a form is shown that would be refused."""
    if not may_change(request.user, row):
        raise NotAllowed("Only who made it and the staff may change it.", remedy="Make a copy of your own.")


def delete_page(
    request: HttpRequest, row: AnySetting, *, list_name: str, label: str, show_url: str | None = None
) -> HttpResponse:
    """Ask for the title, then delete for good."""
    require_change(request, row)
    form = DeleteForm(request.POST or None, title=row.title)
    if form.is_valid():
        try:
            delete_setting(row=row, actor=signed_in(request))
        except Conflict as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, f"{row.title} was deleted.")
            return redirect(list_name)
    back = show_url or reverse(list_name)
    context = {
        "form": form,
        "heading": f"Delete {row.title}",
        "lead": "It goes for good, for everybody. What an archive, a configuration or a socket uses cannot be deleted.",
        "action": "Delete it",
        "cancel_url": back,
        "crumbs": crumbs_of(list_name, label, (row.title, show_url), ("Delete", None)),
    }
    return render(request, "pages/form_page.html", context)
