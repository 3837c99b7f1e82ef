"""What people take from the gallery: searches under names, images as a ZIP, and the way back."""

import io
import zipfile

import pytest
from django.db import transaction
from playwright.sync_api import expect

from medtheca.domains.access.operations import set_visibility
from medtheca.domains.imaging.operations import assign_public_ids
from medtheca.domains.metadata.operations import Change, describe_accessions
from medtheca.domains.provenance.models import Accession
from medtheca.domains.search.models import SavedSearch
from medtheca.toolkit.querylang import parse
from medtheca.toolkit.synthetic.cohort import draw_lesion
from medtheca.workflows.downloading import make_download
from tests.browser.visiting import browse, look, unsafe
from tests.factories.accounts import make_user
from tests.factories.provenance import deliver, make_cohort, make_zip, run_jobs
from tests.factories.storage import make_wide_scopes

__all__ = ["browse", "unsafe"]  # fixtures

pytestmark = pytest.mark.browser

NUMBER = 70


@pytest.fixture
def alice(world):
    """With more pictures than fit on one page, half of them of women, all public."""
    if Accession.objects.exists():
        return Accession.objects.earliest("pk").creator
    make_wide_scopes()
    alice = make_user("alice")
    cohort = make_cohort(alice, name="Pigmented lesion clinic")
    pictures = [(f"IMG_{at:04}.jpg", draw_lesion(at, size=(320, 240)).jpeg) for at in range(NUMBER)]
    deliver(alice, cohort, make_zip(pictures))
    run_jobs()
    rows = list(Accession.objects.filter(cohort=cohort).order_by("pk"))
    changes = [Change(row, {"sex": ("female", "male")[at % 2], "diagnosis_1": "Benign"}) for at, row in enumerate(rows)]
    with transaction.atomic():
        describe_accessions(changes=changes, creator=alice)
    images = [row.image_id for row in rows]
    assign_public_ids(image_ids=images)
    set_visibility(image_ids=images, visibility="public")
    return alice


def number(page):
    return page.get_by_role("main").get_by_role("status").first


def test_a_search_is_saved_opened_renamed_and_deleted(browse, world, alice):
    page = browse(alice)
    main = page.get_by_role("main")
    page.goto(f"{world.url}/gallery/?q=sex:female&sort=oldest")
    page.locator("summary", has_text="Saved").click()
    look(page, "saved-menu", full_page=False)
    page.get_by_label("Save this search as").fill("Women, the oldest first")
    page.keyboard.press("Enter")
    page.get_by_text("The search was saved as Women, the oldest first.").wait_for()
    expect(number(page)).to_have_text("35 images")
    SavedSearch.objects.create(user=alice, name="Of a field that is gone", query="gone_field:yes sex:male")
    page.goto(f"{world.url}/account/")
    page.get_by_role("link", name="Saved searches").click()
    main.get_by_text("It cannot be read any more.").wait_for()
    look(page, "saved-searches")
    main.get_by_role("link", name="Women, the oldest first", exact=True).click()
    expect(number(page)).to_have_text("35 images")
    assert "sort=oldest" in page.url
    page.locator("summary", has_text="Women, the oldest first").click()
    page.get_by_role("link", name="Rename or delete").click()
    main.get_by_role("link", name="Rename Women").click()
    main.get_by_label("Name").fill("Women")
    main.get_by_role("button", name="Rename").click()
    page.get_by_text("The search is called Women now.").wait_for()
    main.get_by_role("button", name="Delete Women").click()
    page.get_by_text("The saved search Women was deleted.").wait_for()
    main.get_by_role("button", name="Delete Of a field").click()
    main.get_by_text("No saved searches yet").wait_for()
    look(page, "saved-searches-none")


def test_nobody_in_particular_downloads_what_they_chose_and_all_that_is_found(browse, world, alice):
    page = browse()
    main = page.get_by_role("main")
    page.goto(f"{world.url}/gallery/?q=sex:female")
    for at in (0, 1):
        page.locator(".tile").nth(at).focus()
        page.keyboard.press("Space")
    bar = page.get_by_role("region", name="Chosen images")
    expect(bar).to_contain_text("2 images are chosen")
    expect(bar.get_by_role("button", name="Add to collection")).to_have_count(0)
    look(page, "download-chosen", full_page=False)
    bar.get_by_role("button", name="Download").click()
    main.get_by_role("heading", name="Download 2 images").wait_for()
    page.goto(f"{world.url}/gallery/?q=sex:female")
    main.get_by_role("link", name="Download", exact=True).click()
    main.get_by_role("heading", name="Download 35 images").wait_for()
    look(page, "download-new")
    main.get_by_role("button", name="Prepare the download").click()
    page.wait_for_url("**/download/*-*/")
    run_jobs()  # where two seconds were not enough
    link = main.get_by_role("link", name="images.zip")
    link.wait_for()
    look(page, "download-ready")
    with page.expect_download() as fetched:
        link.click()
    with zipfile.ZipFile(io.BytesIO(fetched.value.path().read_bytes())) as packed:
        assert packed.testzip() is None
        assert sum(name.startswith("images/") for name in packed.namelist()) == 35


def test_ones_own_downloads_are_listed_and_deleted(browse, world, alice):
    made = make_download(asker=alice, tree=parse("sex:male"))
    page = browse(alice)
    main = page.get_by_role("main")
    page.goto(f"{world.url}/account/downloads/")
    main.get_by_role("link", name="images", exact=True).wait_for()
    look(page, "downloads")
    page.goto(f"{world.url}/download/{made.pk}/")
    main.get_by_role("link", name="Your downloads").click()
    main.get_by_role("button", name="Delete images").click()
    main.get_by_text("No downloads").wait_for()


def test_pictures_that_are_not_seen_are_asked_for_when_they_come_near(browse, world, alice):
    page = browse()
    page.goto(f"{world.url}/gallery/")
    pictures = page.locator(".tile > img")
    # The page grows, and every picture comes sooner or later.
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    expect(pictures).to_have_count(NUMBER)
    for at in (30, 55, NUMBER - 1):
        pictures.nth(at).scroll_into_view_if_needed()
        expect(pictures.nth(at)).to_have_js_property("naturalWidth", 256)
    plain = browse(java_script_enabled=False)
    plain.goto(f"{world.url}/gallery/")
    waiting = plain.locator(".tile > noscript > img")
    expect(waiting).to_have_count(60 - 24)
    waiting.last.scroll_into_view_if_needed()
    assert waiting.last.bounding_box()["width"] > 100


def test_the_way_back_leads_through_every_filter_and_keeps_what_was_chosen(browse, world, alice):
    page = browse(alice)
    page.goto(f"{world.url}/gallery/")
    facets = page.get_by_role("complementary", name="Filters")
    facets.get_by_role("link", name="Benign").click()
    page.wait_for_url("**diagnosis**")
    facets.get_by_role("link", name="female").click()
    page.wait_for_url("**female**")
    expect(number(page)).to_have_text("35 images")
    page.get_by_label("Order").select_option("oldest")
    page.wait_for_url("**sort=oldest**")
    page.go_back()
    page.wait_for_url(lambda url: "sort=oldest" not in url)
    expect(page.get_by_label("Order")).to_have_value("newest")
    page.go_back()
    page.wait_for_url(lambda url: "female" not in url)
    expect(number(page)).to_have_text(f"{NUMBER} images")
    expect(page.get_by_role("combobox", name="Query")).to_have_value("diagnosis:Benign")
    page.go_back()
    page.wait_for_url("**/gallery/")
    expect(page.get_by_role("combobox", name="Query")).to_have_value("")
    # Some of the first page and some of the next, then a look at one image, and back.
    tiles = page.locator(".tile")
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    expect(tiles).to_have_count(NUMBER)
    for at in (1, 65):
        tiles.nth(at).focus()
        page.keyboard.press("Space")
    expect(page.get_by_role("region", name="Chosen images")).to_contain_text("2 images are chosen")
    tiles.nth(66).click()
    page.wait_for_url("**/images/**")
    page.go_back()
    expect(tiles).to_have_count(NUMBER)
    expect(page.get_by_role("region", name="Chosen images")).to_contain_text("2 images are chosen")
    expect(page.locator(".pick-mark").nth(65)).to_be_checked()
    # A saved address with a cohort, and the image's own link to others like it, come back as well.
    tiles.first.click()
    page.wait_for_url("**/images/**")
    page.get_by_role("main").get_by_role("link", name="Benign").first.click()
    page.wait_for_url("**/gallery/**")
    page.go_back()
    page.wait_for_url("**/images/**")
    page.go_back()
    expect(tiles).to_have_count(NUMBER)
