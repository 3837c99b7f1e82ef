"""Uploads by tus 1.0: a third-party client, cut connections, a killed server, and refusals that say why."""

import base64
import concurrent.futures
import hashlib
import json
import os
import random
import secrets
import socket
import subprocess
import time
from pathlib import Path
from uuid import UUID

import pytest
from tusclient.client import TusClient

from medtheca.domains.storage.models import Upload
from medtheca.domains.storage.uploads import part_path
from tests.factories.accounts import make_token, make_user
from tests.factories.provenance import make_cohort
from tests.plugins.server import LiveServer

ROOT = "/uploads/tus/"
TUS = {"Tus-Resumable": "1.0.0"}
BYTES = TUS | {"Content-Type": "application/offset+octet-stream"}


class Uploader:
    """Somebody with a cohort and a token that may write."""

    def __init__(self, server, name="alice"):
        self.server = server
        self.user = make_user(f"{name}-{secrets.token_hex(4)}")
        self.cohort = make_cohort(self.user, name=f"Clinic {secrets.token_hex(4)}")
        self.headers = {"Authorization": f"Bearer {make_token(self.user, 'write')[1]}"}

    def create(self, size, *, headers=None, body=None, **metadata):
        fields = {"filename": "images.zip", "filetype": "application/zip", "cohort": self.cohort.pk, **metadata}
        return self.server.request(
            "POST",
            ROOT,
            headers=self.headers
            | TUS
            | {"Upload-Length": str(size), "Upload-Metadata": encoded(fields)}
            | (headers or {}),
            body=body,
        )

    def begin(self, size, **metadata):
        answer = self.create(size, **metadata)
        assert answer.status == 201, answer.content
        return answer.headers["Location"]

    def offset(self, place):
        answer = self.server.request("HEAD", place, headers=self.headers | TUS)
        assert answer.status == 200, answer.status
        return int(answer.headers["Upload-Offset"])

    def patch(self, place, offset, data, **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.server.request(
            "PATCH", place, headers=self.headers | BYTES | {"Upload-Offset": str(offset)} | headers, body=data
        )

    def patch_and_cut(self, place, offset, data, *, keep, claimed=None, checksum=None):
        """Begin to send `data`, then tear the connection after `keep` bytes of it."""
        lines = [f"PATCH {place} HTTP/1.1", "Host: localhost", f"Content-Length: {claimed or len(data)}"]
        lines += [f"{name}: {value}" for name, value in (self.headers | BYTES).items()]
        lines += [f"Upload-Offset: {offset}"]
        if checksum:
            lines.append(f"Upload-Checksum: {checksum}")
        connection = socket.create_connection(("127.0.0.1", self.server.port), timeout=10)
        connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + data[:keep])
        return connection


def encoded(fields):
    return ",".join(f"{name} {base64.b64encode(str(value).encode()).decode()}" for name, value in fields.items())


def checksum(algorithm, data):
    return f"{algorithm} {base64.b64encode(hashlib.new(algorithm, data).digest()).decode()}"


def stored(place):
    upload = Upload.objects.get(pk=UUID(place.rsplit("/", 1)[-1]))
    return upload, part_path(upload.pk).read_bytes()


def problem(answer):
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Tus-Resumable"] == "1.0.0"
    body = json.loads(answer.content)
    assert set(body) == {"type", "title", "status", "detail", "code", "remedy", "support"}
    assert body["status"] == answer.status
    assert body["detail"]
    return body["code"]


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
        until = time.monotonic() + 10
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
    time.sleep(0.3)
    begun = time.monotonic()
    answer = alice.patch(place, 0, data)
    assert (answer.status, problem(answer)) == (409, "wrong_offset")
    assert int(answer.headers["Upload-Offset"]) == alice.offset(place) == 100_000
    assert alice.patch(place, 100_000, data[100_000:]).status == 204
    assert time.monotonic() - begun < 5
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
    assert time.monotonic() - begun < 5
    for connection in slow:
        connection.close()


def test_sixty_four_clients_begin_at_once(alice):
    with concurrent.futures.ThreadPoolExecutor(64) as pool:
        places = list(pool.map(lambda n: alice.begin(5, filename=f"{n}.zip"), range(64)))
        assert len(set(places)) == 64
        answers = list(pool.map(lambda place: alice.patch(place, 0, b"12345"), places))
    assert [answer.status for answer in answers] == [204] * 64


# -- checks and refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ["sha256", "sha1", "md5"])
def test_damaged_bytes_are_noticed_before_they_are_acknowledged(alice, algorithm):
    data = random.Random(5).randbytes(1_200_000)
    damaged = data[:-1] + bytes([data[-1] ^ 1])
    place = alice.begin(len(data))
    answer = alice.patch(place, 0, damaged, Upload_Checksum=checksum(algorithm, data))
    assert (answer.status, problem(answer), answer.headers["Upload-Offset"]) == (460, "checksum_differs", "0")
    assert alice.offset(place) == 0
    assert alice.patch(place, 0, data, Upload_Checksum=checksum(algorithm, data)).status == 204
    assert stored(place)[1] == data


def test_headers_that_cannot_be_used_are_named(alice):
    place = alice.begin(10)
    for headers, code in (
        ({"Upload_Checksum": "crc32 AAAA"}, "unknown_checksum"),
        ({"Upload_Checksum": "sha256 AAAA"}, "bad_header"),
        ({"Upload_Offset": "-1"}, "bad_header"),
        ({"Upload_Offset": "1e3"}, "bad_header"),
    ):
        answer = alice.patch(place, 0, b"x", **headers)
        assert (answer.status, problem(answer)) == (400, code)
    answer = alice.patch(place, 0, b"x", Content_Type="application/json")
    assert (answer.status, problem(answer)) == (415, "wrong_type")
    for headers, code in (
        ({"Upload-Length": "many"}, "bad_header"),
        ({"Upload-Metadata": "filename !!!"}, "bad_metadata"),
        ({"Upload-Metadata": encoded({"filename": "a.zip"})}, "cohort_missing"),
        ({"Upload-Metadata": encoded({"filename": "a.zip", "cohort": 99_999_999})}, "cohort_unknown"),
        ({"Upload-Defer-Length": "1"}, "length_missing"),
        ({"Upload-Metadata": encoded({"filename": "", "cohort": alice.cohort.pk})}, "invalid"),
    ):
        answer = alice.create(10, headers=headers)
        assert (answer.status, problem(answer)) == (400, code), headers


def test_a_wrong_offset_stores_nothing(alice):
    place = alice.begin(10)
    alice.patch(place, 0, b"01234")
    for offset in (0, 4, 6, 10):
        answer = alice.patch(place, offset, b"xxxx"[: 10 - offset])
        assert (answer.status, problem(answer), answer.headers["Upload-Offset"]) == (409, "wrong_offset", "5")
    assert alice.patch(place, 5, b"56789").status == 204
    assert stored(place)[1] == b"0123456789"


def test_more_bytes_than_the_rest_are_refused(alice):
    place = alice.begin(10)
    alice.patch(place, 0, b"01234")
    answer = alice.patch(place, 5, b"567890")
    assert (answer.status, problem(answer)) == (413, "too_many_bytes")
    # Without a length in front it shows only when they come.
    answer = alice.patch(place, 5, iter([b"567", b"890", b"x" * 100_000]))
    assert (answer.status, problem(answer)) == (413, "too_many_bytes")
    upload, kept = stored(place)
    assert (upload.offset, len(kept) <= 10) == (5, True)
    assert alice.patch(place, 5, iter([b"567", b"89"])).status == 204
    assert stored(place)[1] == b"0123456789"


@pytest.mark.parametrize("size", [100_000, 8_000_000, 40_000_000])
def test_a_refusal_is_heard_by_a_client_that_is_still_sending(alice, size):
    place = alice.begin(100_000_000)
    answer = alice.patch(place, 5, b"x" * size)
    assert (answer.status, problem(answer)) == (409, "wrong_offset")
    answer = alice.server.request("POST", "/accounts/login/", body=b"x" * (12_000_000 + size))
    assert answer.status == 413


def test_another_version_of_tus_is_refused(alice):
    answer = alice.server.request("POST", ROOT, headers=alice.headers | {"Upload-Length": "1"})
    assert (answer.status, problem(answer), answer.headers["Tus-Version"]) == (412, "unknown_version", "1.0.0")


def test_uploads_of_others_are_as_absent(world, alice):
    charlie = Uploader(world, "charlie")
    place = alice.begin(10)
    absent = f"{ROOT}5f0c3b9a-1d7e-4c2f-8a6b-0d9e1f2a3b4c"
    for method, headers in (("HEAD", TUS), ("PATCH", BYTES | {"Upload-Offset": "0"}), ("DELETE", TUS)):
        told = []
        for path in (place, absent):
            answer = world.request(method, path, headers=charlie.headers | headers, body=b"x")
            told.append((answer.status, answer.content, sorted(set(answer.headers) - {"date"})))
        assert told[0] == told[1]
        assert told[0][0] == 404
    assert alice.offset(place) == 0
    assert charlie.create(10, cohort=alice.cohort.pk).status == 400


def test_who_is_nobody_or_may_only_read_is_told_so(world, alice):
    place = alice.begin(10)
    patch = BYTES | {"Upload-Offset": "0"}
    for method, headers in (("POST", TUS | {"Upload-Length": "1", "Upload-Metadata": encoded({"cohort": 1})}),):
        answer = world.request(method, ROOT, headers=headers)
        assert (answer.status, problem(answer)) == (401, "not_signed_in")
    assert world.request("PATCH", place, headers=patch, body=b"x").status == 401
    assert world.request("HEAD", place, headers=TUS).status == 401
    reader = {"Authorization": f"Bearer {make_token(alice.user, 'read')[1]}"}
    answer = world.request("PATCH", place, headers=reader | patch, body=b"x")
    assert (answer.status, problem(answer)) == (403, "insufficient_scope")
    assert world.request("HEAD", place, headers=reader | TUS).status == 200


def test_a_session_needs_proof_that_a_page_of_ours_asks(world, alice):
    from django.conf import settings
    from django.test import Client

    client = Client()
    client.force_login(alice.user)
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    place = alice.begin(10)
    cookie = {"Cookie": f"{settings.SESSION_COOKIE_NAME}={session}", "Host": f"localhost:{world.port}"}
    patch = BYTES | {"Upload-Offset": "0"}
    answer = world.request("PATCH", place, headers=cookie | patch, body=b"x")
    assert (answer.status, problem(answer)) == (403, "csrf_failed")
    token = "a" * 32
    cookie["Cookie"] += f"; csrftoken={token}"
    assert world.request("PATCH", place, headers=cookie | patch | {"X-CSRFToken": token}, body=b"x").status == 204
    elsewhere = cookie | patch | {"X-CSRFToken": token, "Origin": "https://evil.example"}
    assert world.request("PATCH", place, headers=elsewhere | {"Upload-Offset": "1"}, body=b"x").status == 403


def test_limits_of_one_file_and_of_one_person(world):
    strict = LiveServer(world.database_url, MEDTHECA_MAX_UPLOAD="1M", MEDTHECA_UPLOAD_QUOTA="2500k")
    try:
        alice = Uploader(strict.start())
        answer = alice.create(1_000_001)
        assert (answer.status, problem(answer)) == (413, "too_large")
        first = alice.begin(1_000_000)
        alice.begin(1_000_000)
        answer = alice.create(1_000_000)
        assert (answer.status, problem(answer)) == (413, "quota_exceeded")
        assert strict.request("DELETE", first, headers=alice.headers | TUS).status == 204
        alice.begin(1_000_000)
    finally:
        strict.close()


def test_a_hundred_megabytes_leave_the_server_small(alice):
    """The memory at the peak, not after: 30 uploads at once, each far larger than what may be held of it."""

    def peak():
        status = Path(f"/proc/{alice.server.process.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 1024

    def send(_):
        place = alice.begin(8_000_000)
        return alice.patch(place, 0, b"z" * 8_000_000).status

    send(0)
    before = peak()
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        assert set(pool.map(send, range(30))) == {204}
    print(f"peak memory grew by {peak() - before:.0f} MB for 240 MB")
    assert peak() - before < 80


def test_a_full_disk_is_a_refusal_and_the_offset_stays_right(world, tmp_path):
    # Root keeps its own name: in a world where it is somebody else it may not enter the database's folder.
    aside = ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-Urm"]
    mount = f"mount -t tmpfs -o size=6m tmpfs {tmp_path}"
    if subprocess.run([*aside, "sh", "-c", mount], capture_output=True, check=False).returncode != 0:
        assert os.environ.get("MEDTHECA_CI") != "1", "the small disk needs unshare and mount"
        pytest.skip("no file system of a few megabytes can be made here (unshare, mount)")
    alice = Uploader(world)
    small = LiveServer(world.database_url, MEDTHECA_DATA=str(tmp_path))
    small.prefix = [*aside, "sh", "-c", f'{mount} && exec "$@"', "-"]
    try:
        alice.server = small.start()
        data = random.Random(9).randbytes(8_000_000)
        place = alice.begin(4_000_000)
        assert alice.patch(place, 0, data[:4_000_000]).status == 204
        other = alice.begin(1_900_000)
        whole_but_one = alice.begin(1_500_000)
        assert alice.patch(whole_but_one, 0, data[:1_499_999]).status == 204
        answer = alice.patch(other, 0, data[:1_900_000])
        assert (answer.status, problem(answer)) == (507, "no_space")
        kept = int(answer.headers["Upload-Offset"])
        assert kept == alice.offset(other)
        assert 0 < kept < 1_900_000
        answer = alice.patch(other, kept, data[kept:1_900_000], Upload_Checksum=checksum("md5", data[kept:1_900_000]))
        assert answer.status == 507
        assert alice.offset(other) == kept
        # Somebody makes room, and the upload goes on where it stopped.
        assert small.request("DELETE", whole_but_one, headers=alice.headers | TUS).status == 204
        assert alice.patch(other, kept, data[kept:1_900_000]).status == 204
        assert alice.offset(other) == 1_900_000
    finally:
        small.close()
