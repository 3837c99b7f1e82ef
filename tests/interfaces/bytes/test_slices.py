"""Slices of volumes: the right voxels in the right place, for those who may see them."""

import io
import json
import secrets
import time

import numpy as np
import pytest
from PIL import Image as Picture

from medtheca.domains.access.operations import set_visibility
from medtheca.domains.imaging.enums import FileKind
from medtheca.domains.imaging.models import ImageFile
from medtheca.domains.storage.queries import blob_store
from medtheca.interfaces.http.file_urls import make_ticket
from tests.factories.cases import make_volume
from tests.generators import volumes
from tests.interfaces.bytes.cases import MAY_SEE_PRIVATE, bytes_of, psnr


def slices(image, name):
    return f"/files/images/{image.public_id or image.key}/slices/{name}"


def picture_of(answer):
    assert (answer.status, answer.headers["Content-Type"]) == (200, "image/png"), answer.content
    picture = Picture.open(io.BytesIO(answer.content))
    assert picture.format == "PNG"
    return np.asarray(picture)


def windowed(values, centre, width):
    low = centre - width / 2
    return np.rint(np.clip((values.astype(float) - low) * 255 / width, 0, 255))


@pytest.fixture(scope="module")
def turned(cases, server, django_db_blocker, tmp_path_factory):
    """A volume of cubes whose columns run to the patient's right and whose slices run to the feet, in two times."""
    from tests.plugins.server import speaking_to

    with django_db_blocker.unblock(), speaking_to(server.database):
        voxels = volumes.draw((12, 10, 8), times=2, seed=3)
        image = make_volume(
            cases.cohort,
            tmp_path_factory.mktemp("turned"),
            voxels,
            visibility="public",
            count=4,
            spacing=(1.0, 1.0, 1.0, 1.0),
            direction=np.diag([-1.0, 1.0, -1.0]),
        )
        return image, voxels


# What lies on screen, from voxels (z, y, x): the patient's left to the right of the screen, the front up, the head up.
ON_SCREEN = {
    "axial": lambda voxels, index: voxels[::-1][index][:, ::-1],
    "coronal": lambda voxels, index: voxels[:, index][:, ::-1],
    "sagittal": lambda voxels, index: voxels[:, :, ::-1][:, :, index],
}


@pytest.mark.parametrize("plane", ON_SCREEN)
@pytest.mark.parametrize("time", [0, 1])
def test_every_slice_lies_as_a_radiologist_expects_it(world, turned, plane, time):
    image, voxels = turned
    for index in range({"axial": 8, "coronal": 10, "sagittal": 12}[plane]):
        answer = world.request("GET", slices(image, f"{plane}/{index}.png?time={time}&window=100,20000"))
        expected = windowed(ON_SCREEN[plane](voxels[time], index), 100, 20000)
        assert np.abs(picture_of(answer).astype(float) - expected).max() <= 1
        assert answer.headers["Medtheca-Resolution"] == "full"


def test_a_slice_is_shown_to_scale_and_fitted(world, cases):
    image = cases.public["volume"]
    # 160 by 140 pixels of 0.5 by 2 mm; 9 slices of 3.25 mm.
    assert picture_of(world.request("GET", slices(image, "axial/0.png"))).shape == (560, 160)
    assert picture_of(world.request("GET", slices(image, "axial/0.png?size=280"))).shape == (280, 80)
    assert picture_of(world.request("GET", slices(image, "sagittal/0.png"))).shape == (round(9 * 3.25 / 2), 140)


def test_raw_voxels_of_one_slice(world, cases, turned):
    image = cases.public["volume"]
    answer = world.request("GET", slices(image, "4.raw"))
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.content == cases.voxels[0, 4].astype("<i2").tobytes()
    later, voxels = turned
    assert world.request("GET", slices(later, "7.raw?time=1")).content == voxels[1, 7].astype("<i2").tobytes()


def test_a_large_volume_is_cut_at_less_detail_and_says_so(world, cases, tmp_path):
    x, y, z = np.meshgrid(np.arange(320), np.arange(300), np.arange(90), indexing="ij")
    voxels = (np.sin(x / 60) + np.cos(y / 50) + z / 45).T[None].astype(np.float64)
    image = make_volume(cases.cohort, tmp_path, voxels, visibility="public", spacing=(1.0, 1.0, 1.0, 1.0))
    natural = world.request("GET", slices(image, "axial/45.png?window=1,5"))
    assert (natural.headers["Medtheca-Resolution"], picture_of(natural).shape) == ("full", (300, 320))
    assert np.abs(picture_of(natural) - windowed(voxels[0, 45], 1, 5)).max() <= 1
    across = world.request("GET", slices(image, "coronal/150.png?window=1,5"))
    assert across.headers["Medtheca-Resolution"] == "reduced"
    assert across.headers["Access-Control-Expose-Headers"] == "medtheca-resolution"
    seen = picture_of(across)
    expected = windowed(voxels[0, ::-1, 150], 1, 5).astype(np.uint8)
    fitted = np.asarray(Picture.fromarray(seen).resize((320, 90), Picture.Resampling.BICUBIC))
    assert psnr(fitted, expected) > 35
    # The last slice of the reduced volume stands for the last of the full one.
    assert picture_of(world.request("GET", slices(image, "coronal/299.png"))).any()


def test_who_sees_slices(world, cases):
    image = cases.private["volume"]
    for name in ("axial/3.png", "coronal/3.png", "3.raw"):
        path = slices(image, name)
        seen = {who: world.request("GET", path, headers=headers) for who, headers in cases.callers.items()}
        assert {who for who, answer in seen.items() if answer.status == 200} == MAY_SEE_PRIVATE
        assert {answer.status for who, answer in seen.items() if who not in MAY_SEE_PRIVATE} == {404}
        for who in MAY_SEE_PRIVATE:
            assert seen[who].headers["Cache-Control"] == "private, no-store"
        etag = seen["alice by session"].headers["ETag"]
        assert world.request("GET", path, headers={"If-None-Match": etag}).status == 404
        ticket = make_ticket(viewer_id=cases.alice.pk, image_key=str(image.key))
        assert world.request("GET", f"{path}?ticket={ticket}").status == 200
        absent = path.replace(str(image.key), "5f0c3b9a-1d7e-4c2f-8a6b-0d9e1f2a3b4c")
        assert world.request("GET", path).content == world.request("GET", absent).content


def test_slices_are_revalidated_by_what_they_are_made_of(world, cases):
    image = cases.public["volume"]
    tags = set()
    names = ("axial/3.png", "axial/4.png", "coronal/3.png", "axial/3.png?window=0,9", "axial/3.png?size=99", "3.raw")
    for name in names:
        answer = world.request("GET", slices(image, name))
        assert (answer.status, answer.headers["Cache-Control"]) == (200, "no-cache")
        etag = answer.headers["ETag"]
        again = world.request("GET", slices(image, name), headers={"If-None-Match": etag})
        assert (again.status, again.content) == (304, b"")
        head = world.request("HEAD", slices(image, name))
        assert (head.status, head.headers["Content-Length"]) == (200, str(len(answer.content)))
        tags.add(etag)
    assert len(tags) == len(names)


def test_what_does_not_exist_and_what_cannot_be_read(world, cases):
    image = cases.public["volume"]
    for name, status in {
        "axial/9.png": 404,
        "coronal/140.png": 404,
        "sagittal/160.png": 404,
        "9.raw": 404,
        "axial/0.png?time=1": 404,
        "0.raw?time=1": 404,
        "axial/0.png?time=x": 404,
        "oblique/0.png": 404,
        "axial/0.jpg": 404,
        "axial/-1.png": 404,
        "axial/0.png?window=1": 400,
        "axial/0.png?window=1,0": 400,
        "axial/0.png?window=1,-5": 400,
        "axial/0.png?window=nan,5": 400,
        "axial/0.png?window=1e308,inf": 400,
        "axial/0.png?window=1,2,3": 400,
        "axial/0.png?size=15": 400,
        "axial/0.png?size=2049": 400,
        "axial/0.png?size=99999999999999": 400,
        "axial/0.png?size=x": 400,
    }.items():
        answer = world.request("GET", slices(image, name))
        assert (answer.status, answer.headers["Content-Type"]) == (status, "application/problem+json"), name
    for kind in ("slide", "document"):
        assert world.request("GET", slices(cases.public[kind], "axial/0.png")).status == 404
    assert world.request("POST", slices(image, "axial/0.png"), body=b"").status == 405


def test_a_hidden_volume_is_hidden_slice_by_slice(world, cases, tmp_path):
    image = make_volume(cases.cohort, tmp_path, volumes.draw((8, 8, 4), seed=9), visibility="public")
    path = slices(image, "axial/0.png")
    assert [world.request("GET", path).status for _ in range(3)] == [200] * 3
    set_visibility(image_ids=[image.pk], visibility="private")
    until = time.monotonic() + 20
    while world.request("GET", path).status != 404:
        assert time.monotonic() < until
        time.sleep(0.05)


def test_a_damaged_volume_is_said_to_be_away_and_nothing_breaks(world, cases, tmp_path):
    voxels = volumes.draw((40, 30, 5), seed=int(secrets.token_hex(3), 16))
    image = make_volume(cases.cohort, tmp_path, voxels, visibility="public")
    place = blob_store().path(ImageFile.objects.get(image=image, kind=FileKind.PUBLIC).blob.sha256)
    whole = bytearray(place.read_bytes())
    offset, length = json.loads(bytes_of(image, FileKind.GEOMETRY))["slices"][0]
    whole[offset : offset + length] = b"\xff" * length
    place.write_bytes(whole)
    for name in ("axial/0.png?window=0,9", "0.raw"):
        answer = world.request("GET", slices(image, name))
        assert (answer.status, answer.headers["Content-Type"]) == (503, "application/problem+json")
    assert world.request("GET", slices(image, "4.raw")).content == voxels[0, 4].astype("<i2").tobytes()
    other = make_volume(cases.cohort, tmp_path, volumes.draw((9, 8, 4), seed=77), visibility="public")
    blob_store().path(ImageFile.objects.get(image=other, kind=FileKind.GEOMETRY).blob.sha256).unlink()
    assert world.request("GET", slices(other, "axial/0.png")).status == 503
