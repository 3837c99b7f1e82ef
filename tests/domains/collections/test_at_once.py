"""Collections when two things happen at once, and what the byte plane hears: real transactions, several connections."""

import threading

import psycopg
import pytest
from django.db import connection, connections, transaction

from medtheca.domains.access.enums import Role
from medtheca.domains.access.groups import create_group, remove_from_group
from medtheca.domains.access.models import Membership
from medtheca.domains.access.operations import add_member
from medtheca.domains.access.queries import may_see, viewer_of
from medtheca.domains.collections.contents import add_images
from medtheca.domains.collections.models import Change
from medtheca.domains.collections.sharing import revoke, share
from tests.factories.accounts import make_user
from tests.factories.collections import make_collection
from tests.factories.images import make_images
from tests.factories.provenance import make_cohort
from tests.factories.storage import make_wide_scopes

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world():
    make_wide_scopes()
    alice, bob = make_user("alice"), make_user("bob")
    groups = [create_group(creator=alice, name=name) for name in ("One", "Two")]
    return alice, bob, groups, make_images(make_cohort(alice), 3)


def in_thread(action, begun=None):
    """Do something on a connection of its own, in a transaction; returns the thread."""

    def run():
        try:
            with transaction.atomic():
                if begun:
                    begun.set()
                action()
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def listener():
    parameters = connection.get_connection_params()
    for name in ("cursor_factory", "context", "prepare_threshold"):
        parameters.pop(name, None)
    line = psycopg.connect(**parameters, autocommit=True)
    line.execute("LISTEN medtheca_access")
    return line


def heard(line, number):
    """What so many notifications say; of more than that, as well."""
    first = list(line.notifies(timeout=60, stop_after=number)) if number else []
    return {news.payload for news in [*first, *line.notifies(timeout=0.5 if not number else 0.05)]}


def test_who_leaves_both_groups_at_once_sees_nothing_any_more(world):
    alice, bob, groups, images = world
    for group in groups:
        add_member(scope=group, user=bob, role=Role.VIEWER)
    made = make_collection(alice, images, groups=groups)
    with transaction.atomic():
        remove_from_group(group=groups[0], actor=alice, user_id=bob.pk)
        begun = threading.Event()
        other = in_thread(lambda: remove_from_group(group=groups[1], actor=alice, user_id=bob.pk), begun)
        assert begun.wait(5)
        # It waits for this transaction, or it would count on what is just ending here.
        other.join(1)
        assert other.is_alive()
    other.join(10)
    assert not Membership.objects.filter(scope=made.sharing_id, user=bob).exists()
    assert not may_see(viewer_of(bob), images[0].pk)


def test_who_comes_into_a_group_while_it_is_shared_with_is_in(world):
    alice, bob, groups, images = world
    made = make_collection(alice, images)
    with transaction.atomic():
        add_member(scope=groups[0], user=bob, role=Role.VIEWER)
        other = in_thread(lambda: share(collection=made, actor=alice, group_ids=[groups[0].pk], tell=False))
        other.join(1)
        assert other.is_alive()
    other.join(10)
    assert may_see(viewer_of(bob), images[0].pk)


def test_who_comes_into_a_group_that_is_being_shared_with_is_in(world):
    alice, bob, groups, images = world
    made = make_collection(alice, images)
    with transaction.atomic():
        share(collection=made, actor=alice, group_ids=[groups[0].pk], tell=False)
        other = in_thread(lambda: add_member(scope=groups[0], user=bob, role=Role.VIEWER))
        other.join(1)
        assert other.is_alive()
    other.join(10)
    assert may_see(viewer_of(bob), images[0].pk)


def test_two_who_add_the_same_images_at_once_add_them_once(world):
    alice, bob, _, images = world
    made = make_collection(alice, editors=[bob])
    ids = [image.pk for image in images]
    threads = [in_thread(lambda: add_images(collection=made, actor=alice, image_ids=ids)) for _ in range(4)]
    for thread in threads:
        thread.join(20)
    assert list(Change.objects.filter(collection=made, kind="added").values_list("images", flat=True)) == [ids]


def test_a_list_is_no_news_for_who_serves_files_and_showing_is(world):
    alice, bob, _, images = world
    public = make_images(make_cohort(alice, name="Other"), 2, visibility="public")
    made = make_collection(alice)
    with listener() as line:
        add_images(collection=made, actor=alice, image_ids=[image.pk for image in public])
        assert heard(line, 0) == set()
        add_images(collection=made, actor=alice, image_ids=[images[0].pk])
        assert heard(line, 1) == {str(images[0].pk)}
        share(collection=made, actor=alice, users=[bob], tell=False)
        assert heard(line, 1) == {f"user:{bob.pk}"}
        revoke(collection=made, actor=alice, user_ids=[bob.pk])
        assert heard(line, 1) == {f"user:{bob.pk}"}


def test_a_groups_people_are_news_when_its_share_is_taken_back(world):
    alice, bob, groups, images = world
    add_member(scope=groups[0], user=bob, role=Role.VIEWER)
    made = make_collection(alice, images, groups=[groups[0]])
    with listener() as line:
        revoke(collection=made, actor=alice, group_ids=[groups[0].pk])
        assert heard(line, 2) == {f"user:{alice.pk}", f"user:{bob.pk}"}
