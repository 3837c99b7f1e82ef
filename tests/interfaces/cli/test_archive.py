"""`medtheca archive`: Alice edits, Bob asks and is invited, Charlie is a stranger, Sam is staff."""

import json
import re

import pytest
from click.testing import CliRunner

from medtheca.domains.access.enums import Role
from medtheca.domains.accounts.verifying import is_verified
from medtheca.domains.archives.access import role_in
from medtheca.interfaces.cli.archive import archive as command
from medtheca.interfaces.cli.people import user as user_command
from tests.factories.accounts import make_user
from tests.factories.archives import make_archive

pytestmark = pytest.mark.django_db


@pytest.fixture
def people(db):
    return {name: make_user(name) for name in ("alice", "bob", "charlie", "sam")}


@pytest.fixture
def archive(people):
    form = [{"name": "purpose", "label": "What for?", "required": True}]
    return make_archive(people["alice"], public=True, request_form=form, terms="Do no harm.")


def run(*words, by="alice", exit_code=0, given=None):
    who = ["--as", f"{by}@example.org"] if by else []
    done = CliRunner().invoke(command, [*map(str, words), *who], input=given)
    assert done.exit_code == exit_code, done.output + str(done.exception)
    return done.output


def test_people_are_added_listed_and_removed(archive, people):
    run("add", "chest-ct", "bob@example.org", "--role", "uploader", "--until", "2030-01-31")
    rows = {row["email"]: row for row in json.loads(run("people", "chest-ct", "--json"))}
    assert (rows["bob@example.org"]["role"], rows["bob@example.org"]["until"][:10]) == ("uploader", "2030-01-31")
    assert "bob@example.org\tuploader" in run("people", archive.pk)
    assert "Only editors" in run("people", "chest-ct", by="charlie", exit_code=1)
    run("remove", "chest-ct", "bob@example.org", by="bob")
    assert role_in(people["bob"], archive) is None
    assert "Nobody with the address" in run("remove", "chest-ct", "bob@example.org", exit_code=1)
    assert "last editor" in run("remove", "chest-ct", "alice@example.org", exit_code=1)
    assert "no such archive" in run("people", "nothing", exit_code=1)


def test_an_invitation_is_accepted_by_its_link(archive, people, mailoutbox, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        made = json.loads(run("invite", "chest-ct", "bob@example.org", "--role", "editor", "--json"))
    assert (made["email"], made["role"], made["until"]) == ("bob@example.org", "editor", None)
    link = re.search(r"http\S+/archives/join/\S+", mailoutbox[0].body)[0]
    assert "chest-ct" in run("join", by="bob", given=link)
    assert role_in(people["bob"], archive) == Role.EDITOR


def test_a_request_is_asked_listed_and_decided(archive, people):
    words = run("request", "chest-ct", "--answer", "purpose=A thesis", by="bob", exit_code=1)
    assert "data-use text has to be accepted" in words
    run("request", "chest-ct", "--answer", "purpose=A thesis", "--accept-terms", "1", by="bob")
    (row,) = json.loads(run("requests", "chest-ct", "--json"))
    assert (row["email"], row["answers"], row["terms_version"]) == ("bob@example.org", {"purpose": "A thesis"}, 1)
    assert "A rejection has a reason" in run("decide", "chest-ct", row["id"], "--reject", exit_code=1)
    assert "1 of 1 were accepted" in run("decide", "chest-ct", row["id"], "--accept")
    assert role_in(people["bob"], archive) == Role.VIEWER
    assert "No request is so." in run("requests", "chest-ct")
    assert "accepted" in run("requests", "chest-ct", "--state", "all")
    assert "write NAME=TEXT" in run("request", "chest-ct", "--answer", "purpose", by="charlie", exit_code=2)


def test_operators_verify_users(people):
    for words, verified in ((["--address", "b@clinic.example"], True), (["--end"], False)):
        done = CliRunner().invoke(user_command, ["verify", "bob@example.org", *words])
        assert done.exit_code == 0, done.output
        assert is_verified(people["bob"]) is verified
    done = CliRunner().invoke(user_command, ["verify", "bob@example.org", "--address", "b@gmail.com"])
    assert (done.exit_code, "Anybody can have an address" in done.output) == (1, True)


def test_nothing_is_judged_that_does_not_wait(archive):
    assert "No archive waits." in run("proposals", by="")
    assert "does not wait" in run("judge", "chest-ct", "--agree", by="sam", exit_code=1)
    assert "Only staff" in run("judge", "chest-ct", "--agree", exit_code=1)
