"""Forms of items. They read what was typed; the domain judges it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms

if TYPE_CHECKING:
    from medtheca.domains.sockets.models import Socket

_LONGEST_TEXT = 1_000_000


class TitleForm(forms.Form):
    """What an item is called."""

    title = forms.CharField(
        required=False,
        max_length=255,
        help_text="Unique in the archive. Items without one go by their number.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class ValueForm(forms.Form):
    """One value for a socket: a box that fits its kind. `text()` is what was typed, as `bulk.typed_value` takes it."""

    def __init__(self, *args: Any, socket: Socket, present: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["value"] = field = _field_of(socket)
        field.label, field.required = socket.title, False
        field.help_text = socket.description or socket.kind_details.about
        field.initial = present

    def text(self) -> str:
        """What was typed or chosen."""
        return str(self.cleaned_data["value"])


class ImageForm(forms.Form):
    """An image that is there already, by its name in addresses."""

    value = forms.CharField(
        max_length=100,
        help_text=(
            "The id or key of an image, as its page shows it: of this archive, of a cohort that you own or edit, "
            "or of another archive that you edit. Seeing an image is no right to pass it on."
        ),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, socket: Socket, present: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["value"].label = socket.title
        self.fields["value"].initial = present


class SocketForm(forms.Form):
    """Which socket a value is for."""

    socket = forms.ChoiceField(help_text="What kind of value it is to be.")

    def __init__(self, *args: Any, sockets: list[Socket], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["socket"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(one.slug, f"{one.title} ({one.kind_details.label})") for one in sockets]


def _field_of(socket: Socket) -> forms.Field:
    choices = _choices_of(socket)
    if socket.kind == "BOOL":
        return forms.ChoiceField(choices=[("", "Choose"), ("true", "true"), ("false", "false")])
    if socket.kind == "CHOI" and choices:
        return forms.ChoiceField(choices=[("", "Choose"), *((one, one) for one in choices)])
    if socket.kind in ("INT", "FLT"):
        mode = "numeric" if socket.kind == "INT" else "decimal"
        return forms.CharField(max_length=400, widget=forms.TextInput(attrs={"inputmode": mode, "autocomplete": "off"}))
    if socket.kind == "CHOI":
        return forms.CharField(max_length=_LONGEST_TEXT)
    rows = 4 if socket.kind in ("STR", "MCHO") else 10
    return forms.CharField(
        max_length=_LONGEST_TEXT, strip=False, widget=forms.Textarea(attrs={"rows": rows, "spellcheck": "false"})
    )


def _choices_of(socket: Socket) -> list[str]:
    """What a choice's own schema lists, where it does."""
    listed = socket.schema.get("enum") if isinstance(socket.schema, dict) else None
    return [one for one in listed if isinstance(one, str)] if isinstance(listed, list) else []
