"""How the items of an archive are shown, and its own sockets: pages for its editors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from medtheca.base.errors import Invalid
from medtheca.domains.archives.access import require_editor
from medtheca.domains.archives.showing import Showing, change_showing, sockets_to_show
from medtheca.domains.sockets.queries import usable_sockets
from medtheca.domains.viewing.queries import configurations, hanging_protocols, viewers
from medtheca.interfaces.web.accounts.forms import show_refusal
from medtheca.interfaces.web.archives.frame import frame, open_archive
from medtheca.interfaces.web.people import signed_in
from medtheca.interfaces.web.viewing.content import SocketChoice, ViewContentForm

if TYPE_CHECKING:
    from medtheca.domains.archives.models import Archive


class _Titled(forms.ModelChoiceField):  # type: ignore[type-arg]  # Django's own class takes no argument at run time
    """A choice among rows that are called by their titles."""

    def label_from_instance(self, obj: Any) -> str:
        """What the person reads."""
        return str(obj.title)


class _ManyTitled(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]  # as above
    def label_from_instance(self, obj: Any) -> str:
        return str(obj.title)


class ShowingForm(forms.Form):
    """What items are shown with. What is left empty is as it is by default."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields |= {
            "viewer": _Titled(viewers(), required=False, label="Viewer", empty_label="The built-in one"),
            "configuration": _Titled(
                configurations(),
                required=False,
                label="Viewer configuration",
                empty_label="Default",
                help_text="Which tools there are, and with which window images open.",
            ),
            "hanging_protocol": _Titled(
                hanging_protocols(),
                required=False,
                label="Hanging protocol",
                empty_label="None: each item arranges itself",
                help_text="Which panels there are, and where. Save it first: the viewports below are its own.",
            ),
            "optional_protocols": _ManyTitled(
                hanging_protocols(),
                required=False,
                label="Other hanging protocols to choose from",
                widget=forms.CheckboxSelectMultiple,
            ),
        }


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def archive_viewing(request: HttpRequest, slug: str) -> HttpResponse:
    """Viewer, configuration, hanging protocols and view content of an archive."""
    user = signed_in(request)
    archive, standing = open_archive(request, slug)
    require_editor(user, archive, to="change how its items are shown")
    data = request.POST if request.method == "POST" else None
    form = ShowingForm(data, initial=_initial(archive))
    choices = [SocketChoice(one.slug, one.title, one.kind) for one in sockets_to_show(user, archive)]
    protocol = archive.hanging_protocol.json if archive.hanging_protocol else None
    content = ViewContentForm(
        request.POST if request.method == "POST" else None,
        sockets=choices,
        protocol=protocol,
        content=archive.view_content,
    )
    if form.is_valid() and (content.is_valid() or _is_other(form, archive)):
        said = form.cleaned_data
        # Viewports of another protocol are other ones: what went into the old ones is chosen anew.
        placed = {} if _is_other(form, archive) else content.content()
        try:
            change_showing(archive=archive, actor=user, showing=Showing(**said, view_content=placed))
        except Invalid as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, "Items are shown so from now on.")
            return redirect("archive_viewing", slug)
    context = {
        **frame(archive, standing, "archive_settings"),
        "form": form,
        "content_form": content,
        "settings_url": reverse("archive_settings", args=[slug]),
    }
    return render(request, "pages/archives/viewing.html", context)


def _initial(archive: Archive) -> dict[str, Any]:
    return {
        "viewer": archive.viewer_id,
        "configuration": archive.configuration_id,
        "hanging_protocol": archive.hanging_protocol_id,
        "optional_protocols": [row.pk for row in archive.optional_protocols.all()],
    }


def _is_other(form: ShowingForm, archive: Archive) -> bool:
    chosen = form.cleaned_data["hanging_protocol"]
    return (chosen.pk if chosen else None) != archive.hanging_protocol_id


@login_required
@require_safe
def archive_sockets(request: HttpRequest, slug: str) -> HttpResponse:
    """The sockets that items of an archive may fill: its own, and everybody's."""
    user = signed_in(request)
    archive, standing = open_archive(request, slug)
    require_editor(user, archive, to="define its sockets")
    rows = [
        {
            "title": one.title,
            "slug": one.slug,
            "kind": one.kind_details.label,
            "description": one.description,
            "url": reverse("socket", args=[one.slug]),
            "own": one.scope_id is not None,
        }
        for one in usable_sockets(user, scope=archive.scope_id)
    ]
    context = {
        **frame(archive, standing, "archive_settings"),
        "own": [row for row in rows if row["own"]],
        "others": [row for row in rows if not row["own"]],
        "create_url": f"{reverse('socket_create')}?archive={slug}",
        "settings_url": reverse("archive_settings", args=[slug]),
    }
    return render(request, "pages/archives/sockets.html", context)
