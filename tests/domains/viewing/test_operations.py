"""Who makes, changes and deletes what says how items are shown, and what is refused."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import IntegrityError, transaction

from medtheca.base.errors import Conflict, Invalid, NotAllowed, NotFound
from medtheca.domains.ledger.models import Event
from medtheca.domains.viewing import operations
from medtheca.domains.viewing.errors import InUse
from medtheca.domains.viewing.models import HangingProtocol, Viewer, ViewerConfiguration, WindowPreset
from medtheca.domains.viewing.operations import (
    change_configuration,
    change_hanging_protocol,
    change_viewer,
    change_window_preset,
    create_configuration,
    create_hanging_protocol,
    create_window_preset,
    delete_setting,
    register_viewer,
)
from medtheca.domains.viewing.queries import (
    configuration_named,
    creator_named,
    hanging_protocol_named,
    hanging_protocols,
    matching,
    viewer_named,
    window_preset_named,
)
from medtheca.toolkit.viewing.protocols import protocol_faults
from tests.factories.accounts import make_user

pytestmark = pytest.mark.django_db
MAIN = [{"viewport_name": "main"}]
TWO = [*MAIN, {"viewport_name": "secondary"}]


@pytest.fixture
def alice():
    return make_user("alice", first_name="Alice", last_name="Ash")


@pytest.fixture
def charlie():
    return make_user("charlie")


@pytest.fixture
def sam():
    return make_user("sam")


def problems(caught):
    return {problem.field for problem in caught.value.problems}


class TestHangingProtocols:
    def test_alice_makes_one_and_it_is_on_record(self, alice):
        made = create_hanging_protocol(creator=alice, title=" CT: two ", json=TWO, description="Side by side.")
        assert (made.title, made.slug, made.json, made.creator) == ("CT: two", "ct-two", TWO, alice)
        event = Event.objects.get(verb="hanging_protocol.created")
        assert (event.actor_id, event.subject_id, event.details) == (alice.pk, str(made.pk), {"slug": "ct-two"})

    def test_titles_may_be_the_same_and_slugs_are_not(self, alice, charlie):
        slugs = [create_hanging_protocol(creator=who, title="Two", json=TWO).slug for who in (alice, charlie, alice)]
        assert slugs == ["two", "two-2", "two-3"]

    def test_no_slug_is_that_of_a_page(self, alice):
        assert create_hanging_protocol(creator=alice, title="New", json=TWO).slug == "new-2"

    def test_every_broken_rule_is_told_with_its_place(self, alice):
        wrong = [{"viewport_name": "main", "x": 0}, {"viewport_name": "second", "opacity": 2}]
        with pytest.raises(Invalid) as caught:
            create_hanging_protocol(creator=alice, title="", json=wrong)
        assert problems(caught) == {"title", "json[0].y", "json[1].viewport_name", "json[1].x", "json[1].opacity"}
        assert not Event.objects.filter(verb="hanging_protocol.created").exists()

    def test_nobody_makes_none(self):
        gone = make_user("gone")
        gone.is_active = False
        for nobody in (None, AnonymousUser(), gone):
            with pytest.raises(NotAllowed):
                create_hanging_protocol(creator=nobody, title="Two", json=TWO)

    def test_charlie_cannot_change_or_delete_alices(self, alice, charlie):
        made = create_hanging_protocol(creator=alice, title="Two", json=TWO)
        with pytest.raises(NotAllowed, match="creator and staff"):
            change_hanging_protocol(protocol=made, actor=charlie, changes={"title": "Mine"})
        with pytest.raises(NotAllowed):
            delete_setting(row=made, actor=charlie)

    def test_alice_changes_hers_and_the_slug_stays(self, alice):
        made = create_hanging_protocol(creator=alice, title="Two", json=TWO)
        changed = change_hanging_protocol(protocol=made, actor=alice, changes={"title": "Three", "json": TWO})
        assert (changed.title, changed.slug) == ("Three", "two")
        assert Event.objects.get(verb="hanging_protocol.changed").details == {"slug": "two", "fields": ["title"]}

    def test_a_change_that_changes_nothing_is_not_recorded(self, alice):
        made = create_hanging_protocol(creator=alice, title="Two", json=TWO)
        change_hanging_protocol(protocol=made, actor=alice, changes={"title": "Two"})
        assert not Event.objects.filter(verb="hanging_protocol.changed").exists()

    def test_staff_changes_what_is_everybodys_and_alice_does_not(self, alice, sam):
        ours = hanging_protocol_named("one-panel")
        with pytest.raises(NotAllowed, match="Only staff"):
            change_hanging_protocol(protocol=ours, actor=alice, changes={"title": "Mine"})
        assert change_hanging_protocol(protocol=ours, actor=sam, changes={"title": "Single"}).title == "Single"

    def test_alice_deletes_hers(self, alice):
        made = create_hanging_protocol(creator=alice, title="Two", json=TWO)
        delete_setting(row=made, actor=alice)
        with pytest.raises(NotFound):
            hanging_protocol_named("two")
        with pytest.raises(NotFound, match="meanwhile"):
            delete_setting(row=made, actor=alice)

    def test_there_is_a_limit_for_one_person(self, alice, sam, monkeypatch):
        monkeypatch.setattr(operations, "MOST_MADE", 1)
        create_hanging_protocol(creator=alice, title="One", json=MAIN)
        with pytest.raises(Conflict, match="the most"):
            create_hanging_protocol(creator=alice, title="Two", json=MAIN)
        create_hanging_protocol(creator=sam, title="One", json=MAIN)

    def test_those_that_come_with_the_archive_keep_every_rule(self):
        assert {slug: protocol_faults(json) for slug, json in HangingProtocol.objects.values_list("slug", "json")} == {
            slug: []
            for slug in (
                "one-panel",
                "two-side-by-side",
                "four-panels",
                "axial-coronal-sagittal",
                "slide-with-overview",
            )
        }

    def test_they_are_found_by_words_and_by_who_made_them(self, alice, charlie):
        made = create_hanging_protocol(creator=alice, title="Knees", description="Sagittal cuts", json=MAIN)
        assert list(matching(hanging_protocols(), charlie, text="cuts knee")) == [made]
        assert list(matching(hanging_protocols(), alice, mine=True)) == [made]
        assert not matching(hanging_protocols(), None, mine=True).exists()

    def test_names_of_people_are_for_who_is_signed_in(self, alice, charlie):
        made = create_hanging_protocol(creator=alice, title="Knees", json=MAIN)
        assert creator_named(made, charlie) == "Alice Ash"
        assert creator_named(made, None) == f"User {alice.hash_id}"
        assert creator_named(hanging_protocol_named("one-panel"), charlie) == ""


class TestWindowPresets:
    def test_of_centre_and_width_or_of_percentiles(self, alice):
        assert create_window_preset(creator=alice, title="Liver", center=60, width=160).width == 160
        assert create_window_preset(creator=alice, title="MR", lower_percentile=1, upper_percentile=99).center is None

    @pytest.mark.parametrize(
        ("numbers", "field"),
        [
            ({}, "width"),
            ({"center": 1}, "width"),
            ({"center": 1, "width": 1, "lower_percentile": 1}, "width"),
            ({"center": 1, "width": 1, "lower_percentile": 1, "upper_percentile": 2}, "width"),
            ({"center": 1, "width": 0}, "width"),
            ({"center": 2**31, "width": 1}, "center"),
            ({"lower_percentile": -1, "upper_percentile": 2}, "lower_percentile"),
            ({"lower_percentile": 1, "upper_percentile": 101}, "upper_percentile"),
            ({"lower_percentile": 50, "upper_percentile": 50}, "upper_percentile"),
        ],
    )
    def test_anything_else_is_refused(self, alice, numbers, field):
        with pytest.raises(Invalid) as caught:
            create_window_preset(creator=alice, title="Odd", **numbers)
        assert problems(caught) == {field}

    @pytest.mark.parametrize(
        "numbers",
        [
            {},
            {"center": 1},
            {"width": 5},
            {"center": 1, "width": 0},
            {"center": 1, "width": 2, "lower_percentile": 1},
            {"lower_percentile": 5},
            {"lower_percentile": 5, "upper_percentile": 5},
            {"lower_percentile": -1, "upper_percentile": 5},
            {"lower_percentile": 1, "upper_percentile": 101},
            {"center": 1, "width": 2, "lower_percentile": 1, "upper_percentile": 2},
        ],
    )
    def test_the_database_refuses_it_too(self, numbers):
        with pytest.raises(IntegrityError), transaction.atomic():
            WindowPreset.objects.create(title="Odd", slug="odd", **numbers)

    def test_alice_turns_one_kind_into_the_other(self, alice):
        made = create_window_preset(creator=alice, title="Liver", center=60, width=160)
        changes = {"center": None, "width": None, "lower_percentile": 1, "upper_percentile": 99}
        changed = change_window_preset(preset=made, actor=alice, changes=changes)
        assert (changed.center, changed.upper_percentile) == (None, 99)
        with pytest.raises(Invalid):
            change_window_preset(preset=changed, actor=alice, changes={"upper_percentile": None})


class TestConfigurations:
    def test_alice_makes_one_with_what_belongs_to_it(self, alice):
        values = {
            "title": "Chest",
            "window_presets": ["ct-lung", "ct-bone"],
            "default_window_preset": "ct-lung",
            "overlay_luts": ["hot"],
            "default_overlay_lut": "hot",
            "default_slab_thickness_mm": 5,
            "default_slab_render_method": "MAX",
            "default_overlay_alpha": 0.3,
            "default_annotation_color": "#ff8800",
            "key_bindings": [{"key": "i", "command": "invert"}],
            "show_flip_tool": False,
        }
        create_configuration(creator=alice, values=values)
        made = configuration_named("chest")
        assert [preset.slug for preset in made.window_presets.all()] == ["ct-bone", "ct-lung"]
        assert (made.default_window_preset.slug, made.default_overlay_lut.slug) == ("ct-lung", "hot")
        assert (made.default_slab_thickness_mm, str(made.default_overlay_alpha)) == (5, "0.30")
        assert (made.show_flip_tool, made.show_invert_tool, made.default_image_interpolation) == (False, True, "CU")

    @pytest.mark.parametrize(
        ("values", "field"),
        [
            ({"window_presets": ["ct-lungs"]}, "window_presets"),
            ({"default_overlay_lut": "warm"}, "default_overlay_lut"),
            ({"default_slab_thickness_mm": 0}, "default_slab_thickness_mm"),
            ({"default_slab_thickness_mm": 100}, "default_slab_thickness_mm"),
            ({"default_slab_thickness_mm": float("nan")}, "default_slab_thickness_mm"),
            ({"default_zoom_scale": 0.001}, "default_zoom_scale"),
            ({"default_overlay_alpha": 1.5}, "default_overlay_alpha"),
            ({"default_overlay_alpha": 0.125}, "default_overlay_alpha"),
            ({"default_orientation": "Axial"}, "default_orientation"),
            ({"default_image_interpolation": ""}, "default_image_interpolation"),
            ({"default_annotation_color": "red"}, "default_annotation_color"),
            ({"ghosting_slice_depth": None}, "ghosting_slice_depth"),
            ({"ghosting_slice_depth": 1.5}, "ghosting_slice_depth"),
            ({"key_bindings": [{"key": "i"}]}, "key_bindings[0].command"),
            ({"link_images": "yes"}, "link_images"),
        ],
    )
    def test_what_cannot_be_is_refused_by_its_field(self, alice, values, field):
        with pytest.raises(Invalid) as caught:
            create_configuration(creator=alice, values={"title": "Odd", **values})
        assert problems(caught) == {field}
        assert not ViewerConfiguration.objects.filter(title="Odd").exists()

    def test_alice_changes_what_belongs_to_hers(self, alice):
        made = create_configuration(creator=alice, values={"title": "Chest", "window_presets": ["ct-lung"]})
        change_configuration(
            configuration=made, actor=alice, changes={"window_presets": ["ct-bone"], "default_zoom_scale": "1.5"}
        )
        assert [preset.slug for preset in configuration_named("chest").window_presets.all()] == ["ct-bone"]
        details = Event.objects.get(verb="viewer_configuration.changed").details
        assert details == {"slug": "chest", "fields": ["default_zoom_scale", "window_presets"]}

    def test_a_preset_that_is_used_stays_and_is_told_where(self, alice):
        preset = create_window_preset(creator=alice, title="Liver", center=60, width=160)
        create_configuration(creator=alice, values={"title": "One", "window_presets": ["liver"]})
        create_configuration(creator=alice, values={"title": "Two", "default_window_preset": "liver"})
        with pytest.raises(InUse) as caught:
            delete_setting(row=preset, actor=alice)
        assert caught.value.named == ("the viewer configuration One", "the viewer configuration Two")
        assert not caught.value.elsewhere
        for slug in ("one", "two"):
            delete_setting(row=configuration_named(slug), actor=alice)
        delete_setting(row=preset, actor=alice)

    def test_the_default_one_has_the_usual_presets(self):
        presets = {preset.slug: preset for preset in configuration_named("default").window_presets.all()}
        fixed = {slug: (one.center, one.width) for slug, one in presets.items() if one.width}
        assert fixed == {
            "ct-lung": (-600, 1500),
            "ct-abdomen": (40, 400),
            "ct-bone": (400, 1800),
            "ct-brain": (40, 80),
            "ct-mediastinum": (50, 350),
        }
        assert presets["percentiles-2-98"].upper_percentile == 98


class TestViewers:
    ADDRESS = "https://viewer.example.org/?item={item}"

    def test_staff_registers_one_and_alice_does_not(self, alice, sam):
        with pytest.raises(NotAllowed, match="Only staff"):
            register_viewer(creator=alice, title="Other", address=self.ADDRESS)
        made = register_viewer(creator=sam, title="Other", address=self.ADDRESS)
        assert (made.slug, made.built_in) == ("other", False)
        with pytest.raises(NotAllowed):
            change_viewer(viewer=made, actor=alice, changes={"title": "Mine"})
        delete_setting(row=made, actor=sam)

    def test_an_address_that_shows_nothing_is_refused(self, sam):
        with pytest.raises(Invalid) as caught:
            register_viewer(creator=sam, title="Other", address="https://viewer.example.org/")
        assert problems(caught) == {"address"}

    def test_the_built_in_one_stays_as_it_is(self, sam):
        ours = viewer_named("medtheca-viewer")
        with pytest.raises(Conflict):
            delete_setting(row=ours, actor=sam)
        with pytest.raises(Invalid):
            change_viewer(viewer=ours, actor=sam, changes={"address": self.ADDRESS})
        assert change_viewer(viewer=ours, actor=sam, changes={"description": "Ours.", "address": ""}).built_in

    @pytest.mark.parametrize("row", [{"built_in": True, "address": "https://x"}, {"built_in": False, "address": ""}])
    def test_the_database_wants_an_address_of_those_elsewhere_alone(self, row):
        with pytest.raises(IntegrityError), transaction.atomic():
            Viewer.objects.create(title="Odd", slug="odd", **row)


@pytest.mark.parametrize("find", [hanging_protocol_named, configuration_named, window_preset_named, viewer_named])
@pytest.mark.parametrize(
    "name", ["", "nothing", "a\0b", "99999999999", "9" * 400, "g" * 36, "00000000-0000-0000-0000-000000000000"]
)
def test_what_is_not_there_is_not_found(find, name):
    with pytest.raises(NotFound):
        find(name)


def test_things_are_found_by_key_and_near_names_are_offered():
    row = hanging_protocol_named("one-panel")
    assert hanging_protocol_named(str(row.pk)) == row
    preset = window_preset_named("ct-lung")
    assert window_preset_named(str(preset.pk)) == preset
    with pytest.raises(NotFound) as caught:
        window_preset_named("ct-lungs")
    assert "ct-lung" in caught.value.remedy
