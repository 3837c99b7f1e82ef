"""Uploads by tus 1.0: a third-party client, cut connections, a killed server."""

import concurrent.futures
import hashlib
import random
import time

import pytest
from tusclient.client import TusClient

from medtheca.domains.storage.uploads import part_path
from tests.interfaces.bytes.uploader import BYTES, ROOT, TUS, Uploader, checksum, problem, stored


@pytest.fixture
def alice(world):
    return Uploader(world)


# -- what a client does -------------------------------------------------------------------------------------


def test_options_tell_what_there_is(server):
    answer = server.request("OPTIONS", ROOT)
    assert (answer.status, answer.content) == (204, b"")
    assert answer.headers["Tus-Version"] == "1.0.0"
    assert set(answer.headers["Tus-Extension"].split(",")) == {
        "creation",
        "creation-with-upload",
        "termination",
        "checksum",
        "expiration",
    }
    assert answer.headers["Tus-Checksum-Algorithm"] == "sha256,sha1,md5"
    assert int(answer.headers["Tus-Max-Size"]) > 0


@pytest.mark.parametrize("checked", [False, True])
def test_an_unmodified_client_uploads_in_chunks(alice, tmp_path, checked):
    data = random.Random(1).randbytes(3_000_000)
    (tmp_path / "images.zip").write_bytes(data)
    client = TusClient(alice.server.url + ROOT, headers=alice.headers)
    uploader = client.uploader(
        str(tmp_path / "images.zip"),
        chunk_size=700_000,
        metadata={"filename": "images.zip", "cohort": str(alice.cohort.pk)},
        upload_checksum=checked,
    )
    uploader.upload()
    upload, kept = stored(uploader.url)
    assert kept == data
    assert (upload.offset, upload.size, upload.filename) == (len(data), len(data), "images.zip")


def test_head_tells_offset_and_length(alice):
    place = alice.begin(1000)
    assert place.startswith("/uploads/tus/")
    answer = alice.server.request("HEAD", place, headers=alice.headers | TUS)
    assert (answer.status, answer.headers["Upload-Offset"], answer.headers["Upload-Length"]) == (200, "0", "1000")
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Upload-Expires" in answer.headers
    answer = alice.patch(place, 0, b"x" * 400)
    assert (answer.status, answer.headers["Upload-Offset"]) == (204, "400")
    assert alice.offset(place) == 400


def test_the_last_byte_sets_the_reception_going(alice):
    from procrastinate.contrib.django.models import ProcrastinateJob

    place = alice.begin(10)
    alice.patch(place, 0, b"0123456")
    jobs = ProcrastinateJob.objects.filter(task_name="receive.delivery", args__upload_id=place.rsplit("/", 1)[-1])
    assert not jobs.exists()
    alice.patch(place, 7, b"789")
    assert jobs.count() == 1


def test_bytes_may_come_with_the_creation(alice):
    data = b"all of it at once"
    answer = alice.create(len(data), headers=BYTES, body=data)
    assert (answer.status, answer.headers["Upload-Offset"]) == (201, str(len(data)))
    assert stored(answer.headers["Location"])[1] == data
    answer = alice.create(100, headers=BYTES, body=data)
    assert (answer.status, answer.headers["Upload-Offset"]) == (201, str(len(data)))
    assert alice.offset(answer.headers["Location"]) == len(data)


def test_an_empty_file_is_whole_at_once(alice):
    place = alice.begin(0)
    assert alice.offset(place) == 0


def test_an_upload_may_be_cancelled_until_it_is_whole(alice):
    place = alice.begin(10)
    alice.patch(place, 0, b"01234")
    path = part_path(place.rsplit("/", 1)[-1])
    assert path.exists()
    assert alice.server.request("DELETE", place, headers=alice.headers | TUS).status == 204
    assert not path.exists()
    answer = alice.server.request("HEAD", place, headers=alice.headers | TUS)
    assert answer.status == 410
    whole = alice.begin(3)
    alice.patch(whole, 0, b"abc")
    assert alice.server.request("DELETE", whole, headers=alice.headers | TUS).status == 409


def test_a_client_without_patch_says_so_in_a_header(alice):
    place = alice.begin(3)
    answer = alice.server.request(
        "POST",
        place,
        headers=alice.headers | BYTES | {"Upload-Offset": "0", "X-HTTP-Method-Override": "PATCH"},
        body=b"abc",
    )
    assert answer.status == 204
    assert stored(place)[1] == b"abc"


# -- interruptions ------------------------------------------------------------------------------------------


def test_thirty_cut_connections_lose_nothing(alice):
    dice = random.Random(20261121)
    data = dice.randbytes(4_000_000)
    place = alice.begin(len(data), sha256=hashlib.sha256(data).hexdigest())
    cuts, offset = 0, 0
    while cuts < 30:
        keep = dice.randrange(0, 260_000) if dice.random() < 0.9 else 0
        keep = min(keep, len(data) - offset - 1)
        alice.patch_and_cut(place, offset, data[offset:], keep=keep).close()
        cuts += 1
        # What was sent is kept, as soon as the server has noticed that no more comes.
        until = time.monotonic() + 60
        while alice.offset(place) < offset + keep and time.monotonic() < until:
            time.sleep(0.01)
        assert alice.offset(place) == offset + keep
        offset += keep
    assert 0 < offset < len(data)
    assert alice.patch(place, offset, data[offset:]).status == 204
    assert stored(place)[1] == data


def test_a_cut_chunk_with_a_promised_checksum_is_not_acknowledged(alice):
    data = b"x" * 100_000
    place = alice.begin(len(data))
    alice.patch_and_cut(place, 0, data, keep=50_000, checksum=checksum("sha256", data)).close()
    time.sleep(0.5)
    assert alice.offset(place) == 0
    assert alice.patch(place, 0, data, Upload_Checksum=checksum("sha256", data)).status == 204


def test_a_new_request_takes_over_from_a_dead_connection(alice):
    data = random.Random(3).randbytes(300_000)
    place = alice.begin(len(data))
    # The connection stays open and silent, as one does whose network went away.
    dead = alice.patch_and_cut(place, 0, data, keep=100_000)
    time.sleep(2)
    begun = time.monotonic()
    answer = alice.patch(place, 0, data)
    assert (answer.status, problem(answer)) == (409, "wrong_offset")
    kept = int(answer.headers["Upload-Offset"])
    assert 0 < kept <= 100_000
    assert alice.offset(place) == kept
    assert alice.patch(place, kept, data[kept:]).status == 204
    # Nobody waited for the silent one, who would be given up after 30 s.
    assert time.monotonic() - begun < 25
    assert stored(place)[1] == data
    dead.close()


def test_writers_at_the_same_time_never_mix(alice):
    size = 400_000
    for _ in range(5):
        place = alice.begin(size)
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            writes = [pool.submit(alice.patch, place, 0, bytes([65 + n]) * size) for n in range(8)]
            answers = [write.result() for write in writes]
        statuses = sorted(answer.status for answer in answers)
        assert set(statuses) <= {204, 409, 423}, statuses
        upload, kept = stored(place)
        # Whatever was acknowledged came from writers that each had the upload to themselves.
        assert len(set(kept[: upload.offset])) <= 1 + statuses.count(423)
        if 204 in statuses:
            assert (statuses.count(204), upload.offset) == (1, size)


def test_a_killed_server_goes_on_from_what_it_acknowledged(world):
    alice = Uploader(world)
    dice = random.Random(7)
    data = dice.randbytes(64_000_000)
    place = alice.begin(len(data))
    offset, kills, moved = 0, 0, 0
    while kills < 4:
        connection = alice.patch_and_cut(place, offset, data[offset:], keep=0)
        # Far enough that in some rounds a part is acknowledged before the request is whole.
        sent, until = offset, min(offset + dice.randrange(2_000_000, 24_000_000), len(data) - 1)
        while sent < until:
            connection.sendall(data[sent : min(sent + 200_000, until)])
            sent = min(sent + 200_000, until)
        time.sleep(dice.uniform(0, 0.3))
        world.kill()
        connection.close()
        kills += 1
        upload, kept = stored(place)
        assert offset <= upload.offset <= sent
        assert kept[: upload.offset] == data[: upload.offset]
        moved += upload.offset > offset
        offset = upload.offset
        world.start()
        assert alice.offset(place) == offset
    print(f"{kills} kills, offset moved before {moved} of them, {offset:,} bytes kept")
    assert alice.patch(place, offset, data[offset:]).status == 204
    assert stored(place)[1] == data


def test_a_slow_client_does_not_hold_up_others(alice):
    slow = [alice.patch_and_cut(alice.begin(1000), 0, b"x" * 1000, keep=1) for _ in range(30)]
    begun = time.monotonic()
    place = alice.begin(500_000)
    assert alice.patch(place, 0, b"y" * 500_000).status == 204
    assert time.monotonic() - begun < 25
    for connection in slow:
        connection.close()


def test_sixty_four_clients_begin_at_once(alice):
    with concurrent.futures.ThreadPoolExecutor(64) as pool:
        places = list(pool.map(lambda n: alice.begin(5, filename=f"{n}.zip"), range(64)))
        assert len(set(places)) == 64
        answers = list(pool.map(lambda place: alice.patch(place, 0, b"12345"), places))
    assert [answer.status for answer in answers] == [204] * 64
