"""Collections are broken on purpose, and the check says what is wrong with them."""

import pytest
from django.db import connection

from medtheca.domains.access.enums import Role, ScopeKind
from medtheca.domains.access.groups import create_group
from medtheca.domains.access.models import Grant, Membership, Placement
from medtheca.domains.access.operations import add_member, create_scope, withdraw_image
from medtheca.workflows.checking import Look, check_archive
from tests.factories.accounts import make_user
from tests.factories.collections import make_collection
from tests.factories.images import make_images
from tests.factories.provenance import make_cohort
from tests.factories.storage import use_data_folder

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(settings, tmp_path):
    """Alice's collection of two private images, shared with Bob and with a group in which Charlie is."""
    use_data_folder(settings, tmp_path / "data")
    alice, bob, charlie = (make_user(name) for name in ("alice", "bob", "charlie"))
    group = create_group(creator=alice, name="Readers")
    add_member(scope=group, user=charlie, role=Role.VIEWER)
    images = make_images(make_cohort(alice), 2)
    made = make_collection(alice, images, shared_with=[bob], groups=[group])
    assert broken() == []
    return made, images, alice, bob, charlie


def broken():
    report = check_archive(Look())
    assert "counts" not in report.violations or report.violations["counts"] == []
    return [f"{found.subject}: {found.words}" for found in report.violations.get("sharing", [])]


def test_a_list_with_members_is_seen(world):
    made, _, _, bob, _ = world
    Membership.objects.create(scope_id=made.listing_id, user=bob, role=Role.VIEWER)
    assert broken() == [f"scope {made.listing_id}: It lists a collection and has members."]


def test_members_whom_nobody_let_in_are_seen_and_those_who_lack(world):
    made, _, _, bob, charlie = world
    dora = make_user("dora")
    Membership.objects.create(scope_id=made.sharing_id, user=dora, role=Role.VIEWER)
    Membership.objects.filter(scope_id=made.sharing_id, user__in=[bob, charlie]).delete()
    assert sorted(broken()) == sorted(
        [
            f"scope {made.sharing_id}: User {dora.pk} is in it, and nobody has let them in.",
            *(f"scope {made.sharing_id}: User {pk} was let in and is not there." for pk in (bob.pk, charlie.pk)),
        ]
    )


def test_a_strong_role_is_seen(world):
    made, _, _, bob, _ = world
    Membership.objects.filter(scope_id=made.sharing_id, user=bob).update(role=Role.EDITOR)
    assert broken() == [f"scope {made.sharing_id}: It has members who are no viewers."]


def test_what_is_shown_and_not_held_or_withdrawn_is_seen(world):
    made, images, alice, *_ = world
    Placement.objects.filter(scope=made.listing_id, image=images[0]).delete()
    withdraw_image(image=images[1], reason="Consent.", user=alice)
    assert broken() == [f"image {images[0].pk}: Collection {made.pk} shows it and does not hold it."]
    Placement.objects.create(scope_id=made.sharing_id, image=images[1])
    assert f"image {images[1].pk}: It is withdrawn and still hangs in the shared circle {made.sharing_id}." in broken()


def test_a_scope_of_no_collection_is_seen(world):
    left = create_scope(kind=ScopeKind.SHARING, name="Left over")
    assert broken() == [f"scope {left.pk}: It is of kind sharing and of no collection."]


def test_a_trigger_that_does_not_work_is_seen(world):
    made, _, _, bob, _ = world
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE access_grant DISABLE TRIGGER access_grant_deleted")
        Grant.objects.filter(scope=made.sharing_id, user=bob).delete()
        cursor.execute("ALTER TABLE access_grant ENABLE TRIGGER access_grant_deleted")
    assert broken() == [f"scope {made.sharing_id}: User {bob.pk} is in it, and nobody has let them in."]
