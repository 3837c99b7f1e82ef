"""Uploads in presigned parts: begun by anybody signed in, and there for nobody else. The one asked for is Alice's."""

from medtheca.domains.storage.open_ended import begin_open_upload
from tests.interfaces.matrix import Row, cells, people

_ONE = "api/v1/uploads/<uuidstr:pk>/"
_STEP = _ONE + "<s3_upload_id>/"
_HERS = cells(401, 404, 404, 404, 200, 404, 404)
_ADDRESS = "api/v1/uploads/{hers}/{hers_at_s3}/"


def prepare(world):
    upload = begin_open_upload(owner=world.people["alice"], filename="a.mha")
    world.names |= {"hers": str(upload.pk), "hers_at_s3": upload.pk.hex}


ROWS = [
    people("api/v1/uploads/"),
    people("api/v1/uploads/", 201, method="POST", data={"filename": "a.mha"}),
    Row("GET", _ONE, _HERS, "api/v1/uploads/{hers}/"),
    Row("GET", f"{_STEP}list-parts/", _HERS, f"{_ADDRESS}list-parts/"),
    Row(
        "PATCH", f"{_STEP}generate-presigned-urls/", _HERS, f"{_ADDRESS}generate-presigned-urls/", {"part_numbers": [1]}
    ),
    Row("PATCH", f"{_STEP}complete-multipart-upload/", _HERS, f"{_ADDRESS}complete-multipart-upload/", {"parts": []}),
    Row("PATCH", f"{_STEP}abort-multipart-upload/", _HERS, f"{_ADDRESS}abort-multipart-upload/"),
]
