"""Shapes of hanging protocols, viewer configurations, window presets, look-up tables and viewers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from ninja import Schema
from pydantic import Field

from medtheca.interfaces.api.v2.shapes.common import Given, PageQuery, ShortText, Text
from medtheca.toolkit.sockets.look_up_tables import LONGEST_TEXT

Description = Annotated[Text, Field(max_length=20_000)]
Slug = Annotated[Text, Field(max_length=255)]
Slugs = Annotated[list[Slug], Field(max_length=500)]
Context = Literal["", "PATH", "MPMRI"]
Slab = Literal["", "MAX", "MIN", "AVG"]
Plane = Literal["", "A", "C", "S"]
Between = Literal["NN", "TL", "CU"]
Mixed = Literal["RGB", "HLS", "HLSpos", "HLSneg", "Constant"]
Stops = Annotated[Text, Field(max_length=LONGEST_TEXT)]
_COLOURS = "[0 0 0 0, 255 210 0 4095]"
_PANELS = [{"viewport_name": "main"}, {"viewport_name": "secondary"}]


class SettingsQuery(PageQuery):
    """Which of them."""

    query: Text = Field("", max_length=200, description="Words that the title or description has, all of them.")
    mine: bool = Field(False, description="Only those that the caller made.")


class SettingOut(Schema):
    """What all of them say of themselves."""

    slug: str
    title: str
    description: str
    creator: str = Field(description="Who made it; empty for what came with the archive.")
    may_change: bool = Field(description="Whether the caller may change and delete it.")
    created: datetime
    modified: datetime


class HangingProtocolOut(SettingOut):
    """Panels of the viewer and their places."""

    id: UUID
    json_: list[dict[str, Any]] = Field(alias="json", description="Its viewports.", examples=[_PANELS])
    viewports: list[str] = Field(description="Their names, in order.")
    svg_icon: str = Field(description="A picture of them, 32 by 18.")


class HangingProtocolIn(Given):
    """A new hanging protocol."""

    title: ShortText
    description: Description = ""
    json_: Any = Field(alias="json", description="A list of viewports, one of which is `main`.", examples=[_PANELS])


class HangingProtocolChangeIn(Given):
    """What to change."""

    title: ShortText = ""
    description: Description = ""
    json_: Any = Field(None, alias="json", examples=[_PANELS])


class WindowPresetOut(SettingOut):
    """Which values are shown from black to white: a centre and width, or two percentiles."""

    id: int
    center: int | None
    width: int | None
    lower_percentile: int | None
    upper_percentile: int | None


class WindowPresetIn(Given):
    """A new window preset: `center` and `width`, or both percentiles."""

    title: ShortText
    description: Description = ""
    center: int | None = Field(None, examples=[60])
    width: int | None = Field(None, examples=[160])
    lower_percentile: int | None = Field(None, examples=[None])
    upper_percentile: int | None = Field(None, examples=[None])


class WindowPresetChangeIn(WindowPresetIn):
    """What to change; null takes a number away."""

    title: ShortText = ""


class LookUpTableFields(Given):
    """Colours and opacities for the numbers of an overlay."""

    color: Stops = Field(
        description="`[red green blue x, …]`: colours from 0 to 255, x ascending.", examples=[_COLOURS]
    )
    alpha: Stops = Field(description="`[opacity x, …]`: from 0 to 1, with as many stops.", examples=["[0 0, 1 4095]"])
    color_invert: Stops = Field("", description="The table when it is inverted: both of these, or neither.")
    alpha_invert: Stops = ""
    range_min: int = Field(0, description="The number that the lowest x stands for; -32768 or more.")
    range_max: int = Field(4095, description="The highest; above `range_min`, 32767 or less.")
    relative: bool = Field(False, description="Whether the range is stretched over the values of the image.")
    color_interpolation: Mixed = Field("RGB", description="How colours between two stops are found.")
    color_interpolation_invert: Mixed = "RGB"


class LookUpTableIn(LookUpTableFields):
    """A new look-up table of 2 to 4,096 stops."""

    title: ShortText
    description: Description = ""


class LookUpTableChangeIn(LookUpTableIn):
    """What to change; fields that are left out stay as they are."""

    title: ShortText = ""
    color: Stops = Field("", examples=[_COLOURS])
    alpha: Stops = Field("", examples=["[0 0, 1 4095]"])


class LookUpTableOut(SettingOut, LookUpTableFields):
    """Colours and opacities for the numbers of an overlay."""

    id: int


class ViewerOut(SettingOut):
    """A program that shows items."""

    id: int
    built_in: bool
    address: str = Field(description="How it is opened: a pattern with placeholders such as `{item}`.")


class ViewerIn(Given):
    """A viewer elsewhere."""

    title: ShortText
    description: Description = ""
    address: Text = Field(max_length=2000, examples=["https://viewer.example.org/?item={item}&config={config}"])


class ViewerChangeIn(ViewerIn):
    """What to change."""

    title: ShortText = ""
    address: Text = Field("", max_length=2000)


class Behaviour(Given):
    """How the viewer behaves: every field of Grand Challenge's workstation configuration, with its default."""

    image_context: Context = Field("", description="PATH (pathology), MPMRI (multiparametric MRI), or empty.")
    default_slab_thickness_mm: float | None = Field(None, description="0.01 to 99.99.")
    default_slab_render_method: Slab = Field("", description="MAX, MIN, AVG, or empty.")
    default_orientation: Plane = Field("", description="A (axial), C (coronal), S (sagittal), or empty.")
    default_image_interpolation: Between = Field("CU", description="NN (nearest), TL (trilinear), CU (cubic).")
    default_zoom_scale: float | None = Field(None, description="0.01 to 99.99.")
    default_limit_view_area_to_image_volume: bool = False
    default_overlay_alpha: float | None = Field(None, description="0 to 1.")
    default_overlay_interpolation: Between = "NN"
    overlay_segments: list[Any] = Field([], max_length=1000, description="What labels mean.")
    ghosting_slice_depth: int = Field(3, description="Slices around its own on which a polygon is still seen.")
    default_brush_size: float | None = Field(None, description="Millimetres.")
    default_annotation_color: Text = Field("", max_length=7, description="Such as `#ff8800`, or empty.")
    default_annotation_line_width: int | None = Field(None, description="Pixels.")
    point_bounding_box_size_mm: float | None = Field(None, description="0.01 to 99.99.")
    key_bindings: list[Any] = Field([], max_length=1000, examples=[[{"key": "ctrl+i", "command": "invert"}]])
    show_image_info_plugin: bool = True
    show_display_plugin: bool = True
    show_image_switcher_plugin: bool = True
    show_algorithm_output_plugin: bool = True
    show_overlay_plugin: bool = True
    show_annotation_statistics_plugin: bool = False
    show_swivel_tool: bool = False
    show_invert_tool: bool = True
    show_flip_tool: bool = True
    show_window_level_tool: bool = True
    show_reset_tool: bool = True
    show_overlay_selection_tool: bool = True
    show_lut_selection_tool: bool = True
    show_annotation_counter_tool: bool = True
    enable_contrast_enhancement: bool = False
    auto_jump_center_of_gravity: bool = True
    link_images: bool = True
    link_panning: bool = True
    link_zooming: bool = True
    link_slicing: bool = True
    link_orienting: bool = True
    link_windowing: bool = True
    link_inverting: bool = True
    link_flipping: bool = True


class ViewerConfigurationIn(Behaviour):
    """A new viewer configuration."""

    title: ShortText
    description: Description = ""
    window_presets: Slugs = Field([], description="Slugs of the presets that are offered.", examples=[["ct-lung"]])
    default_window_preset: Slug | None = Field(None, examples=["ct-lung"])
    overlay_luts: Slugs = Field([], description="Slugs of the look-up tables that are offered.", examples=[["hot"]])
    default_overlay_lut: Slug | None = Field(None, examples=["hot"])


class ViewerConfigurationChangeIn(ViewerConfigurationIn):
    """What to change; fields that are left out stay as they are."""

    title: ShortText = ""


class ViewerConfigurationOut(SettingOut, Behaviour):
    """How the viewer behaves."""

    id: UUID
    window_presets: list[str] = Field(description="Slugs.", examples=[["ct-lung"]])
    default_window_preset: str | None
    overlay_luts: list[str] = Field(description="Slugs.", examples=[["hot"]])
    default_overlay_lut: str | None


BEHAVIOUR = tuple(Behaviour.model_fields)
"""Names of the plain fields of a configuration."""
