"""Items of an archive: as a table or as pictures, searched, sorted, chosen, and what is in the trash."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import escape
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_http_methods

from medtheca.base.errors import Conflict, Invalid
from medtheca.domains.archives.access import require_editor, require_seeing_items
from medtheca.domains.archives.bulk import set_values
from medtheca.domains.archives.items import restore_items, trash_items
from medtheca.domains.archives.queries import archive_of_slug, items_of, trashed_items
from medtheca.domains.archives.searching import (
    Condition,
    Order,
    in_order,
    narrowed,
    read_column,
    read_order,
    read_query,
    sockets_in,
)
from medtheca.domains.archives.table import cells_of
from medtheca.domains.imaging.enums import FileKind
from medtheca.domains.sockets.queries import usable_sockets
from medtheca.interfaces.http.file_urls import file_url, item_file_url
from medtheca.interfaces.web.archives.frame import frame, url_of
from medtheca.interfaces.web.errors import in_words
from medtheca.interfaces.web.paging import address, searched_slice_of, slice_of
from medtheca.interfaces.web.people import looking, signed_in
from medtheca.toolkit.sockets.kinds import SuperKind

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from medtheca.domains.accounts.models import User
    from medtheca.domains.archives.access import Standing
    from medtheca.domains.archives.models import Archive, Item
    from medtheca.domains.archives.table import Cell
    from medtheca.domains.sockets.models import Socket

_PAGE = 50
_LONGEST_CELL = 60
COLUMN = "in."
"""With which the box of a column is named in an address, before the slug of its socket."""


@dataclass
class Search:
    """What an address asks of an archive's items. Where that cannot be read, `error` says why, and all are shown."""

    words: str
    boxes: dict[str, str]
    sort: str
    error: str = ""
    conditions: list[Condition] = field(default_factory=list)
    order: Order = field(default_factory=Order)

    @property
    def is_narrowed(self) -> bool:
        """Whether something is asked for."""
        return bool(self.words or any(self.boxes.values()))


def read_search(request: HttpRequest, archive: Archive, sockets: list[Socket]) -> Search:
    """What the address asks for: `q`, a box for each column, and `sort`."""
    boxes = {one.slug: request.GET.get(f"{COLUMN}{one.slug}", "").strip() for one in sockets}
    search = Search(request.GET.get("q", "").strip(), boxes, request.GET.get("sort", "") or "number")
    try:
        search.order = read_order(search.sort, sockets=sockets)
        search.conditions = read_query(search.words, archive=archive)
        for one in sockets:
            if boxes[one.slug]:
                read = read_column(boxes[one.slug], socket=one)
                search.conditions += read if isinstance(read, list) else [read]
    except Invalid as refusal:
        search.error, search.conditions = in_words(refusal), []
    return search


def found_items(archive: Archive, search: Search) -> QuerySet[Item]:
    """The items that are asked for, in the order that is."""
    return in_order(narrowed(items_of(archive), search.conditions, archive=archive), search.order, archive=archive)


@looking
@require_http_methods(["GET", "HEAD", "POST"])
def archive_items(request: HttpRequest, slug: str) -> HttpResponse:
    """The tab of items; what is done to those that are chosen is sent here."""
    user = request.user
    archive = archive_of_slug(user, slug)
    standing = require_seeing_items(user, archive)
    error = ""
    if request.method == "POST":
        try:
            messages.success(request, _do(request, archive, signed_in(request)))
        except (Conflict, Invalid) as refusal:
            error = in_words(refusal)
        else:
            return redirect(request.get_full_path())
    sockets = sockets_in(archive)
    search = read_search(request, archive, sockets)
    found = searched_slice_of(request, found_items(archive, search), size=_PAGE)
    is_grid = request.GET.get("view") == "pictures"
    cells, rows = cells_of(found.rows, user), _Rows(archive, sockets, standing)
    context = {
        **frame(archive, standing, "archive_items", counts={"archive_items": found.total}),
        "search": search,
        "count": found.total,
        "first": found.first,
        "last": found.first + len(found.rows) - 1,
        "columns": [_column(request, search, one) for one in sockets],
        "title_column": _sorting(request, search, "title"),
        "rows": [rows.row(item, cells[item.pk]) for item in found.rows],
        "is_grid": is_grid,
        "views": [
            {"label": "Table", "icon": "menu", "url": address(request, view=None), "current": not is_grid},
            {"label": "Pictures", "icon": "images", "url": address(request, view="pictures"), "current": is_grid},
        ],
        "all_url": reverse("archive_items", args=[archive.slug]),
        "csv_url": _with_query(request, url_of("archive_values_csv", archive.slug)) if standing.takes_away else "",
        "xlsx_url": _with_query(request, url_of("archive_values_xlsx", archive.slug)) if standing.takes_away else "",
        "import_url": url_of("archive_values_import", archive.slug) if standing.uploads else "",
        "new_url": url_of("archive_item_create", archive.slug) if standing.uploads else "",
        "trash_url": url_of("archive_trash", archive.slug) if standing.edits else "",
        "settable": _settable(signed_in(request), archive) if standing.uploads else [],
        "error": error or search.error,
        **found.links(),
    }
    return render(request, "pages/archives/items.html", context, status=409 if error else 400 if search.error else 200)


def _settable(user: User, archive: Archive) -> list[Socket]:
    return [one for one in usable_sockets(user, scope=archive.scope_id) if one.super_kind == SuperKind.VALUE]


def _do(request: HttpRequest, archive: Archive, user: User) -> str:
    ids = _chosen(request)
    if not ids:
        raise Invalid("No item is chosen.", remedy="Tick some first.")
    action = request.POST.get("action", "")
    if action == "trash":
        number = trash_items(archive=archive, actor=user, item_ids=ids)
        return f"{number:,} {'item is' if number == 1 else 'items are'} in the trash, and can be restored from there."
    if action == "set":
        given = request.POST.get("socket", "")
        socket = usable_sockets(user, scope=archive.scope_id).filter(slug=given).first()
        if socket is None:
            raise Invalid("It is not said what to set.", remedy="Choose a socket.")
        text = request.POST.get("value", "")
        number = set_values(archive=archive, actor=user, item_ids=ids, socket=socket, text=text)
        return f"{socket.title} was set in {number:,} {'item' if number == 1 else 'items'}."
    if action == "restore":
        number = restore_items(archive=archive, actor=user, item_ids=ids)
        return (
            f"{number:,} {'item is' if number == 1 else 'items are'} back at {'its' if number == 1 else 'their'} place."
        )
    raise Invalid("It is not clear what to do.", remedy="Use the buttons of this page.")


def _chosen(request: HttpRequest) -> list[UUID]:
    try:
        return [UUID(one) for one in request.POST.getlist("item")]
    except ValueError:
        raise Invalid("An item is named that cannot be one.", remedy="Choose items on the page.") from None


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def archive_trash(request: HttpRequest, slug: str) -> HttpResponse:
    """Items in the trash, latest first, and taking them out again. For editors."""
    user = signed_in(request)
    archive = archive_of_slug(user, slug)
    standing = require_seeing_items(user, archive)
    require_editor(user, archive, to="look into the trash")
    if request.method == "POST":
        if request.POST.get("action") != "restore":
            raise Invalid("It is not clear what to do.", remedy="Use the buttons of this page.")
        messages.success(request, _do(request, archive, user))
        return redirect("archive_trash", archive.slug)
    found = slice_of(request, trashed_items(archive), size=_PAGE)
    context = {**frame(archive, standing, "archive_items"), "rows": found.rows, "count": found.total, **found.links()}
    return render(request, "pages/archives/trash.html", context)


class _Rows:
    """Rows of the table.

    A page has hundreds of cells: no address is looked up twice, and their HTML is written here, not in the template.
    """

    def __init__(self, archive: Archive, sockets: list[Socket], standing: Standing) -> None:
        self._items = reverse("archive_items", args=[archive.slug])
        self._image = reverse("image", args=["REF"])
        self._sockets = [(one.pk, escape(one.title), one) for one in sockets]
        self._standing = standing

    def row(self, item: Item, cells: dict[int, Cell]) -> dict[str, Any]:
        """One item."""
        url = f"{self._items}{item.pk}/"
        shown = [self._cell(item.pk, label, socket, cells.get(pk)) for pk, label, socket in self._sockets]
        covers = (cell.picture for pk, _, _ in self._sockets if (cell := cells.get(pk)) and cell.picture)
        cover = next(covers, None)
        return {
            "id": str(item.pk),
            "number": item.number,
            "title": item.title,
            "label": item.title or f"Item {item.number}",
            "url": url,
            "cells": mark_safe("".join(shown)),  # noqa: S308 - made of escaped parts by `_cell`
            "cover": file_url(cover, FileKind.THUMBNAIL) if cover else "",
        }

    def _cell(self, item_id: UUID, label: str, socket: Socket, cell: Cell | None) -> str:
        if cell is None:
            return '<td><span class="sr-only">none</span></td>'
        if cell.picture is not None:
            url, thumbnail = (
                self._image.replace("REF", quote(cell.picture.ref)),
                file_url(cell.picture, FileKind.THUMBNAIL),
            )
            return (
                f'<td><a href="{escape(url)}"><img class="size-10 rounded object-cover" src="{escape(thumbnail)}" '
                f'alt="{label} {escape(cell.picture.ref)}" width="40" height="40" loading="lazy"></a></td>'
            )
        if cell.is_withheld:
            return '<td><span class="text-muted">withdrawn</span></td>'
        if cell.is_file and self._standing.takes_away:
            name = cell.text or "file"
            url = item_file_url(item_id, cell.value_id, name)
            return f'<td><a class="text-link" href="{escape(url)}">{escape(_short(name))}</a></td>'
        text = escape(_short(cell.text) or f"({socket.kind_details.label})")
        is_number = cell.number is not None and socket.kind != "BOOL"
        return f'<td class="number">{text}</td>' if is_number else f"<td>{text}</td>"


def _short(text: str) -> str:
    return f"{text[: _LONGEST_CELL - 1]}…" if len(text) > _LONGEST_CELL else text


def _column(request: HttpRequest, search: Search, socket: Socket) -> dict[str, Any]:
    return {
        "title": socket.title,
        "slug": socket.slug,
        "box": f"{COLUMN}{socket.slug}",
        "said": search.boxes[socket.slug],
        "kind": socket.kind_details.label,
        "is_number": socket.kind in ("INT", "FLT"),
        **_sorting(request, search, socket.slug),
    }


def _sorting(request: HttpRequest, search: Search, name: str) -> dict[str, Any]:
    """The address that sorts by a column: upwards, then downwards, then not."""
    following = {name: f"-{name}", f"-{name}": None}.get(search.sort, name)
    state = {name: "ascending", f"-{name}": "descending"}.get(search.sort, "none")
    return {"sort_url": address(request, sort=following, page=None), "sorted": state}


def _with_query(request: HttpRequest, url: str) -> str:
    query = request.GET.copy()
    for name in ("page", "view"):
        query.pop(name, None)
    return f"{url}?{query.urlencode()}" if query else url
