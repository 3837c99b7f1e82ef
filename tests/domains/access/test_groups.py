"""Named groups: who makes them, who is in them, and what hangs there."""

from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress

from medtheca.base.clock import now
from medtheca.base.errors import Conflict, Invalid, NotAllowed, NotFound
from medtheca.domains.access import groups, invitations
from medtheca.domains.access.enums import Role, ScopeKind, Visibility
from medtheca.domains.access.groups import (
    GroupCounts,
    change_member,
    count_groups,
    create_group,
    delete_group,
    find_member,
    group_for,
    groups_for,
    invitations_into,
    invite_to_group,
    members_of,
    remove_from_group,
    rename_group,
    revoke_invitation,
)
from medtheca.domains.access.invitations import accept
from medtheca.domains.access.models import Placement, Scope
from medtheca.domains.access.operations import add_member, create_scope, set_visibility
from medtheca.domains.access.queries import ANYBODY, end_of_embargo, may_see, viewer_of, visibility_of
from medtheca.domains.access.serving import find_served_image
from medtheca.domains.ledger.models import Event
from tests.factories.accounts import make_user
from tests.factories.images import make_images
from tests.factories.provenance import make_cohort


@pytest.fixture
def alice(db):
    return make_user("alice")


@pytest.fixture
def group(alice):
    return create_group(creator=alice, name=" Readers ")


@pytest.fixture
def images(alice):
    return make_images(make_cohort(alice), 2)


def test_who_has_a_confirmed_address_makes_a_group_and_owns_it(alice, group):
    assert (group.name, group.kind) == ("Readers", ScopeKind.GROUP)
    assert [(row.user, row.role) for row in members_of(group)] == [(alice, Role.OWNER)]
    bob = make_user("bob")
    EmailAddress.objects.filter(user=bob).update(verified=False)
    with pytest.raises(NotAllowed):
        create_group(creator=bob, name="Others")


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "two\nlines", "nul\x00"])
def test_a_group_has_a_name_in_one_line(name, alice, group):
    for naming in (
        lambda: create_group(creator=alice, name=name),
        lambda: rename_group(group=group, actor=alice, name=name),
    ):
        with pytest.raises(Invalid) as refusal:
            naming()
        assert refusal.value.problems[0].remedy


def test_nobody_owns_groups_without_end(alice, group):
    for number in range(groups.MOST_OWNED - 1):
        create_group(creator=alice, name=f"Group {number}")
    with pytest.raises(Conflict):
        create_group(creator=alice, name="One more")


def test_a_group_is_known_to_its_members_and_the_staff(alice, group):
    charlie, sam, bob = make_user("charlie"), make_user("sam"), make_user("bob")
    create_scope(kind=ScopeKind.COHORT, name="No group")
    add_member(scope=group, user=bob, role=Role.VIEWER)
    assert [list(groups_for(person)) for person in (alice, bob, sam, charlie, None)] == [*[[group]] * 3, [], []]
    with pytest.raises(NotFound):
        group_for(charlie, group.pk)


def test_owners_run_the_group_and_viewers_leave_it(alice, group):
    bob, charlie = make_user("bob"), make_user("charlie")
    _, secret = invite_to_group(group=group, actor=alice, email="bob@example.org", role="viewer")
    accept(secret=secret, user=bob)
    add_member(scope=group, user=charlie, role=Role.VIEWER)
    for refused in (
        lambda: rename_group(group=group, actor=bob, name="Mine"),
        lambda: invite_to_group(group=group, actor=bob, email="dora@example.org", role="viewer"),
        lambda: change_member(group=group, actor=bob, user_id=bob.pk, role="owner"),
        lambda: remove_from_group(group=group, actor=bob, user_id=charlie.pk),
        lambda: delete_group(group=group, actor=bob),
    ):
        with pytest.raises(NotAllowed):
            refused()
    remove_from_group(group=group, actor=bob, user_id=bob.pk)
    with pytest.raises(NotFound):
        remove_from_group(group=group, actor=bob, user_id=bob.pk)
    with pytest.raises(Conflict):
        remove_from_group(group=group, actor=alice, user_id=alice.pk)
    with pytest.raises(Invalid):
        change_member(group=group, actor=alice, user_id=charlie.pk, role="editor")
    change_member(group=group, actor=alice, user_id=charlie.pk, role="owner")
    remove_from_group(group=group, actor=charlie, user_id=alice.pk)
    assert [row.user for row in members_of(group)] == [charlie]
    assert Event.objects.filter(subject_type="group", subject_id=str(group.pk)).count() == 5


def test_a_group_goes_only_when_nothing_hangs_in_it(alice, group, images):
    ids = [image.pk for image in images]
    set_visibility(image_ids=ids, visibility=Visibility.GROUPS, group_ids=[group.pk])
    assert count_groups([group]) == {group.pk: GroupCounts(members=1, images=2)}
    with pytest.raises(Conflict) as refusal:
        delete_group(group=group, actor=alice)
    assert refusal.value.code == "group_in_use"
    set_visibility(image_ids=ids, visibility=Visibility.PRIVATE)
    delete_group(group=group, actor=alice)
    assert not Scope.objects.filter(kind=ScopeKind.GROUP).exists()


def test_named_groups_take_the_place_of_wider_circles_and_of_each_other(images, group):
    other = create_scope(kind=ScopeKind.GROUP, name="Writers")
    ids = [image.pk for image in images]
    set_visibility(image_ids=ids, visibility=Visibility.PUBLIC)
    set_visibility(image_ids=ids, visibility=Visibility.GROUPS, group_ids=[group.pk])
    assert set(visibility_of(ids).values()) == {Visibility.GROUPS}
    set_visibility(image_ids=ids[:1], visibility=Visibility.GROUPS, group_ids=[other.pk])
    hung = set(Placement.objects.filter(image=ids[0]).values_list("scope", flat=True))
    assert {group.pk, other.pk} & hung == {other.pk}
    set_visibility(image_ids=ids, visibility=Visibility.PRIVATE)
    assert set(visibility_of(ids).values()) == {Visibility.PRIVATE}
    assert not Placement.objects.filter(scope__in=[group, other]).exists()


def test_an_embargo_holds_back_named_groups_and_is_told(images, group):
    opens, charlie = now() + timedelta(days=3), make_user("charlie")
    add_member(scope=group, user=charlie, role=Role.VIEWER)
    set_visibility(image_ids=[images[0].pk], visibility=Visibility.GROUPS, group_ids=[group.pk], opens=opens)
    assert not may_see(viewer_of(charlie), images[0].pk)
    assert (end_of_embargo(images[0].pk), end_of_embargo(images[1].pk)) == (opens, None)
    set_visibility(image_ids=[images[0].pk], visibility=Visibility.GROUPS, group_ids=[group.pk])
    assert may_see(viewer_of(charlie), images[0].pk)


def test_files_of_a_group_are_served_to_its_people_alone(images, group):
    charlie, bob = make_user("charlie"), make_user("bob")
    add_member(scope=group, user=charlie, role=Role.VIEWER)
    set_visibility(image_ids=[images[0].pk], visibility=Visibility.GROUPS, group_ids=[group.pk])
    served = find_served_image(viewer_of(charlie), str(images[0].key))
    assert served.image_id == images[0].pk
    assert not served.is_public
    assert "original" not in served.files
    assert find_served_image(viewer_of(charlie), str(images[1].key)) is None
    for other in (viewer_of(bob), ANYBODY):
        assert find_served_image(other, str(images[0].key)) is None


def test_who_runs_the_group_no_more_lets_nobody_in(alice, group):
    bob, charlie = make_user("bob"), make_user("charlie")
    add_member(scope=group, user=bob, role=Role.OWNER)
    _, secret = invite_to_group(group=group, actor=bob, email=charlie.email, role="owner")
    change_member(group=group, actor=alice, user_id=bob.pk, role="viewer")
    with pytest.raises(NotFound):
        groups.accept_into_group(secret=secret, user=charlie)
    remove_from_group(group=group, actor=alice, user_id=bob.pk)
    with pytest.raises(NotFound):
        groups.accept_into_group(secret=secret, user=bob, with_other_address=True)
    assert [row.user for row in members_of(group)] == [alice]


def test_deleting_a_group_does_not_give_its_invitations_back(alice):
    for number in range(invitations.MOST_AN_HOUR):
        group = create_group(creator=alice, name=f"Group {number}")
        invite_to_group(group=group, actor=alice, email=f"p{number}@example.org", role="viewer")
        delete_group(group=group, actor=alice)
    with pytest.raises(Conflict, match="in the last hour"):
        invite_to_group(group=create_group(creator=alice, name="G"), actor=alice, email="x@y.org", role="viewer")


def test_only_who_runs_a_group_finds_its_people_by_address(alice, group):
    bob, sam = make_user("bob"), make_user("sam")
    add_member(scope=group, user=bob, role=Role.VIEWER)
    assert find_member(group, " BOB@example.org ", asker=alice) == bob
    assert find_member(group, "bob@example.org", asker=sam) == bob
    assert find_member(group, "bob@example.org", asker=bob) == bob
    with pytest.raises(NotAllowed):
        find_member(group, "alice@example.org", asker=bob)
    with pytest.raises(NotFound, match="Nobody with the address"):
        find_member(group, "nobody@example.org", asker=alice)


def test_an_invitation_into_a_group_is_seen_and_revoked_by_its_owners(alice, group):
    bob = make_user("bob")
    add_member(scope=group, user=bob, role=Role.VIEWER)
    made, secret = invite_to_group(group=group, actor=alice, email="charlie@example.org", role="viewer")
    assert list(invitations_into(group=group, asker=alice)) == [made]
    for refused in (
        lambda: invitations_into(group=group, asker=bob),
        lambda: revoke_invitation(group=group, actor=bob, invitation_id=made.pk),
    ):
        with pytest.raises(NotAllowed):
            refused()
    other = create_group(creator=alice, name="Others")
    with pytest.raises(NotFound):
        revoke_invitation(group=other, actor=alice, invitation_id=made.pk)
    revoke_invitation(group=group, actor=alice, invitation_id=made.pk)
    assert Event.objects.filter(verb="group.invitation_revoked", subject_id=group.pk, actor_id=alice.pk).count() == 1
    with pytest.raises(NotFound):
        groups.accept_into_group(secret=secret, user=make_user("charlie"))
