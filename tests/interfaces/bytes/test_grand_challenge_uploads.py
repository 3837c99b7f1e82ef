"""Uploads as gcapi sends them, on the real server: addresses for parts, bytes without a log-in, whole or given up."""

import hashlib
import json
import random
import secrets
import socket
import time
from datetime import timedelta
from unittest import mock
from urllib.parse import urlsplit

import pytest
from django.core import signing

from medtheca.base.clock import now
from medtheca.domains.accounts.models import User
from medtheca.domains.storage.models import Upload, UploadPart
from medtheca.domains.storage.upkeep import MULTIPART_IDLE
from medtheca.domains.storage.uploads import part_path
from medtheca.workflows.upkeep import expire_uploads
from tests.factories.accounts import make_token, make_user

JSON = "application/json"
NOTHING = "00000000-0000-0000-0000-000000000000"


class Sender:
    """Somebody who speaks the protocol by hand."""

    def __init__(self, server, name="alice"):
        self.server = server
        self.user = make_user(f"{name}-{secrets.token_hex(4)}")
        self.headers = {"Authorization": f"BEARER {make_token(self.user, 'write')[1]}", "Content-Type": JSON}

    def ask(self, method, path, body=None):
        data = "" if body is None else json.dumps(body)
        answer = self.server.request(method, f"/api/v1/uploads/{path}", headers=self.headers, body=data)
        assert answer.headers["Content-Type"] == JSON
        return answer.status, json.loads(answer.content)

    def begin(self, name="a.mha"):
        status, begun = self.ask("POST", "", {"filename": name})
        assert status == 201, begun
        return begun

    def step(self, begun, action, body=None, *, method="PATCH"):
        return self.ask(method, f"{begun['pk']}/{begun['s3_upload_id']}/{action}/", body)

    def addresses(self, begun, *numbers):
        status, found = self.step(begun, "generate-presigned-urls", {"part_numbers": list(numbers)})
        assert status == 200, found
        assert list(found["presigned_urls"]) == [str(number) for number in numbers]
        return {number: found["presigned_urls"][str(number)] for number in numbers}

    def put(self, address, data):
        """As gcapi does: without any header of ours."""
        parts = urlsplit(address)
        return self.server.request("PUT", f"{parts.path}?{parts.query}", body=data)

    def send(self, begun, pieces):
        """All pieces, by number; what to say when they are complete."""
        told = []
        for number, address in self.addresses(begun, *pieces).items():
            answer = self.put(address, pieces[number])
            assert answer.status == 200, answer.content
            told.append({"PartNumber": number, "ETag": answer.headers["ETag"]})
        return {"parts": told}


@pytest.fixture
def alice(world):
    return Sender(world)


def noise(size, seed=1):
    return random.Random(seed).randbytes(size)


def test_an_upload_of_three_parts_is_whole_as_it_was_sent(alice, settings):
    begun = alice.begin("P001/ct.mha")
    assert set(begun) == {"pk", "created", "filename", "key", "s3_upload_id", "status", "api_url"}
    assert (begun["filename"], begun["status"]) == ("P001/ct.mha", "Initialized")
    assert urlsplit(begun["api_url"]).path == f"/api/v1/uploads/{begun['pk']}/"
    pieces = {number: noise(length, number) for number, length in ((1, 300_000), (2, 300_000), (3, 77))}
    told = alice.send(begun, pieces)
    assert [part["ETag"] for part in told["parts"]] == [
        f'"{hashlib.md5(piece).hexdigest()}"' for piece in pieces.values()
    ]
    status, listed = alice.step(begun, "list-parts", method="GET")
    assert status == 200
    assert [(part["PartNumber"], part["ETag"], part["Size"]) for part in listed["parts"]] == [
        (part["PartNumber"], part["ETag"], len(pieces[part["PartNumber"]])) for part in told["parts"]
    ]
    for _ in range(2):
        status, whole = alice.step(begun, "complete-multipart-upload", told)
        assert (status, whole["status"]) == (200, "Completed")
    assert part_path(begun["pk"]).read_bytes() == b"".join(pieces.values())
    assert alice.ask("GET", f"{begun['pk']}/")[1] == whole
    assert alice.ask("GET", "?limit=100&offset=0")[1]["results"] == [whole]


def test_the_last_part_may_come_first(alice):
    begun = alice.begin()
    pieces = {2: noise(10, 2), 1: noise(100, 1)}
    status, _ = alice.step(begun, "complete-multipart-upload", alice.send(begun, pieces))
    assert status == 200
    assert part_path(begun["pk"]).read_bytes() == pieces[1] + pieces[2]


def test_an_empty_file_needs_no_part(alice):
    begun = alice.begin()
    status, whole = alice.step(begun, "complete-multipart-upload", {"parts": []})
    assert (status, whole["status"]) == (200, "Completed")
    assert part_path(begun["pk"]).read_bytes() == b""


def test_an_upload_that_is_given_up_takes_nothing_more(alice):
    begun = alice.begin()
    address = alice.addresses(begun, 1)[1]
    told = alice.send(begun, {1: b"one"})
    for _ in range(2):
        status, gone = alice.step(begun, "abort-multipart-upload")
        assert (status, gone["status"]) == (200, "Aborted")
    assert not part_path(begun["pk"]).exists()
    late = alice.put(address, b"two")
    assert late.status == 409
    assert "ETag" not in late.headers
    assert alice.step(begun, "complete-multipart-upload", told)[0] == 409
    assert alice.step(begun, "generate-presigned-urls", {"part_numbers": [1]})[0] == 409
    assert alice.ask("GET", f"{begun['pk']}/")[1]["status"] == "Aborted"


def test_what_is_told_wrong_is_told_back_and_can_be_mended(alice):
    begun = alice.begin()
    told = alice.send(begun, {1: b"one"})
    status, refused = alice.step(begun, "complete-multipart-upload", {"parts": [{"PartNumber": 1, "ETag": "no"}]})
    assert (status, list(refused)) == (400, ["parts"])
    assert "Part 1 has the ETag" in refused["parts"][0]
    assert alice.step(begun, "complete-multipart-upload", told)[0] == 200


@pytest.mark.parametrize(
    ("action", "body", "field"),
    [
        ("generate-presigned-urls", {"part_numbers": [0]}, "part_numbers"),
        ("generate-presigned-urls", {"part_numbers": [10_001]}, "part_numbers"),
        ("generate-presigned-urls", {"part_numbers": []}, "part_numbers"),
        ("generate-presigned-urls", {"part_numbers": [1] * 101}, "part_numbers"),
        ("generate-presigned-urls", {}, "part_numbers"),
        ("complete-multipart-upload", {}, "parts"),
        ("complete-multipart-upload", {"parts": [{"PartNumber": 1}]}, "parts.0.ETag"),
        ("complete-multipart-upload", {"parts": None}, "parts"),
    ],
)
def test_what_has_the_wrong_shape_is_refused_by_name(alice, action, body, field):
    status, refused = alice.step(alice.begin(), action, body)
    assert (status, list(refused)) == (400, [field])


def test_a_name_that_is_none_is_refused(alice):
    for name in ("../x", "", None, 5, "a\\b"):
        status, refused = alice.ask("POST", "", {"filename": name})
        assert (status, list(refused)) == (400, ["filename"]), name
    assert alice.ask("POST", "", {"filename": "../x"})[1]["filename"] == ["'../x' is not a valid filename."]


def test_other_people_s_uploads_and_other_ids_are_not_there(alice, world):
    begun, bob = alice.begin(), Sender(world, "bob")
    assert bob.ask("GET", f"{begun['pk']}/")[0] == 404
    assert bob.ask("GET", "")[1]["count"] == 0
    other = alice.begin()
    for who, upload in (
        (bob, begun),
        (alice, {**begun, "s3_upload_id": other["s3_upload_id"]}),
        (alice, {**begun, "s3_upload_id": "x"}),
        (alice, {"pk": NOTHING, "s3_upload_id": NOTHING.replace("-", "")}),
    ):
        assert who.step(upload, "generate-presigned-urls", {"part_numbers": [1]})[0] == 404
        assert who.step(upload, "list-parts", method="GET")[0] == 404
        assert who.step(upload, "complete-multipart-upload", {"parts": []})[0] == 404
        assert who.step(upload, "abort-multipart-upload")[0] == 404
    assert alice.ask("GET", f"{begun['pk']}/")[1]["status"] == "Initialized"


def test_addresses_open_one_part_of_one_upload_for_a_day(alice, world):
    first, second = alice.begin(), alice.begin()
    places = [urlsplit(address) for begun in (first, second) for address in alice.addresses(begun, 1, 2).values()]
    for place in places:
        for ticket in (place.query for place in places):
            answer = world.request("PUT", f"{place.path}?{ticket}", body=b"x")
            assert answer.status == (200 if ticket == place.query else 403)
            assert ("ETag" in answer.headers) == (ticket == place.query)
    with mock.patch.object(signing.time, "time", return_value=time.time() - 25 * 3600):
        from medtheca.interfaces.http.upload_tickets import make_upload_ticket

        old = make_upload_ticket(owner_id=alice.user.pk, upload_id=first["pk"], number=1)
        whole = make_upload_ticket(owner_id=alice.user.pk, upload_id=first["pk"], number=0)
    assert world.request("PUT", f"{places[0].path}?ticket={old}", body=b"x").status == 403
    # The other protocol's way to declare an upload whole knows none of these.
    assert world.request("POST", f"/uploads/s3/{first['pk']}/complete?ticket={whole}", body=b"").status == 403
    User.objects.filter(pk=alice.user.pk).update(is_active=False)
    assert world.request("PUT", f"{places[0].path}?{places[0].query}", body=b"x").status == 403


def raw(world, address, head, body=b""):
    place = urlsplit(address)
    lines = [f"PUT {place.path}?{place.query} HTTP/1.1", "Host: localhost", *head, "Connection: close", "", ""]
    with socket.create_connection(("127.0.0.1", world.port), timeout=30) as connection:
        connection.sendall("\r\n".join(lines).encode() + body)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    return answer


def test_a_part_says_its_length_and_is_nothing_until_all_of_it_is_there(alice, world):
    begun = alice.begin()
    address = alice.addresses(begun, 1)[1]
    chunked = raw(world, address, ["Transfer-Encoding: chunked"], b"3\r\none\r\n0\r\n\r\n")
    assert b" 411 " in chunked.splitlines()[0]
    cut = raw(world, address, ["Content-Length: 100"], b"one")
    assert b"\r\netag:" not in cut.lower()
    assert alice.step(begun, "list-parts", method="GET")[1]["parts"] == []
    assert not UploadPart.objects.filter(upload=begun["pk"]).exclude(etag="").exists()
    status, refused = alice.step(begun, "complete-multipart-upload", {"parts": [{"PartNumber": 1, "ETag": "x"}]})
    assert (status, refused["parts"]) == (400, ["Part 1 has not arrived."])
    # It goes on where it stopped.
    assert alice.step(begun, "complete-multipart-upload", alice.send(begun, {1: b"one"}))[0] == 200


def test_tus_does_not_see_it(alice, world):
    begun = alice.begin()
    for method in ("HEAD", "DELETE"):
        answer = world.request(
            method, f"/uploads/tus/{begun['pk']}", headers=alice.headers | {"Tus-Resumable": "1.0.0"}
        )
        assert answer.status == 404


def test_what_nobody_goes_on_with_is_given_up_after_two_days(alice):
    begun = alice.begin()
    alice.send(begun, {1: b"one"})
    assert expire_uploads() == 0
    Upload.objects.filter(pk=begun["pk"]).update(modified=now() - MULTIPART_IDLE - timedelta(hours=1))
    assert expire_uploads() == 1
    assert not part_path(begun["pk"]).exists()
    assert alice.ask("GET", f"{begun['pk']}/")[1]["status"] == "Aborted"
