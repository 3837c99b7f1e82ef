"""Viewer configurations, as `gcapi` reads them.

`gcapi` 0.16.1 wants a preset, a table and numbers where Grand Challenge itself may have none, and fails on null. So
what a configuration leaves open is told as what the viewer does then.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from ninja import Schema

if TYPE_CHECKING:
    from collections.abc import Sequence

    from medtheca.domains.sockets.models import LookUpTable
    from medtheca.domains.viewing.models import ViewerConfiguration, WindowPreset

_NUMBERS = {
    "default_slab_thickness_mm": 0.01,
    "default_overlay_alpha": 0.5,
    "default_zoom_scale": 1.0,
    "point_bounding_box_size_mm": 1.0,
}
"""What the viewer does where a configuration names no number."""


Interpolation = Literal["RGB", "HLS", "HLSpos", "HLSneg", "Constant"]


class LookUpTableOut(Schema):
    """Colours and opacities for the numbers of an overlay."""

    pk: int
    slug: str
    title: str
    description: str
    color: str
    alpha: str
    color_invert: str
    alpha_invert: str
    range_min: int
    range_max: int
    relative: bool
    color_interpolation: Interpolation
    color_interpolation_invert: Interpolation


class WindowPresetOut(Schema):
    """Which values are shown from black to white."""

    pk: int
    slug: str
    title: str
    description: str
    center: int | None
    width: int | None
    lower_percentile: int | None
    upper_percentile: int | None


class WorkstationConfigOut(Schema):
    """How the viewer behaves."""

    pk: str
    slug: str
    title: str
    description: str
    created: datetime
    modified: datetime
    creator: str
    image_context: str
    window_presets: list[WindowPresetOut]
    default_window_preset: WindowPresetOut
    default_slab_thickness_mm: float
    default_slab_render_method: str
    default_orientation: str
    default_overlay_alpha: float
    overlay_luts: list[LookUpTableOut]
    default_overlay_lut: LookUpTableOut
    default_overlay_interpolation: str
    default_image_interpolation: str
    default_limit_view_area_to_image_volume: bool
    ghosting_slice_depth: int
    overlay_segments: list[Any]
    key_bindings: list[Any]
    default_zoom_scale: float
    default_brush_size: float | None
    default_annotation_color: str | None
    default_annotation_line_width: int | None
    show_image_info_plugin: bool
    show_display_plugin: bool
    show_image_switcher_plugin: bool
    show_algorithm_output_plugin: bool
    show_overlay_plugin: bool
    show_annotation_statistics_plugin: bool
    show_swivel_tool: bool
    show_invert_tool: bool
    show_flip_tool: bool
    show_window_level_tool: bool
    show_reset_tool: bool
    show_overlay_selection_tool: bool
    show_lut_selection_tool: bool
    show_annotation_counter_tool: bool
    enabled_preprocessors: list[str]
    auto_jump_center_of_gravity: bool
    link_images: bool
    link_panning: bool
    link_zooming: bool
    link_slicing: bool
    link_orienting: bool
    link_windowing: bool
    link_inverting: bool
    link_flipping: bool
    point_bounding_box_size_mm: float


_PLAIN_PRESET = {
    "pk": 0,
    "slug": "default",
    "title": "Default",
    "description": "What the image itself says, or else all of its values.",
    "center": None,
    "width": None,
    "lower_percentile": 0,
    "upper_percentile": 100,
}
_PLAIN_TABLE = {
    "pk": 0,
    "slug": "default",
    "title": "Default",
    "description": "From black to white.",
    "color": "[0 0 0 0, 255 255 255 4095]",
    "alpha": "[1 0, 1 4095]",
    "color_invert": "[255 255 255 0, 0 0 0 4095]",
    "alpha_invert": "[1 0, 1 4095]",
    "range_min": 0,
    "range_max": 4095,
    "relative": False,
    "color_interpolation": "RGB",
    "color_interpolation_invert": "RGB",
}
_LABELLED = (
    "image_context",
    "default_slab_render_method",
    "default_orientation",
    "default_overlay_interpolation",
    "default_image_interpolation",
)
_TOLD_OTHERWISE = {
    *_NUMBERS,
    *_LABELLED,
    "pk",
    "creator",
    "window_presets",
    "default_window_preset",
    "overlay_luts",
    "default_overlay_lut",
    "enabled_preprocessors",
    "default_annotation_color",
}
_AS_THEY_ARE = tuple(name for name in WorkstationConfigOut.model_fields if name not in _TOLD_OTHERWISE)


def preset_shape(row: WindowPreset | None) -> dict[str, Any]:
    """A window preset; where there is none, what the viewer does without."""
    return _PLAIN_PRESET if row is None else {name: getattr(row, name) for name in WindowPresetOut.model_fields}


def table_shape(row: LookUpTable | None) -> dict[str, Any]:
    """A look-up table; where there is none, what the viewer does without."""
    return _PLAIN_TABLE if row is None else {name: getattr(row, name) for name in LookUpTableOut.model_fields}


def configuration_shapes(rows: Sequence[ViewerConfiguration], creators: Sequence[str]) -> list[dict[str, Any]]:
    """Viewer configurations with the names of who made them."""
    return [_configuration(row, creator) for row, creator in zip(rows, creators, strict=True)]


def _configuration(row: ViewerConfiguration, creator: str) -> dict[str, Any]:
    plain = {name: _number(getattr(row, name)) for name in _AS_THEY_ARE}
    numbers = {
        name: default if getattr(row, name) is None else float(getattr(row, name)) for name, default in _NUMBERS.items()
    }
    labels = {name: getattr(row, f"get_{name}_display")() for name in _LABELLED}
    told = {
        **plain,
        **numbers,
        **labels,
        "pk": str(row.pk),
        "creator": creator,
        "window_presets": [preset_shape(one) for one in row.window_presets.all()],
        "default_window_preset": preset_shape(row.default_window_preset),
        "overlay_luts": [table_shape(one) for one in row.overlay_luts.all()],
        "default_overlay_lut": table_shape(row.default_overlay_lut),
        "default_annotation_color": row.default_annotation_color or None,
        "enabled_preprocessors": ["contrast_enhanced"] if row.enable_contrast_enhancement else [],
    }
    return {name: told[name] for name in WorkstationConfigOut.model_fields}


def _number(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else value
