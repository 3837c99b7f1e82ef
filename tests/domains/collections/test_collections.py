"""Collections: Alice owns, Edith edits, Bob reads, Charlie is a stranger, Sam is staff."""

import pytest

from medtheca.base.errors import Conflict, Invalid, NotAllowed, NotFound
from medtheca.domains.access.enums import ScopeKind, Visibility
from medtheca.domains.access.models import Grant, Membership, Placement, Scope
from medtheca.domains.access.operations import set_visibility, withdraw_image
from medtheca.domains.access.queries import ANYBODY, count_visible, may_see, viewer_of
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
    collection_for,
    containing,
    owners_named,
    suggest,
)
from medtheca.domains.collections.sharing import revoke, share
from medtheca.domains.ledger.models import Event
from medtheca.workflows.collecting import found_by
from tests.domains.collections.seeing import ids, seen
from tests.factories.accounts import make_user
from tests.factories.collections import make_collection
from tests.factories.images import make_images
from tests.factories.provenance import make_cohort

pytestmark = pytest.mark.django_db


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
