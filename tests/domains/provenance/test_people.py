"""People of contributors and cohorts: invited, let in, given other roles, removed; ownership handed over."""

import threading

import pytest
from django.db import close_old_connections

from medtheca.base.clock import now
from medtheca.base.errors import Conflict, Invalid, NotAllowed, NotFound
from medtheca.domains.access import invitations
from medtheca.domains.access.enums import Role
from medtheca.domains.access.models import Invitation, Membership
from medtheca.domains.accounts.models import User
from medtheca.domains.accounts.operations import set_active
from medtheca.domains.ledger.models import Event, Notification
from medtheca.domains.provenance import people
from medtheca.domains.provenance.contributors import contact_of, edit_contributor
from medtheca.domains.provenance.models import Cohort
from tests.factories.accounts import make_user
from tests.factories.provenance import make_cohort
from tests.factories.storage import make_wide_scopes


@pytest.fixture
def alice(db):
    return make_user("alice")


@pytest.fixture
def contributor(alice):
    return make_cohort(alice).contributor


def roles(thing):
    return dict(Membership.objects.filter(scope=thing.scope_id).values_list("user__email", "role"))


def test_alice_lets_bob_in_and_out_again(alice, contributor):
    bob = make_user("bob")
    people.set_member(thing=contributor, user=bob, role=Role.EDITOR, actor=alice)
    assert roles(contributor) == {"alice@example.org": "owner", "bob@example.org": "editor"}
    assert Notification.objects.get(recipient_id=bob.pk).words.startswith("You are now an editor of Institution")
    people.set_member(thing=contributor, user=bob, role=Role.VIEWER, actor=alice)
    people.remove_person(thing=contributor, user=bob, actor=alice)
    assert roles(contributor) == {"alice@example.org": "owner"}
    verbs = Event.objects.filter(subject_type="contributor").order_by("pk").values_list("verb", flat=True)
    assert list(verbs)[-3:] == ["contributor.member_set", "contributor.member_set", "contributor.member_removed"]


def test_an_editor_changes_nobody_but_may_leave(alice, contributor):
    bob, charlie = make_user("bob"), make_user("charlie")
    people.set_member(thing=contributor, user=bob, role=Role.EDITOR, actor=alice)
    with pytest.raises(NotAllowed):
        people.set_member(thing=contributor, user=charlie, role=Role.VIEWER, actor=bob)
    with pytest.raises(NotAllowed):
        people.remove_person(thing=contributor, user=alice, actor=bob)
    with pytest.raises(NotAllowed):
        people.invite_person(thing=contributor, email="x@example.org", role=Role.VIEWER, actor=bob)
    with pytest.raises(NotAllowed):
        people.transfer(thing=contributor, giver=alice, taker=bob, actor=bob)
    people.remove_person(thing=contributor, user=bob, actor=bob)
    assert roles(contributor) == {"alice@example.org": "owner"}


def test_owners_neither_name_nor_remove_reviewers(alice, contributor):
    rita, sam = make_user("rita"), make_user("sam")
    cohort = contributor.cohorts.get()
    for thing in (contributor, cohort):
        with pytest.raises(NotAllowed):
            people.set_member(thing=thing, user=rita, role=Role.REVIEWER, actor=alice)
        with pytest.raises(NotAllowed):
            people.invite_person(thing=thing, email=rita.email, role=Role.REVIEWER, actor=alice)
        people.set_member(thing=thing, user=rita, role=Role.REVIEWER, actor=sam)
        for change in (
            lambda thing=thing: people.set_member(thing=thing, user=rita, role=Role.VIEWER, actor=alice),
            lambda thing=thing: people.remove_person(thing=thing, user=rita, actor=alice),
        ):
            with pytest.raises(NotAllowed):
                change()
    assert people.is_reviewer(rita)
    assert not people.is_reviewer(alice)
    assert {(user, type(thing)) for user, thing in people.reviewers_named()} == {
        (rita, type(contributor)),
        (rita, type(cohort)),
    }
    people.remove_person(thing=cohort, user=rita, actor=sam)
    assert rita.email not in roles(cohort)


def test_the_last_owner_stays_and_a_handover_is_one_step(alice, contributor):
    bob = make_user("bob")
    with pytest.raises(Conflict) as refusal:
        people.remove_person(thing=contributor, user=alice, actor=alice)
    assert refusal.value.code == "last_owner"
    with pytest.raises(Conflict):
        people.set_member(thing=contributor, user=alice, role=Role.VIEWER, actor=alice)
    with pytest.raises(NotFound):
        people.transfer(thing=contributor, giver=bob, taker=make_user("charlie"), actor=alice)
    set_active(user=bob, active=False)
    bob.refresh_from_db()
    with pytest.raises(Conflict):
        people.transfer(thing=contributor, giver=alice, taker=bob, actor=alice)
    assert roles(contributor) == {"alice@example.org": "owner"}
    set_active(user=bob, active=True)
    people.transfer(thing=contributor, giver=alice, taker=bob, actor=alice)
    assert roles(contributor) == {"bob@example.org": "owner"}


def test_a_cohorts_own_owner_comes_on_top_and_may_go(alice, contributor):
    bob = make_user("bob")
    cohort = contributor.cohorts.get()
    people.set_member(thing=cohort, user=bob, role=Role.OWNER, actor=alice)
    people.remove_person(thing=cohort, user=bob, actor=bob)
    assert roles(cohort) == {}


@pytest.mark.django_db(transaction=True)
def test_two_owners_who_leave_or_hand_over_at_once_leave_one_behind():
    make_wide_scopes()
    alice, bob, charlie = make_user("alice"), make_user("bob"), make_user("charlie")
    contributor = make_cohort(alice).contributor
    people.set_member(thing=contributor, user=bob, role=Role.OWNER, actor=alice)
    ready, refused = threading.Barrier(2), []

    def at_once(action):
        try:
            ready.wait()
            action()
        except (Conflict, NotAllowed, NotFound) as refusal:
            refused.append(refusal)
        finally:
            close_old_connections()

    def race(*actions):
        threads = [threading.Thread(target=at_once, args=[action]) for action in actions]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)

    race(
        lambda: people.remove_person(thing=contributor, user=alice, actor=alice),
        lambda: people.remove_person(thing=contributor, user=bob, actor=bob),
    )
    assert len(refused) == 1
    (left,) = roles(contributor)
    owner = alice if left == alice.email else bob
    refused.clear()
    race(
        lambda: people.transfer(thing=contributor, giver=owner, taker=charlie, actor=owner),
        lambda: people.remove_person(thing=contributor, user=owner, actor=owner),
    )
    assert "owner" in roles(contributor).values()


def test_an_invitation_lets_in_whoever_holds_its_secret(alice, contributor):
    invitation, secret = people.invite_person(
        thing=contributor, email=" Bob@Example.org", role=Role.EDITOR, actor=alice
    )
    assert invitation.email == "bob@example.org"
    assert secret not in str(list(Invitation.objects.values()))
    assert len(secret) >= 43
    bob = make_user("bob")
    thing = people.accept_invitation(secret=secret, user=bob)
    assert thing == contributor
    assert roles(contributor)["bob@example.org"] == "editor"
    with pytest.raises(NotFound):
        people.accept_invitation(secret=secret, user=make_user("charlie"), with_other_address=True)


def test_another_address_has_to_be_said(alice, contributor):
    _, secret = people.invite_person(thing=contributor, email="b@clinic.org", role=Role.VIEWER, actor=alice)
    bob = make_user("bob")
    with pytest.raises(invitations.OtherAddress):
        people.accept_invitation(secret=secret, user=bob)
    assert bob.email not in roles(contributor)
    people.accept_invitation(secret=secret, user=bob, with_other_address=True)
    assert roles(contributor)[bob.email] == "viewer"


def test_a_stronger_role_stays(alice, contributor):
    _, secret = people.invite_person(thing=contributor, email=alice.email, role=Role.VIEWER, actor=alice)
    people.accept_invitation(secret=secret, user=alice)
    assert roles(contributor) == {"alice@example.org": "owner"}


def test_invitations_end(alice, contributor):
    bob = make_user("bob")

    def fails(secret):
        with pytest.raises(NotFound):
            people.accept_invitation(secret=secret, user=bob)

    first, secret = people.invite_person(thing=contributor, email=bob.email, role=Role.VIEWER, actor=alice)
    _, second = people.invite_again(thing=contributor, invitation_id=first.pk, actor=alice)
    fails(secret)
    Invitation.objects.filter(digest=invitations.digest_of(second)).update(expires=now())
    fails(second)
    third, secret = people.invite_person(thing=contributor, email=bob.email, role=Role.VIEWER, actor=alice)
    people.revoke_invitation(thing=contributor, invitation_id=third.pk, actor=alice)
    fails(secret)
    with pytest.raises(Conflict):
        people.invite_again(thing=contributor, invitation_id=third.pk, actor=alice)
    _, secret = people.invite_person(thing=contributor, email=bob.email, role=Role.VIEWER, actor=alice)
    people.transfer(thing=contributor, giver=alice, taker=make_user("charlie"), actor=alice)
    # Whoever goes must not come back by an invitation that they themselves wrote.
    fails(secret)
    assert bob.email not in roles(contributor)


def test_invitations_are_refused_with_words(alice, contributor):
    with pytest.raises(Invalid):
        people.invite_person(thing=contributor, email="nobody", role=Role.VIEWER, actor=alice)
    with pytest.raises(Conflict):
        people.invite_person(thing=contributor, email="ALICE@example.org", role=Role.OWNER, actor=alice)
    for number in range(invitations.MOST_AN_HOUR):
        people.invite_person(thing=contributor, email=f"p{number}@example.org", role=Role.VIEWER, actor=alice)
    with pytest.raises(Conflict, match="in the last hour"):
        people.invite_person(thing=contributor, email="one@example.org", role=Role.VIEWER, actor=alice)


def test_nobody_reaches_an_invitation_through_their_own_contributor(alice, contributor):
    bob = make_user("bob")
    mine = make_cohort(bob, name="Bob's").contributor
    invitation, _ = people.invite_person(thing=contributor, email="x@example.org", role=Role.VIEWER, actor=alice)
    with pytest.raises(NotFound):
        people.revoke_invitation(thing=mine, invitation_id=invitation.pk, actor=bob)
    with pytest.raises(NotFound):
        people.invite_again(thing=mine, invitation_id=invitation.pk, actor=bob)


def test_an_invitation_is_worth_what_its_sender_may_still_give(alice, contributor):
    bob, charlie = make_user("bob"), make_user("charlie")
    cohort = Cohort.objects.get(contributor=contributor)
    people.set_member(thing=contributor, user=bob, role=Role.OWNER, actor=alice)
    secrets = [
        people.invite_person(thing=thing, email=charlie.email, role=Role.OWNER, actor=bob)[1]
        for thing in (contributor, cohort)
    ]

    def open_nothing():
        for secret in secrets:
            for person in (charlie, bob):
                with pytest.raises(NotFound):
                    people.accept_invitation(secret=secret, user=person, with_other_address=True)

    # Who is an editor now must not let an owner in, nor come back through a cohort once they are out.
    people.set_member(thing=contributor, user=bob, role=Role.EDITOR, actor=alice)
    open_nothing()
    people.remove_person(thing=contributor, user=bob, actor=alice)
    open_nothing()
    assert charlie.email not in {**roles(contributor), **roles(cohort)}


def test_staff_who_are_none_any_more_have_named_no_reviewer(alice, contributor):
    sam, rita = make_user("sam"), make_user("rita")
    _, secret = people.invite_person(thing=contributor, email=rita.email, role=Role.REVIEWER, actor=sam)
    User.objects.filter(pk=sam.pk).update(is_staff=False)
    sam.refresh_from_db()
    people.set_member(thing=contributor, user=sam, role=Role.OWNER, actor=alice)
    with pytest.raises(NotFound):
        people.accept_invitation(secret=secret, user=rita)


def test_owners_do_not_get_rid_of_a_reviewer_by_handing_over(alice, contributor):
    rita = make_user("rita")
    people.set_member(thing=contributor, user=rita, role=Role.REVIEWER, actor=make_user("sam"))
    with pytest.raises(NotAllowed):
        people.transfer(thing=contributor, giver=alice, taker=rita, actor=alice)
    assert roles(contributor)[rita.email] == "reviewer"


def test_people_are_found_by_address_by_those_who_may_read_it(alice, contributor):
    bob, charlie, sam = make_user("bob"), make_user("charlie"), make_user("sam")
    people.set_member(thing=contributor, user=bob, role=Role.VIEWER, actor=alice)
    assert people.find_person_by_email(contributor, " BOB@example.org", asker=alice) == bob
    assert people.find_person_by_email(contributor, "bob@example.org", asker=bob) == bob
    # That Charlie has an account is for staff to know.
    with pytest.raises(NotFound, match="Nobody"):
        people.find_person_by_email(contributor, charlie.email, asker=alice)
    assert people.find_person_by_email(contributor, charlie.email, asker=sam) == charlie
    with pytest.raises(NotAllowed):
        people.find_person_by_email(contributor, alice.email, asker=bob)


def test_addresses_and_the_contact_are_not_for_viewers(alice, contributor):
    bob = make_user("bob", first_name="", last_name="")
    people.set_member(thing=contributor, user=bob, role=Role.VIEWER, actor=alice)
    contributor = edit_contributor(contributor=contributor, actor=alice, legal_contact_info="Legal office")
    assert people.call_people(contributor, [bob], asker=alice)[bob.pk] == people.Called(bob.email, bob.email)
    assert people.call_people(contributor, [bob], asker=bob)[bob.pk] == people.Called(f"User {bob.hash_id}", None)
    assert contact_of(contributor, asker=alice) == "Legal office"
    assert contact_of(contributor, asker=bob) == ""
    people.set_member(thing=contributor, user=bob, role=Role.EDITOR, actor=alice)
    assert contact_of(contributor, asker=bob) == "Legal office"
