"""Files of images: who may have them, by which door, and what the answer says."""

import contextlib
import hashlib
import io
import itertools
import random
import secrets
import time

import psycopg
import pytest
from PIL import Image as Picture

from medtheca.base.clock import now
from medtheca.domains.access.enums import Role, Visibility
from medtheca.domains.access.operations import add_member, place_images, set_visibility
from medtheca.domains.accounts.operations import revoke_token, set_active
from medtheca.domains.imaging.enums import FileKind
from medtheca.domains.imaging.models import Image, ImageFile
from medtheca.domains.imaging.operations import assign_public_ids
from medtheca.domains.provenance.models import Accession
from medtheca.domains.provenance.publication import decide_publication, request_publication
from medtheca.domains.storage.queries import blob_store
from medtheca.interfaces.http.file_urls import file_url, make_ticket
from medtheca.workflows.decoding import close_decoder_pool
from medtheca.workflows.publish import withdraw
from tests.factories.accounts import make_token, make_user
from tests.factories.provenance import deliver, make_cohort, make_zip, run_jobs

NAMES = {FileKind.PUBLIC: "full", FileKind.THUMBNAIL: "thumbnail", FileKind.WEB: "web"}


def picture(seed):
    data = io.BytesIO()
    Picture.effect_noise((420, 300), 40 + seed).convert("RGB").save(data, "JPEG", quality=92)
    return data.getvalue()


def cookie_of(user):
    from django.conf import settings
    from django.test import Client

    client = Client()
    client.force_login(user)
    return {"Cookie": f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"}


class Gallery:
    """Alice's cohort with six images, through the real pipeline; three are public."""

    def __init__(self):
        tag = secrets.token_hex(4)
        self.alice = make_user(f"alice-{tag}")
        self.charlie = make_user(f"charlie-{tag}")
        self.sam = make_user(f"sam-{tag}", staff=True)
        self.cohort = make_cohort(self.alice, name=f"Clinic {tag}")
        deliver(self.alice, self.cohort, make_zip([(f"{tag}-{n}.jpg", picture(n)) for n in range(6)]))
        run_jobs()
        accessions = list(Accession.objects.filter(cohort=self.cohort).order_by("pk"))
        assert len(accessions) == 6
        request = request_publication(
            cohort=self.cohort,
            requester=self.alice,
            visibility="public",
            accession_ids=[accession.pk for accession in accessions[:3]],
        )
        decide_publication(request_id=request.pk, staff=self.sam, accept=True)
        run_jobs()
        images = [Image.objects.get(pk=accession.image_id) for accession in accessions]
        self.public, self.private = images[:3], images[3:]
        self.callers = {
            "anybody": {},
            "alice by session": cookie_of(self.alice),
            "alice by token": {"Authorization": f"Bearer {make_token(self.alice)[1]}"},
            "charlie by session": cookie_of(self.charlie),
            "charlie by token": {"Authorization": f"Bearer {make_token(self.charlie)[1]}"},
            "sam by session": cookie_of(self.sam),
        }


@pytest.fixture(scope="module")
def gallery(server, django_db_blocker):
    from tests.plugins.server import speaking_to

    with django_db_blocker.unblock(), speaking_to(server.database):
        yield Gallery()
    close_decoder_pool()


@pytest.fixture
def world(gallery, server):
    return server


def address(image, kind=FileKind.PUBLIC, **options):
    row = ImageFile.objects.select_related("blob").filter(image=image, kind=kind).first()
    return file_url(image, kind, media_type=row.media_type if row else "image/jpeg", **options)


def bytes_of(image, kind=FileKind.PUBLIC):
    with blob_store().open(ImageFile.objects.get(image=image, kind=kind).blob.sha256) as file:
        return file.read()


@pytest.mark.parametrize("kind", [FileKind.PUBLIC, FileKind.THUMBNAIL])
def test_anybody_gets_a_public_file_as_it_is(world, gallery, kind):
    image = gallery.public[0]
    answer = world.request("GET", address(image, kind))
    assert answer.status == 200
    assert answer.content == bytes_of(image, kind)
    assert answer.headers["ETag"] == f'"{hashlib.sha256(answer.content).hexdigest()}"'
    assert answer.headers["Content-Type"] == ImageFile.objects.get(image=image, kind=kind).media_type
    assert int(answer.headers["Content-Length"]) == len(answer.content)
    assert answer.headers["Cache-Control"] == "no-cache"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"].startswith("sandbox")
    assert answer.headers["Accept-Ranges"] == "bytes"


def test_a_full_file_has_a_name_and_a_thumbnail_none(world, gallery):
    image = gallery.public[0]
    full = world.request("HEAD", address(image))
    assert full.headers["Content-Disposition"] == f'inline; filename="{image.public_id}.jpg"'
    assert world.request("HEAD", address(image, FileKind.THUMBNAIL)).headers["Content-Disposition"] == "inline"


def test_an_image_has_two_names_and_three_ways_to_write_them(world, gallery):
    image = gallery.public[0]
    expected = bytes_of(image)
    for reference in (image.public_id, str(image.key), image.key.hex, str(image.key).upper()):
        for ending in ("full.jpg", "full"):
            assert world.request("GET", f"/files/images/{reference}/{ending}").content == expected


def test_the_original_has_no_address(world, gallery):
    reference = gallery.public[0].public_id
    for name in ("original", "original.jpg", "public", "public.jpg", "ORIGINAL.jpg", "full.png", "full.", ""):
        for headers in ({}, gallery.callers["sam by session"]):
            assert world.request("GET", f"/files/images/{reference}/{name}", headers=headers).status == 404, name


MAY_SEE_PRIVATE = {"alice by session", "alice by token", "sam by session"}
DOORS = {
    "get": ("GET", {}),
    "head": ("HEAD", {}),
    "range": ("GET", {"Range": "bytes=10-19"}),
    "not modified": ("GET", {"If-None-Match": "*"}),
}


@pytest.mark.parametrize("door", DOORS)
def test_who_sees_what_at_every_door(world, gallery, door):
    method, extra = DOORS[door]
    granted = {"get": 200, "head": 200, "range": 206, "not modified": 304}[door]
    seen = {}
    for name, headers in gallery.callers.items():
        for kind in (FileKind.PUBLIC, FileKind.THUMBNAIL):
            for label, images in (("public", gallery.public), ("private", gallery.private)):
                answer = world.request(method, address(images[0], kind), headers=headers | extra)
                seen[name, kind, label] = answer.status
                if label == "private" and answer.status == granted:
                    assert answer.headers["Cache-Control"] == "private, no-store"
    expected = {
        (name, kind, label): granted if label == "public" or name in MAY_SEE_PRIVATE else 404
        for (name, kind, label) in seen
    }
    assert seen == expected


def test_what_is_invisible_is_answered_as_what_is_absent(world, gallery):
    invisible = address(gallery.private[0])
    absent = invisible.replace(str(gallery.private[0].key), "5f0c3b9a-1d7e-4c2f-8a6b-0d9e1f2a3b4c")
    assert invisible != absent
    for headers in (gallery.callers["anybody"], gallery.callers["charlie by session"]):
        for extra in ({}, {"Range": "bytes=0-1"}, {"If-None-Match": "*"}, {"If-Match": '"x"'}):
            answers = [world.request("GET", path, headers=headers | extra) for path in (invisible, absent)]
            told = [
                (a.status, a.content, sorted(h for h in a.headers.items() if h[0].lower() != "date")) for a in answers
            ]
            assert told[0] == told[1]
            assert told[0][0] == 404


def test_a_token_that_is_not_good_is_said_to_be_so(world, gallery):
    bad = {"Authorization": "Bearer mt_" + "x" * 43}
    for path in (address(gallery.private[0]), "/files/images/ISIC_9999999/full.jpg"):
        answer = world.request("GET", path, headers=bad)
        assert answer.status == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_revoked_token_opens_nothing_after_a_few_seconds(world, gallery):
    token, secret = make_token(gallery.alice)
    headers = {"Authorization": f"Bearer {secret}"}
    path = address(gallery.private[0])
    assert world.request("GET", path, headers=headers).status == 200
    revoke_token(user=gallery.alice, token_id=token.pk)
    assert seconds_until(lambda: world.request("GET", path, headers=headers).status == 401) < 15


# -- tickets ------------------------------------------------------------------------------------------------


def test_a_ticket_lets_a_program_without_a_token_in(world, gallery):
    path = address(gallery.private[0], ticket_for=gallery.alice.pk)
    assert world.request("GET", path).content == bytes_of(gallery.private[0])
    assert world.request("HEAD", path).status == 200
    assert world.request("GET", path, headers={"Range": "bytes=0-9"}).status == 206


def test_a_ticket_says_who_looks_and_not_that_they_may(world, gallery):
    assert world.request("GET", address(gallery.private[0], ticket_for=gallery.charlie.pk)).status == 404


def test_a_ticket_is_for_one_image_and_not_for_ever(world, gallery):
    mine, other = gallery.private[0], gallery.private[1]
    ticket = make_ticket(viewer_id=gallery.alice.pk, image_key=str(mine.key))
    assert world.request("GET", f"{address(mine)}?ticket={ticket}").status == 200
    assert world.request("GET", f"{address(other)}?ticket={ticket}").status == 404
    old = make_ticket(viewer_id=gallery.alice.pk, image_key=str(mine.key), ttl=-1)
    assert world.request("GET", f"{address(mine)}?ticket={old}").status == 404


def test_a_changed_ticket_is_none(world, gallery):
    mine = gallery.private[0]
    ticket = make_ticket(viewer_id=gallery.alice.pk, image_key=str(mine.key))
    for position in range(0, len(ticket), 3):
        letter = "A" if ticket[position] != "A" else "B"
        forged = ticket[:position] + letter + ticket[position + 1 :]
        assert world.request("GET", f"{address(mine)}?ticket={forged}").status == 404, position
    for forged in ("", "x", ticket[:-4], "%00", ticket + ticket):
        assert world.request("GET", f"{address(mine)}?ticket={forged}").status == 404


def test_a_ticket_of_a_demo_login_works_on_this_machine_only(world, gallery):
    from medtheca.domains.access.enums import Role
    from medtheca.domains.access.operations import add_member

    demo = make_user(f"demo-{secrets.token_hex(4)}", demo=True)
    add_member(scope=gallery.cohort.scope, user=demo, role=Role.VIEWER)
    path = address(gallery.private[0], ticket_for=demo.pk)
    assert world.request("GET", path).status == 200
    assert world.request("GET", path, headers={"X-Forwarded-For": "192.0.2.7"}).status == 404


def test_a_ticket_of_a_disabled_person_opens_nothing_after_a_few_seconds(world, gallery):
    from medtheca.domains.access.enums import Role
    from medtheca.domains.access.operations import add_member

    bob = make_user(f"bob-{secrets.token_hex(4)}")
    add_member(scope=gallery.cohort.scope, user=bob, role=Role.VIEWER)
    path = address(gallery.private[0], ticket_for=bob.pk)
    assert world.request("GET", path).status == 200
    set_active(user=bob, active=False)
    assert seconds_until(lambda: world.request("GET", path).status == 404) < 32


def test_a_ticket_of_a_session_works_in_that_session_only(world, gallery):
    mine = gallery.private[0]
    alice, charlie = gallery.callers["alice by session"], gallery.callers["charlie by session"]
    sessions = {name: headers["Cookie"].split("=", 1)[1] for name, headers in (("alice", alice), ("charlie", charlie))}
    ticket = make_ticket(viewer_id=gallery.alice.pk, image_key=str(mine.key), session_key=sessions["alice"])
    path = f"{address(mine)}?ticket={ticket}"
    assert world.request("GET", path, headers=alice).status == 200
    assert world.request("GET", path, headers=charlie).status == 404
    assert world.request("GET", path).status == 404
    # Charlie's session and Alice's name: the session is Charlie's all the same.
    crossed = make_ticket(viewer_id=gallery.alice.pk, image_key=str(mine.key), session_key=sessions["charlie"])
    assert world.request("GET", f"{address(mine)}?ticket={crossed}", headers=charlie).status == 404


# -- conditions and ranges ----------------------------------------------------------------------------------


def test_conditions(world, gallery):
    path = address(gallery.public[0])
    etag = world.request("HEAD", path).headers["ETag"]
    for headers, status in (
        ({"If-None-Match": etag}, 304),
        ({"If-None-Match": f'"other", W/{etag}'}, 304),
        ({"If-None-Match": '"other"'}, 200),
        ({"If-Match": etag}, 200),
        ({"If-Match": '"other"'}, 412),
        ({"If-Match": f"W/{etag}"}, 412),
        ({"Range": "bytes=0-9", "If-Range": etag}, 206),
        ({"Range": "bytes=0-9", "If-Range": '"other"'}, 200),
        ({"Range": "bytes=0-9", "If-Range": "Sat, 21 Nov 2026 00:00:00 GMT"}, 200),
    ):
        answer = world.request("GET", path, headers=headers)
        assert answer.status == status, headers
        if status == 304:
            assert (answer.content, answer.headers["ETag"]) == (b"", etag)


def test_ranges_of_odd_kinds(world, gallery):
    image = gallery.public[0]
    data, path = bytes_of(image), address(image)
    size = len(data)
    for wanted, status, expected in (
        ("bytes=0-0", 206, data[:1]),
        (f"bytes={size - 1}-", 206, data[-1:]),
        ("bytes=-5", 206, data[-5:]),
        (f"bytes=-{size + 10}", 206, data),
        (f"bytes=5-{size + 10}", 206, data[5:]),
        ("bytes=9-5", 200, data),
        ("bytes=0-1,5-6", 200, data),
        ("lines=0-1", 200, data),
        ("bytes=a-b", 200, data),
    ):
        answer = world.request("GET", path, headers={"Range": wanted})
        assert (answer.status, answer.content) == (status, expected), wanted
        assert int(answer.headers["Content-Length"]) == len(expected)
    for wanted in (f"bytes={size}-", "bytes=-0"):
        answer = world.request("GET", path, headers={"Range": wanted})
        assert (answer.status, answer.headers["Content-Range"]) == (416, f"bytes */{size}"), wanted


def test_a_file_fetched_in_fifty_pieces_is_the_same_file(world, gallery):
    image = gallery.public[1]
    data, path = bytes_of(image), address(image)
    dice = random.Random(20261121)
    for _ in range(4):
        cuts = sorted({0, len(data), *(dice.randrange(1, len(data)) for _ in range(50))})
        etag = world.request("HEAD", path).headers["ETag"]
        pieces = []
        for first, behind in itertools.pairwise(cuts):
            answer = world.request("GET", path, headers={"Range": f"bytes={first}-{behind - 1}", "If-Range": etag})
            assert answer.status == 206
            assert answer.headers["Content-Range"] == f"bytes {first}-{behind - 1}/{len(data)}"
            pieces.append(answer.content)
        assert b"".join(pieces) == data


# -- withdrawal ---------------------------------------------------------------------------------------------


def seconds_until(condition, limit=62):
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < limit, "it did not come true"
        time.sleep(0.05)
    return time.monotonic() - begun


def new_public_image(gallery):
    tag = secrets.token_hex(4)
    deliver(gallery.alice, gallery.cohort, picture(random.randrange(50)), filename=f"{tag}.jpg")
    run_jobs()
    accession = Accession.objects.get(cohort=gallery.cohort, name=f"{tag}.jpg")
    request = request_publication(
        cohort=gallery.cohort, requester=gallery.alice, visibility="public", accession_ids=[accession.pk]
    )
    decide_publication(request_id=request.pk, staff=gallery.sam, accept=True)
    run_jobs()
    return Image.objects.get(pk=accession.image_id)


def test_a_withdrawn_image_is_refused_at_once_by_a_warm_cache(world, gallery):
    image = new_public_image(gallery)
    paths = [address(image), address(image, FileKind.THUMBNAIL), f"/files/images/{image.key}/full.jpg"]
    for path in paths * 3:
        assert world.request("GET", path).status == 200
    withdraw(user=gallery.alice, image_ref=image.public_id, reason="Consent was withdrawn.")
    took = seconds_until(lambda: all(world.request("GET", path).status == 404 for path in paths))
    print(f"refused after {took * 1000:.0f} ms")
    assert took < 2
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
        assert took < 4


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
        assert cut.wait(10), "there was no listening connection"
        yield
    finally:
        stop.set()
        thread.join()


def test_the_ear_opens_again(world, gallery):
    with ear_shut(world):
        pass
    assert seconds_until(lambda: b'"hears_changes": true' in world.request("GET", "/healthz").content) < 15
    image = new_public_image(gallery)
    path = address(image)
    assert world.request("GET", path).status == 200
    withdraw(user=gallery.alice, image_ref=image.public_id, reason="Consent was withdrawn.")
    assert seconds_until(lambda: world.request("GET", path).status == 404) < 2


def test_an_owner_who_leaves_the_circle_sees_no_more(world, gallery):
    from medtheca.domains.access.operations import remove_member

    bob = make_user(f"bob-{secrets.token_hex(4)}")
    headers = cookie_of(bob)
    path = address(gallery.private[1])
    assert world.request("GET", path, headers=headers).status == 404
    add_member(scope=gallery.cohort.scope, user=bob, role=Role.VIEWER)
    assert world.request("GET", path, headers=headers).status == 200
    remove_member(scope=gallery.cohort.scope, user=bob)
    assert seconds_until(lambda: world.request("GET", path, headers=headers).status == 404) < 2


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
    assert seconds_until(lambda: status(bearer) == 401) < 1

    session = cookie_of(dora)
    assert status(session) == 200
    Session.objects.get(session_key=session["Cookie"].partition("=")[2]).delete()
    assert seconds_until(lambda: status(session) == 404) < 1

    session = cookie_of(dora)
    assert status(session) == 200
    dora.set_password("another staple for the horse")
    dora.save()
    assert seconds_until(lambda: status(session) == 404) < 1

    session = cookie_of(dora)
    assert status(session) == 200
    set_active(user=dora, active=False)
    assert seconds_until(lambda: status(session) == 404) < 1


def test_an_embargo_holds_back_the_public_and_ends_by_itself(world, gallery):
    from datetime import timedelta

    image = gallery.private[2]
    assign_public_ids(image_ids=[image.pk])
    image.refresh_from_db()
    path = address(image)
    set_visibility(image_ids=[image.pk], visibility=Visibility.PUBLIC, opens=now() + timedelta(seconds=2))
    assert world.request("GET", path).status == 404
    assert 0.5 < seconds_until(lambda: world.request("GET", path).status == 200) < 5
    set_visibility(image_ids=[image.pk], visibility=Visibility.PUBLIC, opens=now() + timedelta(days=1))
    assert seconds_until(lambda: world.request("GET", path).status == 404) < 2


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
    assert seconds_until(lambda: world.request("GET", path).status == 404) < 2


def test_the_cache_answers_without_the_database(world, gallery):
    image = gallery.public[2]
    path = address(image, FileKind.THUMBNAIL)
    assert world.request("GET", path).status == 200
    with psycopg.connect(world.database_url, autocommit=True) as admin:
        admin.execute("SELECT pg_stat_force_next_flush()")
        admin.execute("BEGIN; LOCK TABLE access_placement, imaging_imagefile IN ACCESS EXCLUSIVE MODE")
        try:
            begun = time.monotonic()
            assert world.request("GET", path).status == 200
            assert time.monotonic() - begun < 2
        finally:
            admin.execute("ROLLBACK")


def test_missing_and_shortened_bytes_are_never_served(world, gallery):
    image = new_public_image(gallery)
    path = address(image)
    assert world.request("GET", path).status == 200
    digest = ImageFile.objects.get(image=image, kind=FileKind.PUBLIC).blob.sha256
    place = blob_store().path(digest)
    whole = place.read_bytes()
    blob_store().quarantine(digest)
    for headers in ({}, {"Range": "bytes=0-9"}):
        answer = world.request("GET", path, headers=headers)
        assert (answer.status, answer.headers["Content-Type"]) == (503, "application/problem+json")
    assert world.request("HEAD", path).status == 503
    blob_store().release(digest)
    assert world.request("GET", path).content == whole
    place.write_bytes(whole[:-1])
    for headers in ({}, {"Range": "bytes=0-9"}):
        assert world.request("GET", path, headers=headers).status == 503
    place.write_bytes(whole)


def test_files_cannot_be_written(world, gallery):
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        answer = world.request(method, address(gallery.public[0]), body=b"x")
        assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")
