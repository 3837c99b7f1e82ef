"""Volumes, slides and documents in a browser: turned over, zoomed, by mouse and keyboard, at a desk and on a phone."""

import os
import re
import threading
import time
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from django.test import Client

from tests.browser.axe import assert_no_barriers
from tests.browser.people import SCREENSHOTS
from tests.factories.accounts import make_user
from tests.factories.cases import draw_slide, make_document, make_slide, make_volume
from tests.factories.provenance import make_cohort

pytestmark = pytest.mark.browser

SIZES = {"desk": {"width": 1440, "height": 900}, "phone": {"width": 390, "height": 844}}
# A page of somebody else's that shows the slide: nothing of it but OpenSeadragon is ours.
_OPENSEADRAGON = Path(__file__).parent / "vendor/openseadragon.min.js"
_BARE = """<!doctype html><html lang="en"><link rel="icon" href="data:,"><title>Elsewhere</title>
<div id="v" style="width:800px;height:600px"></div>"""


@pytest.fixture(scope="module", autouse=True)
def _unsafe():
    # Playwright's loop runs in this thread, and the tests look into the database from it.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    yield
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def images(world, tmp_path):
    """Alice's images, as the public and as she sees them."""
    alice = make_user(f"alice{os.urandom(3).hex()}")
    cohort = make_cohort(alice, name=f"Radiology {os.urandom(3).hex()}")
    z, y, x = np.mgrid[0:24, 0:64, 0:48]
    times = np.arange(3)[:, None, None, None]
    voxels = (np.hypot(x - 24, y - 32) * 20 + z * 30 + times * 200).astype(np.int16)
    options = {"count": 4, "spacing": (1.0, 1.0, 2.0, 1.0), "facts": {"modality": "CT"}}
    return {
        "alice": alice,
        "volume": make_volume(cohort, tmp_path, voxels, visibility="public", **options),
        "private volume": make_volume(cohort, tmp_path, voxels + np.int16(1), **options),
        "slide": make_slide(cohort, tmp_path, draw_slide(3000, 2000), visibility="public"),
        "private slide": make_slide(cohort, tmp_path, draw_slide(3000, 2000, seed=1)),
        "document": make_document(cohort, tmp_path, visibility="public"),
    }


@pytest.fixture
def browse(chromium, world):
    """Open pages as somebody, or as nobody; whatever the console complains of fails the test."""
    opened, said = [], []

    def open_page(person=None, *, size="desk", **options):
        context = chromium.new_context(viewport=SIZES[size], reduced_motion="reduce", **options)
        opened.append(context)
        if person:
            client = Client()
            client.force_login(person)
            session = client.cookies["sessionid"].value
            context.add_cookies([{"name": "sessionid", "value": session, "url": world.url}])
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        return page

    yield open_page
    for context in opened:
        context.close()
    assert said == []


@pytest.fixture
def elsewhere(tmp_path):
    """The address of a page of another origin. Served, not faked: browsers ask where a page came from."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site/index.html").write_text(_BARE)

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=tmp_path / "site")) as site:
        thread = threading.Thread(target=site.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{site.server_port}/"
        site.shutdown()
        thread.join()


def go(page, world, image):
    page.goto(f"{world.url}/images/{image.public_id or image.key}/")


def shown(page, place):
    """Wait until a slice is on the stage: `axial/3/0` is plane, slice and time."""
    page.wait_for_selector(f'[data-volume][data-shown="{place}"]')


def take(page, name):
    SCREENSHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"formats-{name}.png")


def brightness(page):
    """Mean of the picture on the stage, 0 to 255."""
    return page.evaluate("""() => {
        const image = document.querySelector('[data-volume-picture]');
        const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight);
        const context = canvas.getContext('2d');
        context.drawImage(image, 0, 0);
        const data = context.getImageData(0, 0, canvas.width, canvas.height).data;
        return data.filter((_, at) => at % 4 === 0).reduce((sum, value) => sum + value, 0) / (data.length / 4);
    }""")


def test_a_volume_is_turned_over_by_every_means(browse, world, images):
    page = browse()
    go(page, world, images["volume"])
    shown(page, "axial/12/0")
    stage = page.get_by_role("group", name=re.compile("Slices of"))
    picture = page.locator("[data-volume-picture]")
    assert picture.get_attribute("alt") == "Axial slice 13 of 24, time 1 of 3"
    dark = brightness(page)

    stage.focus()
    for key, place in (("ArrowUp", 13), ("ArrowLeft", 12), ("PageUp", 22), ("End", 23), ("Home", 0)):
        page.keyboard.press(key)
        shown(page, f"axial/{place}/0")
    assert page.get_by_role("slider", name="Slice").get_attribute("aria-valuetext").startswith("Axial slice 1 of 24")
    stage.hover()
    page.mouse.wheel(0, 80)
    shown(page, "axial/2/0")

    slider = page.get_by_role("slider", name="Slice")
    slider.focus()
    page.keyboard.press("ArrowRight")
    shown(page, "axial/3/0")

    page.get_by_role("button", name="Coronal").click()
    shown(page, "coronal/32/0")
    assert page.get_by_role("button", name="Coronal").get_attribute("aria-pressed") == "true"
    assert page.get_by_role("button", name="Axial").get_attribute("aria-pressed") == "false"
    # 48 columns of 1 mm and 24 slices of 2 mm.
    assert picture.evaluate("image => [image.naturalWidth, image.naturalHeight]") == [48, 48]

    before, source = brightness(page), picture.evaluate("image => image.src")
    page.get_by_label("Window").select_option(label="Brain (40 / 80)")
    page.wait_for_function(
        "before => (image => image.src !== before && image.complete && image.naturalWidth > 0)"
        "(document.querySelector('[data-volume-picture]'))",
        arg=source,
    )
    assert brightness(page) > before + 20
    assert dark > 0

    page.get_by_role("slider", name="Time").focus()
    page.keyboard.press("End")
    shown(page, "coronal/32/2")
    page.get_by_role("button", name="Play").click()
    shown(page, "coronal/32/0")
    shown(page, "coronal/32/1")
    page.get_by_role("button", name="Play").click()
    assert page.get_by_role("button", name="Play").get_attribute("aria-pressed") == "false"


def test_a_slide_is_zoomed_by_buttons_and_keys(browse, world, images):
    page = browse()
    go(page, world, images["slide"])
    page.wait_for_selector("[data-slide][data-open][data-drawn]")
    scale = page.locator("[data-slide-scale]")

    def percent():
        return int(scale.inner_text().split()[0])

    page.get_by_role("button", name="Whole slide").click()
    page.get_by_role("button", name="Zoom in").click()
    page.wait_for_function("document.querySelector('[data-slide-scale]').textContent !== ''")
    first = percent()
    asked = []
    page.on("response", lambda answer: asked.append((answer.status, answer.url)))
    with page.expect_response("**/tiles_files/12/**"):
        for _ in range(4):
            page.get_by_role("button", name="Zoom in").click()
    page.wait_for_load_state("networkidle")
    assert percent() > 2 * first
    assert any("/tiles_files/12/" in url for _, url in asked)
    assert {status for status, _ in asked} == {200}
    page.get_by_role("button", name="Zoom out").click()
    assert percent() < 5 * first
    page.locator(".openseadragon-canvas").focus()
    near = percent()
    page.keyboard.press("+")
    page.wait_for_timeout(500)
    assert percent() > near


def middle_colour(page):
    """What OpenSeadragon has drawn in the middle of its canvas: red, green, blue."""
    return page.evaluate("""() => {
        const canvas = document.querySelector('.openseadragon-canvas canvas');
        const at = [Math.floor(canvas.width / 2), Math.floor(canvas.height / 2)];
        return [...canvas.getContext('2d').getImageData(...at, 1, 1).data.slice(0, 3)];
    }""")


def test_the_slide_on_its_page_has_the_colours_that_were_scanned(browse, world, images):
    page = browse()
    go(page, world, images["slide"])
    page.wait_for_selector("[data-slide][data-open][data-drawn]")
    page.wait_for_function("""() => {
        const canvas = document.querySelector('.openseadragon-canvas canvas');
        const at = [Math.floor(canvas.width / 2), Math.floor(canvas.height / 2)];
        return canvas.getContext('2d').getImageData(...at, 1, 1).data[3] === 255;
    }""")
    page.wait_for_timeout(1000)
    red, green, _ = middle_colour(page)
    assert abs(red - 127) < 12
    assert abs(green - 127) < 12


@pytest.mark.parametrize("source", ["tiles.dzi", "info.json"])
def test_openseadragon_of_any_page_shows_a_slide(browse, world, images, elsewhere, source):
    """Plain OpenSeadragon, as other sites have it, on a page of another origin."""
    reference = images["slide"].public_id
    base = f"http://localhost:{world.port}"
    tiles = (
        f"{base}/files/images/{reference}/tiles.dzi" if source == "tiles.dzi" else f"{base}/iiif/{reference}/info.json"
    )
    page = browse()
    page.goto(elsewhere)
    page.add_script_tag(path=_OPENSEADRAGON)
    answers = []
    page.on("response", lambda answer: answers.append((answer.status, answer.url)))
    page.evaluate(
        "tiles => { window.v = OpenSeadragon({element: document.getElementById('v'), tileSources: tiles,"
        " drawer: 'canvas', crossOriginPolicy: 'Anonymous', showNavigationControl: false, immediateRender: true}); }",
        tiles,
    )
    page.wait_for_function("window.v.world.getItemCount() === 1 && window.v.world.getItemAt(0).getFullyLoaded()")
    assert page.evaluate("window.v.world.getItemAt(0).getContentSize()") == {"x": 3000, "y": 2000}
    page.evaluate("window.v.viewport.zoomTo(window.v.world.getItemAt(0).imageToViewportZoom(1), null, true)")
    until = time.monotonic() + 60
    while len(answers) <= 5:
        assert time.monotonic() < until, answers
        page.wait_for_timeout(100)
    page.wait_for_function("window.v.world.getItemAt(0).getFullyLoaded()")
    page.wait_for_timeout(300)
    red, green, _ = middle_colour(page)
    assert abs(red - 127) < 12
    assert abs(green - 127) < 12
    assert {status for status, _ in answers} == {200}


def test_what_is_private_is_shown_to_its_owner_by_her_session(browse, world, images):
    page = browse(images["alice"])
    go(page, world, images["private volume"])
    shown(page, "axial/12/0")
    go(page, world, images["private slide"])
    page.wait_for_selector("[data-slide][data-open][data-drawn]")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_have_no_barriers_and_fit(browse, world, images, size, scheme):
    page = browse(size=size, color_scheme=scheme)
    for kind, ready in (
        ("volume", '[data-volume][data-shown="axial/12/0"]'),
        ("slide", "[data-slide][data-open][data-drawn]"),
        ("document", ".document-card"),
    ):
        go(page, world, images[kind])
        page.wait_for_selector(ready)
        page.wait_for_timeout(300)
        take(page, f"{kind}-{size}-{scheme}")
        assert_no_barriers(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size]["width"]


def test_without_scripts_a_picture_stands_there(browse, world, images):
    page = browse(java_script_enabled=False)
    for kind in ("volume", "slide", "document"):
        go(page, world, images[kind])
        picture = page.locator(".viewer-canvas img")
        assert picture.is_visible()
        assert picture.get_attribute("src").endswith("web.jpg")
        assert not page.locator(".viewer-bar").count() or not page.locator(".viewer-bar").is_visible()
