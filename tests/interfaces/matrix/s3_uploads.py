"""Uploads in parts, and accessions of them: begun by anybody signed in, and used by whoever may upload."""

from medtheca.domains.storage.models import Upload
from medtheca.domains.storage.multipart import begin_multipart, complete_multipart, parts_of_upload, record_part
from medtheca.domains.storage.uploads import part_path
from medtheca.interfaces.http.upload_tickets import sign_upload
from tests.interfaces.matrix import Row, cells, people

_BYTES = b"\xff\xd8\xff and more"
_ETAG = "0" * 32


def prepare(world):
    """An upload of each person, all parts there, and Alice's declared whole."""
    world.uploads = {}
    for name, person in world.people.items():
        if person is None:
            continue
        upload = begin_multipart(owner=person, filename=f"{name}.jpg", size=len(_BYTES))
        part_path(upload.pk).write_bytes(_BYTES)
        record_part(upload_id=upload.pk, number=1, etag=_ETAG)
        if name != "bob":
            complete_multipart(owner_id=person.pk, upload_id=upload.pk)
        world.uploads[name] = Upload.objects.get(pk=upload.pk)


def _signed(world, name, purpose):
    return sign_upload(owner_id=world.people[name].pk, upload_id=world.uploads[name].pk, purpose=purpose)


def _parts(world):
    parts = parts_of_upload(world.uploads["alice"])
    sent = [{"part_number": part.number, "size": part.size, "etag": _ETAG} for part in parts]
    return {"parts": sent, "upload_signature": _signed(world, "alice", "signature")}


ROWS = [
    people(
        "api/v2/s3-upload/upload-initialize/",
        method="POST",
        data={"field_id": "ingest.Accession.original_blob", "file_name": "a.jpg", "file_size": 10},
    ),
    # What is signed for Alice is nothing in the hands of others, the staff among them.
    Row("POST", "api/v2/s3-upload/upload-complete/", cells(401, 400, 400, 400, 200, 400, 400), data=_parts),
    Row(
        "POST",
        "api/v2/s3-upload/finalize/",
        cells(401, 400, 400, 400, 200, 400, 400),
        data=lambda world: {"upload_signature": _signed(world, "alice", "signature")},
    ),
    Row(
        "POST",
        "api/v2/accessions/",
        cells(401, 400, 400, 400, 201, 400, 400),
        data=lambda world: {"cohort": world.cohort.pk, "original_blob": _signed(world, "alice", "field")},
    ),
    # Charlie with an upload of his own: the cohort is not there for him. Rita sees it and may not.
    Row(
        "POST",
        "api/v2/accessions/",
        cells(401, 404, 400, 400, 400, 400, 400),
        data=lambda world: {"cohort": world.cohort.pk, "original_blob": _signed(world, "charlie", "field")},
    ),
    Row(
        "POST",
        "api/v2/accessions/",
        cells(401, 400, 400, 201, 400, 400, 400),
        data=lambda world: {"cohort": world.cohort.pk, "original_blob": _signed(world, "edith", "field")},
    ),
    Row(
        "POST",
        "api/v2/accessions/",
        cells(401, 400, 400, 400, 400, 403, 400),
        data=lambda world: {"cohort": world.cohort.pk, "original_blob": _signed(world, "rita", "field")},
    ),
    Row(
        "POST",
        "api/v2/accessions/",
        cells(401, 400, 400, 400, 400, 400, 201),
        data=lambda world: {"cohort": world.cohort.pk, "original_blob": _signed(world, "sam", "field")},
    ),
]
