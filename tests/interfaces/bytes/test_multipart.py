"""Uploads in parts as to S3, on the real server: whose they are, in which order, and what is refused."""

import hashlib
import json
import random
import secrets
import socket
import time
from datetime import timedelta
from unittest import mock
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from django.core import signing

from medtheca.base.clock import now
from medtheca.domains.accounts.models import User
from medtheca.domains.provenance.models import Accession
from medtheca.domains.storage.models import Upload, UploadPart
from medtheca.domains.storage.multipart import PART_SIZE
from medtheca.domains.storage.upkeep import MULTIPART_IDLE
from medtheca.domains.storage.uploads import part_path
from medtheca.workflows.upkeep import expire_uploads
from tests.factories.accounts import make_token, make_user
from tests.factories.provenance import make_cohort

SMALL = 1000


class Sender:
    """Somebody with a cohort who speaks the protocol by hand."""

    def __init__(self, server, name="alice"):
        self.server = server
        self.user = make_user(f"{name}-{secrets.token_hex(4)}")
        self.cohort = make_cohort(self.user, name=f"Clinic {secrets.token_hex(4)}")
        self.headers = {
            "Authorization": f"Bearer {make_token(self.user, 'write')[1]}",
            "Content-Type": "application/json",
        }

    def post(self, route, body):
        answer = self.server.request("POST", f"/api/v2/{route}", headers=self.headers, body=json.dumps(body))
        return answer.status, json.loads(answer.content)

    def begin(self, size, name="a.jpg"):
        body = {"field_id": "ingest.Accession.original_blob", "file_name": name, "file_size": size}
        status, begun = self.post("s3-upload/upload-initialize/", body)
        assert status == 200, begun
        return begun

    def put(self, part, data):
        """As clients do: without any header of ours."""
        parts = urlsplit(part["upload_url"])
        return self.server.request("PUT", f"{parts.path}?{parts.query}", body=data)

    def complete(self, begun, etags):
        sent = [
            {"part_number": part["part_number"], "size": part["size"], "etag": etag}
            for part, etag in zip(begun["parts"], etags, strict=True)
        ]
        body = {"upload_id": begun["upload_id"], "parts": sent, "upload_signature": begun["upload_signature"]}
        return self.post("s3-upload/upload-complete/", body)

    def declare(self, completion):
        parts = urlsplit(completion["complete_url"])
        return self.server.request("POST", f"{parts.path}?{parts.query}", body=completion["body"])

    def finalize(self, begun):
        return self.post("s3-upload/finalize/", {"upload_signature": begun["upload_signature"]})

    def upload(self, data, name="a.jpg"):
        """All of it; the value that stands for the file."""
        begun = self.begin(len(data), name)
        etags = []
        for number, part in enumerate(begun["parts"]):
            answer = self.put(part, data[number * PART_SIZE :][: part["size"]])
            assert answer.status == 200, answer.content
            etags.append(answer.headers["ETag"])
        assert self.declare(self.complete(begun, etags)[1]).status == 200
        return self.finalize(begun)[1]["field_value"]


@pytest.fixture
def alice(world):
    return Sender(world)


def noise(size, seed=1):
    return b"\xff\xd8\xff" + random.Random(seed).randbytes(size - 3)


def test_parts_arrive_in_any_order_and_twice(alice):
    data = noise(2 * PART_SIZE + 500)
    begun = alice.begin(len(data))
    assert [part["size"] for part in begun["parts"]] == [PART_SIZE, PART_SIZE, 500]
    etags = {}
    for number in (2, 0, 1, 0):
        piece = data[number * PART_SIZE :][: begun["parts"][number]["size"]]
        answer = alice.put(begun["parts"][number], piece)
        assert answer.status == 200, answer.content
        etags[number] = answer.headers["ETag"]
        assert etags[number] == f'"{hashlib.md5(piece, usedforsecurity=False).hexdigest()}"'
    status, completion = alice.complete(begun, [etags[number] for number in range(3)])
    assert status == 200, completion
    assert alice.finalize(begun)[0] == 400, "it was not declared whole yet"
    assert [alice.declare(completion).status for _ in range(2)] == [200, 200]
    field = alice.finalize(begun)[1]["field_value"]
    status, made = alice.post("accessions/", {"cohort": alice.cohort.pk, "original_blob": field})
    assert status == 201, made
    accession = Accession.objects.select_related("original").get(pk=made["id"])
    assert accession.original.sha256 == hashlib.sha256(data).hexdigest()
    assert not part_path(begun["upload_id"]).exists()


def test_a_field_value_works_once_and_for_its_owner_alone(alice, world):
    field = alice.upload(noise(SMALL))
    bob = Sender(world, "bob")
    status, refused = bob.post("accessions/", {"cohort": bob.cohort.pk, "original_blob": field})
    assert (status, refused["errors"][0]["code"]) == (400, "bad_field_value")
    assert alice.post("accessions/", {"cohort": bob.cohort.pk, "original_blob": field})[0] == 404
    assert alice.post("accessions/", {"cohort": alice.cohort.pk, "original_blob": field})[0] == 201
    status, refused = alice.post("accessions/", {"cohort": alice.cohort.pk, "original_blob": field})
    assert (status, refused["errors"][0]["code"]) == (400, "already_used")
    assert "used already" in refused["non_field_errors"][0]


def test_a_refused_accession_leaves_the_upload_for_another_try(alice):
    field = alice.upload(noise(SMALL, seed=2))
    given = {"cohort": alice.cohort.pk, "original_blob": field}
    status, refused = alice.post("accessions/", given | {"metadata": {"sex": "green", "age": "fifty"}})
    assert status == 400
    assert {problem["field"] for problem in refused["errors"]} == {"sex", "age"}
    assert not Accession.objects.filter(cohort=alice.cohort).exists()
    said = {"sex": "Female", "age": 50, "melanocytic": True, "camera": "K3", "diagnosis": ""}
    status, made = alice.post("accessions/", given | {"metadata": said})
    assert status == 201, made
    found = Accession.objects.select_related("description").get(pk=made["id"]).description
    assert {**found.structured, "age_approx": 50} == {"sex": "female", "age": 50, "age_approx": 50, "melanocytic": True}
    assert found.unstructured == {"camera": "K3"}
    assert alice.post("accessions/", given | {"color": "red"})[0] == 422


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("a.zip", b"PK\x03\x04" + bytes(100), "is_a_zip"),
        ("a.dcm", bytes(128) + b"DICM" + bytes(100), "may_be_one_of_several"),
        ("a.mhd", b"ObjectType = Image", "may_be_one_of_several"),
    ],
)
def test_what_is_no_single_image_is_told_where_to_go(alice, name, data, code):
    field = alice.upload(data, name)
    status, refused = alice.post("accessions/", {"cohort": alice.cohort.pk, "original_blob": field})
    assert (status, refused["errors"][0]["code"]) == (400, code)
    assert "tus" in refused["errors"][0]["remedy"]


def test_tickets_open_one_part_of_one_upload(alice, world):
    first, second = alice.begin(PART_SIZE + SMALL), alice.begin(PART_SIZE + SMALL)
    parts = [urlsplit(part["upload_url"]) for part in (*first["parts"], *second["parts"])]
    for place in parts:
        for ticket in parts:
            if place is not ticket:
                answer = world.request("PUT", f"{place.path}?{ticket.query}", body=bytes(SMALL))
                assert answer.status == 403, answer.content
    for query in ("", "?ticket=", "?ticket=1:x:y", "?ticket=" + "a" * 5000):
        assert world.request("PUT", parts[0].path + query, body=b"").status == 403
    assert not UploadPart.objects.filter(upload__in=[first["upload_id"], second["upload_id"]]).exists()
    assert world.request("GET", parts[0].path).status == 405
    assert world.request("PUT", "/uploads/s3/x/1", body=b"").status == 404


def test_tickets_and_signatures_end(alice, world):
    with mock.patch.object(signing.time, "time", return_value=time.time() - 25 * 3600):
        from medtheca.interfaces.http.upload_tickets import make_upload_ticket, sign_upload

        begun = alice.begin(SMALL)
        of_old = {"owner_id": alice.user.pk, "upload_id": begun["upload_id"]}
        ticket, signature = make_upload_ticket(**of_old, number=1), sign_upload(**of_old, purpose="signature")
        field = sign_upload(**of_old, purpose="field")
    path = urlsplit(begun["parts"][0]["upload_url"]).path
    assert world.request("PUT", f"{path}?ticket={ticket}", body=bytes(SMALL)).status == 403
    assert alice.post("s3-upload/finalize/", {"upload_signature": signature})[0] == 400
    assert alice.post("accessions/", {"cohort": alice.cohort.pk, "original_blob": field})[0] == 400


def test_whoever_is_disabled_sends_nothing_more(alice):
    begun = alice.begin(SMALL)
    User.objects.filter(pk=alice.user.pk).update(is_active=False)
    assert alice.put(begun["parts"][0], bytes(SMALL)).status == 403


def test_lengths_must_be_right(alice):
    begun = alice.begin(SMALL)
    assert alice.put(begun["parts"][0], bytes(SMALL - 1)).status == 400
    assert alice.put(begun["parts"][0], bytes(SMALL + 1)).status == 413
    assert not UploadPart.objects.filter(upload=begun["upload_id"]).exists()
    body = {"field_id": "ingest.Accession.original_blob", "file_name": "a.jpg"}
    status, refused = alice.post("s3-upload/upload-initialize/", body | {"file_size": 0})
    assert (status, refused["file_size"]) == (400, ["The file is empty."])
    assert alice.post("s3-upload/upload-initialize/", body | {"file_size": 2 << 30})[0] == 413


def test_a_part_that_is_cut_off_is_not_there(alice, world):
    begun = alice.begin(SMALL)
    place = urlsplit(begun["parts"][0]["upload_url"])
    head = f"PUT {place.path}?{place.query} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {SMALL}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", world.port), timeout=10) as connection:
        connection.sendall(head.encode() + bytes(SMALL // 2))
    assert alice.put(begun["parts"][0], bytes(SMALL)).status in {200, 423}
    status, refused = alice.complete(begun, ["0" * 32])
    assert status == 400
    assert refused["parts"], "said as django-s3-file-field says it"


def test_what_is_whole_takes_no_more(alice):
    data = noise(SMALL)
    begun = alice.begin(len(data))
    etag = alice.put(begun["parts"][0], data).headers["ETag"]
    completion = alice.complete(begun, [etag])[1]
    assert alice.declare(completion).status == 200
    assert alice.put(begun["parts"][0], noise(SMALL, seed=9)).status == 409
    assert part_path(begun["upload_id"]).read_bytes() == data


def test_missing_parts_are_told(alice):
    begun = alice.begin(PART_SIZE + SMALL)
    etag = alice.put(begun["parts"][1], bytes(SMALL)).headers["ETag"]
    status, refused = alice.complete(begun, ["0" * 32, etag])
    assert status == 400
    assert refused["parts"] == ["Part 1 has not arrived."]


def test_tus_does_not_see_it(alice, world):
    begun = alice.begin(SMALL)
    headers = alice.headers | {"Tus-Resumable": "1.0.0"}
    for method in ("HEAD", "DELETE"):
        assert world.request(method, f"/uploads/tus/{begun['upload_id']}", headers=headers).status == 404


def test_what_nobody_uses_goes_after_two_days(alice):
    begun = alice.begin(SMALL)
    alice.upload(noise(SMALL, seed=5))
    mine = Upload.objects.filter(owner=alice.user)
    assert expire_uploads() == 0
    mine.update(modified=now() - MULTIPART_IDLE - timedelta(hours=1))
    assert expire_uploads() == 2
    assert set(mine.values_list("state", flat=True)) == {"cancelled"}
    assert not part_path(UUID(begun["upload_id"])).exists()
    assert alice.put(begun["parts"][0], bytes(SMALL)).status == 409
