"""Defining a socket, and changing one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from medtheca.base.errors import Invalid, NotAllowed
from medtheca.domains.sockets.access import may_define, require_defining
from medtheca.domains.sockets.queries import socket_by_slug
from medtheca.interfaces.web.accounts.forms import show_refusal
from medtheca.interfaces.web.people import signed_in
from medtheca.interfaces.web.sockets.forms import SocketChangeForm, SocketForm
from medtheca.workflows.socketing import archives_to_define_for, change, define, scope_of_archive

if TYPE_CHECKING:
    from medtheca.domains.accounts.models import User
    from medtheca.domains.sockets.models import Socket

_LEAD = (
    "A socket is a named place for one value of an item: an image, an overlay, a file, a number. Look into the"
    " catalogue first: what is there already can be compared between archives."
)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def socket_create(request: HttpRequest) -> HttpResponse:
    """A form for a new socket, for the archive of `?archive=` where there is one in the address."""
    user = signed_in(request)
    wanted = request.GET.get("archive", "")
    form = socket_form(request, user, archive=wanted)
    made = save_socket(form, user)
    if made is not None:
        messages.success(request, f"{made.title} is there. Its slug is {made.slug}.")
        return redirect("socket", made.slug)
    return render(
        request,
        "pages/form_page.html",
        {
            "form": form,
            "heading": "New socket",
            "lead": f"{_LEAD} {form.whose}".strip(),
            "action": "Define the socket",
            "cancel_url": reverse("sockets"),
            "crumbs": [{"label": "Sockets", "url": reverse("sockets")}, {"label": "New", "url": None}],
        },
    )


def socket_form(request: HttpRequest, user: User, *, archive: str = "") -> SocketForm:
    """The form of a new socket, for one archive by its slug, else for all that the person may define them for.

    Pages of archives show it too. Raises `NotFound` or `NotAllowed`.
    """
    if archive:
        require_defining(user, scope_of_archive(user, archive), to="define sockets")
    archives = [row for row in archives_to_define_for(user) if not archive or row.slug == archive]
    everybody = not archive and may_define(user, None)
    if not archives and not everybody:
        raise NotAllowed("Only editors of an archive define sockets.", remedy="Make an archive, or ask an editor.")
    return SocketForm(request.POST or None, archives=archives, everybody=everybody)


def save_socket(form: SocketForm, user: User) -> Socket | None:
    """Define what was typed; None where nothing was sent, or it is wrong, which the form says then."""
    if not form.is_valid():
        return None
    said = form.cleaned_data
    try:
        return define(
            creator=user,
            definition=form.definition(),
            archive=said["archive"],
            look_up_table=said["look_up_table"],
        )
    except (Invalid, NotAllowed) as refusal:
        show_refusal(form, refusal, store_in_database="as_file")
    return None


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def socket_edit(request: HttpRequest, slug: str) -> HttpResponse:
    """What of a socket may change; its kind and path do not."""
    user = signed_in(request)
    found = socket_by_slug(user, slug)
    require_defining(user, found.scope_id, to="change a socket")
    initial = {name: _shown(found, name) for name in SocketChangeForm.base_fields}
    form = SocketChangeForm(request.POST or None, initial=initial)
    _leave_out_what_never_applies(form, found)
    if form.is_valid():
        try:
            changed = change(socket=found, actor=user, changes=form.cleaned_data)
        except (Invalid, NotAllowed) as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, f"{changed.title} is changed.")
            return redirect("socket", changed.slug)
    address = reverse("socket", args=[found.slug])
    return render(
        request,
        "pages/form_page.html",
        {
            "form": form,
            "heading": f"Change {found.title}",
            "lead": "Its kind, path and slug never change. Once there are values, its schema stays, and segments are"
            " only added to.",
            "action": "Save the socket",
            "cancel_url": address,
            "crumbs": [
                {"label": "Sockets", "url": reverse("sockets")},
                {"label": found.title, "url": address},
                {"label": "Change", "url": None},
            ],
        },
    )


_JSON = ("schema", "default_value", "example_value")


def _shown(found: Socket, name: str) -> object:
    if name == "look_up_table":
        return found.look_up_table.slug if found.look_up_table else ""
    value = getattr(found, name)
    if name not in _JSON:
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def _leave_out_what_never_applies(form: SocketChangeForm, found: Socket) -> None:
    kind = found.kind_details
    gone = [] if kind.is_json else [*_JSON]
    gone += [] if kind.is_image else ["look_up_table"]
    gone += [] if kind.code == "SEG" else ["overlay_segments"]
    for name in gone:
        del form.fields[name]
