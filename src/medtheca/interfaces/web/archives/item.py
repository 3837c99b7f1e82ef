"""One item: what it holds, what is on its way, its history; its title, and values put in and taken out."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from medtheca.base.errors import Conflict, Invalid, NotFound
from medtheca.domains.archives.access import require_seeing_items, require_uploader
from medtheca.domains.archives.holding import History, history_of, neighbours_of
from medtheca.domains.archives.intakes import put_failure_aside
from medtheca.domains.archives.items import create_item, remove_values, rename_item, trash_items
from medtheca.domains.archives.queries import archive_of_slug, intakes_of_item, item_for
from medtheca.domains.archives.table import cells_of
from medtheca.domains.imaging.enums import FileKind
from medtheca.domains.sockets.queries import socket_by_slug
from medtheca.interfaces.http.file_urls import file_url, item_file_url
from medtheca.interfaces.web.accounts.forms import show_refusal
from medtheca.interfaces.web.archives.forms import TitleForm
from medtheca.interfaces.web.archives.frame import frame, url_of
from medtheca.interfaces.web.errors import in_words
from medtheca.interfaces.web.people import looking, signed_in
from medtheca.toolkit.sockets.cells import write_cell
from medtheca.toolkit.sockets.kinds import OVERLAYS, Family

if TYPE_CHECKING:
    from medtheca.domains.accounts.models import User
    from medtheca.domains.archives.access import Standing
    from medtheca.domains.archives.models import Archive, Item, ItemValue
    from medtheca.domains.archives.table import Cell
    from medtheca.domains.sockets.models import Socket

_GROUPS = ("Images", "Overlays", "Values", "Files")
_LONG = 80
_SHORT_JSON = 2_000


def open_item(request: HttpRequest, slug: str, item_id: UUID) -> tuple[Archive, Standing, Item]:
    """The item at an address and what the person may. Raises `NotFound` or `NotAllowed`."""
    asker = request.user
    archive = archive_of_slug(asker, slug)
    standing = require_seeing_items(asker, archive)
    item = item_for(asker, item_id)
    if item.archive_id != archive.pk:
        raise NotFound("There is no such item.")
    return archive, standing, item


@looking
@require_http_methods(["GET", "HEAD", "POST"])
def archive_item(request: HttpRequest, slug: str, item_id: UUID) -> HttpResponse:
    """The page of an item; its buttons send here what they do."""
    archive, standing, item = open_item(request, slug, item_id)
    error = ""
    if request.method == "POST":
        try:
            words = _do(request, item, signed_in(request))
        except (Conflict, Invalid) as refusal:
            error = in_words(refusal)
        else:
            messages.success(request, words)
            if request.POST.get("action") == "trash":
                return redirect("archive_items", archive.slug)
            return redirect("archive_item", archive.slug, item.pk)
    previous, following = neighbours_of(item)
    intakes = intakes_of_item(item)
    cells = cells_of([item], request.user)[item.pk]
    context = {
        **frame(archive, standing, "archive_items"),
        "item": item,
        "label": item.title or f"Item {item.number}",
        "groups": _grouped(archive, item, cells, standing),
        "value_url": reverse("archive_item_value", args=[archive.slug, item.pk]) if standing.uploads else "",
        "upload_url": url_of("archive_item_upload", archive.slug, item.pk) if standing.uploads else "",
        "intakes": intakes,
        "waiting": any(intake.state in ("waiting", "receiving") for intake in intakes),
        # Whoever looks by a link is not told who works here.
        "history": [_told(change) for change in history_of(item)] if request.user.is_authenticated else [],
        "previous_url": reverse("archive_item", args=[archive.slug, previous]) if previous else None,
        "next_url": reverse("archive_item", args=[archive.slug, following]) if following else None,
        "error": error,
    }
    return render(request, "pages/archives/item.html", context, status=409 if error else 200)


def _do(request: HttpRequest, item: Item, user: User) -> str:
    action = request.POST.get("action", "")
    if action == "title":
        rename_item(item=item, actor=user, title=request.POST.get("title", ""))
        return "The item was renamed."
    if action == "remove":
        socket = socket_by_slug(user, request.POST.get("socket", ""))
        remove_values(item=item, actor=user, sockets=[socket])
        return f"{socket.title} was taken out. Its history is kept."
    if action == "aside":
        given = request.POST.get("intake", "")
        for intake in intakes_of_item(item):
            if str(intake.pk) == given:
                put_failure_aside(intake=intake, actor=user)
        return "The message was put aside."
    if action == "trash":
        trash_items(archive=item.archive, actor=user, item_ids=[item.pk])
        return "The item is in the trash, and can be restored from there."
    raise Invalid("It is not clear what to do.", remedy="Use the buttons of this page.")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def archive_item_create(request: HttpRequest, slug: str) -> HttpResponse:
    """A form for an empty item."""
    user = signed_in(request)
    archive = archive_of_slug(user, slug)
    require_uploader(user, archive, to="make items")
    form = TitleForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = create_item(archive=archive, creator=user, title=form.cleaned_data["title"])
        except (Conflict, Invalid) as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, "The item is there. Put values into it.")
            return redirect("archive_item", archive.slug, made.pk)
    items_url = reverse("archive_items", args=[archive.slug])
    context = {
        "form": form,
        "heading": "New item",
        "lead": "Items are also made by uploads, one for each image. This makes an empty one.",
        "action": "Make the item",
        "cancel_url": items_url,
        "crumbs": [
            {"label": "Archives", "url": reverse("archives")},
            {"label": archive.title, "url": items_url},
            {"label": "New item", "url": None},
        ],
    }
    return render(request, "pages/form_page.html", context)


def _grouped(archive: Archive, item: Item, cells: dict[int, Cell], standing: Standing) -> list[dict[str, Any]]:
    rows = sorted(item.values.all(), key=lambda row: (_GROUPS.index(_group_of(row.socket)), row.socket.title))
    return [
        {"title": title, "rows": [_shown(archive, item, row, cells[row.socket_id], standing) for row in held]}
        for title, held in groupby(rows, key=lambda row: _group_of(row.socket))
    ]


def _group_of(socket: Socket) -> str:
    kind = socket.kind_details
    if kind.is_image:
        return "Overlays" if kind.code in OVERLAYS else "Images"
    return "Files" if kind.family is Family.FILE or not socket.store_in_database else "Values"


def _shown(archive: Archive, item: Item, row: ItemValue, cell: Cell, standing: Standing) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "socket": row.socket,
        "kind": row.socket.kind_details.label,
        "since": row.created,
        "put_url": f"{reverse('archive_item_value', args=[archive.slug, item.pk])}?socket={row.socket.slug}",
    }
    if cell.picture:
        url, thumbnail = reverse("image", args=[cell.picture.ref]), file_url(cell.picture, FileKind.THUMBNAIL)
        picture = {"ref": cell.picture.ref, "url": url, "thumbnail_url": thumbnail}
        return shown | picture | {"segments": _segments_in(row)}
    if cell.is_withheld:
        return shown | {"is_withheld": True}
    if cell.is_file:
        url = item_file_url(item.pk, cell.value_id, cell.text or "file")
        blob = row.value.blob
        return shown | {"name": cell.text, "url": url if standing.takes_away else "", "size": blob.size if blob else 0}
    text = str(write_cell(row.value.value))
    is_long = len(text) > _LONG
    return shown | {"text": text[:_SHORT_JSON], "is_long": is_long, "is_cut": len(text) > _SHORT_JSON}


def _segments_in(row: ItemValue) -> list[dict[str, Any]]:
    """What a mask outlines, in the words of its socket: its labels are hardly seen in a small picture."""
    there = set((row.value.image.geometry or {}).get("labels") or ()) if row.value.image else set()
    return [one for one in row.socket.overlay_segments if one["voxel_value"] in there]


def _told(change: History) -> dict[str, Any]:
    return {"at": change.at, "who": change.who, "words": change.words}
