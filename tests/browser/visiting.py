"""Pages of a server that the test looks into as well, opened as somebody and looked at in all four ways."""

import os

import pytest
from django.test import Client

from tests.browser.axe import assert_no_barriers
from tests.browser.people import SCREENSHOTS

_SIZES = ((1440, 900), (390, 844))


@pytest.fixture(scope="module")
def unsafe():
    """Playwright's loop runs in this thread, and the tests look into the database from it."""
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    yield
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def browse(chromium, world, unsafe):
    """Open a page as somebody, or as nobody; nothing may be complained of.

    With `lacking`, images on the page may have no files, of which a browser complains on its console. `refused` are
    statuses with which pages answer what the test does wrong, of which it complains as well.
    """
    opened, complaints = [], []

    def open_page(person=None, *, lacking=False, refused=(), **options):
        def hear(said):
            expected = any(f"responded with a status of {status} " in said.text for status in refused)
            if said.type == "error" and not expected:
                complaints.append(f"{said.text} {said.location.get('url', '')}")

        context = chromium.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce", **options)
        opened.append(context)
        if person:
            client = Client()
            client.force_login(person)
            session = client.cookies["sessionid"].value
            context.add_cookies([{"name": "sessionid", "value": session, "url": world.url}])
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        if not lacking:
            page.on("console", hear)
        return page

    yield open_page
    for context in opened:
        context.close()
    assert not complaints, complaints


_SETTLED = """async () => {
    await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
    const passing = document.getAnimations().filter(one => one.effect?.getComputedTiming().endTime !== Infinity);
    await Promise.allSettled(passing.map(one => one.finished));
}"""
"""Resolves when colours have changed to those of the other scheme: what axe reads before is neither."""


def look(page, name, *, full_page=True):
    """Pictures of the page at two widths, by day and by night; nothing overhangs, and no barriers."""
    page.wait_for_load_state("networkidle")
    SCREENSHOTS.mkdir(exist_ok=True)
    for width, height in _SIZES:
        page.set_viewport_size({"width": width, "height": height})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.evaluate(_SETTLED)
            if full_page:
                page.evaluate("scrollTo(0, 0)")
            page.screenshot(path=SCREENSHOTS / f"{name}-{width}-{scheme}.png", full_page=full_page)
            assert_no_barriers(page)
            overhang = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert overhang <= 0, f"{name} is {overhang} px wider than {width} px"
    page.set_viewport_size({"width": 1440, "height": 900})
    page.emulate_media(color_scheme="light")
