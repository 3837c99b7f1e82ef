"""Collections that are shown to people and groups: Alice owns, Bob is shown, Charlie is a stranger, Sam is staff."""

from datetime import timedelta

import pytest

from medtheca.base.clock import now
from medtheca.base.errors import Invalid, NotAllowed, NotFound
from medtheca.domains.access.enums import Role, Visibility
from medtheca.domains.access.groups import create_group, delete_group, remove_from_group
from medtheca.domains.access.leaving import leave_all_circles
from medtheca.domains.access.models import Membership
from medtheca.domains.access.operations import add_member, remove_member, set_visibility, withdraw_image
from medtheca.domains.access.queries import may_see, viewer_of
from medtheca.domains.collections.access import visible_collections
from medtheca.domains.collections.contents import add_images
from medtheca.domains.collections.errors import PrivateImages
from medtheca.domains.collections.operations import (
    change_collection,
)
from medtheca.domains.collections.queries import (
    collection_for,
    count_listed,
    count_not_shared,
)
from medtheca.domains.collections.sharing import people_to_share_with, revoke, share, shares_of
from medtheca.domains.ledger.models import Notification
from medtheca.domains.provenance.models import Accession
from tests.domains.collections.seeing import ids, seen
from tests.factories.accounts import make_user
from tests.factories.collections import make_collection
from tests.factories.images import make_images
from tests.factories.provenance import make_cohort

pytestmark = pytest.mark.django_db


def test_bob_is_shown_what_alice_may_show_and_not_any_more_when_she_takes_it_back(alice, bob, charlie, public, private):
    made = make_collection(alice, [*public, *private])
    assert share(collection=made, actor=alice, users=[bob]).fresh == 1
    assert seen(made, bob) == ids([*public, *private])
    assert not may_see(viewer_of(charlie), private[0].pk)
    told = Notification.objects.get(recipient_id=bob.pk)
    assert told.kind == "collection.shared"
    assert "Alice Example shared the collection “Moles” with you." in told.words
    assert revoke(collection=made, actor=alice, user_ids=[bob.pk]) == 1
    assert not may_see(viewer_of(bob), private[0].pk)
    with pytest.raises(NotFound):
        collection_for(bob, made.pk)
    with pytest.raises(NotFound):
        revoke(collection=made, actor=alice, user_ids=[bob.pk])


def test_nobody_passes_on_what_was_only_shown_to_them(alice, bob, charlie, public, private):
    hers = make_collection(alice, private, shared_with=[bob])
    his = make_collection(bob, [*public, *private], name="Bob's", shared_with=[charlie])
    assert seen(his, bob) == ids([*public, *private])
    assert seen(his, charlie) == ids(public)
    assert count_listed(his) == 5
    assert count_not_shared(his) == 2
    # Alice closes it, and Bob's list does not keep it open for him.
    revoke(collection=hers, actor=alice, user_ids=[bob.pk])
    assert seen(his, bob) == ids(public)


def test_an_editors_own_images_are_shown_when_they_add_them(alice, bob):
    edith = make_user("edith")
    images = make_images(make_cohort(edith, name="Edith's"), 2)
    made = make_collection(alice, shared_with=[bob], editors=[edith])
    add_images(collection=made, actor=edith, image_ids=ids(images))
    assert seen(made, bob) == ids(images)
    # It is shown to those it is shared with; its owner is none of them.
    assert seen(made, alice) == []
    assert count_listed(made) == 2


def test_who_may_show_images_no_longer_opens_them_to_nobody_new(alice, bob, charlie, cohort, private):
    edith = make_user("edith")
    add_member(scope=cohort.scope, user=edith, role=Role.EDITOR)
    made = make_collection(edith, private, shared_with=[bob])
    assert seen(made, bob) == ids(private)
    remove_member(scope=cohort.scope, user=edith)
    assert seen(made, edith) == []
    share(collection=made, actor=edith, users=[charlie])
    assert seen(made, charlie) == []
    assert seen(made, bob) == []


def test_what_another_may_still_show_stays_shown(alice, bob, charlie, cohort, private):
    edith = make_user("edith")
    add_member(scope=cohort.scope, user=edith, role=Role.EDITOR)
    made = make_collection(edith, private, shared_with=[bob], editors=[alice])
    add_images(collection=made, actor=alice, image_ids=ids(private))
    remove_member(scope=cohort.scope, user=edith)
    share(collection=made, actor=edith, users=[charlie])
    assert seen(made, charlie) == ids(private)


def test_viewers_and_reviewers_of_a_cohort_may_not_show_its_images(alice, bob, cohort, private):
    for name, role in (("rita", Role.REVIEWER), ("vera", Role.VIEWER)):
        person = make_user(name)
        add_member(scope=cohort.scope, user=person, role=role)
        made = make_collection(person, private, name=name, shared_with=[bob])
        assert seen(made, person) == ids(private)
        assert seen(made, bob) == []


def test_what_a_reviewer_rejected_is_not_shown(alice, bob, private):
    Accession.objects.filter(image=private[0]).update(review_state="rejected")
    assert seen(make_collection(alice, private, shared_with=[bob]), bob) == ids(private[1:])


def test_taking_back_closes_what_was_shared(alice, bob, public, private):
    made = make_collection(alice, [*public, *private], shared_with=[bob])
    withdraw_image(image=private[0], reason="Consent.", user=alice)
    set_visibility(image_ids=[private[1].pk, public[0].pk], visibility=Visibility.PRIVATE)
    assert seen(made, bob) == ids(public[1:])
    # Publishing for everybody or for a group does not end what Alice shared herself.
    share(collection=made, actor=alice, users=[bob])
    assert seen(made, bob) == ids([*public, private[1]])
    set_visibility(image_ids=[public[0].pk], visibility=Visibility.SIGNED_IN)
    assert seen(made, bob) == ids([*public, private[1]])


def test_an_embargo_does_not_hold_back_whom_alice_shows_it_herself(alice, bob, charlie, cohort):
    (image,) = make_images(cohort, 1, visibility="public")
    set_visibility(image_ids=[image.pk], visibility=Visibility.PUBLIC, opens=now() + timedelta(days=3))
    made = make_collection(alice, [image], shared_with=[bob])
    assert seen(made, bob) == [image.pk]
    assert not may_see(viewer_of(charlie), image.pk)
    with pytest.raises(PrivateImages):
        change_collection(collection=made, actor=alice, public=True)


def test_an_erased_image_is_in_no_collection(alice, bob, private):
    made = make_collection(alice, private, shared_with=[bob])
    Accession.objects.filter(image=private[0]).delete()
    private[0].delete()
    assert seen(made, alice) == seen(made, bob) == ids(private[1:])


# -- groups -----------------------------------------------------------------------------------------------


@pytest.fixture
def group(alice):
    return create_group(creator=alice, name="Readers")


def test_whoever_is_in_a_group_sees_what_is_shared_with_it_now_and_later(alice, bob, charlie, group, private):
    add_member(scope=group, user=bob, role=Role.VIEWER)
    made = make_collection(alice, private, groups=[group])
    assert seen(made, bob) == ids(private)
    add_member(scope=group, user=charlie, role=Role.VIEWER)
    assert seen(made, charlie) == ids(private)
    remove_from_group(group=group, actor=alice, user_id=bob.pk)
    assert not may_see(viewer_of(bob), private[0].pk)
    assert not visible_collections(bob).exists()
    assert revoke(collection=made, actor=alice, group_ids=[group.pk]) == 1
    assert not may_see(viewer_of(charlie), private[0].pk)


def test_two_ways_in_are_two_to_close(alice, bob, group, private):
    other = create_group(creator=alice, name="Others")
    for circle in (group, other):
        add_member(scope=circle, user=bob, role=Role.VIEWER)
    made = make_collection(alice, private, groups=[group, other], shared_with=[bob])
    remove_from_group(group=group, actor=alice, user_id=bob.pk)
    revoke(collection=made, actor=alice, group_ids=[other.pk])
    assert seen(made, bob) == ids(private)
    revoke(collection=made, actor=alice, user_ids=[bob.pk])
    assert not may_see(viewer_of(bob), private[0].pk)
    # Back into the group with which it is still shared.
    add_member(scope=group, user=bob, role=Role.VIEWER)
    assert seen(made, bob) == ids(private)


def test_a_deleted_group_takes_along_what_was_shared_with_it(alice, bob, group, private):
    add_member(scope=group, user=bob, role=Role.VIEWER)
    made = make_collection(alice, private, groups=[group])
    delete_group(group=group, actor=alice)
    assert not may_see(viewer_of(bob), private[0].pk)
    assert shares_of(made) == []


def test_whoever_leaves_the_archive_leaves_what_was_shared(alice, bob, group, private):
    add_member(scope=group, user=bob, role=Role.VIEWER)
    made = make_collection(alice, private, groups=[group], shared_with=[bob])
    leave_all_circles(bob)
    assert not may_see(viewer_of(bob), private[0].pk)
    assert [one.name for one in shares_of(made)] == ["Readers"]


def test_a_role_in_a_group_gives_no_role_in_the_collection(alice, bob, group, private):
    add_member(scope=group, user=bob, role=Role.OWNER)
    made = make_collection(alice, private, groups=[group])
    assert Membership.objects.get(scope=made.sharing_id, user=bob).role == Role.VIEWER
    with pytest.raises(NotAllowed):
        add_images(collection=made, actor=bob, image_ids=ids(private))


def test_alice_shares_with_whom_she_knows_and_groups_that_she_is_in(alice, bob, charlie, sam, group):
    add_member(scope=group, user=bob, role=Role.VIEWER)
    made = make_collection(alice)
    assert people_to_share_with(alice, user_ids=[bob.pk], emails=["BOB@example.org"]) == [bob]
    for stranger in ("charlie@example.org", "nobody@example.org"):
        with pytest.raises(Invalid) as refusal:
            people_to_share_with(alice, user_ids=[], emails=[stranger])
        # Whoever tries addresses learns nothing of who has an account.
        assert refusal.value.problems[0].message == (
            f"Whoever is meant by {stranger} is in no contributor, cohort or group of yours."
        )
    assert people_to_share_with(sam, user_ids=[charlie.pk], emails=[]) == [charlie]
    with pytest.raises(Invalid):
        share(collection=make_collection(bob, name="Bob's"), actor=bob, group_ids=[10**9])
    with pytest.raises(Invalid):
        share(collection=made, actor=alice)
    # Whom a collection is shared with are no companions: that circle is its owner's.
    share(collection=made, actor=alice, users=[bob])
    share(collection=made, actor=sam, users=[charlie])
    with pytest.raises(Invalid):
        people_to_share_with(bob, user_ids=[charlie.pk], emails=[])


def test_people_leave_by_themselves_and_take_nobody_along(alice, bob, charlie, private):
    made = make_collection(alice, private, shared_with=[bob, charlie])
    with pytest.raises(NotAllowed):
        revoke(collection=made, actor=bob, user_ids=[bob.pk, charlie.pk])
    revoke(collection=made, actor=bob, user_ids=[bob.pk])
    assert [one.user for one in shares_of(made)] == [charlie]
