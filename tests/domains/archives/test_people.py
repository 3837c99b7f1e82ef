"""People of archives: let in, invited, given an end, removed; and what becomes of their requests."""

from datetime import timedelta

import pytest

from medtheca.base.clock import now
from medtheca.base.errors import Conflict, Invalid, NotAllowed, NotFound
from medtheca.domains.access.enums import Role
from medtheca.domains.access.invitations import OtherAddress
from medtheca.domains.access.models import Invitation, Membership
from medtheca.domains.archives.access import may_see_items, may_upload, role_in
from medtheca.domains.archives.enums import Person, RequestState
from medtheca.domains.archives.models import AccessRequest, Lasting
from medtheca.domains.archives.operations import change_archive
from medtheca.domains.archives.people import (
    accept_invitation,
    add_person,
    end_stays,
    invitations_into,
    invite_again,
    invite_person,
    members_of,
    remove_person,
    revoke_invitation,
    set_person,
)
from medtheca.domains.ledger.models import Event, Notification
from tests.factories.accounts import make_user
from tests.factories.archives import make_archive

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice(db):
    return make_user("alice")


@pytest.fixture
def bob(db):
    return make_user("bob")


@pytest.fixture
def mallory(db):
    return make_user("mallory")


@pytest.fixture
def archive(alice):
    return make_archive(alice)


def pass_end(archive, user):
    Lasting.objects.filter(archive=archive, user=user).update(until=now() - timedelta(seconds=1))


@pytest.mark.parametrize(
    ("person", "role"), [("editor", Role.EDITOR), ("uploader", Role.UPLOADER), ("user", Role.VIEWER)]
)
def test_an_editor_lets_somebody_in_by_address(archive, alice, bob, person, role):
    add_person(archive=archive, actor=alice, email=" BOB@example.org ", person=person)
    assert role_in(bob, archive) == role
    told = Notification.objects.get(recipient_id=bob.pk)
    assert (told.kind, told.url) == ("people.changed", f"/archives/{archive.slug}/")
    assert Event.objects.filter(verb="archive.person_set", subject_id=str(archive.pk)).exists()


def test_an_address_without_an_account_is_to_be_invited(archive, alice):
    with pytest.raises(NotFound) as refusal:
        add_person(archive=archive, actor=alice, email="nobody@example.org", person="user")
    assert "Invite" in refusal.value.remedy


def test_words_that_are_no_role_and_ends_that_are_past_are_refused(archive, alice, bob):
    with pytest.raises(Invalid, match="no such role"):
        set_person(archive=archive, actor=alice, user=bob, person="owner")
    with pytest.raises(Invalid, match="until then"):
        set_person(archive=archive, actor=alice, user=bob, person="user", until=now() - timedelta(days=1))
    assert role_in(bob, archive) is None


def test_nobody_but_editors_change_or_read_people(archive, alice, bob, mallory):
    set_person(archive=archive, actor=alice, user=bob, person="uploader")
    for who in (bob, mallory):
        for change in (
            lambda who=who: set_person(archive=archive, actor=who, user=who, person="editor"),
            lambda who=who: members_of(archive, asker=who),
            lambda who=who: remove_person(archive=archive, actor=who, user_id=alice.pk),
            lambda who=who: invite_person(archive=archive, actor=who, email="x@example.org", person="user"),
            lambda who=who: invitations_into(archive, asker=who),
        ):
            with pytest.raises(NotAllowed):
                change()
    change_archive(archive=archive, actor=alice, hidden=True)
    with pytest.raises(NotFound):
        members_of(archive, asker=mallory)


def test_the_last_editor_stays(archive, alice, bob):
    with pytest.raises(Conflict, match="last editor"):
        remove_person(archive=archive, actor=alice, user_id=alice.pk)
    with pytest.raises(Conflict, match="last editor"):
        set_person(archive=archive, actor=alice, user=alice, person="user")
    set_person(archive=archive, actor=alice, user=bob, person="editor")
    remove_person(archive=archive, actor=alice, user_id=alice.pk)
    assert [(row.user, row.person) for row in members_of(archive, asker=bob)] == [(bob, Person.EDITOR)]


def test_an_end_that_would_leave_nobody_one_day_is_refused(archive, alice, bob):
    tomorrow = now() + timedelta(days=1)
    with pytest.raises(Conflict, match="one day"):
        set_person(archive=archive, actor=alice, user=alice, person="editor", until=tomorrow)
    set_person(archive=archive, actor=alice, user=bob, person="editor", until=tomorrow)
    assert {row.user: row.until for row in members_of(archive, asker=alice)} == {alice: None, bob: tomorrow}


def test_who_is_over_goes_and_is_told(archive, alice, bob):
    set_person(archive=archive, actor=alice, user=bob, person="user", until=now() + timedelta(days=1))
    assert end_stays() == 0
    assert may_see_items(bob, archive)
    pass_end(archive, bob)
    assert end_stays() == 1
    assert not may_see_items(bob, archive)
    assert not Lasting.objects.exists()
    assert Notification.objects.filter(recipient_id=bob.pk, words__contains="is over").exists()
    assert end_stays() == 0


def test_an_end_does_not_take_the_last_editor(archive, alice, bob):
    set_person(archive=archive, actor=alice, user=bob, person="editor", until=now() + timedelta(days=1))
    remove_person(archive=archive, actor=alice, user_id=alice.pk)
    pass_end(archive, bob)
    assert end_stays() == 0
    assert role_in(bob, archive) == Role.EDITOR
    assert not Lasting.objects.exists()
    assert Event.objects.filter(verb="archive.end_passed_over").exists()


def test_letting_in_and_removing_settle_the_request(archive, alice, bob):
    AccessRequest.objects.create(archive=archive, user=bob)
    set_person(archive=archive, actor=alice, user=bob, person="user")
    asked = AccessRequest.objects.get()
    assert (asked.state, asked.decided_by) == (RequestState.ACCEPTED, alice)
    remove_person(archive=archive, actor=alice, user_id=bob.pk)
    assert AccessRequest.objects.get().state == RequestState.REJECTED


# -- view without download ----------------------------------------------------------------------------------


def test_users_of_an_archive_without_downloads_look_and_take_nothing(archive, alice, bob):
    set_person(archive=archive, actor=alice, user=bob, person="user")
    una = make_user("una")
    set_person(archive=archive, actor=alice, user=una, person="uploader")
    archive = change_archive(archive=archive, actor=alice, downloads=False)
    assert role_in(bob, archive) == Role.ONLOOKER
    assert may_upload(una, archive)
    set_person(archive=archive, actor=alice, user=una, person="user")
    assert role_in(una, archive) == Role.ONLOOKER
    archive = change_archive(archive=archive, actor=alice, downloads=True)
    assert {role_in(who, archive) for who in (bob, una)} == {Role.VIEWER}


def test_an_old_archive_row_does_not_bring_downloads_back(archive, alice, bob):
    change_archive(archive=archive, actor=alice, downloads=False)
    assert archive.downloads  # What this process read before.
    set_person(archive=archive, actor=alice, user=bob, person="user")
    assert role_in(bob, archive) == Role.ONLOOKER


def test_invitations_follow_the_switch(archive, alice, bob):
    _, secret = invite_person(archive=archive, actor=alice, email=bob.email, person="user")
    change_archive(archive=archive, actor=alice, downloads=False)
    accept_invitation(secret=secret, user=bob)
    assert role_in(bob, archive) == Role.ONLOOKER


# -- invitations --------------------------------------------------------------------------------------------


def test_an_invitation_lets_in_once_and_until_its_end(archive, alice, bob, mallory):
    until = now() + timedelta(days=30)
    made, secret = invite_person(archive=archive, actor=alice, email="Bob@Example.org", person="uploader", until=until)
    assert [row.pk for row in invitations_into(archive, asker=alice)] == [made.pk]
    with pytest.raises(OtherAddress):
        accept_invitation(secret=secret, user=mallory)
    assert accept_invitation(secret=secret, user=bob) == archive
    member = next(row for row in members_of(archive, asker=alice) if row.user == bob)
    assert (member.person, member.until) == (Person.UPLOADER, until)
    with pytest.raises(NotFound):
        accept_invitation(secret=secret, user=mallory)


def test_a_weaker_invitation_changes_nothing(archive, alice, bob):
    set_person(archive=archive, actor=alice, user=bob, person="uploader")
    until = now() + timedelta(days=1)
    _, secret = invite_person(archive=archive, actor=alice, email=bob.email, person="user", until=until)
    accept_invitation(secret=secret, user=bob)
    assert role_in(bob, archive) == Role.UPLOADER
    assert not Lasting.objects.exists()


def test_revoked_renewed_and_orphaned_invitations_open_nothing(archive, alice, bob):
    made, first = invite_person(archive=archive, actor=alice, email=bob.email, person="user")
    again, second = invite_again(archive=archive, actor=alice, invitation_id=made.pk)
    with pytest.raises(NotFound):
        accept_invitation(secret=first, user=bob)
    revoke_invitation(archive=archive, actor=alice, invitation_id=again.pk)
    with pytest.raises(NotFound):
        accept_invitation(secret=second, user=bob)
    ed = make_user("ed")
    set_person(archive=archive, actor=alice, user=ed, person="editor")
    _, third = invite_person(archive=archive, actor=ed, email=bob.email, person="user")
    Membership.objects.filter(user=ed).update(role=Role.VIEWER)
    with pytest.raises(NotFound):
        accept_invitation(secret=third, user=bob)


def test_who_is_removed_does_not_come_back_by_their_own_invitation(archive, alice, bob):
    ed = make_user("ed")
    set_person(archive=archive, actor=alice, user=ed, person="editor")
    _, secret = invite_person(archive=archive, actor=ed, email="second-address@example.org", person="editor")
    remove_person(archive=archive, actor=alice, user_id=ed.pk)
    with pytest.raises(NotFound):
        accept_invitation(secret=secret, user=ed, with_other_address=True)
    assert not Invitation.objects.filter(revoked=None).exists()
