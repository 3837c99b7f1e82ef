"""Hanging protocols: the catalogue, one, the editor with its live picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from medtheca.base.errors import Conflict, Invalid
from medtheca.domains.viewing.access import may_change
from medtheca.domains.viewing.operations import create_hanging_protocol
from medtheca.domains.viewing.queries import creator_named, hanging_protocol_named, hanging_protocols
from medtheca.interfaces.web.people import signed_in
from medtheca.interfaces.web.viewing.common import crumbs_of, delete_page, list_context, require_change
from medtheca.interfaces.web.viewing.drawing import panels_of
from medtheca.interfaces.web.viewing.forms import HangingProtocolForm, as_text, show_refusal
from medtheca.toolkit.viewing.faults import read_json
from medtheca.toolkit.viewing.protocols import KEYS, protocol_faults
from medtheca.workflows.viewing import change_hanging_protocol

if TYPE_CHECKING:
    from medtheca.domains.viewing.models import HangingProtocol

_LIST = ("hanging_protocols", "Hanging protocols")
_FIRST = [
    {"viewport_name": "main", "x": 0, "y": 0, "w": 2, "h": 2, "fullsizable": True, "selectable": True, "order": 0},
    {"viewport_name": "secondary", "x": 2, "y": 0, "w": 1, "h": 2, "fullsizable": True, "selectable": True, "order": 0},
]
_PLACES = ("viewport_name", "x", "y", "w", "h")


@require_safe
def protocols(request: HttpRequest) -> HttpResponse:
    """All hanging protocols, with a picture of each."""
    context = list_context(request, hanging_protocols(), lambda row: {"panels": panels_of(row.json)})
    return render(request, "pages/viewing/protocols.html", context)


@require_safe
def protocol(request: HttpRequest, slug: str) -> HttpResponse:
    """One hanging protocol: its picture, its viewports, its JSON."""
    found = hanging_protocol_named(slug)
    context = {
        "protocol": found,
        "panels": panels_of(found.json),
        "viewports": [_viewport(one) for one in found.json],
        "text": as_text(_in_order(found.json)),
        "creator": creator_named(found, request.user),
        "may_change": may_change(request.user, found),
        "crumbs": crumbs_of(*_LIST, (found.title, None)),
    }
    return render(request, "pages/viewing/protocol.html", context)


def _in_order(panels: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Viewports with their keys as people write them; the database keeps them in another order."""
    return [{key: one[key] for key in KEYS if key in one} for one in panels]


def _viewport(one: dict[str, Any]) -> dict[str, Any]:
    """A viewport as a row of a table: its place, and what else it says in words."""
    placed = "x" in one
    rest = [(key.replace("_", " "), one[key]) for key in KEYS if key in one and key not in _PLACES]
    words = [key if value is True else f"{key} {value}" for key, value in rest if value is not False]
    return {
        "name": one["viewport_name"],
        "place": f"{one['x']}, {one['y']}" if placed else "",
        "size": f"{one['w']} by {one['h']}" if placed else "",
        "words": words,
    }


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def protocol_create(request: HttpRequest) -> HttpResponse:
    """A form for a new hanging protocol, or for a copy of the one that `?from=` names."""
    initial: dict[str, Any] = {"json": _FIRST}
    if request.GET.get("from"):
        other = hanging_protocol_named(request.GET["from"])
        initial = {"title": f"{other.title} (copy)"[:255], "description": other.description}
        initial["json"] = _in_order(other.json)
    form = HangingProtocolForm(request.POST or None, initial=initial)
    if form.is_valid():
        try:
            made = create_hanging_protocol(creator=signed_in(request), **form.cleaned_data)
        except (Conflict, Invalid) as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, f"{made.title} is there. Editors of archives can choose it.")
            return redirect("hanging_protocol", made.slug)
    return _editor(request, form, "New hanging protocol", "Make the hanging protocol", None)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def protocol_edit(request: HttpRequest, slug: str) -> HttpResponse:
    """A form that changes a hanging protocol."""
    found = hanging_protocol_named(slug)
    require_change(request, found)
    initial = {"title": found.title, "description": found.description, "json": _in_order(found.json)}
    form = HangingProtocolForm(request.POST or None, initial=initial)
    if form.is_valid():
        try:
            change_hanging_protocol(protocol=found, actor=signed_in(request), changes=form.cleaned_data)
        except (Conflict, Invalid) as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, "The hanging protocol was changed.")
            return redirect("hanging_protocol", found.slug)
    return _editor(request, form, f"Change {found.title}", "Save", found)


def _editor(
    request: HttpRequest, form: HangingProtocolForm, heading: str, action: str, found: HangingProtocol | None
) -> HttpResponse:
    back = reverse("hanging_protocol", args=[found.slug]) if found else reverse("hanging_protocols")
    more = [(found.title, back), ("Change", None)] if found else [("New", None)]
    text = form["json"].value() or ""
    context = {
        "form": form,
        "heading": heading,
        "action": action,
        "cancel_url": back,
        "crumbs": crumbs_of(*_LIST, *more),
        **_picture_of(text),
    }
    return render(request, "pages/viewing/protocol_edit.html", context)


@login_required
@require_POST
def protocol_check(request: HttpRequest) -> HttpResponse:
    """The picture of what is being written, and every rule that it breaks; nothing is kept."""
    return render(request, "pages/viewing/panels_live.html", _picture_of(request.POST.get("json", "")))


def _picture_of(text: str) -> dict[str, Any]:
    read, fault = read_json(text)
    faults = [fault] if fault else protocol_faults(read)
    return {"faults": faults, "panels": [] if faults else panels_of(read)}


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def protocol_delete(request: HttpRequest, slug: str) -> HttpResponse:
    """Delete a hanging protocol for good."""
    found = hanging_protocol_named(slug)
    show_url = reverse("hanging_protocol", args=[found.slug])
    return delete_page(request, found, list_name=_LIST[0], label=_LIST[1], show_url=show_url)
