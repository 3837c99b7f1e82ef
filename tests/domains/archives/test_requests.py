"""Requests to see archives: asked, decided, accepted at once or on verification; the text that goes with them."""

from datetime import timedelta

import pytest

from medtheca.base.clock import now
from medtheca.base.errors import Conflict, Invalid, NotAllowed, NotFound
from medtheca.domains.access.enums import Role
from medtheca.domains.accounts.verifying import vouch_for
from medtheca.domains.archives.access import may_see_items, role_in
from medtheca.domains.archives.enums import RequestState
from medtheca.domains.archives.models import Acceptance, AccessRequest
from medtheca.domains.archives.operations import change_archive
from medtheca.domains.archives.people import members_of, remove_person, set_person
from medtheca.domains.archives.requests import (
    Asking,
    ask_to_see,
    decide,
    history_of,
    request_for,
    requests_by,
    requests_of,
    situation_of,
    withdraw_request,
)
from medtheca.domains.archives.terms import accept_terms, acceptances_of, hold_until_accepted
from medtheca.domains.ledger.models import Notification
from tests.factories.accounts import make_user
from tests.factories.archives import make_archive
from tests.factories.provenance import run_jobs

pytestmark = pytest.mark.django_db

FORM = [
    {"name": "purpose", "label": "What are the images for?", "required": True},
    {"name": "funder", "label": "Who pays?", "required": False},
]


@pytest.fixture
def alice(db):
    return make_user("alice")


@pytest.fixture
def bob(db):
    return make_user("bob")


def manual(alice, **said):
    return make_archive(alice, public=True, **said)


def refused_a_while_ago(asked, hours=25):
    AccessRequest.objects.filter(pk=asked.pk).update(decided=now() - timedelta(hours=hours))


def test_a_request_waits_for_an_editor_who_is_told_once_for_all(alice, bob):
    archive = manual(alice)
    for user in (bob, make_user("charlie")):
        asked = ask_to_see(archive=archive, user=user, answers={})
        assert asked.state == RequestState.PENDING
    told = Notification.objects.get(recipient_id=alice.pk, kind="archive.access_asked")
    assert told.words == "2 people wait to be let into the archive Chest CT."
    assert told.url == f"/archives/{archive.slug}/requests/"
    assert not may_see_items(bob, archive)
    assert situation_of(bob, archive).asking is Asking.WAIT
    with pytest.raises(Conflict) as refusal:
        ask_to_see(archive=archive, user=bob, answers={})
    assert refusal.value.code == "already_asked"


def test_accepted_people_are_in_and_told_with_the_reason(alice, bob):
    archive = manual(alice)
    asked = ask_to_see(archive=archive, user=bob, answers={})
    until = now() + timedelta(days=90)
    assert (
        decide(archive=archive, editor=alice, request_ids=[asked.pk], accept=True, reason="Welcome.", until=until) == 1
    )
    assert role_in(bob, archive) == Role.VIEWER
    assert next(row.until for row in members_of(archive, asker=alice) if row.user == bob) == until
    asked.refresh_from_db()
    assert (asked.state, asked.decided_by, asked.reason) == (RequestState.ACCEPTED, alice, "Welcome.")
    told = Notification.objects.get(recipient_id=bob.pk)
    assert (told.kind, told.mail_state) == ("archive.access_decided", "due")
    assert f"was accepted. You see it until {until.day} {until:%B %Y}. Welcome." in told.words
    assert told.url == f"/archives/{archive.slug}/"
    assert [event.verb for event in history_of(asked)] == ["archive.access_asked", "archive.access_accepted"]
    with pytest.raises(Conflict, match="already"):
        ask_to_see(archive=archive, user=bob, answers={})


def test_a_rejection_has_a_reason_and_a_day_until_the_next_request(alice, bob):
    archive = manual(alice)
    asked = ask_to_see(archive=archive, user=bob, answers={})
    with pytest.raises(Invalid):
        decide(archive=archive, editor=alice, request_ids=[asked.pk], accept=False)
    decide(archive=archive, editor=alice, request_ids=[asked.pk], accept=False, reason="Tell us more.")
    assert "Tell us more." in Notification.objects.get(recipient_id=bob.pk).words
    assert situation_of(bob, archive).asking is Asking.WAIT_A_DAY
    with pytest.raises(Conflict) as refusal:
        ask_to_see(archive=archive, user=bob, answers={})
    assert refusal.value.code == "asked_lately"
    refused_a_while_ago(asked)
    again = ask_to_see(archive=archive, user=bob, answers={})
    assert (again.pk, again.state, again.reason) == (asked.pk, RequestState.PENDING, "")
    assert [event.verb.rpartition("_")[2] for event in history_of(again)] == ["asked", "rejected", "asked"]


def test_one_who_was_rejected_can_still_be_accepted_and_what_is_decided_stays(alice, bob):
    archive = manual(alice)
    asked = ask_to_see(archive=archive, user=bob, answers={})
    decide(archive=archive, editor=alice, request_ids=[asked.pk], accept=False, reason="No.")
    assert decide(archive=archive, editor=alice, request_ids=[asked.pk], accept=False, reason="Still no.") == 0
    assert decide(archive=archive, editor=alice, request_ids=[asked.pk], accept=True) == 1
    assert decide(archive=archive, editor=alice, request_ids=[asked.pk], accept=False, reason="Late.") == 0
    assert may_see_items(bob, archive)


def test_accept_all_lets_everybody_in_at_once(alice, bob):
    archive = manual(alice, access_requests="accept_all")
    asked = ask_to_see(archive=archive, user=bob, answers={})
    assert (asked.state, asked.decided_by) == (RequestState.ACCEPTED, None)
    assert may_see_items(bob, archive)
    assert not Notification.objects.filter(recipient_id=alice.pk).exists()


def test_verified_people_are_let_in_and_others_once_they_are(alice, bob, django_capture_on_commit_callbacks):
    archive = manual(alice, access_requests="accept_verified_users")
    other = manual(alice, title="Manual")
    charlie = make_user("charlie")
    vouch_for(user=charlie, staff=None)
    assert ask_to_see(archive=archive, user=charlie, answers={}).state == RequestState.ACCEPTED
    for each in (archive, other):
        assert ask_to_see(archive=each, user=bob, answers={}).state == RequestState.PENDING
    assert situation_of(bob, archive).verifies_in
    assert not situation_of(bob, other).verifies_in
    vouch_for(user=bob, staff=make_user("sam"))
    run_jobs()
    assert may_see_items(bob, archive)
    assert not may_see_items(bob, other)
    assert [row.state for row in requests_by(bob)] == [RequestState.PENDING, RequestState.ACCEPTED]


def test_the_form_names_every_answer_that_is_missing_or_not_asked(alice, bob):
    archive = manual(alice, request_form=FORM)
    with pytest.raises(Invalid) as refusal:
        ask_to_see(archive=archive, user=bob, answers={"purpose": "  ", "colour": "red"})
    assert {problem.field for problem in refusal.value.problems} == {"purpose", "colour"}
    asked = ask_to_see(archive=archive, user=bob, answers={"purpose": "A thesis", "funder": ""})
    assert asked.answers == {"purpose": "A thesis"}


def test_the_present_text_has_to_be_accepted(alice, bob):
    archive = manual(alice, terms="Do no harm.")
    for version in (None, 0, 2):
        with pytest.raises(Invalid) as refusal:
            ask_to_see(archive=archive, user=bob, answers={}, accepted_version=version)
        assert [problem.code for problem in refusal.value.problems] == ["terms"]
    asked = ask_to_see(archive=archive, user=bob, answers={}, accepted_version=1)
    assert asked.terms_version == 1
    assert Acceptance.objects.get().user == bob


def test_a_new_text_holds_users_until_they_accept_it(alice, bob):
    archive = manual(alice, terms="Do no harm.", access_requests="accept_all")
    ask_to_see(archive=archive, user=bob, answers={}, accepted_version=1)
    una = make_user("una")
    set_person(archive=archive, actor=alice, user=una, person="uploader")
    assert hold_until_accepted(archive=archive, editor=alice) == 0  # Bob accepted this one.
    archive = change_archive(archive=archive, actor=alice, terms="Do good.", downloads=False)
    assert may_see_items(bob, archive)
    assert hold_until_accepted(archive=archive, editor=alice) == 1
    assert not may_see_items(bob, archive)
    assert may_see_items(una, archive)
    assert situation_of(bob, archive).asking is Asking.ACCEPT_TERMS
    assert Notification.objects.filter(recipient_id=bob.pk, kind="archive.terms_changed").exists()
    assert [row.held for row in members_of(archive, asker=alice) if row.user == bob] == [True]
    with pytest.raises(Invalid):
        accept_terms(archive=archive, user=bob, version=1)
    accept_terms(archive=archive, user=bob, version=2)
    assert role_in(bob, archive) == Role.ONLOOKER
    assert [(row.user, row.version) for row in acceptances_of(archive, asker=alice)] == [(bob, 2), (bob, 1)]
    with pytest.raises(NotFound):
        accept_terms(archive=archive, user=make_user("mallory"), version=2)


def test_who_is_held_can_be_removed_and_does_not_come_back(alice, bob):
    archive = manual(alice, terms="Do no harm.", access_requests="accept_all")
    ask_to_see(archive=archive, user=bob, answers={}, accepted_version=1)
    change_archive(archive=archive, actor=alice, terms="Do good.")
    archive.refresh_from_db()
    hold_until_accepted(archive=archive, editor=alice)
    remove_person(archive=archive, actor=alice, user_id=bob.pk)
    with pytest.raises(NotFound):
        accept_terms(archive=archive, user=bob, version=2)
    assert situation_of(bob, archive).asking is Asking.WAIT_A_DAY


def test_nobody_asks_for_what_they_may_not_know_of_and_nobody_but_editors_decide(alice, bob):
    hidden = make_archive(alice, title="Hidden", hidden=True)
    with pytest.raises(NotFound):
        ask_to_see(archive=hidden, user=bob, answers={})
    archive = manual(alice)
    una = make_user("una")
    set_person(archive=archive, actor=alice, user=una, person="uploader")
    asked = ask_to_see(archive=archive, user=bob, answers={})
    for who in (bob, una):
        with pytest.raises(NotAllowed):
            decide(archive=archive, editor=who, request_ids=[asked.pk], accept=True)
        with pytest.raises(NotAllowed):
            requests_of(archive, asker=who)
    other = make_archive(make_user("olga"), title="Other", public=True)
    with pytest.raises(NotFound):
        decide(archive=other, editor=make_user("sam"), request_ids=[asked.pk], accept=True)
    with pytest.raises(NotFound):
        request_for(other, asked.pk, asker=other.creator)
    assert not may_see_items(bob, archive)


def test_whoever_left_or_withdrew_may_ask_at_once(alice, bob):
    archive = manual(alice)
    ask_to_see(archive=archive, user=bob, answers={})
    withdraw_request(archive=archive, user=bob)
    asked = ask_to_see(archive=archive, user=bob, answers={})
    decide(archive=archive, editor=alice, request_ids=[asked.pk], accept=True)
    remove_person(archive=archive, actor=bob, user_id=bob.pk)
    assert situation_of(bob, archive).asking is Asking.ASK
    assert situation_of(None, archive).asking is Asking.SIGN_IN
    assert situation_of(alice, archive).asking is Asking.IN
