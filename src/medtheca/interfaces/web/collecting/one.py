"""One collection: its images and whose work they are; pinning, locking, removing images; describing and deleting it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from medtheca.base.errors import Conflict, Invalid, NotAllowed
from medtheca.domains.collections.access import may_edit, may_own
from medtheca.domains.collections.batches import Progress, progress_of
from medtheca.domains.collections.contents import MOST_AT_ONCE, remove_named
from medtheca.domains.collections.dropped import dropped_out
from medtheca.domains.collections.operations import change_collection, delete_collection, set_locked, set_pinned
from medtheca.domains.collections.pins import pinned_images
from medtheca.domains.collections.queries import (
    batches_under_way,
    collection_for,
    count_images,
    count_listed,
    count_not_shared,
    credits_of,
    last_batch,
    owners_named,
)
from medtheca.domains.collections.sharing import revoke, shares_of
from medtheca.domains.collections.totals import shown_of
from medtheca.domains.search.queries import decode_cursor, find_page
from medtheca.interfaces.web.accounts.forms import show_refusal
from medtheca.interfaces.web.collecting.forms import CollectionForm, DeleteForm, DescriptionForm
from medtheca.interfaces.web.errors import in_words
from medtheca.interfaces.web.paging import address
from medtheca.interfaces.web.people import person, signed_in
from medtheca.interfaces.web.tiles import tiles_of
from medtheca.toolkit.prose import read_prose
from medtheca.toolkit.querylang import Everything
from medtheca.workflows.archive_services import archives_behind
from medtheca.workflows.finding import in_collections, listings

if TYPE_CHECKING:
    from medtheca.domains.accounts.models import User
    from medtheca.domains.collections.models import Collection
    from medtheca.domains.search.queries import Asker

_PAGE = 60


@require_http_methods(["GET", "HEAD", "POST"])
def collection(request: HttpRequest, collection_id: int) -> HttpResponse:
    """The page of a collection; its buttons send here what they do."""
    found = collection_for(request.user, collection_id)
    error = ""
    if request.method == "POST":
        user = person(request.user)
        if user is None:
            raise NotAllowed("Log in first.")
        try:
            words = _do(request, found, user)
        except (Conflict, Invalid) as refusal:
            error = in_words(refusal)
        else:
            messages.success(request, words)
            return redirect("collections" if request.POST.get("action") == "leave" else request.get_full_path())
    asker = request.user
    cursor = decode_cursor(request.GET["cursor"]) if request.GET.get("cursor") else None
    page = find_page(
        in_collections(Everything(), [found.pk]),
        asker=asker,
        limit=_PAGE,
        cursor=cursor,
        listings=listings,
        first=pinned_images(),
    )
    edits = may_edit(asker, found) and not found.locked
    shown = shown_of([found], asker)[found.pk]
    context = {
        "collection": found,
        "number": shown.images,
        "contributors": shown.contributors,
        "prose": read_prose("\n" + found.description) if found.description else None,
        "owner": owners_named([found], asker)[found.pk],
        "credits": credits_of(found, asker),
        "images": tiles_of(page.images, asker=asker),
        "picking": edits and request.GET.get("pick") == "1",
        "pick_url": address(request, pick=1) if edits and page.images else None,
        "look_url": address(request, pick=None),
        "next_url": address(request, cursor=page.next.encode()) if page.next else None,
        "previous_url": address(request, cursor=page.previous.encode()) if page.previous else None,
        "api_url": f"/api/v2/collections/{found.pk}/",
        "error": error,
        "archives": archives_behind(found, asker),
        **_for_editors(found, asker),
    }
    response = render(request, "pages/collections/show.html", context, status=409 if error else 200)
    if request.headers.get("HX-Request") and not context.get("under_way"):
        # The page watched a batch, which is done: the images are others now.
        response["HX-Refresh"] = "true"
    return response


def _for_editors(found: Collection, asker: Asker) -> dict[str, Any]:
    """What only those read who may change it."""
    user = person(asker)
    shares = shares_of(found) if user else []
    is_shown = user is not None and any(share.user and share.user.pk == user.pk for share in shares)
    if user is None or not may_edit(user, found):
        return {"may_leave": is_shown}
    seen = count_images([found], user)[found.pk]
    owns = may_own(user, found)
    return {
        "edits": True,
        "owns": owns,
        "is_staff": user.is_staff,
        "may_leave": is_shown,
        "hidden": count_listed(found) - seen,
        "not_shared": count_not_shared(found) if shares and not found.public else 0,
        "shares": len(shares),
        "dropped": dropped_out(found, user),
        "last": _troubles(found, user),
        "under_way": [progress_of(batch) for batch in batches_under_way(found)],
    }


def _troubles(found: Collection, user: User) -> Progress | None:
    """How the person's last batch ended, where not everything went in or out."""
    batch = last_batch(found, user)
    told = progress_of(batch) if batch else None
    return told if told and (told.private_count or told.absent_count or told.words) else None


def _do(request: HttpRequest, found: Collection, user: User) -> str:
    action = request.POST.get("action", "")
    if action in {"pin", "unpin"}:
        set_pinned(collection=found, actor=user, pinned=action == "pin")
        return "The collection is pinned." if action == "pin" else "The collection is no longer pinned."
    if action in {"lock", "unlock"}:
        set_locked(collection=found, actor=user, locked=action == "lock")
        return "The collection is locked." if action == "lock" else "The collection is unlocked."
    if action == "remove":
        refs = request.POST.getlist("image")[:MOST_AT_ONCE]
        if not refs:
            raise Invalid("No image is chosen.", remedy="Choose some first.")
        number = remove_named(collection=found, actor=user, refs=refs).changed
        return f"{number:,} {'image was' if number == 1 else 'images were'} removed from the collection."
    if action == "leave":
        revoke(collection=found, actor=user, user_ids=[user.pk])
        return f"{found.name} is no longer shared with you."
    raise Invalid("It is not clear what to do.", remedy="Use the buttons of this page.")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def collection_edit(request: HttpRequest, collection_id: int) -> HttpResponse:
    """Describe a collection; its owner also renames it and says who sees it."""
    user = signed_in(request)
    found = collection_for(user, collection_id)
    if not may_edit(user, found):
        raise NotAllowed("Only the owner and the editors of the collection may change it.")
    values = {"name": found.name, "description": found.description, "public": found.public}
    kind = CollectionForm if may_own(user, found) else DescriptionForm
    form = kind(request.POST or None, initial=values)
    if form.is_valid():
        try:
            change_collection(collection=found, actor=user, **form.cleaned_data)
        except (Conflict, Invalid) as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, "The collection was changed.")
            return redirect("collection", found.pk)
    return render(request, "pages/form_page.html", _form_page(form, found, "Change", "Save"))


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def collection_delete(request: HttpRequest, collection_id: int) -> HttpResponse:
    """Ask for the name, then delete a collection for good."""
    user = signed_in(request)
    found = collection_for(user, collection_id)
    if not may_own(user, found):
        raise NotAllowed("Only the owner of the collection may delete it.")
    form = DeleteForm(request.POST or None, name=found.name)
    if form.is_valid():
        try:
            delete_collection(collection=found, actor=user)
        except Conflict as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, f"{found.name} was deleted. Its images are where they were.")
            return redirect("collections")
    lead = "It goes for good, for everybody with whom it is shared. Its images stay where they are."
    context = _form_page(form, found, "Delete", "Delete the collection") | {"lead": lead}
    return render(request, "pages/form_page.html", context)


def _form_page(form: Any, found: Collection, verb: str, action: str) -> dict[str, Any]:
    where = reverse("collection", args=[found.pk])
    crumbs = [
        {"label": "Collections", "url": reverse("collections")},
        {"label": found.name, "url": where},
        {"label": verb, "url": None},
    ]
    return {"form": form, "heading": f"{verb} {found.name}", "action": action, "cancel_url": where, "crumbs": crumbs}
