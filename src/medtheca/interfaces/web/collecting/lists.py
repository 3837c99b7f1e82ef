"""Collections in a list, and making one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from medtheca.base.errors import Conflict, Invalid
from medtheca.domains.collections.access import visible_collections
from medtheca.domains.collections.operations import create_collection
from medtheca.domains.collections.queries import covers_of, owners_named, shared_with
from medtheca.domains.collections.totals import shown_of, sizes_together
from medtheca.domains.imaging.enums import FileKind
from medtheca.interfaces.http.file_urls import file_url
from medtheca.interfaces.web.accounts.forms import show_refusal
from medtheca.interfaces.web.collecting.forms import CollectionForm
from medtheca.interfaces.web.paging import address, slice_of
from medtheca.interfaces.web.people import person, signed_in

if TYPE_CHECKING:
    from medtheca.domains.collections.models import Collection
    from medtheca.domains.search.queries import Asker

_PAGE = 24
_VIEWS = (("", "All"), ("mine", "Yours"), ("shared", "Shared with you"))


@require_safe
def collections(request: HttpRequest) -> HttpResponse:
    """Collections that the person sees, pinned ones first, with what stands for them."""
    user = person(request.user)
    view = request.GET.get("view", "") if user else ""
    rows = visible_collections(request.user).select_related("creator").order_by("-pinned", "name", "pk")
    if user and view == "mine":
        rows = rows.filter(creator=user)
    elif user and view == "shared":
        rows = rows.filter(pk__in=shared_with(user).order_by().values("pk"))
    found = slice_of(request, rows, size=_PAGE)
    context = {
        "collections": cards_of(found.rows, request.user),
        "count": rows.count(),
        "sizes": sizes_together(rows, asker=request.user),
        "views": [
            {"label": label, "url": address(request, view=name, page=None), "is_current": view == name}
            for name, label in _VIEWS
        ]
        if user
        else [],
        "view": view,
        "create_url": reverse("collection_create") if user else None,
        **found.links(),
    }
    return render(request, "pages/collections/list.html", context)


def cards_of(rows: list[Collection], asker: Asker) -> list[dict[str, Any]]:
    """What a list shows of collections: a few queries, whatever their number."""
    shown, covers, owners = shown_of(rows, asker), covers_of(rows, asker), owners_named(rows, asker)
    user = person(asker)
    return [
        {
            "name": row.name,
            "url": reverse("collection", args=[row.pk]),
            "count": shown[row.pk].images,
            "contributors": shown[row.pk].contributors,
            "covers": [file_url(image, FileKind.THUMBNAIL) for image in covers[row.pk]],
            "public": row.public,
            "pinned": row.pinned,
            "locked": row.locked,
            "owner": "" if user and row.creator_id == user.pk else owners[row.pk],
        }
        for row in rows
    ]


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def collection_create(request: HttpRequest) -> HttpResponse:
    """A form for a new collection."""
    user = signed_in(request)
    form = CollectionForm(request.POST or None)
    if form.is_valid():
        try:
            made = create_collection(creator=user, **form.cleaned_data)
        except (Conflict, Invalid) as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, f"{made.name} is there. Add images from the gallery, or from the page of one.")
            return redirect("collection", made.pk)
    context = {
        "form": form,
        "heading": "New collection",
        "lead": "A collection is a set of images for a purpose: of one cohort or of many. Images stay where they are.",
        "action": "Make the collection",
        "cancel_url": reverse("collections"),
        "crumbs": [{"label": "Collections", "url": reverse("collections")}, {"label": "New", "url": None}],
    }
    return render(request, "pages/form_page.html", context)
