"""The gallery in a real browser: by keyboard, by pointer, and there and back again."""

import pytest
from playwright.sync_api import expect

from medtheca.domains.access.operations import set_visibility
from medtheca.domains.imaging.models import Image
from medtheca.domains.imaging.operations import assign_public_ids
from medtheca.domains.provenance.models import Accession
from medtheca.toolkit.synthetic.cohort import draw_lesion
from tests.browser.visiting import browse, look, unsafe
from tests.factories.accounts import make_user
from tests.factories.images import make_images
from tests.factories.provenance import deliver, make_cohort, make_zip, run_jobs
from tests.factories.storage import make_wide_scopes

__all__ = ["browse", "unsafe"]  # fixtures

pytestmark = pytest.mark.browser

NEVUS = {
    "diagnosis_1": "Benign",
    "diagnosis_2": "Benign melanocytic proliferations",
    "diagnosis_3": "Nevus",
    "image_type": "dermoscopic",
}
MELANOMA = {"diagnosis_1": "Malignant", "diagnosis_2": "Malignant melanocytic proliferations (Melanoma)"}


@pytest.fixture
def alice(world):
    """With pictures of her own and many rows beside them, all public: 4, and 150 nevi and 30 melanomas of men."""
    if Accession.objects.exists():
        return Accession.objects.earliest("pk").creator
    make_wide_scopes()
    alice = make_user("alice")
    cohort = make_cohort(alice, name="Pigmented lesion clinic")
    for number, structured in ((150, NEVUS), (30, MELANOMA)):
        for at in range(0, number, 30):
            age = 20 + at // 2
            make_images(cohort, 30, visibility="public", structured={**structured, "sex": "male", "age_approx": age})
    deliver(
        alice,
        cohort,
        make_zip([(f"IMG_{at:04}.jpg", draw_lesion(at, size=(600, 450)).jpeg) for at in range(4)]),
    )
    run_jobs()
    pictures = list(Accession.objects.filter(cohort=cohort, name__startswith="IMG_").values_list("image", flat=True))
    assign_public_ids(image_ids=pictures)
    set_visibility(image_ids=pictures, visibility="public")
    return alice


def box(page):
    return page.get_by_role("combobox", name="Query")


def completions(page):
    return page.get_by_role("listbox", name="Completions").get_by_role("option")


def number(page):
    return page.get_by_role("main").get_by_role("status").first.inner_text()


def test_a_query_is_written_by_keyboard_and_its_errors_are_shown_in_place(browse, world, alice):
    page = browse(lacking=True)
    page.goto(f"{world.url}/gallery/")
    box(page).focus()
    page.keyboard.insert_text("diagnos")
    completions(page).first.wait_for()
    page.keyboard.press("ArrowDown")
    look(page, "gallery-completion", full_page=False)
    page.keyboard.press("Escape")
    assert completions(page).count() == 0
    page.reload()
    box(page).focus()
    page.keyboard.insert_text("diagnos")
    completions(page).first.wait_for()
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.getAttribute('aria-activedescendant')") == "query-completion-0"
    page.keyboard.press("Enter")
    assert box(page).input_value() == "diagnosis:"
    completions(page).first.wait_for()
    page.keyboard.insert_text("nev")
    expect(completions(page).first).to_contain_text("Nevus")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    assert box(page).input_value() == "diagnosis:Nevus "
    page.keyboard.press("Enter")
    page.wait_for_url("**/gallery/?q=diagnosis%3ANevus*")
    assert number(page) == "150 images"
    page.goto(f"{world.url}/gallery/?q=nevus+sexx:male")
    page.get_by_text("There is no field sexx.").wait_for()
    assert box(page).input_value() == "nevus sexx:male"
    look(page, "gallery-error", full_page=False)
    page.get_by_role("link", name="sex", exact=True).click()
    assert box(page).input_value() == "nevus sex:male"
    assert number(page) == "150 images"


def test_ages_are_brushed_and_moved_by_arrow_keys(browse, world, alice):
    page = browse(lacking=True)
    page.goto(f"{world.url}/gallery/?q=sex:male")
    bars = page.locator("[data-brush]").bounding_box()
    step = bars["width"] / 18
    page.mouse.move(bars["x"] + 6.5 * step, bars["y"] + 20)
    page.mouse.down()
    page.mouse.move(bars["x"] + 10.5 * step, bars["y"] + 20)
    page.mouse.up()
    page.wait_for_url("**age_from=30*")
    assert "age_to=50" in page.url
    page.get_by_role("link", name="Age: 30 to 50").wait_for()
    assert number(page) == "60 images"
    look(page, "gallery-brushed", full_page=False)
    page.get_by_role("slider", name="Age, lowest").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Age: 35 to 50").wait_for()
    assert number(page) == "60 images"


def test_the_page_grows_and_is_found_again_as_it_was(browse, world, alice):
    page = browse(lacking=True)
    page.goto(f"{world.url}/gallery/")
    tiles = page.locator(".tile")
    assert tiles.count() == 60
    for at in (120, 180):
        page.evaluate("scrollTo(0, document.body.scrollHeight)")
        tiles.nth(at - 1).wait_for(state="attached")
    hrefs = page.eval_on_selector_all(".tile", "all => all.map(one => one.getAttribute('href'))")
    assert len(hrefs) == len(set(hrefs))
    page.wait_for_timeout(400)
    wanted = tiles.nth(150)
    wanted.scroll_into_view_if_needed()
    page.wait_for_timeout(400)
    top, name = page.evaluate("scrollY"), wanted.get_attribute("href")
    wanted.click()
    page.wait_for_url("**/images/**")
    page.go_back()
    tiles.nth(179).wait_for(state="attached")
    page.wait_for_function("top => Math.abs(scrollY - top) < 5", arg=top)
    assert tiles.nth(150).get_attribute("href") == name
    assert tiles.nth(150).evaluate("one => one.getBoundingClientRect().top < innerHeight")


def test_images_are_chosen_and_added_and_the_search_is_copied(browse, world, alice):
    page = browse(alice, lacking=True)
    page.goto(f"{world.url}/gallery/")
    page.locator(".tile").first.focus()
    page.keyboard.press("Space")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    page.get_by_text("2 images are chosen").wait_for()
    look(page, "gallery-chosen", full_page=False)
    page.get_by_role("region", name="Chosen images").get_by_role("button", name="Add to collection").click()
    page.get_by_text("the 2 images that were chosen").wait_for()
    page.goto(f"{world.url}/gallery/?q=sex:(male+OR+female)")
    page.get_by_text("Copy as", exact=True).click()
    look(page, "gallery-copy", full_page=False)


def test_it_all_works_without_scripts(browse, world, alice):
    page = browse(alice, lacking=True, java_script_enabled=False)
    page.goto(f"{world.url}/gallery/")
    page.locator("aside").get_by_role("link", name="Malignant").click()
    assert number(page) == "30 images"
    page.locator("aside").get_by_role("link", name="Benign", exact=False).first.click()
    assert number(page) == "180 images"
    page.get_by_label("Age from").fill("80")
    page.get_by_label("Age to").fill("85")
    page.locator("form[data-range]").get_by_role("button", name="Set").click()
    assert number(page) == "30 images"
    page.goto(f"{world.url}/gallery/?q=sex:female+age_approx:20")
    page.get_by_text("without it").first.wait_for()
    assert Image.objects.count() >= 184
