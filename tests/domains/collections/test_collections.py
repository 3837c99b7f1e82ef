"""Collections: Alice owns, Edith edits, Bob is shown, Charlie is a stranger, Sam is staff."""

from datetime import timedelta

import pytest

from medtheca.base.clock import now
from medtheca.base.errors import Conflict, Invalid, NotAllowed, NotFound
from medtheca.domains.access.enums import Role, ScopeKind, Visibility
from medtheca.domains.access.groups import create_group, delete_group, remove_from_group
from medtheca.domains.access.leaving import leave_all_circles
from medtheca.domains.access.models import Grant, Membership, Placement, Scope
from medtheca.domains.access.operations import add_member, remove_member, set_visibility, withdraw_image
from medtheca.domains.access.queries import ANYBODY, count_visible, may_see, viewer_of
from medtheca.domains.access.serving import find_served_image
from medtheca.domains.collections.access import visible_collections
from medtheca.domains.collections.contents import add_images, add_named, remove_images, remove_named
from medtheca.domains.collections.dropped import dropped_out
from medtheca.domains.collections.enums import ChangeKind
from medtheca.domains.collections.errors import Locked, NameTaken, PrivateImages
from medtheca.domains.collections.models import Change, Collection
from medtheca.domains.collections.naming import listings_named, listings_of
from medtheca.domains.collections.operations import (
    change_collection,
    create_collection,
    delete_collection,
    set_locked,
    set_pinned,
)
from medtheca.domains.collections.queries import (
    COVERS,
    collection_for,
    containing,
    count_images,
    count_listed,
    count_not_shared,
    covers_of,
    credits_of,
    images_in,
    owners_named,
    suggest,
)
from medtheca.domains.collections.sharing import people_to_share_with, revoke, share, shares_of
from medtheca.domains.ledger.models import Event, Notification
from medtheca.domains.provenance.models import Accession
from medtheca.workflows.collecting import found_by
from tests.factories.accounts import make_user
from tests.factories.collections import make_collection
from tests.factories.images import make_images
from tests.factories.provenance import make_cohort

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice():
    return make_user("alice")


@pytest.fixture
def bob():
    return make_user("bob")


@pytest.fixture
def charlie():
    return make_user("charlie")


@pytest.fixture
def sam():
    return make_user("sam")


@pytest.fixture
def cohort(alice):
    return make_cohort(alice)


@pytest.fixture
def public(cohort):
    return make_images(cohort, 3, visibility="public")


@pytest.fixture
def private(cohort):
    return make_images(cohort, 2)


def ids(images):
    return sorted(image.pk for image in images)


def seen(collection, person):
    """What somebody sees of a collection: listed, counted and served are one."""
    found = ids(images_in(collection, person))
    assert count_images([collection], person)[collection.pk] == len(found)
    assert ids(covers_of([collection], person)[collection.pk]) == found[:COVERS]
    assert sum(credit.count for credit in credits_of(collection, person)) == len(found)
    for image in images_in(collection, person):
        assert find_served_image(viewer_of(person), str(image.key)) is not None
    return found


# -- making and changing -----------------------------------------------------------------------------------


def test_alice_makes_a_collection_which_is_private_and_empty(alice, bob):
    made = create_collection(creator=alice, name=" Moles ", description="Of the *trunk*.")
    assert (made.name, made.public, made.pinned, made.locked) == ("Moles", False, False, False)
    assert [made.listing.kind, made.sharing.kind] == [ScopeKind.COLLECTION, ScopeKind.SHARING]
    assert collection_for(alice, made.pk) == made
    with pytest.raises(NotFound):
        collection_for(bob, made.pk)
    with pytest.raises(NotFound):
        collection_for(None, made.pk)
    assert Event.objects.get(verb="collection.created").subject_id == str(made.pk)


@pytest.mark.parametrize("name", ["", "  ", "x" * 201, "a\nb", "a\0b"])
def test_names_that_cannot_be_are_refused(alice, name):
    with pytest.raises(Invalid) as refusal:
        create_collection(creator=alice, name=name)
    assert [problem.field for problem in refusal.value.problems] == ["name"]


def test_a_name_is_once_a_creator_and_once_among_pinned(alice, bob, sam):
    hers = create_collection(creator=alice, name="Moles", public=True)
    with pytest.raises(NameTaken):
        create_collection(creator=alice, name="Moles")
    his = create_collection(creator=bob, name="Moles", public=True)
    set_pinned(collection=hers, actor=sam, pinned=True)
    with pytest.raises(NameTaken):
        set_pinned(collection=his, actor=sam, pinned=True)
    with pytest.raises(NotAllowed):
        set_pinned(collection=his, actor=bob, pinned=True)
    other = create_collection(creator=bob, name="Others")
    with pytest.raises(NameTaken):
        change_collection(collection=other, actor=bob, name="Moles")
    assert Collection.objects.get(pk=other.pk).name == "Others"


def test_a_pinned_collection_is_public_and_stays(alice, sam):
    made = create_collection(creator=alice, name="Moles")
    with pytest.raises(Invalid):
        set_pinned(collection=made, actor=sam, pinned=True)
    change_collection(collection=made, actor=alice, public=True)
    set_pinned(collection=made, actor=sam, pinned=True)
    with pytest.raises(Conflict):
        change_collection(collection=made, actor=alice, public=False)
    with pytest.raises(Conflict):
        delete_collection(collection=made, actor=alice)


def test_nothing_of_a_locked_collection_changes(alice, sam, public):
    made = make_collection(alice, public)
    set_locked(collection=made, actor=alice, locked=True)
    attempts = [
        lambda: add_images(collection=made, actor=alice, image_ids=[public[0].pk]),
        lambda: add_named(collection=made, actor=sam, refs=[public[0].public_id]),
        lambda: remove_images(collection=made, actor=alice, image_ids=[public[0].pk]),
        lambda: remove_named(collection=made, actor=alice, refs=[public[0].public_id]),
        lambda: change_collection(collection=made, actor=alice, name="Other"),
        lambda: change_collection(collection=made, actor=sam, description="Other"),
        lambda: delete_collection(collection=made, actor=alice),
    ]
    for attempt in attempts:
        with pytest.raises(Locked):
            attempt()
    set_locked(collection=made, actor=alice, locked=False)
    Collection.objects.filter(pk=made.pk).update(locked=True, lock_reason="A DOI names it.")
    for person in (alice, sam):
        with pytest.raises(Locked, match="A DOI names it"):
            set_locked(collection=made, actor=person, locked=False)


def test_a_deleted_collection_leaves_its_images_and_nothing_else(alice, bob, private):
    made = make_collection(alice, private, shared_with=[bob])
    scopes = [made.listing_id, made.sharing_id]
    delete_collection(collection=made, actor=alice)
    assert not Scope.objects.filter(pk__in=scopes).exists()
    assert not Grant.objects.exists()
    assert not may_see(viewer_of(bob), private[0].pk)
    assert may_see(viewer_of(alice), private[0].pk)
    assert Event.objects.get(verb="collection.deleted").subject_id == str(made.pk)


# -- what is in one, and who sees it -----------------------------------------------------------------------


def test_a_listing_shows_nobody_anything(alice, bob, public, private):
    made = make_collection(alice, [*public, *private])
    assert Membership.objects.filter(scope=made.listing_id).count() == 0
    assert seen(made, alice) == ids([*public, *private])
    assert not may_see(viewer_of(bob), private[0].pk)
    assert not may_see(ANYBODY, private[0].pk)
    assert count_visible(ANYBODY) == 3


def test_images_are_added_once_and_every_change_is_logged(alice, public):
    made = make_collection(alice)
    first = add_images(collection=made, actor=alice, image_ids=ids(public[:2]))
    again = add_images(collection=made, actor=alice, image_ids=ids(public))
    assert (list(first.fresh), list(again.fresh)) == (ids(public[:2]), ids(public[2:]))
    assert list(again.accepted) == ids(public)
    assert remove_images(collection=made, actor=alice, image_ids=ids(public[:1])) == 1
    assert remove_images(collection=made, actor=alice, image_ids=ids(public[:1])) == 0
    log = Change.objects.filter(collection=made).order_by("pk")
    assert list(log.values_list("kind", "images", "by")) == [
        (ChangeKind.ADDED, ids(public[:2]), alice.pk),
        (ChangeKind.ADDED, ids(public[2:]), alice.pk),
        (ChangeKind.REMOVED, ids(public[:1]), alice.pk),
    ]
    assert seen(made, alice) == ids(public[1:])


def test_names_have_each_an_outcome(alice, bob, public, private):
    (foreign,) = make_images(make_cohort(bob, name="Bob's"), 1)
    made = make_collection(alice, name="Public", public=True)
    refs = [public[0].public_id, str(private[0].key), str(foreign.key), "ISIC_0000000", "\0", public[0].public_id]
    done = add_named(collection=made, actor=alice, refs=refs)
    assert done.succeeded == (public[0].public_id,)
    assert done.private == (str(private[0].key),)
    assert done.absent == (str(foreign.key), "ISIC_0000000", "\0")
    gone = remove_named(collection=made, actor=alice, refs=[public[0].public_id, public[1].public_id, "nothing"])
    assert (gone.succeeded, gone.absent, gone.changed) == (
        (public[0].public_id, public[1].public_id),
        ("nothing",),
        1,
    )


def test_a_public_collection_names_every_private_image_at_once(alice, bob, public, private):
    (foreign,) = make_images(make_cohort(bob, name="Bob's"), 1)
    made = make_collection(alice, [*public, *private])
    Placement.objects.create(image=foreign, scope_id=made.listing_id)
    with pytest.raises(PrivateImages) as refusal:
        change_collection(collection=made, actor=alice, public=True)
    assert {problem.field for problem in refusal.value.problems} == {str(image.key) for image in private}
    assert "3 images" in refusal.value.message
    assert "1 of them cannot be named" in refusal.value.message
    remove_images(collection=made, actor=alice, image_ids=ids([*private, foreign]))
    assert change_collection(collection=made, actor=alice, public=True).public
    assert seen(made, None) == ids(public)


def test_what_is_taken_back_drops_out_and_the_owner_reads_why(alice, charlie, public):
    made = make_collection(alice, public, public=True)
    withdraw_image(image=public[0], reason="Consent was withdrawn.", user=alice)
    set_visibility(image_ids=[public[1].pk], visibility=Visibility.PRIVATE)
    for person in (None, charlie):
        assert seen(made, person) == ids(public[2:])
    out = dropped_out(made, alice)
    assert out.total == 2
    assert [(row.name, row.is_visible) for row in out.rows] == [
        (public[0].public_id, True),
        (public[1].public_id, True),
    ]
    assert "Consent was withdrawn." in out.rows[0].words
    assert out.rows[1].words == "It was made private again."
    assert remove_named(collection=made, actor=alice, refs=[row.name for row in out.rows]).changed == 2
    assert dropped_out(made, alice).total == 0


def test_editors_add_and_describe_but_do_not_own(alice, charlie, public):
    edith = make_user("edith")
    made = make_collection(alice, editors=[edith])
    assert add_images(collection=made, actor=edith, image_ids=ids(public)).fresh
    change_collection(collection=made, actor=edith, description="Better.")
    for attempt in (
        lambda: change_collection(collection=made, actor=edith, name="Other"),
        lambda: change_collection(collection=made, actor=edith, public=True),
        lambda: set_locked(collection=made, actor=edith, locked=True),
        lambda: share(collection=made, actor=edith, users=[charlie]),
        lambda: delete_collection(collection=made, actor=edith),
        lambda: add_images(collection=made, actor=charlie, image_ids=ids(public)),
    ):
        with pytest.raises(NotAllowed):
            attempt()
    revoke(collection=made, actor=alice, user_ids=[edith.pk])
    with pytest.raises(NotAllowed):
        add_images(collection=made, actor=edith, image_ids=ids(public))


# -- sharing ----------------------------------------------------------------------------------------------


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


# -- finding ----------------------------------------------------------------------------------------------


def test_search_resolves_names_under_the_askers_visibility(alice, bob, public):
    hers = make_collection(alice, public)
    his = make_collection(bob, name="moles", public=True)
    assert listings_named(alice, "MOLES") == [hers.listing_id, his.listing_id]
    assert listings_named(None, "moles") == [his.listing_id]
    assert listings_named(None, str(hers.pk)) == []
    assert listings_named(alice, str(hers.pk)) == [hers.listing_id]
    assert listings_of(None, [hers.pk, his.pk, -1, 2**70]) == [his.listing_id]
    assert containing(public[0], alice) == [hers]
    assert containing(public[0], bob) == []


def test_a_query_finds_by_collection_what_the_asker_sees(alice, bob, public, private):
    make_collection(alice, [*public, *private], shared_with=[bob])
    (elsewhere,) = make_images(make_cohort(bob, name="Bob's"), 1, visibility="public")
    for text, images in (("collection:moles", [*public, *private]), ("-collection:Moles", [elsewhere])):
        assert ids(found_by(text, asker=bob)) == ids(images)
    assert not found_by("collection:Moles", asker=None).exists()
    with pytest.raises(Invalid, match="query"):
        found_by("collection:(", asker=bob)


def test_people_appear_in_public_under_their_pseudonyms(alice, bob, charlie, sam):
    made = make_collection(alice, public=True, shared_with=[bob])
    named = {person: owners_named([made], person)[made.pk] for person in (None, charlie, bob, alice, sam)}
    assert list(named.values()) == [f"User {alice.hash_id}"] * 2 + ["Alice Example"] * 3


def test_what_was_deleted_meanwhile_is_not_found(alice, bob, public):
    made = make_collection(alice)
    delete_collection(collection=Collection.objects.get(pk=made.pk), actor=alice)
    for attempt in (
        lambda: add_images(collection=made, actor=alice, image_ids=ids(public)),
        lambda: share(collection=made, actor=alice, users=[bob]),
        lambda: set_locked(collection=made, actor=alice, locked=True),
    ):
        with pytest.raises(NotFound):
            attempt()


def test_suggestions_want_three_characters_and_begin_first(alice):
    names = ["Challenge 2017: Training", "The challenge", "Moles"]
    made = {name: create_collection(creator=alice, name=name, public=True) for name in names}
    assert suggest(None, "ch") == []
    assert suggest(None, "chall") == [made[names[0]], made[names[1]]]
    assert suggest(None, "2017 train") == [made[names[0]]]
