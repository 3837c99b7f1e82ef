"""A browser and a real `medtheca up` on a fresh data folder."""

import os
import shutil

import pytest

from tests.browser.people import PATIENCE, SCREENSHOTS, Person
from tests.plugins.archive import Archive
from tests.plugins.server import server, world

__all__ = ["SCREENSHOTS", "server", "world"]  # the last two are fixtures, for tests that look into the database too

MANDATORY = os.environ.get("MEDTHECA_CI") == "1"
_PROGRAMS = ("chromium", "chromium-browser", "google-chrome")


def give_up(reason):
    """Skip with the reason; where browser tests are mandatory, fail with it."""
    if MANDATORY:
        pytest.fail(f"{reason} MEDTHECA_CI=1 makes browser tests mandatory.")
    pytest.skip(reason)


# No wider than a module: while Playwright runs, its event loop is that of this thread, and other tests need their own.
@pytest.fixture(scope="module")
def chromium():
    try:
        from playwright.sync_api import expect, sync_playwright
    except ModuleNotFoundError:
        give_up("Playwright is not installed: pip install playwright.")
    program = next(filter(None, map(shutil.which, _PROGRAMS)), None)
    if program is None:
        give_up("There is no Chromium on the PATH: install Debian's package chromium.")
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield browser
        browser.close()


@pytest.fixture
def archive(request, chromium, tmp_path):
    """Only where there is a browser: without one the archive would be started for nothing. Marked `bare`, it is as for
    a new user.
    """
    running = Archive(tmp_path / "data", bare=request.node.get_closest_marker("bare") is not None)
    running.start()
    try:
        yield running
    finally:
        running.stop()
        print(running.said())  # pytest shows this where the test has failed


@pytest.fixture
def people(chromium, archive):
    """Opens a browser for somebody of a name."""
    met = []

    def meet(name, kind=Person):
        met.append(kind(chromium, archive.url, name))
        return met[-1]

    yield meet
    for person in met:
        person.context.close()
