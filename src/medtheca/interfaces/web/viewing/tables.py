"""Look-up tables: the catalogue, and the form with the bar that is drawn while one types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from medtheca.base.errors import Conflict, Invalid
from medtheca.domains.viewing.checking import HIGHEST, LOWEST, TABLE_FIELDS, table_problems
from medtheca.domains.viewing.operations import create_look_up_table
from medtheca.domains.viewing.queries import look_up_table_named, look_up_tables
from medtheca.interfaces.web.people import signed_in
from medtheca.interfaces.web.viewing.common import crumbs_of, delete_page, list_context, require_change
from medtheca.interfaces.web.viewing.drawing import bar_of
from medtheca.interfaces.web.viewing.forms import DescribedForm, show_refusal
from medtheca.toolkit.sockets.look_up_tables import LONGEST_TEXT
from medtheca.workflows.viewing import change_look_up_table

if TYPE_CHECKING:
    from medtheca.domains.sockets.models import LookUpTable

_LIST = ("look_up_tables", "Look-up tables")
_FIRST = {
    "color": "[0 0 0 0, 230 0 0 1365, 255 210 0 2730, 255 255 255 4095]",
    "alpha": "[0 0, 0.6 1365, 0.8 2730, 1 4095]",
}
_MIXED = (
    ("RGB", "RGB: mixed"),
    ("HLS", "HLS: by hue, the short way"),
    ("HLSpos", "HLSpos: red, yellow, green, blue"),
    ("HLSneg", "HLSneg: red, blue, green, yellow"),
    ("Constant", "Constant: up to the next stop"),
)
_CODE = {"rows": 4, "spellcheck": "false", "autocapitalize": "off", "autocomplete": "off", "data-code": ""}


def _stops(label: str, help_text: str, *, required: bool = True) -> forms.CharField:
    return forms.CharField(
        label=label,
        required=required,
        max_length=LONGEST_TEXT,
        help_text=help_text,
        widget=forms.Textarea(attrs=dict(_CODE)),
    )


class LookUpTableForm(DescribedForm):
    """A look-up table; what is typed is judged by the domain."""

    color = _stops("Colours", "[red green blue x, …]: colours from 0 to 255, places x ascending.")
    alpha = _stops("Opacities", "[opacity x, …]: from 0, which lets the image through, to 1. As many as colours.")
    range_min = forms.IntegerField(
        label="From", initial=0, help_text=f"The number of the overlay at the lowest x; {LOWEST:,} or more."
    )
    range_max = forms.IntegerField(
        label="To", initial=4095, help_text=f"The one at the highest x; {HIGHEST:,} or less."
    )
    relative = forms.BooleanField(
        required=False,
        label="Over the values that the image has",
        help_text="The lowest of its numbers gets the first colour and the highest the last, whatever the range says.",
    )
    color_interpolation = forms.ChoiceField(label="Colours between stops", choices=_MIXED, initial="RGB")
    color_invert = _stops("Inverted colours", "As above, or nothing.", required=False)
    alpha_invert = _stops("Inverted opacities", "As many as inverted colours.", required=False)
    color_interpolation_invert = forms.ChoiceField(
        label="Inverted colours between stops", choices=_MIXED, initial="RGB"
    )

    def clean(self) -> dict[str, Any]:
        """Say all that is wrong at once, each at its field: what cannot be read, and what the rules refuse."""
        cleaned: dict[str, Any] = super().clean() or {}
        unread = {name for name in self.errors if name in TABLE_FIELDS}
        said = {name: cleaned.get(name, "") for name in TABLE_FIELDS}
        problems = [problem for problem in table_problems(said) if problem.field not in unread]
        if problems:
            show_refusal(self, Invalid("The look-up table cannot be made so.", problems=problems))
        return cleaned

    def inverted_fields(self) -> list[forms.BoundField]:
        """Those of the table when it is inverted, which few people write."""
        return [self[name] for name in ("color_invert", "alpha_invert", "color_interpolation_invert")]

    def has_inverted(self) -> bool:
        """Whether anything is said, or wrong, in them."""
        *texts, _ = fields = self.inverted_fields()
        return any(field.value() for field in texts) or any(field.errors for field in fields)


@require_safe
def table_list(request: HttpRequest) -> HttpResponse:
    """All look-up tables, as bars of their colours."""
    context = list_context(
        request, look_up_tables(), lambda row: {"bar": bar_of(row.color, row.alpha, row.color_interpolation)}
    )
    return render(request, "pages/viewing/tables.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def table_create(request: HttpRequest) -> HttpResponse:
    """A form for a new look-up table, or for a copy of the one that `?from=` names."""
    initial: dict[str, Any] = dict(_FIRST)
    if request.GET.get("from"):
        other = look_up_table_named(request.GET["from"])
        initial = _values(other) | {"title": f"{other.title[:248]} (copy)"}
    form = LookUpTableForm(request.POST or None, initial=initial)
    if form.is_valid():
        try:
            made = create_look_up_table(creator=signed_in(request), values=form.cleaned_data)
        except (Conflict, Invalid) as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, f"{made.title} is there. Sockets and viewer configurations can choose it.")
            return redirect(_LIST[0])
    return _editor(request, form, "New look-up table", "Make the look-up table")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def table_edit(request: HttpRequest, slug: str) -> HttpResponse:
    """A form that changes a look-up table."""
    found = look_up_table_named(slug)
    require_change(request, found)
    form = LookUpTableForm(request.POST or None, initial=_values(found))
    if form.is_valid():
        try:
            changed = change_look_up_table(table=found, actor=signed_in(request), changes=form.cleaned_data)
        except (Conflict, Invalid) as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, f"{changed.title} was changed.")
            return redirect(_LIST[0])
    return _editor(request, form, f"Change {found.title}", "Save", found)


@login_required
@require_POST
def table_check(request: HttpRequest) -> HttpResponse:
    """The bars of what is being written, and every rule that it breaks; nothing is kept."""
    return render(request, "pages/viewing/table_check.html", _bars_of(LookUpTableForm(request.POST)))


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def table_delete(request: HttpRequest, slug: str) -> HttpResponse:
    """Delete a look-up table for good."""
    return delete_page(request, look_up_table_named(slug), list_name=_LIST[0], label=_LIST[1])


def _values(found: LookUpTable) -> dict[str, Any]:
    return {name: getattr(found, name) for name in ("title", "description", *TABLE_FIELDS)}


def _editor(
    request: HttpRequest, form: LookUpTableForm, heading: str, action: str, found: LookUpTable | None = None
) -> HttpResponse:
    context = {
        "form": form,
        "found": found,
        "heading": heading,
        "action": action,
        "cancel_url": reverse(_LIST[0]),
        "crumbs": crumbs_of(*_LIST, (heading, None)),
        **_bars_of(form),
    }
    return render(request, "pages/viewing/table_edit.html", context)


def _bars_of(form: LookUpTableForm) -> dict[str, Any]:
    """The bars of what a form says, and what is wrong with it by the names of fields that people read."""
    said = {name: form[name].value() for name in TABLE_FIELDS}
    errors = (form if form.is_bound else LookUpTableForm(said)).errors
    faults = [
        {"label": form[name].label, "errors": errors[name]} for name in form.fields if name in said and name in errors
    ]
    bars = [
        {"key": "live", "label": "Colours as they are written", **_bar(said, "")},
        {"key": "inverted", "label": "Inverted", **_bar(said, "_invert")},
    ]
    return {"faults": faults, "bars": [bar for bar in bars if bar["stops"]]}


def _bar(said: dict[str, Any], which: str) -> dict[str, Any]:
    color, alpha, between = (said[f"{name}{which}"] or "" for name in ("color", "alpha", "color_interpolation"))
    return bar_of(color, alpha, between)
