"""Forms of viewing settings. They read what was typed; the domain judges it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django import forms

from medtheca.base.errors import DomainError, Invalid
from medtheca.domains.viewing.checking import BOUNDS, CHOICES, LONGEST_DESCRIPTION
from medtheca.toolkit.viewing.faults import read_json

_AREA = {"rows": 6, "spellcheck": "false", "autocapitalize": "off", "autocomplete": "off", "data-code": ""}


class DescribedForm(forms.Form):
    """A title and a description."""

    title = forms.CharField(max_length=255, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    description = forms.CharField(
        required=False,
        max_length=LONGEST_DESCRIPTION,
        help_text="What it is for, and with which images.",
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class JsonField(forms.CharField):
    """JSON that somebody writes; what is no JSON is told with its line and column."""

    def __init__(self, *, rows: int = 6, empty: Any = None, **options: Any) -> None:
        options.setdefault("widget", forms.Textarea(attrs={**_AREA, "rows": rows}))
        super().__init__(**options)
        self._empty = empty

    def clean(self, value: Any) -> Any:
        """The value that the text says."""
        text = super().clean(value)
        if not text.strip():
            return self._empty
        read, fault = read_json(text)
        if fault:
            raise forms.ValidationError(f"{fault.message} {fault.remedy}".strip())
        return read

    def prepare_value(self, value: Any) -> Any:
        """A value as text that can be edited: an object a line."""
        return value if isinstance(value, str) else as_text(value)


def as_text(value: Any) -> str:
    """JSON for people: the outer list over lines, each object on one.

    >>> print(as_text([{"viewport_name": "main"}, {"viewport_name": "secondary"}]))
    [
      {"viewport_name": "main"},
      {"viewport_name": "secondary"}
    ]
    """
    if value in (None, []):
        return ""
    if isinstance(value, list):
        return "[\n" + ",\n".join(f"  {json.dumps(one, ensure_ascii=False)}" for one in value) + "\n]"
    return json.dumps(value, ensure_ascii=False, indent=2)


class HangingProtocolForm(DescribedForm):
    """A hanging protocol."""

    json = JsonField(
        rows=16,
        label="Viewports",
        help_text="A list of viewports as JSON; one is called main. Places are units of a grid that is as large as you "
        "make it: x and y of the top left corner, w and h.",
    )


class WindowPresetForm(DescribedForm):
    """A window preset."""

    center = forms.IntegerField(required=False, label="Centre", help_text="The value that becomes middle grey.")
    width = forms.IntegerField(required=False, label="Width", help_text="From black to white; 1 or more.")
    lower_percentile = forms.IntegerField(
        required=False, label="Lower percentile", help_text="Instead of a centre: below it everything is black."
    )
    upper_percentile = forms.IntegerField(
        required=False, label="Upper percentile", help_text="Above it everything is white."
    )


class ViewerForm(DescribedForm):
    """A viewer elsewhere."""

    address = forms.CharField(
        max_length=2000,
        label="Address",
        help_text="With placeholders in braces: {item}, {path} (archive-item/… or cases/images/…), {image}, {config}, "
        "{api}. Such as https://viewer.example.org/?item={item}&amp;config={config}",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )


class DeleteForm(forms.Form):
    """The title, typed by hand: what is deleted does not come back."""

    confirmation = forms.CharField(label="Title", widget=forms.TextInput(attrs={"autocomplete": "off"}))

    def __init__(self, *args: Any, title: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._title = title
        self.fields["confirmation"].help_text = "Type it to confirm."

    def clean_confirmation(self) -> str:
        """Exactly the title, so that nothing is deleted by a slip."""
        typed: str = self.cleaned_data["confirmation"]
        if typed.strip() != self._title:
            raise forms.ValidationError("This is not its title.")
        return typed


@dataclass(frozen=True, slots=True)
class Group:
    """Fields of a configuration that belong together, by their names."""

    title: str
    words: str
    names: tuple[str, ...]


GROUPS: tuple[Group, ...] = (
    Group("About", "", ("title", "description", "image_context")),
    Group(
        "Windows",
        "Which presets are offered, and which one an image is shown with at first.",
        ("window_presets", "default_window_preset"),
    ),
    Group(
        "Image",
        "How it is shown at first.",
        (
            "default_orientation",
            "default_image_interpolation",
            "default_zoom_scale",
            "default_slab_thickness_mm",
            "default_slab_render_method",
            "default_limit_view_area_to_image_volume",
            "enable_contrast_enhancement",
        ),
    ),
    Group(
        "Overlays",
        "Masks and heat maps over the image.",
        (
            "overlay_luts",
            "default_overlay_lut",
            "default_overlay_alpha",
            "default_overlay_interpolation",
            "overlay_segments",
            "auto_jump_center_of_gravity",
        ),
    ),
    Group(
        "Annotations",
        "",
        (
            "default_annotation_color",
            "default_annotation_line_width",
            "default_brush_size",
            "ghosting_slice_depth",
            "point_bounding_box_size_mm",
        ),
    ),
    Group(
        "Tools",
        "What is offered beside the image.",
        (
            "show_image_info_plugin",
            "show_display_plugin",
            "show_image_switcher_plugin",
            "show_algorithm_output_plugin",
            "show_overlay_plugin",
            "show_annotation_statistics_plugin",
            "show_swivel_tool",
            "show_invert_tool",
            "show_flip_tool",
            "show_window_level_tool",
            "show_reset_tool",
            "show_overlay_selection_tool",
            "show_lut_selection_tool",
            "show_annotation_counter_tool",
        ),
    ),
    Group(
        "Links between viewports",
        "What is done in one is done in all that can be linked.",
        (
            "link_images",
            "link_panning",
            "link_zooming",
            "link_slicing",
            "link_orienting",
            "link_windowing",
            "link_inverting",
            "link_flipping",
        ),
    ),
    Group("Keys", "", ("key_bindings",)),
)
LABELS: dict[str, str] = {
    "image_context": "Made for",
    "window_presets": "Window presets",
    "default_window_preset": "First window preset",
    "default_orientation": "Orientation",
    "default_image_interpolation": "Interpolation of images",
    "default_zoom_scale": "Zoom",
    "default_slab_thickness_mm": "Slab thickness (mm)",
    "default_slab_render_method": "A slab shows the",
    "default_limit_view_area_to_image_volume": "No further than the edge of the image",
    "enable_contrast_enhancement": "Enhance the contrast",
    "overlay_luts": "Look-up tables",
    "default_overlay_lut": "First look-up table",
    "default_overlay_alpha": "Opacity",
    "default_overlay_interpolation": "Interpolation of overlays",
    "overlay_segments": "Segments",
    "auto_jump_center_of_gravity": "Begin at the middle of the overlay",
    "default_annotation_color": "Colour",
    "default_annotation_line_width": "Line width (pixels)",
    "default_brush_size": "Brush size (mm)",
    "ghosting_slice_depth": "Slices on which a polygon is still seen",
    "point_bounding_box_size_mm": "Box around a point (mm)",
    "show_image_info_plugin": "Facts of the image",
    "show_display_plugin": "Display settings",
    "show_image_switcher_plugin": "Image switcher",
    "show_algorithm_output_plugin": "Outputs of algorithms",
    "show_overlay_plugin": "Overlay settings",
    "show_annotation_statistics_plugin": "Statistics of annotations",
    "show_swivel_tool": "Swivel (oblique planes)",
    "show_invert_tool": "Invert",
    "show_flip_tool": "Flip",
    "show_window_level_tool": "Window and level",
    "show_reset_tool": "Reset",
    "show_overlay_selection_tool": "Choice of overlays",
    "show_lut_selection_tool": "Choice of look-up tables",
    "show_annotation_counter_tool": "Counter of annotations",
    "link_images": "Link viewports",
    "link_panning": "Panning",
    "link_zooming": "Zooming",
    "link_slicing": "Slices",
    "link_orienting": "Orientation",
    "link_windowing": "Window",
    "link_inverting": "Inversion",
    "link_flipping": "Flipping",
    "key_bindings": "Key bindings",
    "title": "Title",
    "description": "Description",
}
"""What people call the fields of a configuration."""

SHOWN_CHOICES = {"NN": "Nearest neighbour", "TL": "Trilinear", "CU": "Cubic"}
_OFF = {"show_annotation_statistics_plugin", "show_swivel_tool", "enable_contrast_enhancement"}
_OFF |= {"default_limit_view_area_to_image_volume"}


_EMPTY = {"image_context": "Any image", "default_slab_render_method": "Nothing is said"}


class ConfigurationForm(DescribedForm):
    """A viewer configuration: every field, in groups."""

    def __init__(self, *args: Any, presets: Iterable[Any], tables: Iterable[Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = {
            "window_preset": [(row.slug, row.title) for row in presets],
            "overlay_lut": [(row.slug, row.title) for row in tables],
        }
        for name in (name for group in GROUPS for name in group.names if name not in self.fields):
            field = _field(name, offered)
            field.label = LABELS[name]
            self.fields[name] = field

    def groups(self) -> list[dict[str, Any]]:
        """The groups with their fields."""
        return [
            {
                "title": group.title,
                "words": group.words,
                "fields": [self[name] for name in group.names if not _is_flag(name)],
                "flags": [self[name] for name in group.names if _is_flag(name)],
            }
            for group in GROUPS
        ]

    def values(self) -> dict[str, Any]:
        """What was chosen, as the domain takes it."""
        said = dict(self.cleaned_data)
        for name in ("default_window_preset", "default_overlay_lut"):
            said[name] = said[name] or None
        return said


def _is_flag(name: str) -> bool:
    return name.startswith(("show_", "link_", "auto_jump", "enable_")) or name.endswith("_to_image_volume")


def _field(name: str, offered: dict[str, list[tuple[str, str]]]) -> forms.Field:
    rows = offered["window_preset" if "window_preset" in name else "overlay_lut"]
    if _is_flag(name):
        return forms.BooleanField(required=False, initial=name not in _OFF)
    if name in CHOICES:
        return _choice(name)
    if name in BOUNDS:
        return _number(name)
    if name in ("window_presets", "overlay_luts"):
        return forms.MultipleChoiceField(required=False, choices=rows, widget=forms.CheckboxSelectMultiple)
    if name in ("default_window_preset", "default_overlay_lut"):
        return forms.ChoiceField(required=False, choices=[("", "None"), *rows])
    return _text(name)


def _choice(name: str) -> forms.Field:
    kind, may_be_empty = CHOICES[name]
    choices = [(choice.value, SHOWN_CHOICES.get(choice.value, choice.label)) for choice in kind]
    empty = [("", _EMPTY.get(name, "As the image says"))] if may_be_empty else []
    initial = {"default_image_interpolation": "CU", "default_overlay_interpolation": "NN"}.get(name, "")
    return forms.ChoiceField(required=False, choices=[*empty, *choices], initial=initial)


def _number(name: str) -> forms.Field:
    least, most, decimals = BOUNDS[name]
    words = f"{least} to {most}."
    if decimals:
        return forms.DecimalField(required=False, help_text=words)
    is_depth = name == "ghosting_slice_depth"
    return forms.IntegerField(required=is_depth, help_text=words, initial=3 if is_depth else None)


def _text(name: str) -> forms.Field:
    if name == "default_annotation_color":
        return forms.CharField(required=False, max_length=7, help_text="Such as #ff8800.")
    example = (
        'Such as [{"key": "ctrl+i", "command": "invert"}].'
        if name == "key_bindings"
        else 'What labels mean, such as [{"name": "Lung", "visible": true, "voxel_value": 1}].'
    )
    return JsonField(required=False, empty=[], rows=4, help_text=example)


def show_refusal(form: forms.Form, refusal: DomainError) -> None:
    """Put a refusal where it belongs: a problem of `json[1].parent_id` stands at the field `json`."""
    if not isinstance(refusal, Invalid) or not refusal.problems:
        form.add_error(None, f"{refusal.message} {refusal.remedy}".strip())
        return
    for problem in refusal.problems:
        name = re.split(r"[.\[]", problem.field)[0]
        form.add_error(name if name in form.fields else None, f"{problem.message} {problem.remedy}".strip())
