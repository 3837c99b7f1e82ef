"""The bell, the notifications, the choices and the activity in a real browser, wide and narrow, light and dark."""

import os

import pytest
from django.test import Client

from medtheca.domains.ledger.notifying import notify
from medtheca.domains.ledger.operations import record
from medtheca.domains.provenance.models import Verdict
from medtheca.workflows.unsubscribing import link_path
from tests.browser.axe import assert_no_barriers
from tests.browser.conftest import SCREENSHOTS
from tests.factories.accounts import make_user
from tests.factories.images import make_delivery
from tests.factories.provenance import make_cohort
from tests.factories.storage import make_wide_scopes

pytestmark = pytest.mark.browser
LOOKS = [(1440, "light"), (1440, "dark"), (390, "light"), (390, "dark")]


@pytest.fixture(scope="module")
def unsafe():
    """Playwright's loop runs in this thread, and the tests look into the database from it."""
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    yield
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def story(world):
    """Alice, her cohort, what she was told, and an upload under way. Another Alice for each test."""
    make_wide_scopes()
    alice = make_user(f"alice{os.urandom(3).hex()}")
    cohort = make_cohort(alice, name="Pigmented lesion clinic")
    verdicts = [{"path": f"{at}.jpg", "outcome": "accepted" if at < 130 else "waiting"} for at in range(212)]
    make_delivery(cohort, verdicts, state="converting")
    for kind, words in (
        ("account.token", "An API token of your account was made."),
        (
            "metadata.invalid",
            "A spreadsheet for the cohort Pigmented lesion clinic has 41 errors; nothing was applied.",
        ),
        ("delivery.done", "212 accepted, 3 refused, 5 skipped, in the cohort Pigmented lesion clinic."),
        ("publication.done", "209 images are published. 3 were left out; the page of the request says which."),
    ):
        tell(alice, kind, words)
    record(actor_id=alice.pk, verb="images.published", subject_type="publish_request", subject_id=1,
           cohort_id=cohort.pk, details={"images": list(range(209)), "visibility": "public"})  # fmt: skip
    record(actor_id=None, verb="accessions.converted", subject_type="cohort", subject_id=cohort.pk,
           cohort_id=cohort.pk, details={"accessions": list(range(212))})  # fmt: skip
    return alice, cohort


def tell(person, kind, words):
    notify(recipient_ids=[person.pk], kind=kind, words=words, url="/uploads/")


@pytest.fixture
def browse(chromium, world, unsafe):
    """Open a page as somebody; errors of the page fail the test at its end."""
    opened, complaints = [], []

    def open_page(person, *, width=1440, scheme="light", scripts=True):
        context = chromium.new_context(
            viewport={"width": width, "height": 900},
            color_scheme=scheme,
            java_script_enabled=scripts,
            reduced_motion="reduce",
        )
        opened.append(context)
        if person is not None:
            client = Client()
            client.force_login(person)
            context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": world.url}])
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        return page

    yield open_page
    for context in opened:
        context.close()
    assert complaints == []


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_every_page_is_without_barriers(browse, world, story, width, scheme):
    alice, cohort = story
    token = link_path(recipient_id=alice.pk, kinds=["delivery.done", "metadata.applied"])
    pages = {
        "notifications": "/notifications/",
        "notifications-empty": "/notifications/?section=People+and+rights",
        "notification-preferences": "/account/notifications/",
        "unsubscribe": token,
        "activity": f"/cohorts/{cohort.pk}/activity/",
        "not-found": "/nowhere/",
    }
    page = browse(alice, width=width, scheme=scheme)
    for name, address in pages.items():
        page.goto(world.url + address)
        assert_no_barriers(page)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), f"{name} is too wide"
        SCREENSHOTS.mkdir(exist_ok=True)
        page.screenshot(path=SCREENSHOTS / f"{name}-{width}-{scheme}.png", full_page=True)


def test_the_bell_hears_of_what_ended_without_a_reload(browse, world, story):
    alice, _ = story
    page = browse(alice)
    page.clock.install()
    page.goto(world.url + "/account/notifications/")
    count = page.locator("#bell-count")
    assert "4" in count.inner_text()
    assert count.get_attribute("aria-live") == "polite"
    tell(alice, "delivery.done", "1 accepted.")
    page.clock.run_for(61_000)
    page.locator("#bell-count", has_text="5").wait_for()
    page.get_by_role("link", name="Notifications").first.click()
    page.wait_for_url("**/notifications/")


def test_work_under_way_moves_and_goes(browse, world, story):
    alice, cohort = story
    page = browse(alice)
    page.clock.install()
    page.goto(world.url + "/notifications/")
    assert "130 of 212 files" in page.inner_text("#under-way")
    Verdict.objects.filter(delivery__cohort=cohort, ordinal__lt=180).update(outcome="accepted")
    page.clock.run_for(5_000)
    page.locator("#under-way", has_text="180 of 212").wait_for()
    cohort.deliveries.update(state="refused", refusal="It ended.", finished="2026-01-01T00:00Z")
    page.clock.run_for(5_000)
    page.locator("#under-way", has_text="212").wait_for(state="detached")


@pytest.mark.parametrize("scripts", [True, False])
def test_everything_is_done_by_keyboard_with_and_without_scripts(browse, world, story, scripts):
    alice, _ = story
    page = browse(alice, scripts=scripts)
    page.goto(world.url + "/notifications/")
    page.get_by_role("button", name="Mark as read: An upload was worked through").press("Enter")
    page.get_by_role("button", name="Mark as unread: An upload was worked through").wait_for()
    page.get_by_role("button", name="Mark all as read").press("Enter")
    page.get_by_text("All notifications are marked as read.").wait_for()
    page.get_by_role("link", name="Choose what you are told").press("Enter")
    page.get_by_label("An upload was worked through").select_option("digest")
    page.get_by_role("button", name="Save the choices").press("Enter")
    page.get_by_text("Your choices are kept.").wait_for()
    assert page.get_by_label("An upload was worked through").input_value() == "digest"


def test_mail_is_stopped_without_a_log_in(browse, world, story):
    alice, _ = story
    page = browse(None)
    page.goto(world.url + link_path(recipient_id=alice.pk, kinds=["delivery.done"]))
    page.get_by_role("button", name="Stop e-mail about this").press("Enter")
    page.get_by_role("heading", name="No more e-mail about this").wait_for()
    assert_no_barriers(page)
