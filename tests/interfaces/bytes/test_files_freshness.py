"""Files of images that are taken back, opened or shut: soon nobody gets what they may not have."""

import contextlib
import hashlib
import secrets

import psycopg
import pytest

from medtheca.base.clock import now
from medtheca.domains.access.enums import Role, Visibility
from medtheca.domains.access.operations import add_member, place_images, set_visibility
from medtheca.domains.accounts.operations import revoke_token, set_active
from medtheca.domains.imaging.enums import FileKind
from medtheca.domains.imaging.models import Image
from medtheca.domains.imaging.operations import assign_public_ids
from medtheca.workflows.publish import withdraw
from tests.factories.accounts import make_token, make_user
from tests.interfaces.bytes.gallery import address, bytes_of, cookie_of, new_public_image, seconds_until

WELL_BEFORE = 15
"""Seconds: what was remembered of an image would be believed for 20 at least, had no news come."""
SOONER = 8
"""As much of whoever asks, who is remembered for 10."""


@pytest.fixture
def world(gallery, server):
    return server


def test_a_withdrawn_image_is_refused_at_once_by_a_warm_cache(world, gallery):
    image = new_public_image(gallery)
    paths = [address(image), address(image, FileKind.THUMBNAIL), f"/files/images/{image.key}/full.jpg"]
    for path in paths * 3:
        assert world.request("GET", path).status == 200
    withdraw(user=gallery.alice, image_ref=image.public_id, reason="Consent was withdrawn.")
    took = seconds_until(lambda: all(world.request("GET", path).status == 404 for path in paths))
    print(f"refused after {took * 1000:.0f} ms")
    assert took < WELL_BEFORE
    etag = f'"{hashlib.sha256(bytes_of(image)).hexdigest()}"'
    assert world.request("GET", paths[0], headers={"If-None-Match": etag}).status == 404
    assert world.request("GET", paths[0], headers=gallery.callers["alice by session"]).status == 200


def test_a_withdrawn_image_is_refused_though_no_news_comes_through(world, gallery):
    image = new_public_image(gallery)
    path = address(image)
    # A role that may not connect: the server's ear stays shut, while its pool keeps what it has.
    assert world.request("GET", path).status == 200
    with ear_shut(world):
        assert world.request("GET", path).status == 200
        withdraw(user=gallery.alice, image_ref=image.public_id, reason="Consent was withdrawn.")
        took = seconds_until(lambda: world.request("GET", path).status == 404)
        print(f"refused after {took * 1000:.0f} ms without news")
        assert took < WELL_BEFORE


@contextlib.contextmanager
def ear_shut(world):
    """The listening connection is cut, again and again, as soon as it is back."""
    import threading

    stop = threading.Event()
    cut = threading.Event()

    def keep_cutting():
        with psycopg.connect(world.database_url, autocommit=True) as admin:
            while not stop.wait(0.01):
                rows = admin.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE application_name = 'medtheca listen' AND datname = current_database()"
                ).fetchall()
                if rows:
                    cut.set()

    thread = threading.Thread(target=keep_cutting)
    thread.start()
    try:
        assert cut.wait(60), "there was no listening connection"
        yield
    finally:
        stop.set()
        thread.join()
        # Whoever comes next finds a server that listens.
        seconds_until(lambda: b'"hears_changes": true' in world.request("GET", "/healthz").content)


def test_the_ear_opens_again(world, gallery):
    with ear_shut(world):
        pass
    assert seconds_until(lambda: b'"hears_changes": true' in world.request("GET", "/healthz").content) < 15
    image = new_public_image(gallery)
    path = address(image)
    assert world.request("GET", path).status == 200
    withdraw(user=gallery.alice, image_ref=image.public_id, reason="Consent was withdrawn.")
    assert seconds_until(lambda: world.request("GET", path).status == 404) < WELL_BEFORE


def test_an_owner_who_leaves_the_circle_sees_no_more(world, gallery):
    from medtheca.domains.access.operations import remove_member

    bob = make_user(f"bob-{secrets.token_hex(4)}")
    headers = cookie_of(bob)
    path = address(gallery.private[1])
    assert world.request("GET", path, headers=headers).status == 404
    add_member(scope=gallery.cohort.scope, user=bob, role=Role.VIEWER)
    assert world.request("GET", path, headers=headers).status == 200
    remove_member(scope=gallery.cohort.scope, user=bob)
    assert seconds_until(lambda: world.request("GET", path, headers=headers).status == 404) < WELL_BEFORE


def test_keys_that_are_taken_away_open_nothing_a_moment_later(world, gallery):
    """Ten seconds of memory are cut short by the database: a token, a session, a password, a user."""
    from django.contrib.sessions.models import Session

    path = address(gallery.private[1])
    dora = make_user(f"dora-{secrets.token_hex(4)}")
    add_member(scope=gallery.cohort.scope, user=dora, role=Role.VIEWER)
    token, secret = make_token(dora)
    bearer = {"Authorization": f"Bearer {secret}"}

    def status(headers):
        return world.request("GET", path, headers=headers).status

    seconds_until(lambda: b'"hears_changes": true' in world.request("GET", "/healthz").content)
    assert [status(bearer), status(bearer)] == [200, 200]
    revoke_token(user=dora, token_id=token.pk)
    assert seconds_until(lambda: status(bearer) == 401) < SOONER

    session = cookie_of(dora)
    assert status(session) == 200
    Session.objects.get(session_key=session["Cookie"].partition("=")[2]).delete()
    assert seconds_until(lambda: status(session) == 404) < SOONER

    session = cookie_of(dora)
    assert status(session) == 200
    dora.set_password("another staple for the horse")
    dora.save()
    assert seconds_until(lambda: status(session) == 404) < SOONER

    session = cookie_of(dora)
    assert status(session) == 200
    set_active(user=dora, active=False)
    assert seconds_until(lambda: status(session) == 404) < SOONER


def test_an_embargo_holds_back_the_public_and_ends_by_itself(world, gallery):
    from datetime import timedelta

    image = gallery.private[2]
    assign_public_ids(image_ids=[image.pk])
    image.refresh_from_db()
    path = address(image)
    opens = now() + timedelta(seconds=5)
    set_visibility(image_ids=[image.pk], visibility=Visibility.PUBLIC, opens=opens)
    assert world.request("GET", path).status == 404 or now() >= opens
    assert seconds_until(lambda: world.request("GET", path).status == 200) < WELL_BEFORE
    assert now() >= opens
    set_visibility(image_ids=[image.pk], visibility=Visibility.PUBLIC, opens=now() + timedelta(days=1))
    assert seconds_until(lambda: world.request("GET", path).status == 404) < WELL_BEFORE


def test_many_changes_at_once_are_heard(world, gallery):
    image = new_public_image(gallery)
    path = address(image)
    assert world.request("GET", path).status == 200
    # More images than one message holds: all that is remembered goes.
    template = Image.objects.get(pk=image.pk)
    copies = []
    for _ in range(450):
        copy = Image.objects.get(pk=template.pk)
        copy.pk, copy.key, copy.public_id = None, __import__("uuid").uuid4(), None
        copies.append(copy)
    Image.objects.bulk_create(copies)
    place_images(image_ids=[copy.pk for copy in copies], scope_ids=[gallery.cohort.scope_id])
    set_visibility(image_ids=[image.pk, *(copy.pk for copy in copies)], visibility=Visibility.PRIVATE)
    assert seconds_until(lambda: world.request("GET", path).status == 404) < WELL_BEFORE
