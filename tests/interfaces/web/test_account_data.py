"""Taking one's data away, and going."""

import io
import json
import zipfile
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.test import Client
from django.utils.html import escape

from medtheca.base.clock import now
from medtheca.domains.access.enums import Role
from medtheca.domains.access.models import Membership
from medtheca.domains.access.operations import add_member
from medtheca.domains.accounts.deleting import open_deletion
from medtheca.domains.accounts.models import AccountDeletion, ApiToken, DataExport, User
from medtheca.domains.accounts.taking import request_export
from medtheca.domains.archives.requests import ask_to_see, decide
from medtheca.domains.ledger.models import Event, Notification
from medtheca.domains.ledger.notifying import notify
from medtheca.domains.provenance.models import Accession
from medtheca.workflows.account_upkeep import keep_accounts
from medtheca.workflows.leaving import delete_due_accounts
from medtheca.workflows.personal_data import export_of as export_of_user
from medtheca.workflows.personal_data import make_export
from tests.factories.accounts import PASSWORD, make_token, make_user
from tests.factories.archives import make_archive
from tests.factories.images import make_delivery, make_images
from tests.factories.provenance import make_cohort

pytestmark = pytest.mark.django_db


def browser(user=None):
    client = Client(headers={"host": "localhost:8000", "user-agent": "Firefox/128.0 Linux"})
    if user is not None:
        client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    return client


def prove(client):
    client.post("/accounts/reauthenticate/", {"password": PASSWORD, "next": "/account/"})


@pytest.fixture
def alice():
    """Alice has done a little of everything."""
    alice = make_user("alice")
    cohort = make_cohort(alice)
    make_images(cohort, 2)
    make_delivery(cohort, [{"path": "a.jpg", "outcome": "refused"}])
    make_token(alice)
    notify(recipient_ids=[alice.pk], kind="delivery.done", words="212 accepted", url="/uploads/")
    return alice


def answers(deletions):
    return {row.user_id: row for row in deletions}


# --- taking one's data away ------------------------------------------------------------------------------------------


def export_of(client):
    prove(client)
    client.post("/account/exports/")
    export = DataExport.objects.latest("requested")
    make_export(export_id=export.pk)
    return export


def test_alice_takes_everything_away_and_nobody_else_does(alice):
    client = browser(alice)
    export = export_of(client)
    path = f"/account/exports/{export.pk}.zip"
    assert path in client.get("/account/exports/").content.decode()
    answer = client.get(path)
    assert answer.headers["Content-Type"] == "application/zip"
    assert "no-store" in answer.headers["Cache-Control"]
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    found = {name: archive.read(name).decode() for name in archive.namelist()}
    told = {name: json.loads(text) for name, text in found.items() if name.endswith(".json")}
    assert told["profile.json"]["email"] == "alice@example.org"
    assert told["terms.json"][0]["version"] == "1"
    assert told["tokens.json"][0]["name"] == "notebook"
    assert "212 accepted" in {row["words"] for row in told["notifications.json"]["notifications"]}
    assert {row["scope__kind"] for row in told["memberships.json"]["memberships"]} >= {"contributor"}
    assert (
        len(told["references.json"]["provenance.accession.creator"]) == Accession.objects.filter(creator=alice).count()
    )
    assert {row["verb"] for row in told["events.json"]} >= {"user.created", "token.created", "user.accepted_terms"}
    assert told["uploads.json"]
    assert "README.txt" in found
    everything = "".join(found.values())
    assert ApiToken.objects.get().digest not in everything
    assert alice.password not in everything
    for other in (browser(make_user("bob")), browser(make_user("sam"))):
        assert other.get(path).status_code == 404
    assert browser().get(path).url.startswith("/accounts/login/")


def test_bob_takes_away_what_he_asked_to_see_and_was_told(alice):
    purpose = {"name": "purpose", "label": "What for?", "required": True}
    archive = make_archive(alice, title="Chest CT", public=True, request_form=[purpose], terms="For research.")
    bob, charlie = make_user("bob"), make_user("charlie")
    asked = [
        ask_to_see(archive=archive, user=user, answers={"purpose": f"{user.email} trains a model"}, accepted_version=1)
        for user in (bob, charlie)
    ]
    decide(archive=archive, editor=alice, request_ids=[row.pk for row in asked], accept=False, reason="No sponsor.")
    with zipfile.ZipFile(io.BytesIO(export_of_user(bob))) as packed:
        told = json.loads(packed.read("archives.json"))
        everything = "".join(packed.read(name).decode() for name in packed.namelist())
    (row,) = told["requests"]
    assert (row["archive__title"], row["state"], row["reason"]) == ("Chest CT", "rejected", "No sponsor.")
    assert row["answers"] == {"purpose": "bob@example.org trains a model"}
    assert [(row["archive__slug"], row["version"]) for row in told["data_use_texts"]] == [(archive.slug, 1)]
    assert "charlie@example.org" not in everything
    with zipfile.ZipFile(io.BytesIO(export_of_user(alice))) as packed:
        # What others answered her is theirs to take away.
        assert "trains a model" not in "".join(packed.read(name).decode() for name in packed.namelist())


def test_an_export_is_gone_after_a_day(alice):
    client = browser(alice)
    export = export_of(client)
    DataExport.objects.update(expires=now() - timedelta(seconds=1))
    assert client.get(f"/account/exports/{export.pk}.zip").status_code == 404
    assert keep_accounts()["exports"] == 1
    assert not DataExport.objects.exists()


def test_asking_twice_is_one_export_and_six_a_day_are_too_many(alice):
    assert request_export(user=alice).pk == request_export(user=alice).pk
    client = browser(alice)
    for _ in range(5):
        make_export(export_id=DataExport.objects.latest("requested").pk)
        last = (prove(client), client.post("/account/exports/"))[1]
    assert last.status_code == 409
    assert DataExport.objects.count() == 5


def test_asking_for_the_data_asks_who_is_there(alice):
    client = browser(alice)
    assert client.post("/account/exports/").url.startswith("/accounts/reauthenticate/")
    assert not DataExport.objects.exists()


def test_an_export_that_was_never_made_is_made_again(alice):
    from procrastinate.contrib.django.models import ProcrastinateJob

    export = request_export(user=alice)
    DataExport.objects.update(requested=now() - timedelta(hours=1))
    before = ProcrastinateJob.objects.filter(task_name="accounts.export").count()
    keep_accounts()
    keep_accounts()
    assert ProcrastinateJob.objects.filter(task_name="accounts.export").count() == before + 1
    make_export(export_id=export.pk)
    first = DataExport.objects.get().content
    make_export(export_id=export.pk)
    assert bytes(DataExport.objects.get().content) == bytes(first)


# --- going -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def bob(alice):
    """Bob helped Alice, so that nothing is his alone."""
    bob = make_user("bob")
    scope = Membership.objects.get(user=alice, scope__kind="contributor").scope
    add_member(scope=scope, user=bob, role=Role.OWNER)
    make_token(bob)
    notify(recipient_ids=[bob.pk], kind="delivery.done", words="1 accepted", url="/uploads/")
    return bob


def ask_to_go(client, user):
    prove(client)
    return client.post("/account/delete/", {"confirmation": user.hash_id})


def test_the_last_owner_cannot_go_and_is_told_of_what(alice):
    client = browser(alice)
    page = client.get("/account/delete/").content.decode()
    name = Membership.objects.get(user=alice, scope__kind="contributor").scope
    from medtheca.domains.provenance.models import Contributor

    title = Contributor.objects.get(scope=name).institution_name
    assert escape(title) in page
    assert "Delete my account" not in page
    assert "only owner" in ask_to_go(client, alice).content.decode()
    assert open_deletion(alice) is None


def test_bob_asks_to_go_and_logging_in_keeps_him(bob):
    client, other = browser(bob), browser(bob)
    page = client.get("/account/delete/").content.decode()
    assert "1 API token" in page
    assert ask_to_go(client, bob).status_code == 302
    deletion = open_deletion(bob)
    assert timedelta(days=13, hours=23) < deletion.due - now() <= timedelta(days=14)
    assert [browser_of.get("/account/").status_code for browser_of in (client, other)] == [302, 302]
    assert ApiToken.objects.get(user=bob).revoked is not None
    assert delete_due_accounts() == 0
    back = browser(bob)
    assert "Your account is kept" in back.get("/account/").content.decode()
    assert open_deletion(bob) is None
    AccountDeletion.objects.update(due=now() - timedelta(days=1))
    assert delete_due_accounts() == 0
    verbs = set(Event.objects.filter(subject_type="user", subject_id=str(bob.pk)).values_list("verb", flat=True))
    assert verbs >= {"user.deletion_requested", "user.deletion_cancelled"}


def test_the_wrong_pseudonym_deletes_nothing(bob):
    client = browser(bob)
    prove(client)
    assert client.post("/account/delete/", {"confirmation": "AAAAA"}).status_code == 200
    assert open_deletion(bob) is None


def test_asking_to_go_asks_who_is_there(bob):
    client = browser(bob)
    assert client.post("/account/delete/", {"confirmation": bob.hash_id}).url.startswith("/accounts/reauthenticate/")
    assert open_deletion(bob) is None


def test_after_the_grace_nothing_of_bob_is_left_but_his_pseudonym(bob):
    make_images(make_cohort(make_user("dora")), 1)
    Accession.objects.update(creator=bob)
    number = Accession.objects.filter(creator=bob).count()
    ask_to_go(browser(bob), bob)
    AccountDeletion.objects.update(due=now() - timedelta(seconds=1))
    assert delete_due_accounts() == 1
    assert delete_due_accounts() == 0
    gone = User.objects.get(pk=bob.pk)
    assert gone.full_name == f"deleted-{bob.hash_id}"
    assert gone.hash_id == bob.hash_id
    assert (gone.is_active, gone.first_name, gone.affiliation, gone.has_usable_password()) == (False, "", "", False)
    assert "bob" not in gone.email
    for rows in (EmailAddress, UserSession, ApiToken, Membership):
        assert not rows.objects.filter(user=bob).exists()
    assert not Notification.objects.filter(recipient_id=bob.pk).exists()
    assert Accession.objects.filter(creator=bob).count() == number
    assert Event.objects.filter(verb="user.deleted", subject_id=str(bob.pk)).count() == 1
    client = browser()
    client.post("/accounts/login/", {"login": "bob@example.org", "password": PASSWORD})
    assert "_auth_user_id" not in client.session
    # The address is free for somebody new.
    make_user("bob")


def test_who_became_the_last_owner_meanwhile_stays(alice, bob):
    ask_to_go(browser(bob), bob)
    AccountDeletion.objects.update(due=now() - timedelta(seconds=1))
    scope = Membership.objects.get(user=alice, scope__kind="contributor").scope
    Membership.objects.filter(user=alice, scope=scope).delete()
    assert delete_due_accounts() == 0
    assert User.objects.get(pk=bob.pk).deleted is None
    add_member(scope=scope, user=alice, role=Role.OWNER)
    assert delete_due_accounts() == 1
