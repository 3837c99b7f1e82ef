"""Passkeys in a real browser, whose device is Chromium's virtual one; and a look at the pages of accounts."""

import os
import time

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value

from tests.browser.axe import assert_no_barriers
from tests.browser.conftest import SCREENSHOTS
from tests.factories.accounts import PASSWORD, make_token, make_user

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def _tables_beside_a_browser(chromium):
    # Playwright's loop runs in this thread, and Django takes that for an asynchronous view.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    yield
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def site(world):
    # WebAuthn needs a name.
    return f"http://localhost:{world.port}"


@pytest.fixture
def page(chromium, site):
    context = chromium.new_context(base_url=site, viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.complaints = []
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    devices = context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    page.device = devices.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"]
    page.devices = devices
    yield page
    assert page.complaints == []
    context.close()


def look(page, name):
    page.wait_for_load_state("networkidle")
    SCREENSHOTS.mkdir(exist_ok=True)
    for width, height, scheme in ((1440, 900, "light"), (390, 844, "dark")):
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=scheme)
        page.screenshot(path=SCREENSHOTS / f"account-{name}-{width}.png", full_page=True)
        assert_no_barriers(page)
        overhang = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert overhang <= 0, f"{name} is {overhang} px wider than {width} px"
    page.set_viewport_size({"width": 1440, "height": 900})
    page.emulate_media(color_scheme="light")


def press(page, name):
    page.get_by_role("main").get_by_role("button", name=name).click()


def log_in(page, email):
    page.goto("/accounts/login/")
    page.fill("input[name=login]", email)
    page.fill("input[name=password]", PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Log in", exact=True).click()
    page.wait_for_url(lambda url: "/accounts/login/" not in url)


def prove(page):
    page.fill("input[name=password]", PASSWORD)
    press(page, "Go on")


def test_alice_logs_in_with_a_passkey_and_without_her_password(page, site):
    make_user("alice")
    log_in(page, "alice@example.org")
    page.goto("/accounts/2fa/webauthn/add/")
    look(page, "prove")
    prove(page)
    page.fill("input[name=name]", "Laptop")
    page.check("input[name=passwordless]")
    look(page, "passkey-add")
    press(page, "Add the passkey")
    page.wait_for_url("**/recovery-codes/")
    look(page, "recovery-codes")
    assert Authenticator.objects.filter(type="webauthn").count() == 1
    page.goto("/accounts/2fa/webauthn/")
    assert page.get_by_role("cell", name="Laptop", exact=True).count() == 1
    look(page, "passkeys")

    page.context.clear_cookies()
    page.goto("/accounts/login/?next=/account/")
    look(page, "log-in")
    press(page, "Log in with a passkey")
    page.wait_for_url(lambda url: "/login/" not in url)
    assert page.url == f"{site}/account/"
    assert "alice@example.org" in page.get_by_role("main").inner_text()

    # As the second factor: the password, then the device.
    page.context.clear_cookies()
    log_in(page, "alice@example.org")
    page.wait_for_url("**/2fa/authenticate/")
    look(page, "second-factor-asked")
    press(page, "Use a passkey")
    page.wait_for_url(lambda url: "/accounts/" not in url)

    # A device that has none says so in words, and nobody is let in.
    page.context.clear_cookies()
    page.devices.send("WebAuthn.clearCredentials", {"authenticatorId": page.device})
    page.goto("/accounts/login/")
    press(page, "Log in with a passkey")
    page.get_by_role("alert").get_by_text("The browser gave no passkey").wait_for()


def test_the_pages_of_an_account_have_no_barriers(page, site, world):
    carol = make_user("carol", asked=False)
    make_token(carol)
    log_in(page, "carol@example.org")
    look(page, "terms-asked")
    press(page, "Accept version 1 and go on")
    page.wait_for_url(lambda url: "terms" not in url)
    for path, name in (
        ("/account/", "account"),
        ("/account/sessions/", "sessions"),
        ("/account/exports/", "exports"),
        ("/account/delete/", "delete"),
        ("/account/terms/", "terms-accepted"),
        ("/account/tokens/", "tokens"),
        ("/accounts/2fa/", "factors"),
        ("/accounts/password/change/", "password"),
        ("/privacy/", "privacy"),
    ):
        page.goto(path)
        look(page, name)
    page.goto("/account/exports/")
    press(page, "Put my data together")
    prove(page)
    look(page, "export-being-made")
    page.goto("/accounts/2fa/totp/activate/")
    secret = page.locator("main .font-mono").first.inner_text().split()[0]
    look(page, "app-set-up")
    page.fill("input[name=code]", format_hotp_value(hotp_value(secret, int(time.time()) // 30)))
    press(page, "Turn the app on")
    page.wait_for_url("**/recovery-codes/")
    page.goto("/accounts/2fa/")
    look(page, "factors-on")
    # By a number there are no passkeys, and the page says where there are.
    page.goto(f"{world.url}/accounts/login/")
    assert page.get_by_role("button", name="Log in with a passkey").count() == 0
