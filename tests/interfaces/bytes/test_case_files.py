"""Files of volumes, slides and documents: the same doors as a photograph's."""

import hashlib
import json
import zlib

import numpy as np
import pytest

from medtheca.domains.imaging.enums import FileKind
from medtheca.interfaces.http.file_urls import file_url, make_ticket
from tests.interfaces.bytes.cases import MAY_SEE_PRIVATE, bytes_of

FILES = {
    ("volume", "full.mha"): ("application/x-metaimage", FileKind.PUBLIC),
    ("volume", "geometry.json"): ("application/json", FileKind.GEOMETRY),
    ("volume", "small.mha"): ("application/x-metaimage", FileKind.SMALL),
    ("slide", "full.tif"): ("image/tiff", FileKind.PUBLIC),
    ("document", "full.json"): ("application/json", FileKind.PUBLIC),
    ("document", "thumbnail.jpg"): ("image/jpeg", FileKind.THUMBNAIL),
}


@pytest.mark.parametrize(("kind", "name"), FILES)
def test_every_file_of_a_case_is_served_as_it_is(world, cases, kind, name):
    media_type, file = FILES[kind, name]
    image = cases.public[kind]
    expected = bytes_of(image, file)
    path = f"/files/images/{image.public_id}/{name}"
    assert file_url(image, file, media_type=media_type) == path
    answer = world.request("GET", path)
    assert (answer.status, answer.content) == (200, expected)
    assert answer.headers["Content-Type"] == media_type
    assert answer.headers["ETag"] == f'"{hashlib.sha256(expected).hexdigest()}"'
    assert answer.headers["Cache-Control"] == "no-cache"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    if name.startswith("full"):
        assert answer.headers["Content-Disposition"] == f'inline; filename="{image.public_id}.{name[5:]}"'
    part = world.request("GET", path, headers={"Range": "bytes=5-20", "If-Range": answer.headers["ETag"]})
    assert (part.status, part.content) == (206, expected[5:21])
    assert world.request("GET", path, headers={"Range": "bytes=5-20", "If-Range": '"other"'}).content == expected


@pytest.mark.parametrize(("kind", "name"), FILES)
def test_private_files_of_a_case_are_for_those_who_may_see_it(world, cases, kind, name):
    image = cases.private[kind]
    path = f"/files/images/{image.key}/{name}"
    seen = {who: world.request("GET", path, headers=headers) for who, headers in cases.callers.items()}
    assert {who for who, answer in seen.items() if answer.status == 200} == MAY_SEE_PRIVATE
    assert {answer.status for who, answer in seen.items() if who not in MAY_SEE_PRIVATE} == {404}
    for who in MAY_SEE_PRIVATE:
        assert seen[who].headers["Cache-Control"] == "private, no-store"
        # What a browser sends by itself opens nothing for pages of other sites.
        assert ("Access-Control-Allow-Origin" in seen[who].headers) == ("token" in who)
    ticket = make_ticket(viewer_id=cases.alice.pk, image_key=str(image.key))
    assert world.request("GET", f"{path}?ticket={ticket}").status == 200


def test_what_a_kind_does_not_have_is_not_there(world, cases):
    for kind, names in {
        "volume": ("full.tif", "full.json", "geometry.mha", "original.mha"),
        "slide": ("geometry.json", "small.mha", "full.mha", "small.tif"),
        "document": ("geometry.json", "full.tif"),
    }.items():
        for name in names:
            path = f"/files/images/{cases.public[kind].public_id}/{name}"
            assert world.request("GET", path).status == 404, path


def test_a_slice_is_one_range_of_the_file_and_a_stream_of_its_own(world, cases):
    reference = cases.public["volume"].public_id
    geometry = json.loads(world.request("GET", f"/files/images/{reference}/geometry.json").content)
    for number in (0, 4, 8):
        offset, length = geometry["slices"][number]
        span = {"Range": f"bytes={offset}-{offset + length - 1}"}
        packed = world.request("GET", f"/files/images/{reference}/full.mha", headers=span).content
        voxels = np.frombuffer(zlib.decompress(packed + b"\x03\x00", -15), "<i2").reshape(140, 160)
        assert (voxels == cases.voxels[0, number]).all()
