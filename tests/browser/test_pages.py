"""Pages that were found broken on a phone or for a keyboard: invitations, people, the account's pages, error pages."""

import os

import pytest
from django.test import Client

from medtheca.domains.access.enums import Role
from medtheca.domains.access.groups import create_group, invite_to_group
from medtheca.domains.access.operations import add_member
from medtheca.domains.accounts.profiles import Profile, change_profile
from tests.browser.axe import assert_no_barriers
from tests.factories.accounts import make_user
from tests.factories.provenance import make_cohort

pytestmark = pytest.mark.browser

LONG = "a.very.long.address.of.somebody@department-of-dermatology.university-hospital.example.org"
ACCOUNT_PAGES = (
    "/accounts/2fa/",
    "/accounts/2fa/webauthn/",
    "/accounts/password/change/",
    "/accounts/email/",
    "/account/sessions/",
    "/account/exports/",
    "/account/tokens/",
    "/account/delete/",
)


@pytest.fixture(scope="module", autouse=True)
def _unsafe():
    # Playwright's loop runs in this thread, and the tests look into the database from it.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    yield
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def browse(chromium, world):
    """Open a page on a phone as somebody, or as nobody."""
    opened = []

    def open_page(person=None):
        context = chromium.new_context(viewport={"width": 390, "height": 844}, reduced_motion="reduce")
        opened.append(context)
        if person:
            client = Client()
            client.force_login(person)
            session = client.cookies["sessionid"].value
            context.add_cookies([{"name": "sessionid", "value": session, "url": world.url}])
        page = context.new_page()
        page.set_default_timeout(60_000)
        return page

    yield open_page
    for context in opened:
        context.close()


@pytest.fixture
def names(world):
    """Names that no other test of this module has used."""
    return [f"{name}{os.urandom(3).hex()}" for name in ("alice", "bob", "sam")]


def assert_fits(page):
    assert page.evaluate("document.documentElement.scrollWidth") <= 390, page.url
    assert_no_barriers(page)


def test_somebody_joins_a_group_on_a_phone_with_another_address_by_keyboard(browse, world, names):
    alice, bob = make_user(names[0]), make_user(names[1])
    group = create_group(creator=alice, name=f"Readers {names[0]}")
    _, secret = invite_to_group(group=group, actor=alice, email=LONG, role="viewer")
    stranger = browse()
    stranger.goto(f"{world.url}/groups/join/{secret}/")
    assert_fits(stranger)
    page = browse(bob)
    page.goto(f"{world.url}/groups/join/{secret}/")
    page.get_by_text("If both are yours").wait_for()
    assert_fits(page)
    page.locator("main").focus()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.innerText") == f"Join as {bob.email}"
    page.keyboard.press("Enter")
    page.get_by_text(f"You now belong to {group.name}").wait_for()
    assert_fits(page)


def test_a_row_in_which_nothing_can_be_done_has_no_empty_line(browse, world, names):
    alice, victor = make_user(names[0]), make_user(names[1])
    cohort = make_cohort(alice)
    add_member(scope=cohort.contributor.scope, user=victor, role=Role.VIEWER)
    page = browse(victor)
    page.goto(f"{world.url}/cohorts/{cohort.pk}/people/")
    gaps = page.locator("tbody tr").evaluate_all(
        "rows => rows.map(row => row.getBoundingClientRect().bottom"
        " - row.querySelector('[data-label=Since]').getBoundingClientRect().bottom)"
    )
    assert len(gaps) == 2
    assert max(gaps) < 12, gaps


def test_every_page_of_the_account_leads_back_to_it(browse, world, names):
    page = browse(make_user(names[0]))
    for address in ACCOUNT_PAGES:
        page.goto(world.url + address)
        back = page.get_by_role("navigation", name="Breadcrumb").get_by_role("link", name="Account")
        assert back.get_attribute("href") == "/account/", address
        assert_fits(page)


def test_staff_read_what_the_profile_promises_that_they_read(browse, world, names):
    alice, sam = make_user(names[0]), make_user(names[2], staff=True)
    profile = Profile(affiliation="Hospital of Exampleton", orcid="0000-0002-1825-0097", country="CH")
    change_profile(user=alice, profile=profile)
    page = browse(sam)
    page.goto(f"{world.url}/staff/people/{alice.pk}/")
    for words in ("Hospital of Exampleton", "0000-0002-1825-0097", "Switzerland"):
        page.get_by_text(words).wait_for()
    assert_fits(page)


def test_too_many_log_ins_get_a_page_with_an_id_that_stands_in_the_log(browse, world):
    page = browse()
    page.goto(f"{world.url}/accounts/login/")
    token = page.locator("main [name=csrfmiddlewaretoken]").first.input_value()
    wrong = {"csrfmiddlewaretoken": token, "login": "nobody@example.org", "password": "wrong"}
    # As many as are let through in a minute; a browser that opens each page may take longer than that.
    for _ in range(29):
        page.request.post(page.url, form=wrong, headers={"Referer": page.url})
    for _ in range(30):
        page.goto(f"{world.url}/accounts/login/")
        page.fill("main [name=login]", "nobody@example.org")
        page.fill("main [name=password]", "wrong")
        page.get_by_role("main").get_by_role("button", name="Log in", exact=True).click()
        page.wait_for_load_state()
        if page.get_by_text("Error 429").count():
            break
    assert_fits(page)
    shown = page.get_by_role("main").get_by_text("For support:").inner_text()
    assert shown.split(":")[1].split()[0] in world.log()
