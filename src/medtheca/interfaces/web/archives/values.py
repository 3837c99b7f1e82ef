"""Putting a value into an item: typed, or an image that is there already."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from medtheca.base.errors import Conflict, Invalid, NotAllowed, NotFound
from medtheca.domains.archives.access import require_uploader
from medtheca.domains.archives.bulk import typed_value
from medtheca.domains.search.queries import image_for
from medtheca.domains.sockets.queries import usable_sockets
from medtheca.interfaces.web.accounts.forms import show_refusal
from medtheca.interfaces.web.archives.forms import ImageForm, SocketForm, ValueForm
from medtheca.interfaces.web.archives.item import open_item
from medtheca.interfaces.web.people import signed_in
from medtheca.toolkit.sockets.cells import write_cell
from medtheca.toolkit.sockets.kinds import SuperKind
from medtheca.workflows.archiving.filling import Given, fill_item

if TYPE_CHECKING:
    from django import forms

    from medtheca.domains.accounts.models import User
    from medtheca.domains.archives.models import Archive, Item, ItemValue
    from medtheca.domains.sockets.models import Socket


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def archive_item_value(request: HttpRequest, slug: str, item_id: UUID) -> HttpResponse:
    """Choose a socket, then say its value: `?socket=` names it."""
    user = signed_in(request)
    archive, standing, item = open_item(request, slug, item_id)
    require_uploader(user, archive, to="change items")
    sockets = list(usable_sockets(user, scope=archive.scope_id))
    name = request.GET.get("socket", "")
    if not name:
        context = _page(archive, item, SocketForm(sockets=sockets), "Add a value", "Next")
        context["define_url"] = f"{reverse('socket_create')}?archive={archive.slug}" if standing.edits else ""
        return render(request, "pages/archives/choose_socket.html", context)
    socket = next((one for one in sockets if one.slug == name), None)
    if socket is None:
        raise NotFound("There is no such socket.")
    if socket.super_kind == SuperKind.FILE:
        upload = reverse("archive_item_upload", args=[archive.slug, item.pk])
        return redirect(f"{upload}?socket={socket.slug}")
    present = next((row for row in item.values.all() if row.socket_id == socket.pk), None)
    form = _form(request, socket, present)
    if form.is_valid() and _is_put(form, item, user, socket):
        messages.success(request, f"{socket.title} is there.")
        return redirect("archive_item", archive.slug, item.pk)
    verb = "Replace" if present else "Add"
    context = _page(archive, item, form, f"{verb} {socket.title}", "Save")
    if isinstance(form, ImageForm):
        context["upload_url"] = f"{reverse('archive_item_upload', args=[archive.slug, item.pk])}?socket={socket.slug}"
    return render(request, "pages/archives/put_value.html", context)


def _is_put(form: ImageForm | ValueForm, item: Item, user: User, socket: Socket) -> bool:
    """Whether the value could be put in; else the form says why not."""
    try:
        if isinstance(form, ImageForm):
            given = Given(socket=socket.slug, image=image_for(user, form.cleaned_data["value"].strip()).key)
        else:
            given = Given(socket=socket.slug, value=typed_value(socket, form.text()))
        fill_item(item=item, user=user, given=[given])
    except (Conflict, Invalid, NotAllowed, NotFound) as refusal:
        places = (socket.slug, f"values.0.{socket.slug}", "values.0", "values.0.image", "values.0.value")
        show_refusal(form, refusal, **dict.fromkeys(places, "value"))
        return False
    return True


def _form(request: HttpRequest, socket: Socket, present: ItemValue | None) -> ImageForm | ValueForm:
    if socket.super_kind == SuperKind.IMAGE:
        return ImageForm(request.POST or None, socket=socket)
    said = str(write_cell(present.value.value)) if present and present.value.has_value else ""
    return ValueForm(request.POST or None, socket=socket, present=said)


def _page(archive: Archive, item: Item, form: forms.Form, heading: str, action: str) -> dict[str, Any]:
    url = reverse("archive_item", args=[archive.slug, item.pk])
    return {
        "form": form,
        "heading": heading,
        "action": action,
        "cancel_url": url,
        "crumbs": [
            {"label": archive.title, "url": reverse("archive_items", args=[archive.slug])},
            {"label": item.title or f"Item {item.number}", "url": url},
            {"label": heading, "url": None},
        ],
    }
