"""The pages on which people register applications, let them act, copy a code and take it back: by day and at night."""

import os
import re

import pytest

from medtheca.domains.accounts.applications import isic_cli
from tests.browser.visiting import look
from tests.factories.accounts import PASSWORD, make_user
from tests.factories.oauth import BACK, Flow, make_application

pytestmark = pytest.mark.browser
OUT_OF_BAND = "urn:ietf:wg:oauth:2.0:oob"


@pytest.fixture(autouse=True)
def _tables_beside_a_browser(chromium):
    # Playwright's loop runs in this thread, and Django takes that for an asynchronous view.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    yield
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def page(chromium, world):
    context = chromium.new_context(
        base_url=world.url, viewport={"width": 1440, "height": 900}, permissions=["clipboard-read", "clipboard-write"]
    )
    # The application's own site does not exist; a browser that fails to find it leaves the page some time later.
    context.route(re.compile(f"^{re.escape(BACK)}"), lambda route: route.fulfill(body="The application's own page"))
    page = context.new_page()
    page.set_default_timeout(120_000)
    page.complaints = []
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    yield page
    assert page.complaints == []
    context.close()


def press(page, name):
    page.get_by_role("main").get_by_role("button", name=name).click()


def log_in(page, email):
    page.goto("/accounts/login/")
    page.fill("input[name=login]", email)
    page.fill("input[name=password]", PASSWORD)
    press(page, re.compile("^Log in$"))
    page.wait_for_url(lambda url: "/login/" not in url)


def test_from_registering_an_application_to_deleting_it(page, world):
    make_user("alice")
    log_in(page, "alice@example.org")
    page.goto("/oauth/applications/")
    look(page, "oauth-applications-none")
    page.get_by_role("main").get_by_role("link", name="Register an application").click()
    press(page, "Register the application")
    look(page, "oauth-register-errors")
    page.fill("[name=name]", "Atlas of moles")
    page.fill("[name=redirect_uris]", f"{BACK}\nhttps://app.example.org/a/rather/long/address/that/has/to/be/broken")
    press(page, "Register the application")
    page.get_by_text("Copy its secret now").wait_for()
    look(page, "oauth-registered")
    secret = page.locator("[data-copy^=mc_]").get_attribute("data-copy")
    press(page, "Make a new secret")
    page.get_by_text("the old one opens nothing any more").wait_for()
    assert page.locator("[data-copy^=mc_]").get_attribute("data-copy") != secret
    page.fill("[name=name]", "Atlas")
    press(page, "Save the application")
    page.get_by_role("heading", name="Atlas", exact=True).wait_for()
    assert page.locator("[data-copy^=mc_]").count() == 0
    page.goto("/oauth/applications/")
    look(page, "oauth-applications")

    page.get_by_role("link", name="Atlas").click()
    page.get_by_role("link", name="Delete the application").click()
    page.fill("[name=typed_name]", "Atlass")
    press(page, "Delete the application")
    look(page, "oauth-delete")
    page.fill("[name=typed_name]", "Atlas")
    press(page, "Delete the application")
    page.get_by_text("The application Atlas was deleted").wait_for()


def test_from_letting_an_application_act_to_disconnecting_it(page, world):
    make_user("erin")
    log_in(page, "erin@example.org")
    application, _ = make_application(make_user("bob"), name="Viewer of the clinic")
    flow = Flow(None, application)
    page.goto(flow.address(scope="openid identity image:read image:write"))
    look(page, "oauth-consent")
    press(page, re.compile("^Allow$"))
    page.wait_for_url(re.compile(f"^{re.escape(BACK)}"))
    assert {"code", "state", "iss"} <= set(re.findall(r"[?&](\w+)=", page.url))

    page.goto(Flow(None, isic_cli(), redirect_uri=OUT_OF_BAND).address())
    look(page, "oauth-consent-isic-cli")
    press(page, re.compile("^Allow$"))
    page.get_by_role("heading", name="Your code for isic-cli").wait_for()
    look(page, "oauth-code")
    press(page, re.compile("^Copy the code"))
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.locator("main [data-copy]").get_attribute("data-copy")

    page.goto("/account/connections/")
    look(page, "oauth-connections")
    page.get_by_role("button", name="Disconnect Viewer of the clinic").click()
    page.get_by_text("Viewer of the clinic is disconnected").wait_for()
    page.goto(flow.address(client_id="unknown"))
    look(page, "oauth-refused")
    page.goto("/account/")
    look(page, "oauth-account")


def test_behind_a_log_in_the_browser_still_goes_on_to_the_application(page, world):
    """Chromium holds the form of the log-in to its policy through every redirection that follows."""
    make_user("dora")
    application, _ = make_application(make_user("carol"))
    flow = Flow(None, application)
    log_in(page, "dora@example.org")
    page.goto(flow.address(scope="identity"))
    press(page, re.compile("^Allow$"))
    page.wait_for_url(re.compile(f"^{re.escape(BACK)}"))
    page.context.clear_cookies()
    page.goto(flow.address(scope="identity"))
    page.fill("input[name=login]", "dora@example.org")
    page.fill("input[name=password]", PASSWORD)
    press(page, re.compile("^Log in$"))
    page.wait_for_url(re.compile(f"^{re.escape(BACK)}\\?code="))
