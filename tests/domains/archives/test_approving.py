"""Who may make archives: anybody, verified people, or with the staff's agreement."""

import dataclasses

import pytest

from medtheca.base.errors import Conflict, Invalid, NotAllowed, NotFound
from medtheca.domains.accounts.verifying import vouch_for
from medtheca.domains.archives.approving import judge, proposal_of, proposals, propose_again
from medtheca.domains.archives.queries import archive_of_slug
from medtheca.domains.ledger.models import Notification
from tests.factories.accounts import make_user
from tests.factories.archives import make_archive

pytestmark = pytest.mark.django_db


@pytest.fixture
def creation(settings):
    def choose(who):
        settings.ENVIRONMENT = dataclasses.replace(settings.ENVIRONMENT, archive_creation=who)

    return choose


def test_anybody_makes_archives_where_nothing_else_is_set():
    assert make_archive(make_user("alice")).approved


def test_verified_people_and_staff_make_them_where_that_is_asked(creation):
    creation("verified")
    alice = make_user("alice")
    with pytest.raises(NotAllowed) as refusal:
        make_archive(alice)
    assert "Verification" in refusal.value.remedy
    vouch_for(user=alice, staff=None)
    assert make_archive(alice).approved
    assert make_archive(make_user("sam")).approved


def test_an_archive_waits_for_the_staff_and_is_found_once_they_agree(creation):
    creation("approval")
    alice, bob, sam = (make_user(name) for name in ("alice", "bob", "sam"))
    archive = make_archive(alice, public=True)
    make_archive(alice, title="Another")
    assert archive_of_slug(alice, archive.slug) == archive
    with pytest.raises(NotFound):
        archive_of_slug(bob, archive.slug)
    told = Notification.objects.get(recipient_id=sam.pk)
    assert (told.kind, told.words) == ("archive.proposed", "2 archives wait for the staff to agree to.")
    with pytest.raises(NotAllowed):
        judge(archive_id=archive.pk, staff=alice, agree=True)
    judge(archive_id=archive.pk, staff=sam, agree=True)
    assert archive_of_slug(bob, archive.slug) == archive
    assert "agreed" in Notification.objects.get(recipient_id=alice.pk).words
    assert [row.archive.title for row in proposals()] == ["Another"]
    with pytest.raises(Conflict):
        judge(archive_id=archive.pk, staff=sam, agree=False, reason="Too late.")
    assert make_archive(sam, title="Of staff").approved


def test_staff_decline_with_a_reason_and_can_be_asked_again(creation):
    creation("approval")
    alice, sam = make_user("alice"), make_user("sam")
    archive = make_archive(alice)
    with pytest.raises(Conflict):
        propose_again(archive=archive, editor=alice)
    with pytest.raises(Invalid):
        judge(archive_id=archive.pk, staff=sam, agree=False)
    judge(archive_id=archive.pk, staff=sam, agree=False, reason="Say whose images these are.")
    assert proposal_of(archive).reason == "Say whose images these are."
    assert not proposals().exists()
    propose_again(archive=archive, editor=alice)
    judge(archive_id=archive.pk, staff=sam, agree=True)
    archive.refresh_from_db()
    assert archive.approved
    assert proposal_of(archive) is None
