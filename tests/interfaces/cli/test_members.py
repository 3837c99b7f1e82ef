"""`medtheca member`: Alice owns, Bob is invited, Charlie is a stranger, Sam is staff."""

import json
import re

import pytest
from click.testing import CliRunner

from medtheca.domains.access.enums import Role
from medtheca.domains.access.models import Invitation
from medtheca.domains.access.operations import add_member
from medtheca.domains.provenance.people import members_of
from medtheca.interfaces.cli.member import member
from tests.factories.accounts import make_user
from tests.factories.provenance import make_cohort

pytestmark = pytest.mark.django_db
LAST_OWNER = "alice@example.org is the last owner. Make somebody else an owner first."


@pytest.fixture
def cohort():
    make_user("charlie")
    return make_cohort(make_user("alice"))


@pytest.fixture
def of(cohort):
    """The words that say: of the contributor."""
    return ("--contributor", cohort.contributor_id)


@pytest.fixture
def bob(cohort):
    person = make_user("bob")
    add_member(scope=cohort.contributor.scope, user=person, role=Role.VIEWER)
    return person


def run(*words, by="alice", exit_code=0, given=None):
    done = CliRunner().invoke(member, [*map(str, words), "--as", f"{by}@example.org"], input=given)
    assert done.exit_code == exit_code, done.output + str(done.exception)
    return done.output


def run_json(*words, **options):
    return json.loads(run(*words, "--json", **options))


def roles(thing):
    return {row.user.email.partition("@")[0]: row.role.value for row in members_of(thing)}


def test_people_are_listed_with_addresses_for_owners_alone(cohort, of, bob):
    rows = run_json("list", *of)
    assert [(row["role"], row["email"], row["name"]) for row in rows] == [
        ("owner", "alice@example.org", "Alice Example"),
        ("viewer", "bob@example.org", "Bob Example"),
    ]
    assert [row["email"] for row in run_json("list", *of, by="bob")] == [None, None]
    # Who belongs to the contributor belongs to its cohorts, and that is said.
    (first, _) = run("list", "--cohort", cohort.name).splitlines()
    assert first == f"owner\talice@example.org\tAlice Example\t{cohort.contributor.institution_name}"
    assert "There is no cohort" in run("list", "--cohort", cohort.pk, by="charlie", exit_code=1)


def test_it_has_to_be_said_of_which(of, cohort):
    assert "one of --contributor, --cohort" in run("list", exit_code=2)
    assert "one of --contributor, --cohort" in run("list", *of, "--cohort", cohort.pk, exit_code=2)


def test_bob_is_invited_by_mail_and_accepts_with_its_link(cohort, mailoutbox, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        made = run_json("invite", "Bob@example.org", "--role", "editor", "--cohort", cohort.pk)
    assert (made["email"], made["role"]) == ("bob@example.org", "editor")
    (mail,) = mailoutbox
    assert mail.to == ["bob@example.org"]
    link = re.search(r"http\S+/invitations/\S+/", mail.body).group()
    secret = link.rstrip("/").rpartition("/")[2]
    assert secret not in json.dumps(made)
    make_user("bob")
    told = run("accept", by="charlie", given=f"{link}\n", exit_code=1)
    assert "sent to another address" in told
    assert run_json("accept", by="bob", given=f"{link}\n") == {"kind": "cohort", "id": cohort.pk}
    assert roles(cohort)["bob"] == "editor"
    assert "no such invitation" in run("accept", by="bob", given=secret, exit_code=1)
    assert "no such invitation" in run("accept", by="bob", given="", exit_code=1)


def test_invitations_are_listed_sent_again_and_revoked(of, mailoutbox, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        run("invite", "dora@example.org", *of)
        (first,) = run_json("invitations", *of)
        again = run_json("resend", first["id"], *of)
    assert len(mailoutbox) == 2
    assert again["id"] != first["id"]
    assert run("invitations", *of).split("\t")[:3] == [str(again["id"]), "dora@example.org", "viewer"]
    run("revoke", again["id"], *of)
    assert run_json("invitations", *of) == []
    assert "There is no invitation 999." in run("revoke", 999, *of, exit_code=1)


def test_who_does_not_own_invites_nobody_and_sees_no_invitation(cohort, of, bob):
    run("invite", "dora@example.org", *of)
    number = Invitation.objects.get().pk
    for words in (["invite", "eve@example.org"], ["invitations"], ["resend", number], ["revoke", number]):
        assert "Only owners may" in run(*words, *of, by="bob", exit_code=1)
        assert "None is called" in run(*words, *of, by="charlie", exit_code=1)
    assert list(Invitation.objects.values_list("email", "revoked")) == [("dora@example.org", None)]


def test_nonsense_is_refused_with_words(of, bob):
    assert "nonsense is not an e-mail address" in run("invite", "nonsense", *of, exit_code=1)
    assert "is viewer already" in run("invite", "bob@example.org", *of, exit_code=1)
    assert "Invalid value" in run("invite", "dora@example.org", "--role", "king", *of, exit_code=2)
    assert "Only staff may name and remove reviewers" in run(
        "invite", "dora@example.org", "--role", "reviewer", *of, exit_code=1
    )


def test_roles_are_changed_by_owners(cohort, of, bob):
    rows = run_json("role", "BOB@example.org", "editor", *of)
    assert {row["email"]: row["role"] for row in rows}["bob@example.org"] == "editor"
    assert "Only owners may" in run("role", "alice@example.org", "viewer", *of, by="bob", exit_code=1)
    # Whether a stranger has an account is for staff to know; they may name anybody.
    for stranger in ("charlie", "nobody"):
        told = run("role", f"{stranger}@example.org", "editor", *of, exit_code=1)
        assert f"Nobody with the address {stranger}@example.org belongs to it. Invite them." in told
    make_user("sam")
    run("role", "charlie@example.org", "reviewer", *of, by="sam")
    assert roles(cohort.contributor) == {"alice": "owner", "bob": "editor", "charlie": "reviewer"}


def test_the_last_owner_stays(cohort, of, bob):
    assert LAST_OWNER in run("remove", "alice@example.org", *of, exit_code=1)
    assert LAST_OWNER in run("role", "alice@example.org", "viewer", *of, exit_code=1)
    assert roles(cohort.contributor) == {"alice": "owner", "bob": "viewer"}


def test_people_are_removed_or_leave(cohort, of, bob):
    assert "Only owners may" in run("remove", "alice@example.org", *of, by="bob", exit_code=1)
    assert "no longer belongs to" in run("remove", "bob@example.org", *of, by="bob")
    assert "None is called" in run("remove", "bob@example.org", *of, by="bob", exit_code=1)
    add_member(scope=cohort.contributor.scope, user=bob, role=Role.EDITOR)
    run("remove", "bob@example.org", *of)
    assert roles(cohort.contributor) == {"alice": "owner"}


def test_ownership_is_handed_over_in_one_step(cohort, of, bob):
    assert "Only owners may" in run("hand-over", "bob@example.org", *of, by="bob", exit_code=1)
    assert "Nobody with the address charlie" in run("hand-over", "charlie@example.org", *of, exit_code=1)
    assert "owns" in run("hand-over", "bob@example.org", *of)
    assert roles(cohort.contributor) == {"bob": "owner"}
    make_user("sam")
    back = run_json("hand-over", "alice@example.org", "--from", "bob@example.org", *of, by="sam")
    assert (back["giver"], back["taker"]) == ("bob@example.org", "alice@example.org")
    assert roles(cohort.contributor) == {"alice": "owner"}
    assert "charlie@example.org is not an owner" in run(
        "hand-over", "bob@example.org", "--from", "charlie@example.org", *of, by="sam", exit_code=1
    )
