"""The review gallery in a real browser: by keyboard alone, without a connection, without scripts."""

import os
import re

import pytest
from django.test import Client

from medtheca.domains.access.enums import Role
from medtheca.domains.access.operations import add_member
from medtheca.domains.provenance.models import Accession, Lesion, Review
from medtheca.toolkit.synthetic.cohort import draw_lesion
from tests.browser.axe import assert_no_barriers
from tests.browser.conftest import SCREENSHOTS
from tests.factories.accounts import make_user
from tests.factories.provenance import deliver, make_cohort, make_zip, run_jobs
from tests.factories.storage import make_wide_scopes

pytestmark = pytest.mark.browser

IMAGES = 24


@pytest.fixture(scope="module")
def unsafe():
    """Playwright's loop runs in this thread, and the tests look into the database from it."""
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    yield
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def cohort(world):
    """Alice's, with two dozen pictures of lesions; Rita reviews it. Another for each test."""
    make_wide_scopes()
    serial = Accession.objects.count()
    alice = make_user(f"alice{serial}")
    cohort = make_cohort(alice, name=f"Pigmented lesion clinic {serial}")
    add_member(scope=cohort.scope, user=make_user(f"rita{serial}"), role=Role.REVIEWER)
    pictures = [(f"IMG_{at:04}.jpg", draw_lesion(serial + at, size=(600, 450)).jpeg) for at in range(IMAGES)]
    deliver(alice, cohort, make_zip(pictures))
    run_jobs()
    lesion = Lesion.objects.create(
        public_id=f"IL_{1_000_000 + serial}", contributor=cohort.contributor, private_id="L1"
    )
    Accession.objects.filter(cohort=cohort, name__in=["IMG_0000.jpg", "IMG_0005.jpg", "IMG_0006.jpg"]).update(
        lesion=lesion
    )
    return cohort


class Reviewer:
    """Rita at a browser."""

    def __init__(self, chromium, url, cohort, **options):
        client = Client()
        client.force_login(type(cohort.creator).objects.get(email=cohort.creator.email.replace("alice", "rita")))
        options = {"viewport": {"width": 1440, "height": 900}, "reduced_motion": "reduce", **options}
        self.context = chromium.new_context(**options)
        session = client.cookies["sessionid"].value
        self.context.add_cookies([{"name": "sessionid", "value": session, "url": url}])
        self.page = self.context.new_page()
        self.page.set_default_timeout(60_000)
        self.complaints = []
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", lambda said: said.type == "error" and self.complaints.append(said.text))
        self.address = f"{url}/review/{cohort.pk}/"
        self.page.goto(self.address)

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)

    def name(self):
        return self.page.inner_text("[data-name]")

    def reads(self, words):
        self.page.get_by_text(words).first.wait_for()

    def mark(self, name):
        return self.page.locator(f'[data-label="{name}"] [data-mark]').first.inner_text()

    def picture_is_there(self):
        return self.page.wait_for_function("() => document.querySelector('[data-picture] img')?.naturalWidth === 600")


@pytest.fixture
def rita(chromium, unsafe, world, cohort):
    reviewer = Reviewer(chromium, world.url, cohort)
    yield reviewer
    reviewer.context.close()
    assert reviewer.complaints == []


def states(cohort):
    return dict(Accession.objects.filter(cohort=cohort).order_by("name").values_list("name", "review_state"))


def look(page, what):
    SCREENSHOTS.mkdir(exist_ok=True)
    for width, height, scheme in ((1440, 900, "light"), (1440, 900, "dark"), (390, 844, "light"), (390, 844, "dark")):
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=scheme)
        page.wait_for_timeout(200)
        page.screenshot(path=SCREENSHOTS / f"review-{what}-{width}-{scheme}.png", full_page=width < 1000)
        assert_no_barriers(page)
        overhang = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert overhang <= 0, f"{what} is {overhang} px wider than {width} px"
    page.set_viewport_size({"width": 1440, "height": 900})
    page.emulate_media(color_scheme="light")


def test_rita_judges_by_keyboard_alone(rita, cohort):
    rita.picture_is_there()
    assert rita.name() == "IMG_0000.jpg"
    rita.reads("Same lesion")
    look(rita.page, "gallery")

    rita.press("a")
    assert rita.name() == "IMG_0001.jpg"
    rita.picture_is_there()
    rita.press("3")
    rita.press("f")
    rita.press("w")
    rita.page.keyboard.type("a name tag")
    rita.press("Escape", "2")
    assert rita.name() == "IMG_0004.jpg"
    rita.press("ArrowRight", "ArrowRight", "ArrowLeft", "k", "j")
    assert rita.name() == "IMG_0005.jpg"
    rita.reads("4 decisions saved")
    rita.press("u")  # the last: IMG_0003
    assert rita.name() == "IMG_0003.jpg"
    rita.press("a")
    rita.reads("5 decisions saved")
    assert rita.mark("IMG_0001.jpg") == "rejected"
    # Several at once.
    rita.press("x", "ArrowRight", "x", "ArrowRight", "x")
    rita.reads("3 images chosen")
    rita.press("5")
    rita.reads("8 decisions saved")

    found = states(cohort)
    assert [found[f"IMG_{at:04}.jpg"] for at in range(8)] == [
        "accepted", "rejected", "flagged", "accepted", "rejected", "rejected", "rejected", "awaiting",
    ]  # fmt: skip
    said = Review.objects.filter(accession__cohort=cohort, accession__name="IMG_0003.jpg").order_by("pk")
    assert [(row.decision, row.reason, row.standing) for row in said] == [
        ("rejected", "a name tag", False),
        ("accepted", "", True),
    ]
    rita.press("z")
    assert rita.page.locator("[data-stage][data-zoomed]").count() == 1
    rita.press("z", "?")
    rita.reads("Put another image beside")
    look(rita.page, "keys")
    rita.press("Escape", "Shift+A")
    rita.reads("Everything in this list is judged.")
    rita.reads("25 decisions saved")
    assert "awaiting" not in states(cohort).values()
    look(rita.page, "done")


def test_another_image_stands_beside(rita):
    rita.reads("Same lesion")
    rita.press("c")
    rita.page.wait_for_function("() => document.querySelector('[data-beside-figure] img').naturalWidth > 0")
    look(rita.page, "beside")
    rita.press("Escape")
    assert rita.page.locator("[data-beside-figure]").is_hidden()


def test_nothing_is_lost_without_a_connection(rita, cohort):
    rita.picture_is_there()
    rita.page.route("**/decide/", lambda route: route.abort())
    rita.press("a", "a", "1")
    rita.reads("3 decisions not saved yet")
    rita.complaints.clear()  # the browser says that it could not fetch
    look(rita.page, "offline")
    rita.complaints.clear()

    # The page is loaded again: what was decided is still known, and goes out in order once there is a connection.
    rita.page.on("dialog", lambda dialog: dialog.accept())
    rita.page.reload()
    rita.reads("3 decisions not saved yet")
    assert rita.mark("IMG_0002.jpg") == "rejected"
    assert rita.name() == "IMG_0003.jpg"
    assert set(states(cohort).values()) == {"awaiting"}
    rita.page.unroute("**/decide/")
    rita.reads("3 decisions saved")
    found = states(cohort)
    assert [found[f"IMG_{at:04}.jpg"] for at in range(4)] == ["accepted", "accepted", "rejected", "awaiting"]
    assert Review.objects.filter(accession__cohort=cohort).count() == 3
    rita.complaints.clear()


def test_an_answer_that_got_lost_makes_no_second_review(rita, cohort):
    rita.picture_is_there()
    lost = []

    def lose(route):
        if not lost:
            lost.append(route.fetch().status)
            route.abort()
        else:
            route.continue_()

    rita.page.route("**/decide/", lose)
    rita.press("a")
    rita.reads("1 decision saved")

    assert lost == [200]
    assert Review.objects.filter(accession__cohort=cohort).count() == 1
    rita.complaints.clear()


def test_what_the_server_refuses_is_said(rita, cohort):
    rita.picture_is_there()
    Accession.objects.filter(cohort=cohort, name="IMG_0000.jpg").update(creator=_rita(cohort))
    rita.press("a")
    rita.reads("Not saved:")
    assert rita.mark("IMG_0000.jpg") == "not saved"
    rita.complaints.clear()


def _rita(cohort):
    return type(cohort.creator).objects.get(email=cohort.creator.email.replace("alice", "rita"))


def test_it_works_without_scripts(chromium, unsafe, world, cohort):
    rita = Reviewer(chromium, world.url, cohort, java_script_enabled=False)
    rita.page.get_by_role("checkbox", name="Choose IMG_0003.jpg").check()
    rita.page.get_by_role("checkbox", name="Choose IMG_0004.jpg").check()
    rita.page.get_by_role("button", name=re.compile("Too poor")).click()
    rita.reads("Rejected: 2 images.")
    rita.page.locator('[data-label="IMG_0007.jpg"] a').first.click()
    assert rita.name() == "IMG_0007.jpg"
    rita.page.get_by_role("button", name=re.compile("^Accept")).first.click()
    rita.reads("Accepted: 1 image.")

    found = states(cohort)
    assert (found["IMG_0003.jpg"], found["IMG_0004.jpg"], found["IMG_0007.jpg"]) == ("rejected", "rejected", "accepted")
    assert found["IMG_0000.jpg"] == "awaiting"
    rita.context.close()


def test_the_queue_and_a_submission(rita, cohort, world):
    rita.page.goto(f"{world.url}/review/")
    rita.reads("24 images wait")
    look(rita.page, "queue")
    pk = Accession.objects.get(cohort=cohort, name="IMG_0000.jpg").pk
    rita.page.goto(rita.address)
    rita.press("1")
    rita.reads("1 decision saved")
    rita.page.goto(f"{world.url}/accessions/{pk}/")
    rita.reads("A person can be recognised")
    look(rita.page, "submission")


def test_boxes_are_drawn_typed_and_blacked_out(rita, cohort, world):
    pk = Accession.objects.get(cohort=cohort, name="IMG_0000.jpg").pk
    rita.page.goto(f"{world.url}/accessions/{pk}/redact/")
    canvas = rita.page.locator("[data-canvas]")
    canvas.wait_for()
    frame = canvas.bounding_box()
    # The picture, 4 by 3, lies fitted in the middle of the canvas.
    scale = min(frame["width"] / 600, frame["height"] / 450)
    left = frame["x"] + (frame["width"] - 600 * scale) / 2
    top = frame["y"] + (frame["height"] - 450 * scale) / 2

    def drag(x1, y1, x2, y2):
        mouse = rita.page.mouse
        mouse.move(left + x1 * scale, top + y1 * scale)
        mouse.down()
        mouse.move(left + (x1 + x2) / 2 * scale, top + (y1 + y2) / 2 * scale)
        mouse.move(left + x2 * scale, top + y2 * scale)
        mouse.up()

    def boxes():
        return rita.page.evaluate(
            "() => [...document.querySelectorAll('[data-rows] [data-box]')].map("
            "(row) => [...row.querySelectorAll('input')].map((field) => Number(field.value)))"
        )

    assert boxes() == []
    drag(300, 200, 100, 80)  # from the lower right
    (drawn,) = boxes()
    assert all(abs(got - wanted) <= 1 for got, wanted in zip(drawn, [100, 80, 200, 120], strict=True)), drawn
    drag(150, 120, 170, 130)  # inside: it is moved
    (moved,) = boxes()
    assert all(abs(got - wanted) <= 1 for got, wanted in zip(moved, [120, 90, 200, 120], strict=True)), moved
    drag(500, 400, 500, 400)  # a click is no box
    assert len(boxes()) == 1
    # By keyboard: a box of numbers.
    rita.page.get_by_role("button", name="Add a box").focus()
    rita.press("Enter")
    for number in ("10", "20", "30", "40"):
        rita.press("Control+A")
        rita.page.keyboard.type(number)
        rita.press("Tab")
    assert boxes()[1] == [10, 20, 30, 40]
    look(rita.page, "redact")
    rita.page.get_by_label("Reason").fill("A name tag.")
    rita.page.get_by_role("button", name="Black out 2 areas").click()
    rita.reads("2 areas are being blacked out")
    run_jobs()
    rita.page.reload()
    rita.reads("Redacted")
    shade = rita.page.evaluate(
        """async () => {
            const picture = document.querySelector(".viewer-canvas img");
            await picture.decode();
            const canvas = new OffscreenCanvas(600, 450).getContext("2d");
            canvas.drawImage(picture, 0, 0);
            const at = (x, y) => canvas.getImageData(x, y, 1, 1).data.slice(0, 3).join();
            return [at(15, 25), at(200, 150), at(400, 400)];
        }"""
    )
    assert shade[:2] == ["0,0,0", "0,0,0"]
    assert shade[2] != "0,0,0"
    look(rita.page, "redacted")


def test_boxes_are_drawn_by_touch(chromium, unsafe, world, cohort):
    rita = Reviewer(chromium, world.url, cohort, has_touch=True, viewport={"width": 390, "height": 844})
    pk = Accession.objects.get(cohort=cohort, name="IMG_0001.jpg").pk
    rita.page.goto(f"{world.url}/accessions/{pk}/redact/")
    frame = rita.page.locator("[data-canvas]").bounding_box()
    touch = rita.context.new_cdp_session(rita.page)
    x, y = frame["x"] + 60, frame["y"] + frame["height"] / 2 - 30
    for kind, points in (
        ("touchStart", [{"x": x, "y": y}]),
        ("touchMove", [{"x": x + 40, "y": y + 20}]),
        ("touchMove", [{"x": x + 90, "y": y + 50}]),
        ("touchEnd", []),
    ):
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    rita.page.get_by_role("button", name="Black out 1 area").wait_for()
    rita.context.close()
