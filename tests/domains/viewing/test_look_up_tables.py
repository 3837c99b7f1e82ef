"""Look-up tables that people make: who does, what is refused, and what stays while others read values by it."""

import pytest
from django.db import IntegrityError, transaction

from medtheca.base.errors import Invalid, NotAllowed, NotFound
from medtheca.domains.ledger.models import Event
from medtheca.domains.sockets.defining import define_socket
from medtheca.domains.sockets.models import LookUpTable, Socket
from medtheca.domains.viewing.access import may_change
from medtheca.domains.viewing.errors import InUse
from medtheca.domains.viewing.operations import (
    change_configuration,
    change_look_up_table,
    create_configuration,
    create_look_up_table,
    delete_setting,
)
from medtheca.domains.viewing.queries import configuration_named, look_up_table_named, look_up_tables, matching
from medtheca.toolkit.sockets.definitions import Definition
from tests.factories.accounts import make_user
from tests.factories.archives import make_archive

pytestmark = pytest.mark.django_db
TABLE = {"color": "[0 0 0 0, 255 210 0 4095]", "alpha": "[0 0, 1 4095]"}
INVERTED = {"color_invert": "[255 210 0 0, 0 0 0 4095]", "alpha_invert": "[1 0, 0 4095]"}


@pytest.fixture
def alice():
    return make_user("alice", first_name="Alice", last_name="Ash")


@pytest.fixture
def charlie():
    return make_user("charlie")


@pytest.fixture
def sam():
    return make_user("sam")


def make(creator, title="Amber", **values):
    return create_look_up_table(creator=creator, values={"title": title, **TABLE, **values})


def problems(caught):
    return {problem.field for problem in caught.value.problems}


class TestMaking:
    def test_alice_makes_one_and_it_is_on_record(self, alice):
        made = make(alice, color=f"  {TABLE['color']}\n")
        assert (made.slug, made.creator, made.color) == ("amber", alice, TABLE["color"])
        assert (made.range_min, made.range_max, made.relative, made.color_interpolation) == (0, 4095, False, "RGB")
        event = Event.objects.get(verb="look_up_table.created")
        assert (event.actor_id, event.subject_id, event.details) == (alice.pk, str(made.pk), {"slug": "amber"})

    def test_nobody_makes_none(self):
        with pytest.raises(NotAllowed):
            make(None)

    def test_inverted_ones_too(self, alice):
        assert make(alice, **INVERTED, color_interpolation_invert="HLS").alpha_invert == INVERTED["alpha_invert"]

    @pytest.mark.parametrize(
        ("values", "fields"),
        [
            ({"color": "", "alpha": ""}, {"color", "alpha"}),
            ({"color": "red"}, {"color"}),
            ({"alpha": "[0 0, 1 1, 1 2]"}, {"alpha"}),
            ({"color_invert": INVERTED["color_invert"]}, {"alpha_invert"}),
            ({"alpha_invert": INVERTED["alpha_invert"]}, {"color_invert"}),
            ({**INVERTED, "alpha_invert": "[0 0, 1 1, 1 2]"}, {"alpha_invert"}),
            ({"range_min": 5, "range_max": 5}, {"range_max"}),
            ({"range_min": -(2**15) - 1, "range_max": 2**15}, {"range_min", "range_max"}),
            ({"range_min": None}, {"range_min"}),
            ({"range_min": True}, {"range_min"}),
            ({"relative": "yes"}, {"relative"}),
            (
                {"color_interpolation": "HSL", "color_interpolation_invert": ""},
                {"color_interpolation", "color_interpolation_invert"},
            ),
            ({"title": "", "color": "", "range_max": 0}, {"title", "color", "range_max"}),
        ],
    )
    def test_all_that_is_wrong_is_told_by_its_field(self, alice, values, fields):
        with pytest.raises(Invalid) as caught:
            make(alice, **values)
        assert problems(caught) == fields

    def test_a_near_word_is_offered(self, alice):
        with pytest.raises(Invalid) as caught:
            make(alice, color_interpolation="HLSpo")
        assert "Did you mean 'HLSpos'" in caught.value.problems[0].remedy

    @pytest.mark.parametrize(
        "row",
        [
            {"title": ""},
            {"color": ""},
            {"color_invert": INVERTED["color_invert"]},
            {"range_min": 5, "range_max": 5},
            {"color_interpolation": "HSL"},
        ],
    )
    def test_the_database_refuses_it_too(self, row):
        with pytest.raises(IntegrityError), transaction.atomic():
            LookUpTable.objects.create(**{"title": "Odd", "slug": "odd", **TABLE, **row})


class TestFinding:
    def test_by_words_by_who_made_them_and_by_number(self, alice, charlie):
        made = make(alice, description="For probabilities")
        assert list(matching(look_up_tables(), charlie, text="prob amber")) == [made]
        assert list(matching(look_up_tables(), alice, mine=True)) == [made]
        assert look_up_table_named(str(made.pk)) == look_up_table_named("amber") == made

    @pytest.mark.parametrize("name", ["", "a\0b", "99999999999", "warm"])
    def test_what_is_not_there_is_not_found(self, name):
        with pytest.raises(NotFound):
            look_up_table_named(name)

    def test_near_names_are_offered(self):
        with pytest.raises(NotFound) as caught:
            look_up_table_named("gray")
        assert "grey" in caught.value.remedy


class TestChanging:
    def test_hers_alice_alone_and_the_staff(self, alice, charlie, sam):
        made = make(alice)
        assert [may_change(who, made) for who in (None, charlie, alice, sam)] == [False, False, True, True]
        with pytest.raises(NotAllowed, match="creator and staff"):
            change_look_up_table(table=made, actor=charlie, changes={"title": "Mine"})
        changed = change_look_up_table(table=made, actor=alice, changes={"range_max": 100, **INVERTED})
        assert (changed.range_max, changed.color, changed.slug) == (100, TABLE["color"], "amber")
        details = Event.objects.get(verb="look_up_table.changed").details
        assert details == {"slug": "amber", "fields": ["alpha_invert", "color_invert", "range_max"]}

    def test_what_is_ours_is_the_staffs(self, alice, sam):
        grey = look_up_table_named("grey")
        with pytest.raises(NotAllowed, match="Only staff"):
            change_look_up_table(table=grey, actor=alice, changes={"title": "Mine"})
        # The default configuration, which is ours as well, is no reason to leave it.
        assert change_look_up_table(table=grey, actor=sam, changes={"range_max": 255}).range_max == 255

    def test_a_field_is_judged_by_what_is_there(self, alice):
        made = make(alice, range_min=50)
        with pytest.raises(Invalid) as caught:
            change_look_up_table(table=made, actor=alice, changes={"range_max": 50, "color": "[0 0 0 0]"})
        assert problems(caught) == {"range_max", "color"}

    def test_what_she_uses_herself_stands_in_nobodys_way(self, alice):
        made = make(alice)
        create_configuration(creator=alice, values={"title": "One", "overlay_luts": ["amber"]})
        heat = Definition(title="Heat", kind="HMAP", relative_path="images/heat")
        scope = make_archive(alice).scope
        define_socket(creator=alice, definition=heat, scope=scope, look_up_table=made)
        assert change_look_up_table(table=made, actor=alice, changes={"range_max": 9}).range_max == 9

    def test_where_others_read_values_by_it_its_colours_stay(self, alice, charlie, sam):
        made = make(alice)
        theirs = create_configuration(creator=charlie, values={"title": "Theirs", "overlay_luts": ["amber"]})
        create_configuration(creator=alice, values={"title": "Hers", "overlay_luts": ["amber"]})
        for actor in (alice, sam):
            with pytest.raises(InUse) as caught:
                change_look_up_table(table=made, actor=actor, changes={"alpha": "[1 0, 1 4095]"})
            assert (caught.value.named, caught.value.elsewhere) == (("the viewer configuration Theirs",), False)
        # Words about it may be better ones, and what is said again is no change.
        changes = {"title": "Amber for all", "description": "Warm.", **TABLE}
        assert change_look_up_table(table=made, actor=alice, changes=changes).title == "Amber for all"
        change_configuration(configuration=theirs, actor=charlie, changes={"overlay_luts": []})
        assert change_look_up_table(table=made, actor=alice, changes={"relative": True}).relative

    def test_a_socket_of_everybody_counts_too(self, alice, sam):
        made = make(alice)
        Socket.objects.filter(slug="generic-overlay").update(look_up_table=made)
        with pytest.raises(InUse, match="the socket Generic Overlay"):
            change_look_up_table(table=made, actor=alice, changes={"range_max": 9})


class TestDeleting:
    def test_hers_alice_deletes(self, alice, charlie):
        made = make(alice)
        with pytest.raises(NotAllowed):
            delete_setting(row=made, actor=charlie)
        delete_setting(row=made, actor=alice)
        assert Event.objects.get(verb="look_up_table.deleted").details == {"slug": "amber"}
        with pytest.raises(NotFound, match="meanwhile"):
            delete_setting(row=made, actor=alice)

    def test_what_anything_uses_stays_and_is_told_where(self, alice):
        made = make(alice)
        create_configuration(creator=alice, values={"title": "One", "overlay_luts": ["amber"]})
        create_configuration(creator=alice, values={"title": "Two", "default_overlay_lut": "amber"})
        Socket.objects.filter(slug="generic-overlay").update(look_up_table=made)
        with pytest.raises(InUse) as caught:
            delete_setting(row=made, actor=alice)
        assert caught.value.named == (
            "the socket Generic Overlay",
            "the viewer configuration One",
            "the viewer configuration Two",
        )
        assert not caught.value.elsewhere
        for slug in ("one", "two"):
            delete_setting(row=configuration_named(slug), actor=alice)
        Socket.objects.filter(slug="generic-overlay").update(look_up_table=None)
        delete_setting(row=made, actor=alice)
