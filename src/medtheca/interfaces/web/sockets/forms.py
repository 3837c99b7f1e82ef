"""Forms of sockets. They read what was typed; the domain judges it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django import forms

from medtheca.domains.sockets.queries import look_up_tables
from medtheca.toolkit.errors import Refused
from medtheca.toolkit.sockets.definitions import LONGEST_DESCRIPTION, LONGEST_PATH, LONGEST_TITLE, Definition
from medtheca.toolkit.sockets.json_text import parse_json
from medtheca.toolkit.sockets.kinds import FILE_KINDS, IMAGE_KINDS, JSON_KINDS, KINDS
from medtheca.toolkit.sockets.schemas import WORDS

if TYPE_CHECKING:
    from medtheca.domains.archives.models import Archive

_PLAIN = [code for code in JSON_KINDS if code in {"STR", "INT", "FLT", "BOOL", "CHOI", "MCHO", "JSON", "CHART", "ATRG"}]
_MARKS = [code for code in JSON_KINDS if code in WORDS]
_MANY = [code for code in JSON_KINDS if code not in {*_PLAIN, *_MARKS}]
KIND_GROUPS = [
    (name, [(code, KINDS[code].label) for code in codes])
    for name, codes in (
        ("Images", IMAGE_KINDS),
        ("Values", _PLAIN),
        ("One annotation", _MARKS),
        ("Several annotations", _MANY),
        ("Files", FILE_KINDS),
    )
]
"""Kinds as a choice has them: groups of codes and labels."""

EVERYBODY = ""


class JsonField(forms.CharField):
    """JSON as text; None for an empty one. A mistake is told with its line and column."""

    widget = forms.Textarea

    def __init__(self, *, rows: int = 3, **options: Any) -> None:
        widget = forms.Textarea(
            attrs={"rows": rows, "spellcheck": "false", "autocapitalize": "off", "class": "font-mono"}
        )
        super().__init__(required=False, widget=widget, **options)

    def clean(self, value: Any) -> Any:
        """The value that was written."""
        text = super().clean(value)
        if not text.strip():
            return None
        try:
            return parse_json(text.encode(errors="replace"))
        except Refused as refused:
            raise forms.ValidationError(refused.message.replace("The file", "This")) from None


class SegmentsField(forms.CharField):
    """Overlay segments: a line for each with its value and name, or JSON."""

    def __init__(self, **options: Any) -> None:
        widget = forms.Textarea(attrs={"rows": 4, "spellcheck": "false", "autocapitalize": "off", "class": "font-mono"})
        super().__init__(required=False, widget=widget, **options)

    def prepare_value(self, value: Any) -> Any:
        """Segments as lines; what was typed as it was."""
        if not isinstance(value, list):
            return value
        return "\n".join(f"{one['voxel_value']} {one['name']}{'' if one['visible'] else ' (hidden)'}" for one in value)

    def clean(self, value: Any) -> Any:
        """The segments that were written."""
        text = super().clean(value).strip()
        if text.startswith("["):
            return JsonField().clean(text)
        segments = []
        for number, line in enumerate(filter(None, map(str.strip, text.splitlines())), 1):
            first, _, name = line.partition(" ")
            if not first.lstrip("-").isdecimal() or len(first) > 11 or not name.strip():
                raise forms.ValidationError(f"Line {number} is no value and a name. Write it as: 1 Lung")
            shown = name.strip().removesuffix("(hidden)").strip()
            segments.append({"name": shown, "visible": shown == name.strip(), "voxel_value": int(first)})
        return segments


class SocketChangeForm(forms.Form):
    """What of a socket may change."""

    title = forms.CharField(max_length=LONGEST_TITLE, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    description = forms.CharField(
        required=False,
        max_length=LONGEST_DESCRIPTION,
        help_text="What belongs into it, and in which unit.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    overlay_segments = SegmentsField(
        label="Segments",
        help_text="Of a segmentation: what each label means, one a line, such as: 1 Lung. With (hidden) at the end it"
        " is not shown at first.",
    )
    schema = JsonField(
        label="JSON schema",
        rows=4,
        help_text='What values obey besides their kind, such as {"enum": ["left", "right"]} for a choice.',
    )
    default_value = JsonField(label="Default value", rows=2, help_text="JSON, with which forms begin.")
    example_value = JsonField(label="Example", rows=2, help_text="JSON, shown in the catalogue.")
    look_up_table = forms.ChoiceField(
        required=False, label="Look-up table", help_text="Of an overlay: in which colours its numbers are shown."
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["look_up_table"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", "None"), *((row.slug, row.title) for row in look_up_tables())]


class SocketForm(SocketChangeForm):
    """A new socket; of an archive where the page of one offers no other."""

    archive = forms.ChoiceField(
        required=False, label="Whose", help_text="An archive's sockets are known to its people only."
    )
    kind = forms.ChoiceField(choices=KIND_GROUPS, help_text="It never changes.")
    relative_path = forms.CharField(
        required=False,
        max_length=LONGEST_PATH,
        label="Path",
        help_text="Where services and clients find the value. Made of the title where this is empty; it never changes.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "off"}),
    )
    as_file = forms.BooleanField(required=False, label="Keep JSON as a file", help_text="For values of many kilobytes.")
    field_order = ("archive", "title", "kind", "description", "overlay_segments", "schema")

    def __init__(self, *args: Any, archives: Iterable[Archive], everybody: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["archive"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(row.slug, row.title) for row in archives]
        if everybody:
            field.choices = [(EVERYBODY, "Everybody's"), *field.choices]
        self.whose = ""
        if len(field.choices) == 1:
            field.widget = forms.HiddenInput()
            field.initial, title = field.choices[0]
            self.whose = f"This one is for {title}." if field.initial else "This one is everybody's."

    def definition(self) -> Definition:
        """What was typed, as a definition."""
        said = {name: value for name, value in self.cleaned_data.items() if name not in {"archive", "look_up_table"}}
        as_file = said.pop("as_file")
        return Definition(**said, store_in_database=False if as_file else None)
