"""People of archives in a real browser: asking, deciding, inviting, links for reviewers, a text that has changed.

Every page is looked at, and what people do is done by keyboard.
"""

import re
import secrets
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from medtheca.base.clock import now
from medtheca.domains.accounts.verifying import vouch_for
from medtheca.domains.archives.items import create_item
from medtheca.domains.archives.models import Archive
from medtheca.domains.archives.operations import change_archive
from medtheca.domains.archives.people import add_person
from medtheca.domains.archives.requests import ask_to_see, decide
from medtheca.domains.archives.terms import hold_until_accepted
from tests.browser.visiting import browse, look, unsafe
from tests.factories.accounts import make_user
from tests.factories.archives import make_archive
from tests.factories.storage import make_wide_scopes

__all__ = ["browse", "unsafe"]  # fixtures

pytestmark = [pytest.mark.browser, pytest.mark.timeout(1200)]

_FORM = [
    {"name": "purpose", "label": "What are the images for?", "required": True},
    {"name": "funder", "label": "Who pays?", "required": False},
]
_TERMS = """# Use

For **research** on lung nodules, see [the consent](https://example.org/consent).

- no attempt to find out who somebody is
- no passing on
"""


def named(first, last, **more):
    user = make_user(f"{first.lower()}-{secrets.token_hex(4)}")
    user.first_name, user.last_name = first, last
    for name, value in more.items():
        setattr(user, name, value)
    user.save()
    return user


@pytest.fixture
def alice(world):
    make_wide_scopes()
    return named("Alice", "Roe")


@pytest.fixture
def archive(alice):
    archive = make_archive(
        alice,
        title=f"Chest CT of Exampleton {Archive.objects.count()}",
        description="Low-dose CT of the lungs.",
        public=True,
        request_form=_FORM,
        terms=_TERMS,
    )
    create_item(archive=archive, creator=alice, title="P001")
    return archive


def tab_to(page, locator):
    """Go on with Tab until it has the focus, and the focus can be seen."""
    locator.wait_for()
    for _ in range(200):
        if locator.evaluate("(element) => element === document.activeElement"):
            assert page.evaluate("document.activeElement.matches(':focus-visible')")
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{locator} cannot be reached by keyboard")


def press(page, locator, key="Enter"):
    tab_to(page, locator)
    page.keyboard.press(key)


def type_into(page, locator, text):
    tab_to(page, locator)
    page.keyboard.type(text)


def test_bob_asks_and_withdraws_by_keyboard(browse, world, archive):
    bob = named("Bob", "Moe", affiliation="University of Elsewhere")
    page = browse(bob)
    main = page.get_by_role("main")
    page.goto(f"{world.url}/archives/{archive.slug}/")
    press(page, main.get_by_role("link", name="Ask to see it"))
    main.get_by_role("heading", name="Ask to see this archive").wait_for()
    look(page, "archive-ask")
    press(page, main.get_by_role("button", name="Ask to see the archive"))
    main.get_by_text("2 fields need a change").wait_for()
    look(page, "archive-ask-refused")
    type_into(page, main.get_by_label("What are the images for?"), "A thesis on nodules")
    press(page, main.get_by_label("I have read the data-use text"), "Space")
    press(page, main.get_by_role("button", name="Ask to see the archive"))
    page.get_by_text("Your request is with the editors.").wait_for()
    look(page, "archive-waiting")
    page.goto(f"{world.url}/archives/{archive.slug}/")
    main.get_by_text("An editor decides, and you get a mail.").wait_for()
    look(page, "archive-asked")
    page.goto(f"{world.url}/account/archive-requests/")
    look(page, "archive-own-requests")
    press(page, main.get_by_role("link", name=archive.title))
    press(page, main.get_by_role("button", name="Withdraw the request"))
    page.get_by_text("Your request was withdrawn.").wait_for()


def test_alice_decides_by_keyboard_and_what_she_chose_stays(browse, world, alice, archive):
    bob = named("Bob", "Moe", affiliation="University of Elsewhere", orcid="0000-0002-1825-0097")
    carol = named("Carol", "Poe")
    vouch_for(user=bob, staff=None, email=bob.email)
    for user, purpose in ((bob, "A thesis on nodules.\n\nWith Professor Doe."), (carol, "Curious")):
        ask_to_see(archive=archive, user=user, answers={"purpose": purpose}, accepted_version=1)
    page = browse(alice, refused=[409])  # a rejection without a reason
    main = page.get_by_role("main")
    page.goto(f"{world.url}/archives/{archive.slug}/")
    press(page, main.get_by_role("link", name="Requests 2"))
    look(page, "archive-requests")
    press(page, main.get_by_label("Choose the request of Carol Poe"), "Space")
    press(page, main.get_by_role("button", name="Reject"))
    main.get_by_text("A rejection has a reason.").wait_for()
    expect(main.get_by_label("Choose the request of Carol Poe")).to_be_checked()
    expect(main.get_by_label("Choose the request of Bob Moe")).not_to_be_checked()
    look(page, "archive-requests-refused")
    type_into(page, main.get_by_label("Reason"), "Name a project.")
    press(page, main.get_by_role("button", name="Reject"))
    page.get_by_text("1 request was rejected.").wait_for()
    press(page, main.get_by_role("button", name="Accept as users"))
    page.get_by_text("1 request was accepted.").wait_for()
    main.get_by_text("No requests here").wait_for()
    look(page, "archive-requests-none")
    press(page, main.get_by_role("link", name="Rejected"))
    main.get_by_text("Name a project.").wait_for()
    look(page, "archive-requests-rejected")


def test_alice_looks_after_people_invitations_and_links(browse, world, alice, archive):
    una, vic = named("Una", "Loe", affiliation="Clinic of Exampleton"), named("Vic", "Foe")
    add_person(archive=archive, actor=alice, email=una.email, person="uploader", until=now() + timedelta(days=90))
    add_person(archive=archive, actor=alice, email=vic.email, person="user")
    page = browse(alice)
    main = page.get_by_role("main")
    page.goto(f"{world.url}/archives/{archive.slug}/people/")
    type_into(page, main.get_by_label("E-mail address"), "dana@example.org")
    press(page, main.get_by_role("button", name="Send an invitation"))
    page.get_by_text("An invitation is on its way to dana@example.org.").wait_for()
    press(page, main.get_by_role("button", name="Send again to dana@example.org"))
    page.get_by_text("The link of the first mail does not work any more.").wait_for()
    main.get_by_label("Until when Vic Foe is").fill("2099-01-31")
    main.get_by_label("Role of Vic Foe").select_option("uploader")
    press(page, main.get_by_role("button", name="Change the role and end of Vic Foe"))
    page.get_by_text("Role and end of Vic Foe are changed.").wait_for()
    expect(main.get_by_label("Until when Vic Foe is")).to_have_value("2099-01-31")
    expect(main.get_by_label("Role of Vic Foe")).to_have_value("uploader")
    type_into(page, main.get_by_label("For whom"), "Reviewers of Radiology")
    press(page, main.get_by_role("button", name="Make a link"))
    main.get_by_text("Copy it now: it is not shown again.").wait_for()
    look(page, "archive-people")
    link = re.search(r"/archives/by-link/[A-Za-z0-9_-]+/", main.inner_text())[0]
    reviewer = browse()
    reviewer.goto(world.url + link)
    reviewer.get_by_text("You may look, and take nothing away").wait_for()
    look(reviewer, "archive-reviewer")
    reviewer.get_by_role("main").get_by_role("link", name="Items").click()
    reviewer.get_by_role("link", name="P001").click()
    look(reviewer, "archive-reviewer-item")
    press(page, main.get_by_role("button", name="Revoke the link Reviewers of Radiology"))
    page.get_by_text("The link was revoked.").wait_for()


def test_vic_accepts_a_text_that_has_changed(browse, world, alice, archive):
    vic = named("Vic", "Foe")
    asked = ask_to_see(archive=archive, user=vic, answers={"purpose": "A thesis"}, accepted_version=1)
    decide(archive=archive, editor=alice, request_ids=[asked.pk], accept=True)
    change_archive(archive=archive, actor=alice, terms="For research and teaching.")
    assert hold_until_accepted(archive=archive, editor=alice) == 1
    page = browse(vic)
    main = page.get_by_role("main")
    page.goto(f"{world.url}/archives/{archive.slug}/")
    main.get_by_text("You see its items again when you accept it.").wait_for()
    look(page, "archive-held")
    press(page, main.get_by_role("link", name="Read and accept the data-use text"))
    main.get_by_role("heading", name="Data-use text, version 2").wait_for()
    look(page, "archive-text")
    press(page, main.get_by_label("I have read the data-use text (version 2)"), "Space")
    press(page, main.get_by_role("button", name="Go on"))
    main.get_by_role("link", name="Items").wait_for()
