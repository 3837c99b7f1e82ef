"""Items of an archive become a collection: those that are chosen on the page of items, those that are found, or all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from medtheca.base.errors import Conflict, Invalid, NotAllowed
from medtheca.domains.archives.enums import Service
from medtheca.domains.archives.queries import archive_of_slug
from medtheca.domains.archives.searching import sockets_in
from medtheca.domains.archives.selecting import Selection, images_in_items, items_selected
from medtheca.domains.archives.services import require_service
from medtheca.domains.collections.queries import collection_for, collections_of
from medtheca.interfaces.web.accounts.forms import show_refusal
from medtheca.interfaces.web.archives.items import read_search
from medtheca.interfaces.web.collecting.forms import NEW, AddForm
from medtheca.interfaces.web.people import signed_in
from medtheca.workflows.archive_services import NewCollection, collect_items

if TYPE_CHECKING:
    from medtheca.domains.accounts.models import User
    from medtheca.domains.archives.models import Archive
    from medtheca.domains.collections.models import Collection

_MOST_OFFERED = 200


class CollectForm(AddForm):
    """Into which collection, and whether masks go with the images. `items` are those that were chosen."""

    overlays = forms.BooleanField(
        required=False,
        label="Segmentations, heat maps and displacement fields too",
        help_text="They are images of their own. Without them the collection has only what they lie over.",
    )
    items = forms.CharField(required=False, widget=forms.HiddenInput)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def archive_collect(request: HttpRequest, slug: str) -> HttpResponse:
    """A form that says where the images go. The page of items sends here what was ticked in it."""
    user = signed_in(request)
    archive = archive_of_slug(user, slug)
    require_service(user, archive, Service.COLLECTION)
    chosen = request.POST.getlist("item")
    if request.POST.get("action") == "collect" and not chosen:
        messages.error(request, "No item is chosen. Tick some first, or make a collection of all that are found.")
        return redirect("archive_items", archive.slug)
    is_sent = request.method == "POST" and not chosen
    offered = collections_of(user).filter(locked=False)[:_MOST_OFFERED]
    initial = {"items": " ".join(chosen), "name": archive.title}
    form = CollectForm(request.POST if is_sent else None, collections=offered, initial=initial)
    selection = _selection(request, archive, chosen or request.POST.get("items", "").split())
    if form.is_valid():
        try:
            into, overlays = _into(form, user), form.cleaned_data["overlays"]
            done = collect_items(archive=archive, actor=user, into=into, selection=selection, overlays=overlays)
        except (Conflict, Invalid, NotAllowed) as refusal:
            show_refusal(form, refusal, items="collection")
        else:
            images = f"{done.images:,} {'image is' if done.images == 1 else 'images are'}"
            messages.success(request, f"{images} being added to {done.collection.name}.")
            return redirect("collection", done.collection.pk)
    return render(request, "pages/form_page.html", _page(archive, user, form, selection))


def _selection(request: HttpRequest, archive: Archive, chosen: list[str]) -> Selection:
    """What is chosen; else what the address asks for, as the page of items does. Raises `Invalid`."""
    if chosen:
        try:
            return Selection(item_ids=[UUID(one) for one in chosen])
        except ValueError:
            raise Invalid("An item is named that cannot be one.", remedy="Choose items on the page.") from None
    search = read_search(request, archive, sockets_in(archive))
    if search.error:
        raise Invalid(search.error)
    return Selection(conditions=search.conditions)


def _into(form: CollectForm, user: User) -> Collection | NewCollection:
    if form.cleaned_data["collection"] == NEW:
        return NewCollection(form.cleaned_data["name"])
    return collection_for(user, int(form.cleaned_data["collection"]))


def _page(archive: Archive, user: User, form: CollectForm, selection: Selection) -> dict[str, Any]:
    chosen = items_selected(archive, selection)
    items, images = chosen.count(), len(images_in_items(chosen, user))
    which = "all items" if selection.is_whole else f"{items:,} {'item' if items == 1 else 'items'}"
    lead = f"Adds {images:,} {'image' if images == 1 else 'images'} of {which} of {archive.title}."
    privacy = (
        "Whoever sees the collection sees those of them that they may see. Sharing it opens only images that you may "
        "show to others, as owners and editors of their cohort may."
    )
    items_url = reverse("archive_items", args=[archive.slug])
    return {
        "form": form,
        "heading": "Make a collection",
        "lead": f"{lead} {privacy}",
        "action": "Add the images",
        "cancel_url": items_url,
        "crumbs": [
            {"label": "Archives", "url": reverse("archives")},
            {"label": archive.title, "url": items_url},
            {"label": "Make a collection", "url": None},
        ],
    }
