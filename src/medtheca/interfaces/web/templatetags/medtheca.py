"""Tags and filters of our pages: `{% load medtheca %}`."""

from datetime import UTC, datetime
from typing import Any

from django import template
from django.forms import BaseForm, BoundField, CheckboxInput, CheckboxSelectMultiple, RadioSelect, Select, Textarea
from django.forms.widgets import FileInput, Widget
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from medtheca.domains.ledger.inbox import count_unread
from medtheca.interfaces.web.templatetags import chips, words

register = template.Library()


@register.filter
def thousands(number: float | None) -> str:
    """12345 → 12,345. Nothing for None, so that an empty cell stays empty."""
    return "" if number is None else words.thousands(number)


@register.filter
def file_size(size: int | None) -> str:
    """1234567 → 1.2 MB."""
    return "" if size is None else words.file_size(size)


@register.filter
def plural(number: int, forms: str) -> str:
    """`{{ 1200|plural:"image,images" }}` → 1,200 images."""
    one, _, many = forms.partition(",")
    return f"{number:,} {one if number == 1 else many}"


@register.filter
def value_words(value: object) -> str:
    """A value of a field as people say it: yes for True, the rest as it is."""
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


@register.simple_tag
def relative_time(then: datetime | str | None, missing: str = "never") -> SafeString | str:
    """A `<time>` with words such as "3 minutes ago"; the exact time is on hover, in the reader's zone by script."""
    if not isinstance(then, datetime):  # None, or '' where the context has no such name
        return missing
    exact = then.astimezone(UTC)
    return format_html(
        '<time datetime="{}" title="{}" data-relative>{}</time>',
        exact.isoformat(timespec="seconds"),
        f"{exact.day} {exact:%B %Y, %H:%M:%S} UTC",
        words.relative_time(then, timezone.now()),
    )


@register.simple_tag
def icon(name: str, label: str = "", size: str = "") -> SafeString:
    """An icon of the sprite (`frontend/icons.txt`): silent beside a word, named with `label` when it stands alone."""
    classes = f"icon icon-{size}" if size else "icon"
    address = f"{static('dist/icons.svg')}#{name}"
    drawing = '<use href="{}" fill="none" stroke="currentColor" stroke-linecap="round" stroke-linejoin="round"/>'
    if label:
        return format_html('<svg class="{}" role="img" aria-label="{}">' + drawing + "</svg>", classes, label, address)
    return format_html('<svg class="{}" aria-hidden="true">' + drawing + "</svg>", classes, address)


@register.inclusion_tag("medtheca/components/chip.html")
def chip_licence(licence: str) -> dict[str, Any]:
    """The chip of a licence, by its SPDX identifier."""
    return {"chip": chips.licence_chip(licence)}


@register.inclusion_tag("medtheca/components/chip.html")
def chip_visibility(visibility: str) -> dict[str, Any]:
    """The chip of a visibility: private, groups, users, public, embargoed, withdrawn, erased."""
    return {"chip": chips.visibility_chip(visibility)}


@register.inclusion_tag("medtheca/components/chip.html")
def chip_state(state: str, label: str = "", title: str = "") -> dict[str, Any]:
    """The chip of a state; `label` replaces its word, `title` its sentence."""
    return {"chip": chips.state_chip(state, label, title)}


@register.filter
def state_label(state: str) -> str:
    """The word of a state alone."""
    return chips.state_chip(state).label


@register.filter
def licence_label(licence: str) -> str:
    """The short name of a licence alone."""
    return chips.licence_chip(licence).label


@register.simple_tag
def tile_flag(visibility: str) -> SafeString:
    """A visibility as the small flag on a picture."""
    chip = chips.visibility_chip(visibility)
    return format_html('<span class="tile-flag">{}{}</span>', icon(chip.icon), chip.label)


@register.simple_tag
def licence_url(licence: str) -> str:
    """Where a licence's text stands, or nothing."""
    return chips.LICENCE_TEXTS.get(licence, "")


@register.inclusion_tag("medtheca/components/copy_id.html")
def copy_id(text: str, what: str = "id", short: int = 0) -> dict[str, Any]:
    """An id with a button that copies it; `short` shows only so many characters of a long hash."""
    shown = f"{text[:short]}…" if short and len(text) > short else text
    return {"text": text, "shown": shown, "what": what}


@register.inclusion_tag("medtheca/bell.html")
def bell(user: Any) -> dict[str, Any]:
    """The bell of the header: how much somebody who is signed in has not read."""
    return {"unread": count_unread(user.pk)}


@register.inclusion_tag("medtheca/components/form_field.html")
def form_field(field: BoundField) -> dict[str, Any]:
    """One field: label above, help below, error beside it."""
    widget = field.field.widget
    kind = _kind(widget)
    attributes: dict[str, Any] = {"class": _CLASSES[kind]} if _CLASSES[kind] else {}
    # Placeholders vanish while one types; the label above says it all the time.
    widget.attrs.pop("placeholder", None)
    if kind == "group":
        # Each choice is drawn by its own sub-widget, which takes the classes from here.
        # CheckboxSelectMultiple is a RadioSelect to Django, and must not look like one.
        several = isinstance(widget, CheckboxSelectMultiple)
        widget.attrs["class"] = "checkbox checkbox-sm" if several else "radio radio-sm"
    return {"field": field, "control": field.as_widget(attrs=attributes), "kind": kind}


@register.inclusion_tag("medtheca/components/form_fields.html")
def form_fields(form: BaseForm) -> dict[str, Any]:
    """The summary of errors, then all fields of a form, hidden ones too."""
    return {"form": form}


@register.inclusion_tag("medtheca/components/error_summary.html")
def error_summary(form: BaseForm) -> dict[str, Any]:
    """What must be changed, with a link to each field; nothing when the form has no errors."""
    return {"form": form, "fields": [field for field in form if field.errors]}


_CLASSES = {
    "check": "checkbox checkbox-sm",
    "group": "",
    "select": "select",
    "textarea": "textarea",
    "file": "file-input",
    "input": "input",
}


def _kind(widget: Widget) -> str:
    if isinstance(widget, RadioSelect | CheckboxSelectMultiple):
        return "group"
    if isinstance(widget, CheckboxInput):
        return "check"
    if isinstance(widget, Select):
        return "select"
    if isinstance(widget, Textarea):
        return "textarea"
    return "file" if isinstance(widget, FileInput) else "input"
