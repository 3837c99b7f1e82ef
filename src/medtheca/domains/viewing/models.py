"""Viewers, hanging protocols, viewer configurations and window presets.

A row without a creator belongs to the instance: staff alone change it.
"""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from medtheca.base.models import TimeStamped
from medtheca.domains.viewing.enums import ImageContext, Interpolation, Orientation, SlabRenderMethod

LONGEST_TITLE = 255
LONGEST_SLUG = 100


class _Described(TimeStamped):
    """What all of these have: a name for people, a name for addresses, and words."""

    title = models.CharField(max_length=LONGEST_TITLE)
    slug = models.SlugField(max_length=LONGEST_SLUG, unique=True)
    description = models.TextField(blank=True)
    creator = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        abstract = True


class Viewer(_Described):
    """A program that shows items: our own, or one elsewhere that is opened by an address.

    `address` is a pattern such as `https://viewer.example.org/?item={item}`; the built-in viewer has none.
    """

    built_in = models.BooleanField(default=False)
    address = models.CharField(max_length=2000, blank=True)

    class Meta:
        ordering = ["-built_in", "title", "pk"]
        constraints = [
            models.CheckConstraint(condition=~Q(title="") & ~Q(slug=""), name="viewer_has_name"),
            models.CheckConstraint(
                condition=Q(built_in=True, address="") | (Q(built_in=False) & ~Q(address="")), name="viewer_has_address"
            ),
        ]


class HangingProtocol(_Described):
    """Panels of the viewer and their places; `json` holds the rules of `toolkit.viewing.protocols`."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    json = models.JSONField()

    class Meta:
        ordering = ["title", "pk"]
        constraints = [
            models.CheckConstraint(condition=~Q(title="") & ~Q(slug=""), name="hanging_protocol_has_name"),
        ]


class WindowPreset(_Described):
    """Which values of an image are shown from black to white: a centre and width, or two percentiles."""

    width = models.IntegerField(null=True, blank=True)
    center = models.IntegerField(null=True, blank=True)
    lower_percentile = models.SmallIntegerField(null=True, blank=True)
    upper_percentile = models.SmallIntegerField(null=True, blank=True)

    class Meta:
        ordering = ["title", "pk"]
        constraints = [
            models.CheckConstraint(condition=~Q(title="") & ~Q(slug=""), name="window_preset_has_name"),
            models.CheckConstraint(
                condition=Q(
                    center__isnull=False,
                    width__isnull=False,
                    width__gte=1,
                    lower_percentile__isnull=True,
                    upper_percentile__isnull=True,
                )
                | Q(
                    center__isnull=True,
                    width__isnull=True,
                    lower_percentile__isnull=False,
                    upper_percentile__isnull=False,
                    lower_percentile__gte=0,
                    upper_percentile__lte=100,
                    lower_percentile__lt=F("upper_percentile"),
                ),
                name="window_preset_fixed_or_percentiles",
            ),
        ]


class ViewerConfiguration(_Described):
    """How the viewer behaves: presets, tools, links. Fields are Grand Challenge's, with its defaults."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    image_context = models.CharField(max_length=6, choices=ImageContext.choices, blank=True)

    window_presets = models.ManyToManyField(WindowPreset, blank=True, related_name="+")
    default_window_preset = models.ForeignKey(
        WindowPreset, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    default_slab_thickness_mm = models.DecimalField(max_digits=4, decimal_places=2, null=True, blank=True)
    default_slab_render_method = models.CharField(max_length=3, choices=SlabRenderMethod.choices, blank=True)
    default_orientation = models.CharField(max_length=1, choices=Orientation.choices, blank=True)
    default_image_interpolation = models.CharField(
        max_length=2, choices=Interpolation.choices, default=Interpolation.CUBIC
    )
    default_zoom_scale = models.DecimalField(max_digits=4, decimal_places=2, null=True, blank=True)
    default_limit_view_area_to_image_volume = models.BooleanField(default=False)

    default_overlay_alpha = models.DecimalField(max_digits=3, decimal_places=2, null=True, blank=True)
    default_overlay_interpolation = models.CharField(
        max_length=2, choices=Interpolation.choices, default=Interpolation.NEAREST
    )
    overlay_luts = models.ManyToManyField("sockets.LookUpTable", blank=True, related_name="+")
    default_overlay_lut = models.ForeignKey(
        "sockets.LookUpTable", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    overlay_segments = models.JSONField(default=list, blank=True)

    ghosting_slice_depth = models.PositiveSmallIntegerField(default=3)
    default_brush_size = models.DecimalField(max_digits=10, decimal_places=6, null=True, blank=True)
    default_annotation_color = models.CharField(max_length=7, blank=True)
    default_annotation_line_width = models.PositiveSmallIntegerField(null=True, blank=True)
    point_bounding_box_size_mm = models.DecimalField(max_digits=4, decimal_places=2, null=True, blank=True)

    key_bindings = models.JSONField(default=list, blank=True)

    show_image_info_plugin = models.BooleanField(default=True)
    show_display_plugin = models.BooleanField(default=True)
    show_image_switcher_plugin = models.BooleanField(default=True)
    show_algorithm_output_plugin = models.BooleanField(default=True)
    show_overlay_plugin = models.BooleanField(default=True)
    show_annotation_statistics_plugin = models.BooleanField(default=False)
    show_swivel_tool = models.BooleanField(default=False)
    show_invert_tool = models.BooleanField(default=True)
    show_flip_tool = models.BooleanField(default=True)
    show_window_level_tool = models.BooleanField(default=True)
    show_reset_tool = models.BooleanField(default=True)
    show_overlay_selection_tool = models.BooleanField(default=True)
    show_lut_selection_tool = models.BooleanField(default=True)
    show_annotation_counter_tool = models.BooleanField(default=True)
    enable_contrast_enhancement = models.BooleanField(default=False)
    auto_jump_center_of_gravity = models.BooleanField(default=True)

    link_images = models.BooleanField(default=True)
    link_panning = models.BooleanField(default=True)
    link_zooming = models.BooleanField(default=True)
    link_slicing = models.BooleanField(default=True)
    link_orienting = models.BooleanField(default=True)
    link_windowing = models.BooleanField(default=True)
    link_inverting = models.BooleanField(default=True)
    link_flipping = models.BooleanField(default=True)

    class Meta:
        ordering = ["title", "pk"]
        constraints = [
            models.CheckConstraint(condition=~Q(title="") & ~Q(slug=""), name="viewer_configuration_has_name"),
            models.CheckConstraint(
                condition=Q(default_slab_thickness_mm__isnull=True) | Q(default_slab_thickness_mm__gte="0.01"),
                name="viewer_configuration_slab_thickness",
            ),
            models.CheckConstraint(
                condition=Q(default_zoom_scale__isnull=True) | Q(default_zoom_scale__gte="0.01"),
                name="viewer_configuration_zoom_scale",
            ),
            models.CheckConstraint(
                condition=Q(point_bounding_box_size_mm__isnull=True) | Q(point_bounding_box_size_mm__gte="0.01"),
                name="viewer_configuration_point_box",
            ),
            models.CheckConstraint(
                condition=Q(default_overlay_alpha__isnull=True)
                | Q(default_overlay_alpha__gte=0, default_overlay_alpha__lte=1),
                name="viewer_configuration_overlay_alpha",
            ),
            models.CheckConstraint(
                condition=Q(default_brush_size__isnull=True) | Q(default_brush_size__gt=0),
                name="viewer_configuration_brush_size",
            ),
            models.CheckConstraint(
                condition=Q(default_annotation_color="") | Q(default_annotation_color__regex="^#[0-9a-fA-F]{6}$"),
                name="viewer_configuration_annotation_color",
            ),
            models.CheckConstraint(
                condition=Q(image_context__in=["", *ImageContext.values])
                & Q(default_slab_render_method__in=["", *SlabRenderMethod.values])
                & Q(default_orientation__in=["", *Orientation.values])
                & Q(default_image_interpolation__in=Interpolation.values)
                & Q(default_overlay_interpolation__in=Interpolation.values),
                name="viewer_configuration_choices_known",
            ),
        ]
