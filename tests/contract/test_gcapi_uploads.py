"""The real `gcapi` uploads to a real `medtheca up --tls`, by its own code: empty, in parts, broken off."""

import hashlib
import random

import pytest

PART = 32 << 20
"""What gcapi sends at a time."""
_UPLOAD = """
with open(given["path"], "rb") as file:
    answer = client.uploads.upload_fileobj(fileobj=file, filename=given["name"])
"""


# Version 0.14 gives dictionaries where later ones give models.
_PLAIN = """
import dataclasses
plain = lambda found: found if isinstance(found, dict) else dataclasses.asdict(found)
uploads = client.uploads
"""


@pytest.fixture(scope="module")
def alice(gcapi_of):
    return gcapi_of("alice")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Makes a file of so many bytes by chance."""
    folder = tmp_path_factory.mktemp("files")

    def make(size):
        path = folder / f"{size}.bin"
        if not path.exists():
            path.write_bytes(random.Random(size).randbytes(size))
        return path

    return make


def kept(archive, upload):
    """The bytes of a whole upload that nobody has made anything of."""
    return (archive.data / "uploads" / f"{upload['pk']}.part").read_bytes()


def test_an_empty_file_is_uploaded_without_any_part(alice, files, tls_archive):
    # Trap 13.
    done = alice.run(_UPLOAD, path=files(0), name="empty.json")
    assert (done["status"], done["filename"]) == ("Completed", "empty.json")
    assert kept(tls_archive, done) == b""


def test_a_file_of_three_parts_arrives_as_it_was_sent(alice, files, tls_archive):
    # Trap 12: parts go without a log-in, and come back with an ETag.
    path = files(2 * PART + 12_345)
    done = alice.run(_UPLOAD, path=path, name="three.mha")
    assert done["status"] == "Completed"
    assert hashlib.sha256(kept(tls_archive, done)).digest() == hashlib.sha256(path.read_bytes()).digest()
    found = alice.run("answer = client.uploads.list_parts(**given)", pk=done["pk"], s3_upload_id=done["s3_upload_id"])
    assert [part["Size"] for part in found["parts"]] == [PART, PART, 12_345]
    assert alice.run("answer = client.uploads.detail(pk=given['pk'])", pk=done["pk"]) == done


def test_many_files_at_once_are_as_many_uploads(alice, files, tls_archive):
    code = """
from concurrent.futures import ThreadPoolExecutor
files = [open(given["path"], "rb") for _ in range(25)]
with ThreadPoolExecutor(10) as threads:
    answer = list(threads.map(lambda file: client.uploads.upload_fileobj(fileobj=file, filename="image.mha"), files))
"""
    done = alice.run(code, path=files(1000))
    assert {upload["status"] for upload in done} == {"Completed"}
    assert len({upload["pk"] for upload in done}) == 25
    assert {kept(tls_archive, upload) for upload in done} == {files(1000).read_bytes()}


_BROKEN = """
class Breaks:
    def __init__(self, file):
        self.file, self.reads = file, 0

    def read(self, size=-1):
        self.reads += 1
        if self.reads > 1:
            raise OSError("the disk was pulled out")
        return self.file.read(size)

with open(given["path"], "rb") as file:
    client.uploads.upload_fileobj(fileobj=Breaks(file), filename="broken.mha")
"""


def test_an_upload_whose_file_breaks_off_is_given_up(alice, files, tls_archive):
    assert "pulled out" in alice.fails(_BROKEN, path=files(PART + 1)).error
    gone = alice.run("answer = [one for one in client.uploads.iterate_all() if one.filename == 'broken.mha']")[-1]
    assert gone["status"] == "Aborted"
    assert not (tls_archive.data / "uploads" / f"{gone['pk']}.part").exists()
    late = alice.fails(
        "client.uploads.generate_presigned_urls(part_numbers=[2], **given)",
        pk=gone["pk"],
        s3_upload_id=gone["s3_upload_id"],
    )
    assert late.status == 409


_INTERRUPTED = (
    _PLAIN
    + """
begun = plain(uploads.create(filename="interrupted.mha"))
names = {"pk": begun["pk"], "s3_upload_id": begun["s3_upload_id"]}
with open(given["path"], "rb") as file:
    chunk = file.read(uploads.chunk_size)
urls = plain(uploads.generate_presigned_urls(part_numbers=[1, 2], **names))["presigned_urls"]
uploads._put_chunk(chunk=chunk, url=urls["1"])
answer = begun
"""
)
_GOING_ON = (
    _PLAIN
    + """
names = {"pk": given["pk"], "s3_upload_id": given["s3_upload_id"]}
there = [
    {"ETag": part["ETag"], "PartNumber": part["PartNumber"]} for part in plain(uploads.list_parts(**names))["parts"]
]
urls = plain(uploads.generate_presigned_urls(part_numbers=[2], **names))["presigned_urls"]
with open(given["path"], "rb") as file:
    file.seek(uploads.chunk_size)
    sent = uploads._put_chunk(chunk=file.read(), url=urls["2"])
parts = [*there, {"ETag": sent.headers["ETag"], "PartNumber": 2}]
answer = uploads.complete_multipart_upload(parts=parts, **names)
"""
)


def test_an_interrupted_upload_goes_on_where_it_stopped(alice, files, tls_archive):
    path = files(PART + 1)
    begun = alice.run(_INTERRUPTED, path=path)
    assert begun["status"] == "Initialized"
    done = alice.run(_GOING_ON, path=path, pk=begun["pk"], s3_upload_id=begun["s3_upload_id"])
    assert done["status"] == "Completed"
    assert kept(tls_archive, done) == path.read_bytes()


def test_a_refused_part_is_a_failure_and_never_taken_for_sent(alice):
    # Trap 12: gcapi takes any answer that has an ETag for success.
    code = """
begun = plain(uploads.create(filename="a.mha"))
found = plain(
    uploads.generate_presigned_urls(pk=begun["pk"], s3_upload_id=begun["s3_upload_id"], part_numbers=[1])
)
uploads._put_chunk(chunk=b"one", url=found["presigned_urls"]["1"] + "forged").headers["ETag"]
"""
    failure = alice.fails(_PLAIN + code)
    # It asks no further than whether there is an ETag.
    assert (failure.type, failure.error.lower()) == ("KeyError", "'etag'")


def test_other_people_s_uploads_are_not_there(alice, gcapi_of):
    mine = alice.run('answer = client.uploads.create(filename="a.mha")')
    bob = gcapi_of("bob")
    assert bob.fails("client.uploads.detail(pk=given['pk'])", pk=mine["pk"]).type == "ObjectNotFound"
    assert mine["pk"] not in {one["pk"] for one in bob.run("answer = list(client.uploads.iterate_all())")}
    names = {"pk": mine["pk"], "s3_upload_id": mine["s3_upload_id"]}
    assert bob.fails("client.uploads.abort_multipart_upload(**given)", **names).status == 404
    wrong = {"pk": mine["pk"], "s3_upload_id": "of-somebody-else"}
    assert alice.fails("client.uploads.abort_multipart_upload(**given)", **wrong).status == 404


def test_a_name_that_is_none_is_told_in_the_log(alice):
    failure = alice.fails('client.uploads.create(filename="../a.mha")')
    assert failure.status == 400
    assert any("is not a valid filename" in line for line in failure.logged)


def test_a_token_that_reads_cannot_begin_an_upload(gcapi_of):
    found = gcapi_of("alice", scope="read").fails('client.uploads.create(filename="a.mha")')
    assert found.status == 403
    assert any("scope" in line for line in found.logged)
