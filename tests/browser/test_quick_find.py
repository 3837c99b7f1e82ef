"""Quick-find with the keyboard alone, on a phone, and without scripts."""

import pytest
from playwright.sync_api import expect

from medtheca.domains.provenance.models import Accession
from tests.browser.visiting import browse, look, unsafe
from tests.factories.accounts import make_user
from tests.factories.collections import make_collection
from tests.factories.images import make_images
from tests.factories.provenance import make_cohort
from tests.factories.storage import make_wide_scopes

__all__ = ["browse", "unsafe"]  # fixtures

pytestmark = pytest.mark.browser


@pytest.fixture
def alice(world):
    if Accession.objects.exists():
        return Accession.objects.earliest("pk").creator
    make_wide_scopes()
    alice = make_user("alice")
    cohort = make_cohort(alice, name="Moles of the clinic")
    make_images(cohort, 3, visibility="public")
    for at, image in enumerate(make_images(cohort, 2)):
        Accession.objects.filter(image=image).update(name=f"Mole_{at}.jpg", name_key=f"Mole_{at}.jpg")
    make_collection(alice, name="Moles to teach with", public=True)
    return alice


def field(page):
    return page.get_by_role("dialog", name="Find").get_by_role("combobox")


def options(page):
    return page.get_by_role("dialog", name="Find").get_by_role("option")


def marked(page):
    """The option that is marked, which is the one that the field says has the focus."""
    option = page.locator("[role=option][aria-selected=true]")
    expect(option).to_have_count(1)
    expect(field(page)).to_have_attribute("aria-activedescendant", option.get_attribute("id"))
    return option


def test_somewhere_is_gone_to_with_the_keyboard_alone(browse, world, alice):
    page = browse(alice, lacking=True)
    page.goto(f"{world.url}/gallery/")
    before = page.locator(".tile").first
    before.focus()
    page.keyboard.press("Control+k")
    expect(field(page)).to_be_focused()
    look(page, "find-empty", full_page=False)
    page.keyboard.type("mole")
    expect(options(page)).to_have_count(6)  # two images, a collection, a cohort, its contributor, the gallery
    expect(field(page)).to_have_attribute("aria-expanded", "true")
    expect(marked(page)).to_contain_text("Mole_0.jpg")
    look(page, "find-found", full_page=False)
    page.keyboard.press("ArrowUp")
    expect(marked(page)).to_contain_text("Search the images")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(marked(page)).to_contain_text("Moles to teach with")
    # Escape gives the focus back to where it was.
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(before).to_be_focused()
    page.keyboard.press("Control+k")
    expect(field(page)).to_be_focused()
    expect(field(page)).to_have_value("mole")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/cohorts/*/")
    page.get_by_role("heading", name="Moles of the clinic").wait_for()
    # Whoever comes back finds the page without the dialog.
    page.go_back()
    page.wait_for_url("**/gallery/")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_what_is_typed_on_is_asked_for_and_the_older_question_dropped(browse, world, alice):
    page = browse(lacking=True)
    page.goto(f"{world.url}/")
    asked, ended = [], []
    page.on("request", lambda request: "part=options" in request.url and asked.append(request.url))
    page.on("requestfailed", lambda request: "part=options" in request.url and ended.append(request.url))
    # The first question is answered late, and by then nobody waits for it.
    page.route("**/find/?q=mol&*", lambda _: None)
    page.keyboard.press("/")
    expect(field(page)).to_be_focused()
    with page.expect_request("**/find/?q=mol&*"):
        page.keyboard.type("mol")
    page.keyboard.insert_text("es to")
    expect(options(page)).to_have_count(2)
    expect(marked(page)).to_contain_text("Moles to teach with")
    assert [url.partition("q=")[2] for url in ended] == ["mol&part=options"]
    page.keyboard.press("Enter")
    page.wait_for_url("**/collections/*/")


def test_enter_before_the_answer_goes_to_the_page_of_the_same_name(browse, world, alice):
    page = browse(alice, lacking=True)
    page.goto(f"{world.url}/")
    page.route("**part=options*", lambda _: None)
    page.keyboard.press("Control+k")
    page.keyboard.type("mole")
    page.keyboard.press("Enter")
    page.wait_for_url("**/find/?q=mole")
    page.get_by_role("main").get_by_role("link", name="Mole_0.jpg").wait_for()
    look(page, "find-page")


def test_on_a_phone_a_button_opens_it_and_a_touch_takes(browse, world, alice):
    page = browse(lacking=True, has_touch=True)
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{world.url}/")
    page.get_by_role("button", name="Find", exact=True).first.tap()
    field(page).fill("moles")
    options(page).filter(has_text="Moles to teach with").tap()
    page.wait_for_url("**/collections/*/")


def test_without_scripts_it_is_a_page(browse, world, alice):
    page = browse(alice, lacking=True, java_script_enabled=False)
    page.goto(f"{world.url}/gallery/")
    page.get_by_role("banner").get_by_role("button", name="Find").click()
    page.wait_for_url("**/find/?")
    page.get_by_role("main").get_by_role("searchbox", name="Find").fill("moles")
    page.get_by_role("main").get_by_role("button", name="Find").click()
    page.get_by_role("link", name="Moles to teach with").click()
    page.get_by_role("heading", name="Moles to teach with").wait_for()
