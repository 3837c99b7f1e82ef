"""The guide, window presets, and viewers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from medtheca.base.errors import Conflict, Invalid
from medtheca.domains.viewing.access import may_register_viewers, require_registering
from medtheca.domains.viewing.operations import (
    change_viewer,
    change_window_preset,
    create_window_preset,
    register_viewer,
)
from medtheca.domains.viewing.queries import (
    viewer_named,
    viewers,
    window_preset_named,
    window_presets,
)
from medtheca.interfaces.web.people import signed_in
from medtheca.interfaces.web.viewing.common import crumbs_of, delete_page, list_context, require_change
from medtheca.interfaces.web.viewing.drawing import panels_of, window_of
from medtheca.interfaces.web.viewing.forms import DescribedForm, ViewerForm, WindowPresetForm, show_refusal

_PRESETS = ("window_presets", "Window presets")
_VIEWERS = ("viewers", "Viewers")
_NUMBERS = ("center", "width", "lower_percentile", "upper_percentile")
_EXAMPLE = [
    {"viewport_name": "main", "x": 0, "y": 0, "w": 2, "h": 2},
    {"viewport_name": "secondary", "x": 2, "y": 0, "w": 1, "h": 1},
    {"viewport_name": "tertiary", "x": 2, "y": 1, "w": 1, "h": 1},
]


@require_safe
def guide(request: HttpRequest) -> HttpResponse:
    """What decides how an item is shown, explained."""
    return render(request, "pages/viewing/guide.html", {"panels": panels_of(_EXAMPLE)})


@require_safe
def preset_list(request: HttpRequest) -> HttpResponse:
    """All window presets."""
    context = list_context(request, window_presets(), lambda row: {"window": window_of(row)})
    return render(request, "pages/viewing/presets.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def preset_create(request: HttpRequest) -> HttpResponse:
    """A form for a new window preset."""
    form = WindowPresetForm(request.POST or None)
    lead = "Either a centre and a width, as CT has them in Hounsfield units, or two percentiles of the image's values."
    return _form_page(
        request,
        form,
        lambda values: create_window_preset(creator=signed_in(request), **values),
        heading="New window preset",
        lead=lead,
        place=_PRESETS,
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def preset_edit(request: HttpRequest, slug: str) -> HttpResponse:
    """A form that changes a window preset."""
    found = window_preset_named(slug)
    require_change(request, found)
    initial = {name: getattr(found, name) for name in ("title", "description", *_NUMBERS)}
    form = WindowPresetForm(request.POST or None, initial=initial)
    return _form_page(
        request,
        form,
        lambda values: change_window_preset(preset=found, actor=signed_in(request), changes=values),
        heading=f"Change {found.title}",
        place=_PRESETS,
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def preset_delete(request: HttpRequest, slug: str) -> HttpResponse:
    """Delete a window preset for good."""
    return delete_page(request, window_preset_named(slug), list_name=_PRESETS[0], label=_PRESETS[1])


@require_safe
def viewer_list(request: HttpRequest) -> HttpResponse:
    """Programs that show items."""
    context = list_context(request, viewers(), lambda _row: {})
    context["may_register"] = may_register_viewers(request.user)
    return render(request, "pages/viewing/viewers.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def viewer_create(request: HttpRequest) -> HttpResponse:
    """A form that registers a viewer. Staff only."""
    require_registering(request.user)
    lead = "The page of an item opens it in a new tab. It reads images through the API, as the person who looks."
    return _form_page(
        request,
        ViewerForm(request.POST or None),
        lambda values: register_viewer(creator=signed_in(request), **values),
        heading="Register a viewer",
        lead=lead,
        place=_VIEWERS,
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def viewer_edit(request: HttpRequest, slug: str) -> HttpResponse:
    """A form that changes how a viewer is described and opened. Staff only."""
    found = viewer_named(slug)
    require_change(request, found)
    initial = {"title": found.title, "description": found.description, "address": found.address}
    form = (DescribedForm if found.built_in else ViewerForm)(request.POST or None, initial=initial)
    return _form_page(
        request,
        form,
        lambda values: change_viewer(viewer=found, actor=signed_in(request), changes=values),
        heading=f"Change {found.title}",
        place=_VIEWERS,
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def viewer_delete(request: HttpRequest, slug: str) -> HttpResponse:
    """Take a viewer off the list. Staff only."""
    return delete_page(request, viewer_named(slug), list_name=_VIEWERS[0], label=_VIEWERS[1])


def _form_page(
    request: HttpRequest,
    form: forms.Form,
    do: Callable[[dict[str, Any]], Any],
    *,
    heading: str,
    place: tuple[str, str],
    lead: str = "",
) -> HttpResponse:
    if form.is_valid():
        try:
            done = do(form.cleaned_data)
        except (Conflict, Invalid) as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, f"{done.title} was saved.")
            return redirect(place[0])
    context = {
        "form": form,
        "heading": heading,
        "lead": lead,
        "cancel_url": reverse(place[0]),
        "crumbs": crumbs_of(*place, (heading, None)),
    }
    return render(request, "pages/form_page.html", context)
