"""Files of images: who may have them, by which door, and what the answer says."""

import hashlib
import itertools
import random
import secrets
import time

import psycopg
import pytest

from medtheca.domains.access.enums import Role
from medtheca.domains.access.operations import add_member
from medtheca.domains.accounts.operations import revoke_token, set_active
from medtheca.domains.imaging.enums import FileKind
from medtheca.domains.imaging.models import ImageFile
from medtheca.domains.storage.queries import blob_store
from medtheca.interfaces.http.file_urls import make_ticket
from tests.factories.accounts import make_token, make_user
from tests.interfaces.bytes.gallery import address, bytes_of, new_public_image, seconds_until


@pytest.fixture
def world(gallery, server):
    return server


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

    demo = make_user(f"demo-{secrets.token_hex(4)}", demo=True)
    add_member(scope=gallery.cohort.scope, user=demo, role=Role.VIEWER)
    path = address(gallery.private[0], ticket_for=demo.pk)
    assert world.request("GET", path).status == 200
    assert world.request("GET", path, headers={"X-Forwarded-For": "192.0.2.7"}).status == 404


def test_a_ticket_of_a_disabled_person_opens_nothing_after_a_few_seconds(world, gallery):

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
