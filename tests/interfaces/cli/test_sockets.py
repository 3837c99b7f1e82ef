"""`medtheca sockets`: Sam is staff, Alice edits an archive, Bob is a stranger."""

import json

import pytest
from click.testing import CliRunner

from medtheca.domains.sockets.models import Socket
from medtheca.interfaces.cli.sockets import sockets
from tests.factories.accounts import make_user
from tests.factories.archives import make_archive

pytestmark = pytest.mark.django_db


@pytest.fixture
def archive():
    for name in ("sam", "bob"):
        make_user(name)
    return make_archive(make_user("alice"), title="Chest CT")


def run(*words, by=None, exit_code=0):
    who = ["--as", f"{by}@example.org"] if by else []
    done = CliRunner().invoke(sockets, [*map(str, words), *who])
    assert done.exit_code == exit_code, done.output + str(done.exception)
    return done.output


def run_json(*words, **options):
    return json.loads(run(*words, "--json", **options))


def test_a_socket_is_defined_found_and_shown(archive):
    said = ("define", "Lungs", "segmentation", "--segment", "1=Left", "--segment", "2=Right", "--archive", "chest-ct")
    made = run_json(*said, by="alice")
    assert (made["slug"], made["kind"], made["relative_path"], made["archive"]) == (
        "lungs",
        "SEG",
        "images/lungs",
        "chest-ct",
    )
    assert [row["slug"] for row in run_json("list", "lung", by="alice")] == ["lungs"]
    assert "lungs" not in run("list")
    assert "1 Left\n" in run("show", "lungs", by="alice")
    assert "There is no socket lungs." in run("show", "lungs", by="bob", exit_code=1)
    assert run("list", "--kind", "hmap").split("\t")[0] == "generic-overlay"
    assert run_json("list", "--archive", "chest-ct", by="alice")[0]["slug"] == "lungs"


def test_only_staff_define_what_is_everybody_s(archive):
    assert "Only staff may define a socket" in run("define", "Score", "FLT", by="alice", exit_code=1)
    run("define", "Score", "FLT", "--schema", '{"maximum": 10}', "--example", "7", by="sam")
    assert Socket.objects.get(slug="score").schema == {"maximum": 10}
    assert "score" in run("list")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("define", "A", "hologram"), 1, "There is no kind hologram."),
        (("define", "A", "FLT", "--schema", "{"), 2, "line 1, column 2"),
        (("define", "A", "SEG", "--segment", "Lung"), 2, "Write it as 1=Lung."),
        (("define", "A", "SEG", "--segment", "2=Lung"), 1, "are not without gaps"),
        (("define", "A", "HMAP", "--look-up-table", "warm"), 1, "There is no look-up table warm."),
        (("define", "A", "FLT", "--look-up-table", "hot"), 1, "Only images are shown with a look-up table."),
        (("define", "A", "FLT", "--archive", "none"), 1, "There is no archive none."),
        (("list", "--kind", "hologram"), 2, "Such as STR"),
    ],
)
def test_mistakes_are_told(archive, words, code, said):
    assert said in run(*words, by="sam", exit_code=code)


def test_files_are_checked_and_nothing_is_kept(archive, tmp_path):
    run("define", "Score", "FLT", "--schema", '{"maximum": 10}', by="sam")
    good, bad, other = tmp_path / "good.json", tmp_path / "bad.json", tmp_path / "score.csv"
    good.write_text("7.5")
    bad.write_text("70")
    other.write_text("7.5")
    assert run("check", "score", good) == "good.json fits Score.\n"
    assert run_json("check", "score", good)["valid"] is True
    assert "may be at most 10 (rule maximum)" in run("check", "score", bad, exit_code=1)
    assert "end with .json" in run("check", "score", other, exit_code=1)
    assert "See what becomes of it with `medtheca inspect`." in run("check", "generic-overlay", good, exit_code=1)


def test_kinds_are_listed():
    assert "POIN\tPoint\t.json\t" in run("kinds")
    assert {"code": "SEG", "label": "Segmentation", "extension": ""} in run_json("kinds")
