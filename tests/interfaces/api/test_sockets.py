"""Sockets through both APIs: found, defined, changed, checked; of archives only by their people."""

import pytest

from medtheca.domains.sockets.defining import define_socket
from medtheca.toolkit.sockets.definitions import Definition
from tests.factories.accounts import make_user
from tests.factories.archives import make_archive
from tests.interfaces.api.world import HOST, by_token, nobody

pytestmark = pytest.mark.django_db

V1 = "/api/v1/components/interfaces/"


@pytest.fixture(autouse=True)
def _host(settings):
    settings.ALLOWED_HOSTS = [HOST]


@pytest.fixture
def alice():
    alice = make_user("alice")
    make_archive(alice, title="Chest CT")
    return alice


def problems_of(answer):
    assert answer.status_code == 400, answer.content
    return {one["field"]: one["message"] for one in answer.body["errors"]}


def test_sockets_are_listed_by_words_and_kind(alice):
    found = nobody().get("sockets/?query=overlay&kind=heat map").body
    assert [row["slug"] for row in found["results"]] == ["generic-overlay"]
    assert (found["count"], found["results"][0]["look_up_table"]) == (1, "hot")
    assert nobody().get("sockets/?kind=hologram").body["results"] == []
    assert nobody().get("sockets/?query=metrics").body["results"] == []
    assert nobody().get("sockets/metrics-json-file/").body["reserved"] is True


def test_editors_define_change_and_check(alice):
    asks = by_token(alice, "write")
    made = asks.post(
        "sockets/", {"title": "Lung score", "kind": "Float", "archive": "chest-ct", "schema": {"maximum": 1}}
    )
    assert made.status_code == 201, made.content
    said = made.body
    assert (said["slug"], said["kind"], said["archive"], said["may_change"]) == ("lung-score", "FLT", "chest-ct", True)
    assert said["schema"] == {"maximum": 1}
    assert asks.post("sockets/lung-score/check/", {"value": 0.5}).body == {"valid": True}
    wrong = problems_of(asks.post("sockets/lung-score/check/", {"value": 1.5}))
    assert wrong == {"lung-score": "The value is 1.5, and may be at most 1 (rule maximum)."}
    changed = asks.ask("PATCH", "sockets/lung-score/", {"schema": {"maximum": 2}, "example_value": 1.5})
    assert (changed.body["schema"], changed.body["title"]) == ({"maximum": 2}, "Lung score")
    assert asks.ask("PATCH", "sockets/lung-score/", {"schema": None}).body["schema"] is None
    assert asks.ask("PATCH", "sockets/lung-score/", {"kind": "INT"}).status_code == 422


def test_everything_that_is_wrong_is_told_at_once(alice):
    asks = by_token(alice, "write")
    given = {
        "title": "Lungs",
        "kind": "SEG",
        "archive": "chest-ct",
        "relative_path": "lungs.mha",
        "overlay_segments": [{"name": "Lung", "voxel_value": 1}],
        "schema": {},
    }
    assert set(problems_of(asks.post("sockets/", given))) == {"relative_path", "overlay_segments", "schema"}
    assert set(problems_of(asks.post("sockets/", {"title": "A", "kind": "Segmentashun", "archive": "chest-ct"}))) == {
        "kind"
    }


def test_kinds_have_schemas_and_examples():
    kinds = {one["code"]: one for one in nobody().get("socket-kinds/").body}
    assert len(kinds) == 40
    assert kinds["POIN"]["schema"]["required"] == ["version", "type", "point"]
    assert (kinds["SEG"]["schema"], kinds["CHART"]["schema"], kinds["INT"]["example"]) == (None, None, 3)


def test_grand_challenge_s_shape_has_what_gcapi_wants(client, alice):
    found = client.get(V1 + "?slug=generic-medical-image", headers={"host": HOST}).json()
    assert found["count"] == 1
    socket = found["results"][0]
    wanted = {
        "title": "Generic Medical Image",
        "slug": "generic-medical-image",
        "kind": "Image",
        "super_kind": "Image",
        "default_value": None,
        "relative_path": "images/generic-medical-image",
        "overlay_segments": [],
        "look_up_table": None,
    }
    assert {name: socket[name] for name in wanted} == wanted
    assert isinstance(socket["pk"], int)
    assert client.get(f"{V1}{socket['pk']}/", headers={"host": HOST}).json() == socket
    table = client.get(V1 + "?slug=generic-overlay", headers={"host": HOST}).json()["results"][0]["look_up_table"]
    assert (table["slug"], table["range_min"], table["range_max"], table["color_interpolation"]) == (
        "hot",
        0,
        4095,
        "RGB",
    )


def test_a_stranger_cannot_tell_a_socket_of_an_archive_from_none(client, alice):
    from medtheca.domains.archives.models import Archive

    define_socket(creator=alice, definition=Definition("Hers", "FLT"), scope=Archive.objects.get().scope)
    bob = by_token(make_user("bob"), "write")
    for address in ("sockets/hers/", "sockets/none/"):
        assert bob.get(address).status_code == 404
    assert bob.post("sockets/hers/check/", {"value": 1}).status_code == 404
    assert client.get(V1 + "?slug=hers", headers={"host": HOST}).json()["count"] == 0
    assert "hers" not in {row["slug"] for row in bob.get("sockets/").body["results"]}
