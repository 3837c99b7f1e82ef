"""Circles keep an owner, what is withdrawn stays hidden, and every change is told when it is committed."""

import threading

import psycopg
import pytest
from django.db import IntegrityError, close_old_connections, connection, transaction

from medtheca.base.errors import Conflict, NotFound
from medtheca.domains.access.enums import Role, ScopeKind, Visibility
from medtheca.domains.access.models import Membership, Placement, Scope, Withdrawal
from medtheca.domains.access.operations import (
    add_member,
    create_scope,
    place_images,
    remove_member,
    set_visibility,
    withdraw_image,
)
from medtheca.domains.access.queries import visibility_of
from medtheca.domains.accounts.operations import set_active
from medtheca.domains.imaging.models import Image
from tests.factories.accounts import make_user
from tests.factories.images import make_images
from tests.factories.provenance import make_cohort
from tests.factories.storage import make_wide_scopes


@pytest.fixture
def scope(db):
    return create_scope(kind=ScopeKind.GROUP, name="Group")


def owners(scope):
    return set(Membership.objects.filter(scope=scope, role=Role.OWNER).values_list("user__email", flat=True))


def test_the_last_owner_stays(scope):
    alice, bob, charlie = make_user("alice"), make_user("bob"), make_user("charlie")
    add_member(scope=scope, user=alice, role=Role.OWNER)
    add_member(scope=scope, user=bob, role=Role.VIEWER)
    for leave in (
        lambda: remove_member(scope=scope, user=alice),
        lambda: add_member(scope=scope, user=alice, role=Role.VIEWER),
    ):
        with pytest.raises(Conflict) as refusal:
            leave()
        assert refusal.value.code == "last_owner"
        assert refusal.value.remedy
    add_member(scope=scope, user=bob, role=Role.OWNER)
    set_active(user=bob, active=False)
    with pytest.raises(Conflict):
        remove_member(scope=scope, user=alice)
    set_active(user=bob, active=True)
    remove_member(scope=scope, user=alice)
    assert owners(scope) == {"bob@example.org"}
    with pytest.raises(NotFound):
        remove_member(scope=scope, user=charlie)


@pytest.mark.django_db(transaction=True)
def test_two_owners_who_leave_at_once_do_not_both_leave():
    scope = create_scope(kind=ScopeKind.GROUP, name="Group")
    people = [make_user("alice"), make_user("bob")]
    for person in people:
        add_member(scope=scope, user=person, role=Role.OWNER)
    ready, refused = threading.Barrier(2), []

    def leave(person):
        try:
            ready.wait()
            remove_member(scope=scope, user=person)
        except Conflict as refusal:
            refused.append(refusal)
        finally:
            close_old_connections()

    threads = [threading.Thread(target=leave, args=[person]) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 1
    assert len(owners(scope)) == 1


@pytest.mark.django_db
def test_what_is_withdrawn_stays_private_whatever_is_asked_for():
    alice = make_user("alice")
    images = make_images(make_cohort(alice), 2, visibility="public")
    withdraw_image(image=images[0], reason="Consent was withdrawn.", user=alice)
    with pytest.raises(Conflict):
        withdraw_image(image=images[0], reason="Another reason.", user=alice)
    assert Withdrawal.objects.get().reason == "Consent was withdrawn."
    set_visibility(image_ids=[image.pk for image in images], visibility=Visibility.PUBLIC)
    assert visibility_of([image.pk for image in images]) == {
        images[0].pk: Visibility.PRIVATE,
        images[1].pk: Visibility.PUBLIC,
    }


@pytest.mark.django_db
def test_visibility_moves_both_ways_and_leaves_circles_alone():
    cohort = make_cohort(make_user("alice"))
    image = make_images(cohort, 1)[0]

    def kinds():
        return set(Placement.objects.filter(image=image).values_list("scope__kind", flat=True))

    for visibility, wide in (
        (Visibility.PUBLIC, {"public", "signed_in"}),
        (Visibility.SIGNED_IN, {"signed_in"}),
        (Visibility.PUBLIC, {"public", "signed_in"}),
        (Visibility.PRIVATE, set()),
    ):
        set_visibility(image_ids=[image.pk], visibility=visibility)
        assert kinds() == {"contributor", "cohort"} | wide


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("table", "values"),
    [
        ("access_scope (kind, name)", ("secret", "")),
        ("access_scope (kind, name)", ("public", "a second one")),
        ("access_scope (kind, name)", ("signed_in", "a second one")),
        ("access_membership (scope_id, user_id, role)", ("SCOPE", "ALICE", "king")),
        ("access_membership (scope_id, user_id, role)", ("SCOPE", "ALICE", "owner")),
        ("access_placement (image_id, scope_id)", ("IMAGE", "SCOPE")),
        ("access_withdrawal (image_id, reason)", ("IMAGE", "twice")),
    ],
)
def test_the_database_refuses_what_must_not_be(table, values):
    alice = make_user("alice")
    cohort = make_cohort(alice)
    image = make_images(cohort, 1)[0]
    Withdrawal.objects.create(image=image, reason="once")
    scope = Scope.objects.get(pk=cohort.contributor.scope_id)
    known = {"SCOPE": scope.pk, "ALICE": alice.pk, "IMAGE": image.pk}
    marks = ", ".join(["%s"] * len(values))
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {table} VALUES ({marks})", [known.get(value, value) for value in values])


@pytest.mark.django_db(transaction=True)
def test_every_change_is_told_on_commit_and_not_before():
    make_wide_scopes()
    alice, bob = make_user("alice"), make_user("bob")
    cohort = make_cohort(alice)
    image = make_images(cohort, 1)[0]
    wanted = {"dbname", "user", "password", "host", "port"}
    address = {key: value for key, value in connection.get_connection_params().items() if key in wanted}
    with psycopg.connect(**address, autocommit=True) as listener:
        listener.execute("LISTEN medtheca_access")

        def told(change):
            with transaction.atomic():
                change()
                assert not list(listener.notifies(timeout=0.05))
            first = list(listener.notifies(timeout=60, stop_after=1))
            return {notice.payload for notice in [*first, *listener.notifies(timeout=0.05)]}

        assert told(lambda: set_visibility(image_ids=[image.pk], visibility=Visibility.PUBLIC)) == {str(image.pk)}
        assert told(lambda: set_visibility(image_ids=[image.pk], visibility=Visibility.PRIVATE)) == {str(image.pk)}
        assert told(lambda: image.files.filter(kind="web").delete()) == {str(image.pk)}
        assert told(lambda: withdraw_image(image=image, reason="Consent was withdrawn.", user=alice)) == {str(image.pk)}
        assert told(lambda: add_member(scope=cohort.scope, user=bob, role=Role.VIEWER)) == {f"user:{bob.pk}"}
        assert told(lambda: remove_member(scope=cohort.scope, user=bob)) == {f"user:{bob.pk}"}
        many = make_images(cohort, 401)
        while list(listener.notifies(timeout=1)):
            pass
        group = create_scope(kind=ScopeKind.GROUP, name="Group")
        assert told(lambda: place_images(image_ids=[one.pk for one in many], scope_ids=[group.pk])) == {"*"}
    assert Image.objects.count() == 402
