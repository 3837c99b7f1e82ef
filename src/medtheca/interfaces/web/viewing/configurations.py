"""Viewer configurations: the catalogue, one, the form of all its fields."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from medtheca.base.errors import Conflict, Invalid
from medtheca.domains.viewing.access import may_change
from medtheca.domains.viewing.operations import change_configuration, create_configuration
from medtheca.domains.viewing.queries import (
    configuration_named,
    configurations,
    creator_named,
    look_up_tables,
    window_presets,
)
from medtheca.interfaces.web.people import signed_in
from medtheca.interfaces.web.viewing.common import crumbs_of, delete_page, list_context, require_change
from medtheca.interfaces.web.viewing.drawing import window_of
from medtheca.interfaces.web.viewing.forms import (
    GROUPS,
    LABELS,
    SHOWN_CHOICES,
    ConfigurationForm,
    as_text,
    show_refusal,
)

if TYPE_CHECKING:
    from medtheca.domains.viewing.models import ViewerConfiguration

_LIST = ("viewer_configurations", "Viewer configurations")
_MANY = ("window_presets", "overlay_luts")
_ONE = ("default_window_preset", "default_overlay_lut")


@require_safe
def configuration_list(request: HttpRequest) -> HttpResponse:
    """All viewer configurations, with what is particular to each."""
    return render(request, "pages/viewing/configurations.html", list_context(request, configurations(), _card))


def _card(row: ViewerConfiguration) -> dict[str, Any]:
    return {
        "presets": [{"title": one.title, "slug": one.slug, **window_of(one)} for one in row.window_presets.all()][:6],
        "context": row.get_image_context_display(),
    }


@require_safe
def configuration(request: HttpRequest, slug: str) -> HttpResponse:
    """One viewer configuration: every field in words."""
    found = configuration_named(slug)
    context = {
        "configuration": found,
        "groups": [_told(found, group.title, group.names) for group in GROUPS[1:]],
        "context": found.get_image_context_display(),
        "creator": creator_named(found, request.user),
        "may_change": may_change(request.user, found),
        "crumbs": crumbs_of(*_LIST, (found.title, None)),
    }
    return render(request, "pages/viewing/configuration.html", context)


def _told(found: ViewerConfiguration, title: str, names: tuple[str, ...]) -> dict[str, Any]:
    rows = [{"label": LABELS[name], "value": _words(found, name)} for name in names]
    return {"title": title, "rows": rows}


def _words(found: ViewerConfiguration, name: str) -> str:
    """The value of a field as people read it; empty where nothing is said."""
    if name in _MANY:
        return ", ".join(one.title for one in getattr(found, name).all())
    value = getattr(found, name)
    if name in _ONE:
        return str(value.title) if value else ""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, list):
        return as_text(value)
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    shown = getattr(found, f"get_{name}_display", None)
    return SHOWN_CHOICES.get(value, shown()) if shown else "" if value is None else str(value)


def _form(request: HttpRequest, initial: dict[str, Any] | None) -> ConfigurationForm:
    return ConfigurationForm(
        request.POST or None, initial=initial, presets=window_presets(), tables=look_up_tables(), label_suffix=""
    )


def _values(found: ViewerConfiguration) -> dict[str, Any]:
    values = {name: getattr(found, name) for group in GROUPS for name in group.names if name not in (*_MANY, *_ONE)}
    values |= {name: [one.slug for one in getattr(found, name).all()] for name in _MANY}
    return values | {name: getattr(found, name).slug if getattr(found, name) else "" for name in _ONE}


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def configuration_create(request: HttpRequest) -> HttpResponse:
    """A form for a new viewer configuration, or for a copy of the one that `?from=` names."""
    initial: dict[str, Any] | None = None
    if request.GET.get("from"):
        other = configuration_named(request.GET["from"])
        initial = _values(other) | {"title": f"{other.title} (copy)"[:255]}
    form = _form(request, initial)
    if form.is_valid():
        try:
            made = create_configuration(creator=signed_in(request), values=form.values())
        except (Conflict, Invalid) as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, f"{made.title} is there. Editors of archives can choose it.")
            return redirect("viewer_configuration", made.slug)
    context = {
        "form": form,
        "heading": "New viewer configuration",
        "action": "Make the configuration",
        "cancel_url": reverse("viewer_configurations"),
        "crumbs": crumbs_of(*_LIST, ("New", None)),
    }
    return render(request, "pages/viewing/configuration_edit.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def configuration_edit(request: HttpRequest, slug: str) -> HttpResponse:
    """A form that changes a viewer configuration."""
    found = configuration_named(slug)
    require_change(request, found)
    form = _form(request, _values(found))
    if form.is_valid():
        try:
            change_configuration(configuration=found, actor=signed_in(request), changes=form.values())
        except (Conflict, Invalid) as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, "The viewer configuration was changed.")
            return redirect("viewer_configuration", found.slug)
    back = reverse("viewer_configuration", args=[found.slug])
    context = {
        "form": form,
        "heading": f"Change {found.title}",
        "action": "Save",
        "cancel_url": back,
        "crumbs": crumbs_of(*_LIST, (found.title, back), ("Change", None)),
    }
    return render(request, "pages/viewing/configuration_edit.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def configuration_delete(request: HttpRequest, slug: str) -> HttpResponse:
    """Delete a viewer configuration for good."""
    found = configuration_named(slug)
    show_url = reverse("viewer_configuration", args=[found.slug])
    return delete_page(request, found, list_name=_LIST[0], label=_LIST[1], show_url=show_url)
