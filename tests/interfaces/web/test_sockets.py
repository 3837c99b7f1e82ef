"""Pages of sockets: the catalogue, forms that keep what was typed, examples that are true."""

import json
from html import unescape

import pytest

from medtheca.domains.sockets.defining import define_socket
from medtheca.domains.sockets.models import Socket
from medtheca.toolkit.sockets.definitions import Definition
from medtheca.toolkit.sockets.kinds import KINDS
from tests.factories.accounts import make_user
from tests.factories.archives import make_archive

pytestmark = pytest.mark.django_db

SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def sam(client):
    sam = make_user("sam")
    client.force_login(sam)
    return sam


def words_of(answer):
    return unescape(answer.content.decode())


def test_every_kind_has_a_page_with_an_example_and_lines_to_copy(client, sam):
    segments = [{"name": "Lung", "visible": True, "voxel_value": 1}]
    for code, kind in KINDS.items():
        said = {"overlay_segments": segments} if code == "SEG" else {}
        made = define_socket(creator=sam, definition=Definition(f"Of {kind.label}", code, **said))
        words = words_of(client.get(f"/sockets/{made.slug}/"))
        assert kind.about in words
        assert f'socket_slug="{made.slug}"' in words
        assert ("A value that is right" in words) is kind.is_json
        assert ("A value that is refused" in words) is (kind.is_json and code != "JSON")


def test_the_line_for_gcapi_is_python_with_the_value_that_is_right(client, sam):
    made = define_socket(creator=sam, definition=Definition("Side", "CHOI", schema={"enum": ["it's left", "right"]}))
    assert """socket_slug="side", value="it's left")""" in words_of(client.get(f"/sockets/{made.slug}/"))


def test_what_others_wrote_is_text(client, sam):
    segments = [{"name": SCRIPT, "visible": True, "voxel_value": 1}]
    said = Definition(SCRIPT, "SEG", description=SCRIPT, overlay_segments=segments)
    made = define_socket(creator=sam, definition=said)
    choice = Definition("Choice", "CHOI", schema={"enum": [SCRIPT]}, example_value=SCRIPT)
    for slug in (made.slug, define_socket(creator=sam, definition=choice).slug):
        for address in (f"/sockets/{slug}/", f"/sockets/{slug}/edit/", "/sockets/", f"/sockets/?q={SCRIPT}"):
            assert SCRIPT not in client.get(address).content.decode()


def test_the_catalogue_is_searched(client, sam):
    define_socket(creator=sam, definition=Definition("Lung volume", "FLT", description="In millilitres."))
    assert "Lung volume" in words_of(client.get("/sockets/?q=millilitres&kind=FLT"))
    assert "No socket fits" in words_of(client.get("/sockets/?q=millilitres&kind=INT"))
    assert "Metrics JSON File" not in words_of(client.get("/sockets/"))


def test_staff_define_a_socket_and_change_it(client, sam):
    form = {"title": "Side", "kind": "CHOI", "archive": "", "schema": '{"enum": ["left", "right"]}', "description": "a"}
    made = client.post("/sockets/new/", form)
    assert (made.status_code, made.url) == (302, "/sockets/side/")
    shown = words_of(client.get("/sockets/side/edit/"))
    assert '{"enum": ["left", "right"]}' in shown
    assert 'name="overlay_segments"' not in shown
    changes = {"title": "Which side", "description": "", "schema": '{"enum": ["left"]}', "default_value": '"left"'}
    assert client.post("/sockets/side/edit/", changes).status_code == 302
    found = Socket.objects.get(slug="side")
    assert (found.title, found.schema, found.default_value) == ("Which side", {"enum": ["left"]}, "left")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"schema": '{"type": '}, "line 1, column 9"),
        ({"schema": '{"type": "strings"}'}, "Did you mean 'string'?"),
        ({"kind": "SEG", "overlay_segments": "Lung"}, "Write it as: 1 Lung"),
        ({"kind": "SEG", "overlay_segments": '[{"name": "Lung"}]'}, "has to have name, visible and voxel_value"),
        ({"kind": "SEG"}, "A segmentation says what its labels mean."),
        ({"default_value": "[1]"}, "has to be a text"),
        ({"relative_path": "../a.json"}, "no .. in it"),
        ({"kind": "MPOI", "as_file": "on", "schema": "3"}, "A JSON schema is an object."),
        ({"title": "generic overlay"}, "There is a socket generic overlay already."),
        ({"look_up_table": "hot"}, "Only images are shown with a look-up table."),
    ],
)
def test_mistakes_are_told_beside_what_was_typed(client, sam, change, words):
    answer = client.post("/sockets/new/", {"title": "Side", "kind": "CHOI", "archive": "", **change})
    assert answer.status_code == 200
    shown = words_of(answer)
    assert words in shown
    for typed in change.values():
        assert json.dumps(typed)[1:-1].replace('\\"', '"') in shown or typed == "on"
    assert not Socket.objects.filter(slug="side").exists()


def test_an_editor_is_offered_their_archive_only(client):
    alice = make_user("alice")
    archive = make_archive(alice, title="Chest CT")
    make_archive(make_user("bob"), title="Of Bob")
    client.force_login(alice)
    shown = words_of(client.get("/sockets/new/"))
    assert "This one is for Chest CT." in shown
    assert "Of Bob" not in shown
    for given in ("", "of-bob"):
        answer = client.post("/sockets/new/", {"title": "Score", "kind": "FLT", "archive": given})
        assert not Socket.objects.filter(title="Score").exists(), answer.content
    assert client.post("/sockets/new/", {"title": "Score", "kind": "FLT", "archive": "chest-ct"}).status_code == 302
    assert Socket.objects.get(slug="score").scope == archive.scope
