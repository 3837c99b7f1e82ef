"""`medtheca group`: Alice owns, Bob is invited, Charlie is a stranger, Sam is staff."""

import json
import re

import pytest
from allauth.account.models import EmailAddress
from click.testing import CliRunner

from medtheca.domains.access.enums import Role, ScopeKind, Visibility
from medtheca.domains.access.groups import create_group, members_of
from medtheca.domains.access.models import Scope
from medtheca.domains.access.operations import add_member, set_visibility
from medtheca.domains.provenance.publication import request_publication
from medtheca.interfaces.cli.group import group
from tests.factories.accounts import make_user
from tests.factories.images import make_images
from tests.factories.provenance import make_cohort

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice():
    make_user("charlie")
    return make_user("alice")


@pytest.fixture
def readers(alice):
    return create_group(creator=alice, name="Readers")


@pytest.fixture
def bob(readers):
    person = make_user("bob")
    add_member(scope=readers, user=person, role=Role.VIEWER)
    return person


def run(*words, by="alice", exit_code=0, given=None):
    done = CliRunner().invoke(group, [*map(str, words), "--as", f"{by}@example.org"], input=given)
    assert done.exit_code == exit_code, done.output + str(done.exception)
    return done.output


def run_json(*words, **options):
    return json.loads(run(*words, "--json", **options))


def roles(found):
    return {row.user.email.partition("@")[0]: row.role for row in members_of(found)}


def test_a_group_is_made_listed_renamed_and_shown(alice):
    made = run_json("create", "Readers")
    assert made.items() >= {"name": "Readers", "members": 1, "images": 0, "role": "owner"}.items()
    assert run("list") == f"{made['id']}\tReaders\t1\t0\towner\n"
    run("rename", "Readers", "Readers 2026")
    (listed,) = run_json("list")
    assert (listed["id"], listed["name"]) == (made["id"], "Readers 2026")
    assert "alice@example.org" in run("show", made["id"])
    assert run_json("list", by="charlie") == []


def test_only_confirmed_people_make_groups(alice):
    EmailAddress.objects.filter(user=alice).update(verified=False)
    assert "confirmed address" in run("create", "Readers", exit_code=1)
    assert not Scope.objects.filter(kind=ScopeKind.GROUP).exists()


def test_bob_is_invited_by_mail_and_joins_with_its_link(readers, mailoutbox, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        made = run_json("invite", "Readers", "bob@example.org")
    link = re.search(r"http\S+/groups/join/\S+/", mailoutbox[0].body).group()
    (listed,) = run_json("invitations", "Readers")
    assert listed == made
    assert "sent to another address" in run("join", by="charlie", given=link, exit_code=1)
    make_user("bob")
    assert run_json("join", by="bob", given=f"{link}\n")["role"] == "viewer"
    assert roles(readers) == {"alice": "owner", "bob": "viewer"}
    assert "no such invitation" in run("join", by="bob", given=link, exit_code=1)


def test_an_invitation_is_revoked(readers, bob):
    number = run_json("invite", "Readers", "dora@example.org")["id"]
    assert "Only owners of the group may" in run("revoke", "Readers", number, by="bob", exit_code=1)
    assert "opens nothing" in run("revoke", "Readers", number)
    assert "No invitation is open." in run("invitations", "Readers")
    assert f"There is no invitation {number}." in run("revoke", "Readers", number, exit_code=1)


def test_members_neither_run_the_group_nor_read_addresses(readers, bob):
    assert [row["email"] for row in run_json("show", "Readers", by="bob")["people"]] == [None, None]
    for words in (
        ["rename", "Readers", "Mine"],
        ["invite", "Readers", "dora@example.org"],
        ["invitations", "Readers"],
        ["role", "Readers", "bob@example.org", "owner"],
        ["role", "Readers", "alice@example.org", "viewer"],
        ["remove", "Readers", "alice@example.org"],
        ["delete", "Readers"],
        ["delete", "Readers", "--yes"],
    ):
        assert "Only owners of the group may" in run(*words, by="bob", exit_code=1), words
        assert "You are in no group Readers." in run(*words, by="charlie", exit_code=1), words
    readers.refresh_from_db()
    assert (readers.name, roles(readers)) == ("Readers", {"alice": "owner", "bob": "viewer"})


def test_roles_change_and_people_go_but_the_last_owner_stays(readers, bob):
    for words in (["role", "Readers", "alice@example.org", "viewer"], ["remove", "Readers", "alice@example.org"]):
        assert "alice@example.org is the last owner." in run(*words, exit_code=1)
    assert "Nobody with the address charlie@example.org is in the group." in run(
        "role", "Readers", "charlie@example.org", "owner", exit_code=1
    )
    run("role", "Readers", "editor", "bob@example.org", exit_code=2)
    run("role", "Readers", "BOB@example.org", "owner")
    assert roles(readers) == {"alice": "owner", "bob": "owner"}
    assert "no longer in Readers" in run("remove", "Readers", "alice@example.org")
    assert roles(readers) == {"bob": "owner"}
    make_user("sam")
    assert "bob@example.org is the last owner." in run("remove", "Readers", "bob@example.org", by="sam", exit_code=1)


def test_a_group_is_deleted_once_that_was_said(readers):
    told = run("delete", "Readers")
    assert "Readers would be deleted. Members: 1." in told
    assert "Nothing was changed." in told
    assert Scope.objects.filter(pk=readers.pk).exists()
    assert "is deleted" in run("delete", readers.pk, "--yes")
    assert not Scope.objects.filter(pk=readers.pk).exists()


@pytest.mark.parametrize("words", [["delete", "Readers"], ["delete", "Readers", "--yes"]])
def test_what_is_in_use_stays(alice, readers, words):
    cohort = make_cohort(alice)
    (image,) = make_images(cohort, 1)
    request_publication(requester=alice, cohort=cohort, visibility="groups", group_ids=[readers.pk], opens=None)
    assert "Publication for the group is asked for." in run(*words, exit_code=1)
    set_visibility(image_ids=[image.pk], visibility=Visibility.GROUPS, group_ids=[readers.pk])
    assert "1 images are published for the group." in run(*words, exit_code=1)
    assert Scope.objects.filter(pk=readers.pk).exists()


def test_groups_of_one_name_are_told_apart_by_id(alice, readers):
    other = create_group(creator=alice, name="Readers")
    assert "Several groups are named Readers." in run("show", "Readers", exit_code=1)
    assert run_json("show", other.pk)["id"] == other.pk
    assert "You are in no group 99999999999999999999." in run("show", "9" * 20, exit_code=1)
