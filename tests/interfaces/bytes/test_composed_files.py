"""Files that are composed of ranges of their originals are served as any other, and nothing else of those is."""

import hashlib
import io
import json
import secrets

import numpy as np
import pytest
from PIL import Image as Picture

from medtheca.domains.access.operations import set_visibility
from medtheca.domains.imaging.enums import FileKind
from medtheca.domains.imaging.models import ImageFile
from medtheca.domains.imaging.operations import assign_public_ids
from medtheca.domains.provenance.models import Accession
from medtheca.domains.storage.enums import BlobState
from medtheca.domains.storage.models import Blob, Composition
from medtheca.domains.storage.plain import make_plain
from medtheca.domains.storage.queries import blob_store
from medtheca.interfaces.http.file_urls import file_url
from tests.factories.cases import draw_slide, make_slide
from tests.factories.provenance import deliver, run_jobs
from tests.factories.storage import keep, keep_composed, read

SECRET = b"SECRETMARK of the original"
HEAD = 700


def compose_now(image):
    """Let the public file be composed of a source that holds more than it; the file's bytes, and the source."""
    blob = ImageFile.objects.get(image=image, kind=FileKind.PUBLIC).blob
    data = read(blob.sha256)
    half = len(data) // 2
    gap = SECRET * 10 + secrets.token_bytes(20)
    source = keep(gap + data[HEAD:half] + gap + data[half:] + gap)
    blob_store().path(blob.sha256).unlink()
    Blob.objects.filter(pk=blob.pk).update(state=BlobState.QUARANTINED)
    first = (HEAD, len(gap), half - HEAD)
    second = (half, 2 * len(gap) + half - HEAD, len(data) - half)
    assert keep_composed(data, source, first, second) == blob
    assert Composition.objects.filter(blob=blob).exists()
    return data, source


def photograph_of(cases, seed=0):
    """A public photograph of some 300 KB, through the real pipeline; in the file it lies on its side."""
    name = f"{secrets.token_hex(6)}.jpg"
    file, exif = io.BytesIO(), Picture.Exif()
    exif[0x0112] = 6
    upright = draw_slide(800, 640, seed=seed)
    noisy = upright ^ np.random.default_rng(seed).integers(0, 32, upright.shape, np.uint8)
    Picture.fromarray(noisy).transpose(Picture.Transpose.ROTATE_90).save(file, "JPEG", quality=95, exif=exif)
    deliver(cases.alice, cases.cohort, file.getvalue(), filename=name)
    run_jobs()
    image = Accession.objects.get(cohort=cases.cohort, name=name).image
    assign_public_ids(image_ids=[image.pk])
    set_visibility(image_ids=[image.pk], visibility="public")
    image.refresh_from_db()
    return image


def full(image, media_type="image/jpeg"):
    return file_url(image, FileKind.PUBLIC, media_type=media_type)


@pytest.fixture
def composed(world, cases):
    image = photograph_of(cases, seed=secrets.randbelow(10**6))
    data, source = compose_now(image)
    return image, data, source


def test_it_is_sent_whole_as_any_other(world, composed):
    image, data, _ = composed
    answer = world.request("GET", full(image))
    digest = hashlib.sha256(data).hexdigest()
    assert (answer.status, answer.content) == (200, data)
    assert answer.headers["ETag"] == f'"{digest}"'
    assert int(answer.headers["Content-Length"]) == len(data)
    assert (answer.headers["Accept-Ranges"], answer.headers["Content-Type"]) == ("bytes", "image/jpeg")
    head = world.request("HEAD", full(image))
    assert (head.status, head.content, int(head.headers["Content-Length"])) == (200, b"", len(data))
    again = world.request("GET", full(image), headers={"If-None-Match": f'"{digest}"'})
    assert (again.status, again.content) == (304, b"")


def test_it_is_sent_by_ranges_as_any_other(world, composed):
    image, data, _ = composed
    size, half = len(data), len(data) // 2
    for first, last in ((0, 0), (HEAD - 1, HEAD), (half - 5, half + 5), (0, size - 1), (size - 1, size + 100)):
        answer = world.request("GET", full(image), headers={"Range": f"bytes={first}-{last}"})
        assert (answer.status, answer.content) == (206, data[first : last + 1])
        assert answer.headers["Content-Range"] == f"bytes {first}-{min(last, size - 1)}/{size}"
    answer = world.request("GET", full(image), headers={"Range": f"bytes={size}-"})
    assert (answer.status, answer.headers["Content-Range"]) == (416, f"bytes */{size}")


def test_nothing_of_the_original_is_sent_beside_what_is_listed(world, composed):
    image, data, source = composed
    assert SECRET in read(source.sha256)
    seen = world.request("GET", full(image)).content
    for at in range(0, len(data) + 20_000, 20_000):
        answer = world.request("GET", full(image), headers={"Range": f"bytes={at}-{at + 19_999}"})
        seen += answer.content if answer.status == 206 else b""
    assert SECRET not in seen
    assert seen == data * 2


def test_where_a_source_is_away_or_shortened_nothing_is_sent(world, composed):
    image, data, source = composed
    recipe = Composition.objects.get(blob__sha256=hashlib.sha256(data).hexdigest()).recipe
    for blob in (source, recipe):
        place = blob_store().path(blob.sha256)
        whole = place.read_bytes()
        for damage in (place.unlink, lambda place=place, whole=whole: place.write_bytes(whole[: len(whole) // 2])):
            damage()
            for method, headers in (("GET", {}), ("GET", {"Range": "bytes=0-9"}), ("HEAD", {})):
                # Of a shortened recipe a part may be had; nothing that is wrong is sent.
                answer = world.request(method, full(image), headers=headers)
                assert answer.status == 503 or answer.content in {data[:10], b""}
            assert world.request("GET", full(image)).status == 503
            place.write_bytes(whole)
    assert world.request("GET", full(image)).content == data


def test_it_goes_on_when_it_gets_a_file_of_its_own(world, composed):
    image, data, source = composed
    assert world.request("GET", full(image)).content == data
    make_plain(Blob.objects.get(sha256=hashlib.sha256(data).hexdigest()))
    blob_store().path(source.sha256).unlink()
    assert world.request("GET", full(image)).content == data
    assert world.request("GET", full(image), headers={"Range": "bytes=9-19"}).content == data[9:20]


def test_pictures_are_made_of_it(world, cases):
    image = photograph_of(cases, seed=3)
    name = f"/iiif/{image.public_id}/"
    regions = ["full/200,/0/default.jpg", "10,20,300,200/150,/90/default.png"]
    before = [world.request("GET", name + region).content for region in regions]
    compose_now(image)
    set_visibility(image_ids=[image.pk], visibility="private")
    set_visibility(image_ids=[image.pk], visibility="public")
    assert json.loads(world.request("GET", name + "info.json").content)["width"] == image.width
    assert [world.request("GET", name + region).content for region in regions] == before


def test_tiles_of_a_slide_are_sent_and_pictures_made_of_them(world, cases, tmp_path):
    seed = secrets.randbelow(10**6)
    image = make_slide(cases.cohort, tmp_path, draw_slide(2500, 1700, seed=seed), visibility="public")
    image.refresh_from_db()
    tiles = [f"tiles_files/{level}/{column}_0.jpg" for level in (12, 11, 0) for column in (0, 1)]
    paths = [f"/files/images/{image.key}/{name}" for name in ["tiles.dzi", *tiles]]
    paths += [
        f"/iiif/{image.key}/{name}"
        for name in ("info.json", "256,256,256,256/256,256/0/default.jpg", "100,0,1900,1500/700,/0/default.png")
    ]
    before = [world.request("GET", path) for path in paths]
    assert [answer.status for answer in before].count(200) == len(paths) - 1
    data, _ = compose_now(image)
    set_visibility(image_ids=[image.pk], visibility="private")
    set_visibility(image_ids=[image.pk], visibility="public")
    for _ in range(2):
        after = [world.request("GET", path) for path in paths]
        assert [(a.status, a.content) for a in after[:-1]] == [(b.status, b.content) for b in before[:-1]]
        assert (after[-1].status, len(after[-1].content)) == (200, len(before[-1].content))
    answer = world.request("GET", full(image, "image/tiff"))
    assert (answer.status, hashlib.sha256(answer.content).digest()) == (200, hashlib.sha256(data).digest())


def test_a_damaged_slide_is_said_to_be_away(world, cases, tmp_path):
    image = make_slide(
        cases.cohort, tmp_path, draw_slide(1500, 1100, seed=secrets.randbelow(10**6)), visibility="public"
    )
    _, source = compose_now(image)
    blob_store().path(source.sha256).unlink()
    for path in (f"/files/images/{image.key}/tiles_files/10/0_0.jpg", f"/iiif/{image.key}/full/200,/0/default.jpg"):
        answer = world.request("GET", path)
        assert (answer.status, json.loads(answer.content)["code"]) == (503, "file_unavailable")


def test_a_private_one_is_for_nobody_else(world, composed, cases):
    image, data, _ = composed
    set_visibility(image_ids=[image.pk], visibility="private")
    path = f"/files/images/{image.key}/full.jpg"
    assert world.request("GET", path, headers=cases.callers["charlie by session"]).status == 404
    assert world.request("GET", path, headers=cases.callers["alice by session"]).content == data
