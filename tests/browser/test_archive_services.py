"""Items of an archive become a collection in a real browser, and the page says what else they may become."""

import secrets

import pytest
from playwright.sync_api import expect

from medtheca.domains.archives.items import rename_item
from medtheca.domains.archives.queries import items_of
from medtheca.toolkit.synthetic.cohort import draw_lesion
from tests.browser.visiting import browse, look, unsafe
from tests.factories.accounts import make_user
from tests.factories.archives import make_archive
from tests.factories.provenance import deliver, make_zip, run_jobs
from tests.factories.storage import make_wide_scopes

__all__ = ["browse", "unsafe"]  # fixtures

pytestmark = pytest.mark.browser


@pytest.fixture
def people(world):
    make_wide_scopes()
    return {name: make_user(f"{name}-{secrets.token_hex(4)}") for name in ("alice", "vic")}


@pytest.fixture
def archive(people):
    alice = people["alice"]
    archive = make_archive(alice, title="Lesions of the arm", users=[people["vic"]], description="Three lesions.")
    files = [(f"{at}.jpg", draw_lesion(70 + at, size=(600, 450)).jpeg) for at in range(3)]
    deliver(alice, archive.cohort, make_zip(files))
    run_jobs()
    for at, item in enumerate(items_of(archive)):
        rename_item(item=item, actor=alice, title=f"P{at:03}")
    return archive


def test_a_user_makes_a_collection_of_items(browse, world, people, archive):
    page = browse(people["vic"])
    main = page.get_by_role("main")
    page.goto(f"{world.url}/archives/{archive.slug}/items/")
    main.get_by_label("Choose P000").check()
    main.get_by_label("Choose P002").check()
    expect(main.get_by_role("button", name="Put the chosen into the trash")).to_have_count(0)
    look(page, "archive-items-of-a-user")
    main.get_by_role("button", name="Make a collection of the chosen").click()
    main.get_by_text("Adds 2 images of 2 items of Lesions of the arm.").wait_for()
    look(page, "archive-collect")
    main.get_by_role("textbox", name="Name of the new collection").fill("Arms")
    main.get_by_role("button", name="Add the images").click()
    main.get_by_role("heading", name="Arms").wait_for()
    run_jobs()
    page.reload()
    expect(main.get_by_role("list", name="Images").get_by_role("link")).to_have_count(2)
    look(page, "collection-of-an-archive")
    main.get_by_role("link", name="Lesions of the arm").click()
    expect(main.get_by_role("region", name="What uses its items").get_by_role("link", name="Arms")).to_be_visible()
    look(page, "archive-used")


def test_what_is_to_come_is_said_to_editors(browse, world, people, archive):
    page = browse(people["alice"])
    main = page.get_by_role("main")
    page.goto(f"{world.url}/archives/{archive.slug}/")
    for name in ("Use in a reader study", "Run an algorithm", "Test set of a challenge phase"):
        expect(main.get_by_role("button", name=name)).to_be_disabled()
    for words in ("reader studies", "algorithms", "challenges"):
        expect(main.get_by_text(f"Comes with {words}")).to_be_visible()
    look(page, "archive-services")
    page.goto(f"{world.url}/archives/{archive.slug}/items/?q=title:P00")
    main.get_by_role("link", name="Make a collection").click()
    main.get_by_text("Adds 3 images of 3 items").wait_for()
    main.get_by_role("link", name="Cancel").click()
    main.get_by_label("Find items").wait_for()
