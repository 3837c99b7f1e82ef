"""How items are shown, through the API: made, found, changed, and kept while something uses it."""

import pytest

from medtheca.domains.archives.models import Archive
from medtheca.domains.viewing.models import HangingProtocol
from tests.factories.accounts import make_user
from tests.factories.archives import make_archive
from tests.interfaces.api.world import by_token, nobody

pytestmark = pytest.mark.django_db
TWO = [{"viewport_name": "main"}, {"viewport_name": "secondary", "label": "Prior"}]


@pytest.fixture
def alice():
    return make_user("alice")


def test_a_hanging_protocol_is_made_shown_changed_and_deleted(alice):
    caller = by_token(alice, "write")
    made = caller.post("hanging-protocols/", {"title": "Two dates", "json": TWO})
    assert made.status_code == 201, made.content
    assert (made.body["slug"], made.body["json"], made.body["viewports"]) == ("two-dates", TWO, ["main", "secondary"])
    assert made.body["svg_icon"].count("<rect") == 2
    assert (made.body["creator"], made.body["may_change"]) == ("Alice Example", True)
    shown = nobody().get("hanging-protocols/two-dates/").body
    assert (shown["creator"], shown["may_change"]) == (f"User {alice.hash_id}", False)
    assert nobody().get(f"hanging-protocols/{made.body['id']}/").body["slug"] == "two-dates"
    assert (
        caller.ask("PATCH", "hanging-protocols/two-dates/", {"title": "Then and now"}).body["title"] == "Then and now"
    )
    assert [one["slug"] for one in caller.get("hanging-protocols/?mine=true").body["results"]] == ["two-dates"]
    assert caller.get("hanging-protocols/?query=now").body["count"] == 1
    assert caller.ask("DELETE", "hanging-protocols/two-dates/").status_code == 204
    assert caller.get("hanging-protocols/two-dates/").status_code == 404


def test_every_broken_rule_is_told_by_viewport_and_key(alice):
    wrong = [{"viewport_name": "main", "parent_id": "other"}, {"viewport_name": "main", "orientation": "axal"}]
    refused = by_token(alice, "write").post("hanging-protocols/", {"title": "Odd", "json": wrong})
    assert refused.status_code == 400
    told = {problem["field"]: problem for problem in refused.body["errors"]}
    assert set(told) == {"json[0].parent_id", "json[1].viewport_name", "json[1].orientation"}
    assert told["json[1].orientation"]["remedy"].startswith("Did you mean 'axial'?")


@pytest.mark.parametrize("given", [{"title": "x"}, {"json": TWO}, {"title": "x", "json": TWO, "extra": 1}])
def test_what_lacks_its_shape_is_refused(alice, given):
    assert by_token(alice, "write").post("hanging-protocols/", given).status_code == 422


def test_what_is_in_use_stays_and_only_archives_that_one_sees_are_named(alice):
    caller, bob = by_token(alice, "write"), make_user("bob")
    caller.post("hanging-protocols/", {"title": "Two dates", "json": TWO})
    protocol = HangingProtocol.objects.get(slug="two-dates")
    hers, his = make_archive(alice, title="Knees"), make_archive(bob, title="Secret")
    Archive.objects.filter(pk=hers.pk).update(hanging_protocol=protocol)
    his.optional_protocols.add(protocol)
    refused = caller.ask("DELETE", "hanging-protocols/two-dates/")
    assert (refused.status_code, refused.body["code"]) == (409, "in_use")
    assert "the archive Knees and others that are not named here" in refused.body["message"]
    assert "Secret" not in refused.content.decode()
    changed = caller.ask("PATCH", "hanging-protocols/two-dates/", {"json": TWO[:1]})
    assert (changed.status_code, changed.body["code"]) == (409, "in_use")
    relabelled = [TWO[0], {**TWO[1], "label": "Before"}]
    assert caller.ask("PATCH", "hanging-protocols/two-dates/", {"json": relabelled}).body["json"] == relabelled
    his.optional_protocols.clear()
    refused = caller.ask("DELETE", "hanging-protocols/two-dates/")
    assert refused.body["message"].endswith("it is used by the archive Knees.")


def test_a_configuration_keeps_what_it_is_given_and_has_defaults_for_the_rest(alice):
    caller = by_token(alice, "write")
    given = {
        "title": "Chest",
        "window_presets": ["ct-lung"],
        "default_window_preset": "ct-lung",
        "default_overlay_alpha": 0.35,
        "default_slab_render_method": "MAX",
        "overlay_segments": [{"name": "Lung", "visible": True, "voxel_value": 1}],
    }
    made = caller.post("viewer-configurations/", given)
    assert made.status_code == 201, made.content
    assert {name: made.body[name] for name in given} == given
    assert (made.body["default_image_interpolation"], made.body["ghosting_slice_depth"]) == ("CU", 3)
    changed = caller.ask(
        "PATCH", "viewer-configurations/chest/", {"default_window_preset": None, "link_images": False}
    ).body
    assert (changed["default_window_preset"], changed["link_images"]) == (None, False)
    assert changed["window_presets"] == ["ct-lung"]
    refused = caller.ask("PATCH", "viewer-configurations/chest/", {"window_presets": ["ct-lungs"]})
    assert refused.body["errors"][0]["field"] == "window_presets"
    refused = caller.ask("PATCH", "viewer-configurations/chest/", {"overlay_segments": [{"name": "Lung"}]})
    assert refused.body["errors"][0]["field"] == "overlay_segments"


TABLE = {"color": "[0 0 0 0, 255 210 0 4095]", "alpha": "[0 0, 1 4095]"}


def test_a_look_up_table_is_made_shown_changed_and_deleted(alice):
    caller = by_token(alice, "write")
    made = caller.post("look-up-tables/", {"title": "Amber", **TABLE, "color_interpolation": "HLS"})
    assert made.status_code == 201, made.content
    assert {name: made.body[name] for name in TABLE} == TABLE
    assert (made.body["slug"], made.body["range_max"], made.body["color_invert"]) == ("amber", 4095, "")
    assert (made.body["creator"], made.body["may_change"]) == ("Alice Example", True)
    shown = nobody().get("look-up-tables/amber/").body
    assert (shown["creator"], shown["may_change"]) == (f"User {alice.hash_id}", False)
    assert nobody().get("look-up-tables/grey/").body["creator"] == ""
    assert nobody().get(f"look-up-tables/{made.body['id']}/").body["slug"] == "amber"
    changed = caller.ask("PATCH", "look-up-tables/amber/", {"range_max": 100, "title": "Warm"}).body
    assert (changed["range_max"], changed["title"], changed["color_interpolation"]) == (100, "Warm", "HLS")
    assert [one["slug"] for one in caller.get("look-up-tables/?mine=true").body["results"]] == ["amber"]
    assert caller.get("look-up-tables/?query=warm").body["count"] == 1
    assert caller.ask("DELETE", "look-up-tables/amber/").status_code == 204
    assert caller.get("look-up-tables/amber/").status_code == 404


def test_what_is_wrong_with_a_look_up_table_is_told_by_field(alice):
    wrong = {"title": "Odd", "color": "[0 0 0 0, 300 0 0 1]", "alpha": "0 0", "range_min": 9, "range_max": 8}
    refused = by_token(alice, "write").post("look-up-tables/", wrong)
    assert refused.status_code == 400
    assert {problem["field"] for problem in refused.body["errors"]} == {"color", "alpha", "range_max"}
    sent = {"title": "Odd", **TABLE, "color_interpolation": "HSL"}
    assert by_token(alice, "write").post("look-up-tables/", sent).status_code == 422
    assert by_token(alice, "read").post("look-up-tables/", {"title": "Odd", **TABLE}).status_code == 403


def test_a_look_up_table_that_sockets_use_stays_and_only_those_that_one_sees_are_named(alice):
    caller, bob = by_token(alice, "write"), make_user("bob")
    caller.post("look-up-tables/", {"title": "Amber", **TABLE})
    make_archive(alice, title="Knees")
    make_archive(bob, title="Secret")
    heat = {"title": "Heat", "kind": "HMAP", "look_up_table": "amber"}
    assert caller.post("sockets/", {**heat, "archive": "knees"}).status_code == 201
    changed = caller.ask("PATCH", "look-up-tables/amber/", {"range_max": 9})
    assert changed.status_code == 200, changed.content
    his = by_token(bob, "write").post("sockets/", {**heat, "title": "Secret heat", "archive": "secret"})
    assert his.status_code == 201, his.content
    refused = caller.ask("PATCH", "look-up-tables/amber/", {"range_max": 10})
    assert (refused.status_code, refused.body["code"]) == (409, "in_use")
    assert refused.body["message"].endswith("it is used by something that is not named here.")
    refused = caller.ask("DELETE", "look-up-tables/amber/")
    assert (refused.status_code, refused.body["code"]) == (409, "in_use")
    assert refused.body["message"].endswith("it is used by the socket Heat and others that are not named here.")
    assert "Secret" not in refused.content.decode()


def test_presets_tables_and_viewers_are_listed_by_title():
    for path, slug in (("window-presets/", "ct-abdomen"), ("look-up-tables/", "grey"), ("viewers/", "medtheca-viewer")):
        page = nobody().get(path).body
        titles = [one["title"] for one in page["results"]]
        assert titles == sorted(titles)
        assert slug in {one["slug"] for one in page["results"]}


def test_a_list_is_walked_by_its_cursor(alice):
    caller = by_token(alice, "write")
    for number in range(3):
        caller.post("window-presets/", {"title": f"Mine {number}", "center": number, "width": 1})
    first = caller.get("window-presets/?mine=true&limit=2").body
    second = caller.get(first["next"].partition("/api/v2/")[2]).body
    assert [one["center"] for one in first["results"] + second["results"]] == [0, 1, 2]
    assert (first["count"], second["next"]) == (3, None)
