"""Viewer configurations as `gcapi` reads them: nothing that its models call a number or an object is ever null."""

import pytest

from medtheca.domains.viewing.models import ViewerConfiguration, WindowPreset
from medtheca.domains.viewing.operations import create_configuration
from tests.factories.accounts import make_user
from tests.interfaces.api.v1.world import by_token, nobody, walk

pytestmark = pytest.mark.django_db
# What 0.16.1 requires and has no null for, though Grand Challenge has (its model `WorkstationConfig`).
NUMBERS = (
    "default_slab_thickness_mm",
    "default_overlay_alpha",
    "default_zoom_scale",
    "point_bounding_box_size_mm",
)
OBJECTS = ("default_window_preset", "default_overlay_lut")
MAY_BE_NULL = {"default_brush_size", "default_annotation_color", "default_annotation_line_width"}


def test_a_configuration_that_says_nothing_is_told_without_nulls():
    [told] = walk(nobody(), "workstations/configs/")
    assert told["slug"] == "default"
    assert {name for name, value in told.items() if value is None} == MAY_BE_NULL
    assert all(isinstance(told[name], float) for name in NUMBERS)
    assert all(isinstance(told[name]["pk"], int) for name in OBJECTS)
    assert (told["default_image_interpolation"], told["default_overlay_interpolation"]) == ("Cubic", "NearestNeighbor")
    assert told["creator"] == ""
    assert nobody().get(f"workstations/configs/{told['pk']}/").body == told


def test_labels_stand_where_grand_challenge_has_them():
    values = {
        "title": "Slides",
        "image_context": "PATH",
        "default_slab_render_method": "AVG",
        "default_orientation": "S",
        "default_window_preset": "ct-lung",
        "default_overlay_lut": "hot",
        "default_overlay_alpha": 0.25,
        "default_brush_size": "0.5",
        "default_annotation_color": "#00ff00",
        "enable_contrast_enhancement": True,
    }
    alice = make_user("alice")
    made = create_configuration(creator=alice, values=values)
    told = by_token(alice).get(f"workstations/configs/{made.pk}/").body
    expected = {
        "image_context": "Pathology",
        "default_slab_render_method": "Average",
        "default_orientation": "Sagittal",
        "default_overlay_alpha": 0.25,
        "default_brush_size": 0.5,
        "default_annotation_color": "#00ff00",
        "enabled_preprocessors": ["contrast_enhanced"],
        "creator": "Alice Example",
    }
    assert {name: told[name] for name in expected} == expected
    assert (told["default_window_preset"]["center"], told["default_overlay_lut"]["slug"]) == (-600, "hot")


def test_one_is_found_by_its_slug_and_by_nothing_else():
    assert len(walk(nobody(), "workstations/configs/?slug=default")) == 1
    assert walk(nobody(), "workstations/configs/?slug=DEFAULT") == []
    assert nobody().get("workstations/configs/default/").status_code == 404


def test_an_archive_without_presets_still_tells_one():
    ViewerConfiguration.objects.all().delete()
    WindowPreset.objects.all().delete()
    create_configuration(creator=make_user("alice"), values={"title": "Bare"})
    [told] = walk(nobody(), "workstations/configs/")
    assert told["window_presets"] == []
    assert told["default_window_preset"]["upper_percentile"] == 100
