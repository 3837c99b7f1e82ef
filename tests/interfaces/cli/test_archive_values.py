"""`medtheca archive values`: Una uploads to Alice's archive, Vic only looks."""

import json

import pytest
from click.testing import CliRunner

from medtheca.domains.archives.items import create_items, put_values
from medtheca.domains.archives.models import ItemValue, ValuesImport
from medtheca.domains.archives.queries import items_of
from medtheca.domains.sockets.operations import create_value
from medtheca.interfaces.cli.archive import archive as command
from tests.factories.accounts import make_user
from tests.factories.archives import make_archive, make_socket
from tests.factories.storage import use_data_folder

pytestmark = pytest.mark.django_db


@pytest.fixture
def archive(settings, tmp_path):
    use_data_folder(settings, tmp_path / "data")
    people = {name: make_user(name) for name in ("alice", "una", "vic")}
    archive = make_archive(people["alice"], uploaders=[people["una"]], users=[people["vic"]])
    score = make_socket("Score", "FLT", scope=archive.scope, creator=people["alice"])
    first, _ = create_items(archive=archive, creator=people["una"], titles=["P1", "P2"])
    put_values(item=first, actor=people["una"], values=[create_value(socket=score, creator=None, value=0.25)])
    return archive


@pytest.fixture
def run(archive, tmp_path):
    def run(text, *words, by="una", exit_code=0):
        sheet = tmp_path / "scores.csv"
        sheet.write_text(text)
        given = ["values", archive.slug, str(sheet), *words, "--as", f"{by}@example.org"]
        done = CliRunner().invoke(command, given)
        assert done.exit_code == exit_code, done.output + str(done.exception)
        return done.output

    return run


def scores():
    return dict(ItemValue.objects.values_list("item__title", "number"))


def test_a_dry_run_changes_nothing(archive, run):
    said = run("title,score\nP1,0.5\nP2,1\n", "--dry-run")
    assert "line 2, P1: Score: 0.25 becomes 0.5" in said
    assert "2 items would change: 1 added, 1 replaced" in said
    assert scores() == {"P1": 0.25}
    assert not ValuesImport.objects.exists()


def test_values_are_applied_with_a_reason(archive, run):
    told = json.loads(run("title,score\nP1,0.5\nP2,1\n", "--reason", "Second reading", "--json"))
    assert (told["state"], told["applied"], told["conflicts"]) == ("applied", 2, 0)
    assert scores() == {"P1": 0.5, "P2": 1.0}
    again = json.loads(run("title,score\nP1,0.5\nP2,1\n", "--json"))
    assert (again["state"], again["changed"], again["counts"]["kept"]) == ("ready", 0, 2)


def test_columns_are_named_or_left_out(archive, run):
    text = "title,Calcium,remark\nP1,0.5,fine\n"
    said = run(text, exit_code=1)
    assert "Column Calcium: there is no such socket." in said
    assert "Nothing was changed." in said
    run(text, "--column", "Calcium=score", "--leave-out", "remark")
    assert scores() == {"P1": 0.5}
    assert "is not COLUMN=SOCKET" in run(text, "--column", "Calcium", exit_code=2)


def test_what_is_wrong_is_told_by_line(archive, run):
    said = run("title,score\nP1,nine\nP3,1\n", exit_code=1)
    assert "score, line 2: nine: nine is not a number. Write one, such as 0.5 or 1e-3." in said
    assert "title, line 3: P3: No item of the archive is called so." in said
    assert scores() == {"P1": 0.25}
    assert "2 items were changed." in run("title,score\nP1,9\nP3,1\n", "--new-items")
    assert [item.title for item in items_of(archive)] == ["P1", "P2", "P3"]


def test_who_only_looks_is_refused(archive, run):
    assert "Only editors and uploaders" in run("title,score\nP1,1\n", by="vic", exit_code=1)
    make_user("mallory")
    assert "no such archive" in run("title,score\nP1,1\n", by="mallory", exit_code=1)
