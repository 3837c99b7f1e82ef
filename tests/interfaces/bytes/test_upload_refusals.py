"""Uploads by tus that are checked, limited or refused, and every refusal says why."""

import concurrent.futures
import os
import random
import subprocess
from pathlib import Path

import pytest

from tests.factories.accounts import make_token
from tests.interfaces.bytes.uploader import BYTES, ROOT, TUS, Uploader, checksum, encoded, problem, stored
from tests.plugins.server import LiveServer


@pytest.fixture
def alice(world):
    return Uploader(world)


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
