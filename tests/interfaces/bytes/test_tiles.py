"""Slides as Deep Zoom and IIIF: the right pixels, by the standard's arithmetic, for those who may see them."""

import io
import json
import time
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image as Picture

from medtheca.domains.access.operations import set_visibility
from medtheca.domains.imaging.enums import FileKind
from medtheca.domains.imaging.models import ImageFile
from medtheca.domains.imaging.operations import assign_public_ids
from medtheca.domains.provenance.models import Accession
from medtheca.domains.storage.queries import blob_store
from medtheca.interfaces.http.file_urls import make_ticket
from medtheca.workflows.decoding import close_decoder_pool
from tests.factories.cases import draw_slide, make_slide
from tests.factories.provenance import deliver, run_jobs
from tests.interfaces.bytes.cases import MAY_SEE_PRIVATE, bytes_of, psnr

WIDTH, HEIGHT = 1500, 1100


def reference(image):
    return image.public_id or str(image.key)


def deep(image, name):
    return f"/files/images/{reference(image)}/{name}"


def iiif(image, name):
    return f"/iiif/{reference(image)}/{name}"


def pixels_of(answer, media_type="image/jpeg", mode="RGB"):
    assert (answer.status, answer.headers["Content-Type"]) == (200, media_type), answer.content[:300]
    picture = Picture.open(io.BytesIO(answer.content))
    assert picture.mode == mode
    return np.asarray(picture)


# -- Deep Zoom ----------------------------------------------------------------------------------------------


def test_the_description_says_what_the_tiles_are(world, cases):
    answer = world.request("GET", deep(cases.public["slide"], "tiles.dzi"))
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/xml")
    root = ET.fromstring(answer.content)
    assert root.tag == "{http://schemas.microsoft.com/deepzoom/2008}Image"
    assert root.attrib == {"Format": "jpeg", "Overlap": "0", "TileSize": "256"}
    assert root[0].attrib == {"Width": "1500", "Height": "1100"}


def test_the_finest_tiles_together_are_the_slide(world, cases):
    image = cases.public["slide"]
    canvas = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    for row in range(5):
        for column in range(6):
            tile = pixels_of(world.request("GET", deep(image, f"tiles_files/11/{column}_{row}.jpg")))
            canvas[row * 256 : row * 256 + tile.shape[0], column * 256 : column * 256 + tile.shape[1]] = tile
            expected = (min(256, HEIGHT - row * 256), min(256, WIDTH - column * 256), 3)
            assert tile.shape == expected
    assert psnr(canvas, cases.pixels) > 30
    assert world.request("GET", deep(image, "tiles_files/11/0_0.jpeg")).status == 200


def test_coarser_levels_are_halves_down_to_one_pixel(world, cases):
    image = cases.public["slide"]
    for level, size in ((10, (256, 256)), (8, (138, 188)), (1, (2, 2)), (0, (1, 1))):
        tile = pixels_of(world.request("GET", deep(image, f"tiles_files/{level}/0_0.jpg")))
        assert tile.shape[:2] == size
    small = pixels_of(world.request("GET", deep(image, "tiles_files/8/0_0.jpg")))
    expected = Picture.fromarray(cases.pixels).resize((188, 138), Picture.Resampling.BOX)
    assert psnr(small, np.asarray(expected)) > 25


def test_tiles_that_are_none(world, cases):
    image = cases.public["slide"]
    for name in ("11/6_0", "11/0_5", "12/0_0", "99/0_0", "11/9999999_0", "0/1_0", "-1/0_0", "11/0", "11/0_-1"):
        assert world.request("GET", deep(image, f"tiles_files/{name}.jpg")).status == 404, name
    for name in ("tiles_files/11/0_0.png", "tiles_files/11/0_0", "tiles", "tiles.xml", "tiles_files/", "tiles.dzi/x"):
        assert world.request("GET", deep(image, name)).status == 404, name
    for kind in ("volume", "document"):
        assert world.request("GET", deep(cases.public[kind], "tiles.dzi")).status == 404
    assert world.request("POST", deep(image, "tiles.dzi"), body=b"").status == 405


DOORS = {
    "description": (deep, "tiles.dzi"),
    "stored tile": (deep, "tiles_files/11/0_0.jpg"),
    "information": (iiif, "info.json"),
    "stored tile by IIIF": (iiif, "0,0,256,256/256,256/0/default.jpg"),
    "made in the sandbox": (iiif, "10,10,300,200/150,/0/gray.png"),
}


@pytest.mark.parametrize("door", DOORS)
def test_who_sees_tiles(world, cases, door):
    address, name = DOORS[door]
    image = cases.private["slide"]
    path = address(image, name)
    seen = {who: world.request("GET", path, headers=headers) for who, headers in cases.callers.items()}
    assert {who for who, answer in seen.items() if answer.status == 200} == MAY_SEE_PRIVATE
    assert {answer.status for who, answer in seen.items() if who not in MAY_SEE_PRIVATE} == {404}
    for who in MAY_SEE_PRIVATE:
        assert seen[who].headers["Cache-Control"] == "private, no-store"
        # What a browser sends by itself opens nothing for pages of other sites.
        assert ("Access-Control-Allow-Origin" in seen[who].headers) == ("token" in who)
    etag = seen["alice by session"].headers["ETag"]
    for headers in ({}, cases.callers["charlie by session"]):
        assert world.request("GET", path, headers=headers | {"If-None-Match": etag}).status == 404
    ticket = make_ticket(viewer_id=cases.alice.pk, image_key=str(image.key))
    assert world.request("GET", f"{path}?ticket={ticket}").status == 200
    absent = path.replace(str(image.key), "5f0c3b9a-1d7e-4c2f-8a6b-0d9e1f2a3b4c")
    assert world.request("GET", path).content == world.request("GET", absent).content


@pytest.mark.parametrize("door", DOORS)
def test_tiles_are_revalidated(world, cases, door):
    address, name = DOORS[door]
    path = address(cases.public["slide"], name)
    answer = world.request("GET", path)
    assert (answer.status, answer.headers["Cache-Control"]) == (200, "no-cache")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    again = world.request("GET", path, headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status, again.content, again.headers["ETag"]) == (304, b"", answer.headers["ETag"])
    other = world.request("GET", path, headers={"If-Match": '"other"'})
    assert other.status == 412
    head = world.request("HEAD", path)
    assert (head.status, head.content, int(head.headers["Content-Length"])) == (200, b"", len(answer.content))


def test_a_hidden_slide_is_hidden_tile_by_tile(world, cases, tmp_path):
    image = make_slide(cases.cohort, tmp_path, draw_slide(1500, 400, seed=1), visibility="public")
    paths = [address(image, name) for address, name in DOORS.values()]
    for path in paths * 2:
        assert world.request("GET", path).status == 200
    set_visibility(image_ids=[image.pk], visibility="private")
    until = time.monotonic() + 20
    while any(world.request("GET", path).status != 404 for path in paths):
        assert time.monotonic() < until
        time.sleep(0.05)


def test_a_damaged_or_missing_pyramid_is_said_to_be_away(world, cases, tmp_path):
    images = [
        make_slide(cases.cohort, tmp_path, draw_slide(1500, 400 + seed, seed=seed), visibility="public")
        for seed in (2, 3, 4)
    ]
    places = [
        blob_store().path(ImageFile.objects.get(image=image, kind=FileKind.PUBLIC).blob.sha256) for image in images
    ]
    places[0].unlink()
    places[1].write_bytes(places[1].read_bytes().replace(b"medtheca-tiles/1", b"medtheca-tiles/0"))
    places[2].write_bytes(places[2].read_bytes()[:-1])
    for image in images:
        for address, name in DOORS.values():
            answer = world.request("GET", address(image, name))
            assert (answer.status, answer.headers["Content-Type"]) == (503, "application/problem+json"), name


# -- IIIF ---------------------------------------------------------------------------------------------------


def shown(pixels, region, size, *, mirrored=False, turns=0):
    """What a request must give, made by Pillow from the pixels that were drawn."""
    x, y, width, height = region
    picture = Picture.fromarray(pixels[y : y + height, x : x + width]).resize(size, Picture.Resampling.BOX)
    picture = picture.transpose(Picture.Transpose.FLIP_LEFT_RIGHT) if mirrored else picture
    return np.asarray(picture.rotate(-turns, expand=True))


@pytest.mark.parametrize(
    ("request_", "region", "size", "turned"),
    [
        ("full/max/0/default.jpg", (0, 0, 1500, 1100), (1500, 1100), {}),
        ("full/max/0/default.png", (0, 0, 1500, 1100), (1500, 1100), {}),
        ("full/300,/0/color.jpg", (0, 0, 1500, 1100), (300, 220), {}),
        ("full/,220/90/default.jpg", (0, 0, 1500, 1100), (300, 220), {"turns": 90}),
        ("square/400,400/180/default.jpg", (200, 0, 1100, 1100), (400, 400), {"turns": 180}),
        ("100,200,512,384/!256,256/270/default.jpg", (100, 200, 512, 384), (256, 192), {"turns": 270}),
        ("pct:10,10,50,50/pct:50/!0/default.jpg", (150, 110, 750, 550), (375, 275), {"mirrored": True}),
        ("1400,1000,5000,5000/max/!90/default.png", (1400, 1000, 100, 100), (100, 100), {"mirrored": 1, "turns": 90}),
        ("0,0,100,100/^300,300/0/default.jpg", (0, 0, 100, 100), (300, 300), {}),
        ("256,256,256,256/256,256/0/default.jpg", (256, 256, 256, 256), (256, 256), {}),
    ],
)
def test_a_request_gives_what_the_standard_says(world, cases, *, request_, region, size, turned):
    kind = "image/png" if request_.endswith("png") else "image/jpeg"
    made = pixels_of(world.request("GET", iiif(cases.public["slide"], request_)), kind)
    expected = shown(cases.pixels, region, size, **turned)
    assert made.shape == expected.shape
    assert psnr(made, expected) > 22


def test_grey_and_black_and_white(world, cases):
    image = cases.public["slide"]
    grey = pixels_of(world.request("GET", iiif(image, "full/500,/0/gray.jpg")), mode="L")
    assert len(np.unique(grey)) > 100
    hard = pixels_of(world.request("GET", iiif(image, "full/500,/0/bitonal.png")), "image/png", mode="L")
    assert set(np.unique(hard)) == {0, 255}


def test_a_stored_tile_is_sent_as_it_is(world, cases):
    image = cases.public["slide"]
    data = bytes_of(image, FileKind.PUBLIC)
    tile = world.request("GET", iiif(image, "256,0,256,256/256,256/0/default.jpg"))
    assert tile.content == world.request("GET", deep(image, "tiles_files/11/1_0.jpg")).content
    assert tile.content in data
    coarse = world.request("GET", iiif(image, "0,0,1024,1024/256,256/0/default.jpg"))
    assert coarse.content == world.request("GET", deep(image, "tiles_files/9/0_0.jpg")).content
    edge = world.request("GET", iiif(image, "1280,1024,220,76/220,76/0/color.jpg"))
    assert edge.content == world.request("GET", deep(image, "tiles_files/11/5_4.jpg")).content


def test_the_information(world, cases):
    image = cases.public["slide"]
    answer = world.request("GET", iiif(image, "info.json"))
    information = json.loads(answer.content)
    assert answer.headers["Content-Type"] == "application/json"
    assert information["id"] == f"http://localhost:{world.port}/iiif/{image.public_id}"
    assert (information["width"], information["height"], information["profile"]) == (WIDTH, HEIGHT, "level2")
    assert information["tiles"] == [{"width": 256, "height": 256, "scaleFactors": [1, 2, 4, 8]}]
    linked = world.request("GET", iiif(image, "info.json"), headers={"Accept": "application/ld+json"})
    assert linked.headers["Content-Type"] == ('application/ld+json;profile="http://iiif.io/api/image/3/context.json"')
    assert linked.headers["Vary"] == "accept"
    assert json.loads(linked.content) == information
    assert linked.headers["ETag"] != answer.headers["ETag"]
    # By its key too, under the one address that it is cited by.
    by_key = json.loads(world.request("GET", f"/iiif/{image.key}/info.json").content)
    assert by_key["id"] == information["id"]
    for level in information["tiles"][0]["scaleFactors"]:
        side = 256 * level
        path = iiif(image, f"0,0,{min(side, WIDTH)},{min(side, HEIGHT)}/{min(256, -(-WIDTH // level))},/0/default.jpg")
        assert world.request("GET", path).status == 200


def test_the_base_leads_to_the_information(world, cases):
    for base in ("", "/"):
        answer = world.request("GET", f"/iiif/{cases.public['slide'].public_id}{base}")
        assert answer.status == 303
        assert answer.headers["Location"] == iiif(cases.public["slide"], "info.json")
    assert world.request("GET", "/iiif/ISIC_1?ticket=x").headers["Location"] == "/iiif/ISIC_1/info.json?ticket=x"


def test_pages_elsewhere_may_ask(world, cases):
    path = iiif(cases.public["slide"], "info.json")
    asked = world.request("OPTIONS", path, headers={"Origin": "https://example.org"})
    assert (asked.status, asked.headers["Access-Control-Allow-Origin"]) == (204, "*")
    assert (
        world.request("GET", iiif(cases.public["slide"], "full/x/0/default.jpg")).headers["Access-Control-Allow-Origin"]
        == "*"
    )
    assert world.request("POST", path, body=b"").status == 405


def test_links_say_what_a_picture_is(world, cases):
    link = world.request("GET", iiif(cases.public["slide"], "0,0,1500,1100/150,/0/default.jpg")).headers["Link"]
    base = f"http://localhost:{world.port}/iiif/{cases.public['slide'].public_id}"
    assert '<http://iiif.io/api/image/3/level2.json>;rel="profile"' in link
    assert f'<{base}/full/150,110/0/default.jpg>;rel="canonical"' in link


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        ("full/max/0/default.tif", 501),
        ("full/max/0/default.webp", 501),
        ("full/max/0/default.exe", 400),
        ("full/max/0/sepia.jpg", 400),
        ("full/max/22.5/default.jpg", 501),
        ("full/max/361/default.jpg", 400),
        ("full/max/x/default.jpg", 400),
        ("full/full/0/default.jpg", 400),
        ("full/0,0/0/default.jpg", 400),
        ("full/3000,/0/default.jpg", 400),
        ("full/^9000,9000/0/default.jpg", 400),
        ("full/^8000,8000/0/default.jpg", 400),
        ("full/^99999999999,1/0/default.jpg", 400),
        ("2000,0,10,10/max/0/default.jpg", 400),
        ("0,0,0,10/max/0/default.jpg", 400),
        ("a,b,c,d/max/0/default.jpg", 400),
        ("full/max/0/default", 404),
        ("full/max/default.jpg", 404),
        ("full/max/0/0/default.jpg", 404),
        ("info.xml", 404),
    ],
)
def test_what_cannot_be_given(world, cases, request_, status):
    answer = world.request("GET", iiif(cases.public["slide"], request_))
    assert (answer.status, answer.headers["Content-Type"]) == (status, "application/problem+json")
    assert json.loads(answer.content)["detail"]


def test_volumes_and_documents_have_no_iiif(world, cases):
    for kind in ("volume", "document"):
        for name in ("info.json", "full/max/0/default.jpg"):
            assert world.request("GET", iiif(cases.public[kind], name)).status == 404


def test_many_pictures_at_once_and_files_meanwhile(world, cases):
    image = cases.public["slide"]
    names = [f"{at},{at},900,900/{300 + at},/0/default.jpg" for at in range(1, 25)]
    with ThreadPoolExecutor(24) as threads:
        answers = list(threads.map(lambda name: world.request("GET", iiif(image, name)).status, names))
        assert answers == [200] * 24


def test_the_sandboxs_word_for_a_damaged_tile_is_not_passed_on(world, cases, tmp_path):
    image = make_slide(cases.cohort, tmp_path, draw_slide(700, 600, seed=8), visibility="public")
    place = blob_store().path(ImageFile.objects.get(image=image, kind=FileKind.PUBLIC).blob.sha256)
    data = bytearray(place.read_bytes())
    data[16:1500] = b"\0" * 1484
    place.write_bytes(data)
    answer = world.request("GET", iiif(image, "0,0,256,256/256,256/0/default.png"))
    assert (answer.status, json.loads(answer.content)["code"]) == (503, "file_unavailable")
    assert world.request("GET", iiif(image, "256,0,256,256/256,256/0/default.png")).status == 200


@pytest.fixture(scope="module")
def photograph(cases, server, django_db_blocker):
    """A public JPEG that lies on its side in the file, through the real pipeline; and its pixels upright."""
    from tests.plugins.server import speaking_to

    upright = draw_slide(640, 480)
    file, exif = io.BytesIO(), Picture.Exif()
    exif[0x0112] = 6
    Picture.fromarray(upright).transpose(Picture.Transpose.ROTATE_90).save(file, "JPEG", quality=95, exif=exif)
    with django_db_blocker.unblock(), speaking_to(server.database):
        deliver(cases.alice, cases.cohort, file.getvalue(), filename="on-its-side.jpg")
        run_jobs()
        image = Accession.objects.get(cohort=cases.cohort, name="on-its-side.jpg").image
        assign_public_ids(image_ids=[image.pk])
        set_visibility(image_ids=[image.pk], visibility="public")
        image.refresh_from_db()
    close_decoder_pool()
    return image, upright


def test_photographs_have_iiif_too_and_stand_upright(world, photograph):
    image, upright = photograph
    information = json.loads(world.request("GET", iiif(image, "info.json")).content)
    assert (information["width"], information["height"]) == (640, 480)
    assert psnr(pixels_of(world.request("GET", iiif(image, "full/max/0/default.jpg"))), upright) > 30
    part = pixels_of(world.request("GET", iiif(image, "100,50,200,100/100,/90/default.png")), "image/png")
    assert psnr(part, shown(upright, (100, 50, 200, 100), (100, 50), turns=90)) > 25
    assert world.request("GET", deep(image, "tiles.dzi")).status == 404
