"""Archives in a real browser: made, filled, searched, changed, by day and on a phone at night."""

import secrets

import pytest
from playwright.sync_api import expect

from medtheca.domains.archives.items import put_values, rename_item
from medtheca.domains.archives.models import Archive
from medtheca.domains.archives.queries import items_of
from medtheca.domains.sockets.models import Socket
from medtheca.domains.sockets.operations import create_value
from medtheca.toolkit.synthetic.cohort import draw_lesion
from tests.browser.visiting import browse, look, unsafe
from tests.factories.accounts import make_user
from tests.factories.archives import make_archive, make_socket
from tests.factories.provenance import deliver, make_zip, run_jobs
from tests.factories.storage import make_wide_scopes

__all__ = ["browse", "unsafe"]  # fixtures

pytestmark = pytest.mark.browser

_INFORMATION = """# Methods

Taken **2024** at two sites, see [the paper](https://doi.org/10.1000/182).

- contrast in half of them
- slices of 1 mm

| Site | Patients |
|------|---------:|
| A    | 12       |
| B    | 8        |
"""
_ROWS = 12


@pytest.fixture
def alice(world):
    make_wide_scopes()
    alice = make_user(f"alice-{secrets.token_hex(4)}")
    alice.first_name, alice.last_name = "Alice", "Roe"
    alice.save()
    return alice


@pytest.fixture
def archive(alice):
    """A dozen items with a picture, a score and a word each, the last without a score."""
    serial = Archive.objects.count()
    archive = make_archive(
        alice,
        title=f"Pigmented lesions of the trunk {serial}",
        public=True,
        description="Dermoscopic images of the trunk with a score of a classifier and the side of the body.",
        information=_INFORMATION,
        licence="CC-BY-4.0",
        citation="Roe A. Pigmented lesions of the trunk. 2026.",
        keywords=["skin", "classification"],
        modalities=["Dermoscopy"],
        structures=["Skin"],
        organizations=["Clinic of Exampleton"],
        publications=["10.1000/182"],
        contact_email="roe@example.org",
    )
    deliver(
        alice,
        archive.cohort,
        make_zip([(f"{at}.jpg", draw_lesion(40 + at, size=(600, 450)).jpeg) for at in range(_ROWS)]),
    )
    run_jobs()
    # Each image that came has become an item.
    score = Socket.objects.filter(slug="score").first() or make_socket()
    side = make_socket("Side", "STR", scope=archive.scope, creator=alice)
    items = list(items_of(archive))
    assert len(items) == _ROWS
    for at, item in enumerate(items):
        rename_item(item=item, actor=alice, title=f"P{at:03}")
        values = [create_value(socket=side, creator=alice, value=("left", "right")[at % 2])]
        if at < _ROWS - 1:
            values.append(create_value(socket=score, creator=alice, value=at / 10))
        put_values(item=item, actor=alice, values=values)
    return archive


def test_alice_makes_an_archive_and_settles_it(browse, world, alice):
    page = browse(alice)
    main = page.get_by_role("main")
    page.goto(f"{world.url}/archives/?view=mine")
    main.get_by_text("No archive is found so").wait_for()
    main.get_by_role("link", name="New archive").click()
    look(page, "archives-new")
    page.fill("main [name=title]", "Chest CT")
    page.fill("main [name=contact_email]", "nobody")
    main.get_by_role("button", name="Make the archive").click()
    main.get_by_role("link", name="Contact").wait_for()
    expect(page.locator("main [name=title]")).to_have_value("Chest CT")
    look(page, "archives-new-refused")
    page.fill("main [name=contact_email]", "alice@example.org")
    main.get_by_role("button", name="Make the archive").click()
    main.get_by_role("heading", name="Chest CT").wait_for()
    look(page, "archive-empty")
    main.get_by_role("link", name="Items").click()
    main.get_by_text("No items yet").wait_for()
    look(page, "archive-items-empty")
    main.get_by_role("link", name="Settings").click()
    page.fill("main [name=information]", _INFORMATION)
    look(page, "archive-settings")
    main.get_by_role("button", name="Save the settings").click()
    page.get_by_text("The archive was changed.").wait_for()


def test_alice_searches_and_changes_items(browse, world, alice, archive):
    page = browse(alice, refused=[400])  # a search that cannot be read
    main = page.get_by_role("main")
    page.goto(f"{world.url}/archives/")
    main.get_by_role("link", name=archive.title).wait_for()
    look(page, "archives")
    main.get_by_role("link", name=archive.title).click()
    main.get_by_role("heading", name="Methods").wait_for()
    look(page, "archive-information")
    main.get_by_role("link", name="Items").click()
    expect(main.locator("tbody tr")).to_have_count(_ROWS)
    look(page, "archive-items")
    main.get_by_label("Find items").fill("score > 0.5 -side:left")
    main.get_by_role("button", name="Find").click()
    expect(main.locator("tbody tr")).to_have_count(2)
    main.get_by_label("Find items").fill("scorr > 0.5")
    main.get_by_role("button", name="Find").click()
    main.get_by_text("Did you mean 'score'?").wait_for()
    main.get_by_role("link", name="All items").click()
    main.get_by_label("Filter Side").fill("left")
    main.get_by_label("Filter Side").press("Enter")
    expect(main.locator("tbody tr")).to_have_count(_ROWS // 2)
    main.get_by_role("link", name="All items").click()
    main.get_by_label("Choose P003").check()
    main.get_by_label("Choose P004").check()
    main.get_by_label("Set in the chosen items").select_option("score")
    main.get_by_label("to", exact=True).fill("0.99")
    main.get_by_role("button", name="Set").click()
    page.get_by_text("Score was set in 2 items.").wait_for()
    main.get_by_role("link", name="Pictures").click()
    expect(main.locator(".tile img")).to_have_count(_ROWS)
    look(page, "archive-items-pictures")
    main.get_by_role("link", name="P003").click()
    main.get_by_text("0.99", exact=True).wait_for()
    look(page, "archive-item")
    main.get_by_role("link", name="Add a value").click()
    look(page, "archive-item-socket")
    page.go_back()
    main.get_by_role("button", name="Put it into the trash").click()
    page.get_by_text("The item is in the trash").wait_for()
    assert items_of(archive).count() == _ROWS - 1
    main.get_by_role("link", name="Trash").click()
    look(page, "archive-trash")
    main.get_by_label("Choose P003").check()
    main.get_by_role("button", name="Restore the chosen items").click()
    page.get_by_text("1 item is back at its place.").wait_for()


def test_a_stranger_reads_what_an_archive_is_and_no_more(browse, world, archive):
    page = browse()
    page.goto(f"{world.url}/archives/{archive.slug}/")
    page.get_by_role("heading", name="Methods").wait_for()
    assert page.get_by_role("main").get_by_role("link", name="Items").count() == 0
    look(page, "archive-stranger")


def test_alice_brings_images_by_a_rule_and_settles_how_they_are_shown(browse, world, alice):
    archive = make_archive(alice, title=f"Lungs {secrets.token_hex(3)}")
    page = browse(alice)
    main = page.get_by_role("main")
    page.goto(f"{world.url}/archives/{archive.slug}/uploads/")
    main.get_by_role("link", name="Change how uploads become items").click()
    look(page, "archive-rule")
    main.get_by_label("What lies in one folder is one item").check()
    main.get_by_role("button", name="Save the rule").click()
    main.get_by_text("What lies in one folder is one item").wait_for()
    picture = {"name": "lung.jpg", "mimeType": "image/jpeg", "buffer": draw_lesion(77, size=(600, 450)).jpeg}
    page.set_input_files("#files", picture)
    main.get_by_role("link", name="See what became of it").wait_for()
    run_jobs()
    page.goto(f"{world.url}/archives/{archive.slug}/uploads/")
    main.get_by_text("Finished", exact=True).wait_for()
    look(page, "archive-uploads")
    main.get_by_role("link", name="lung.jpg").click()
    main.get_by_role("link", name="What became of each file").wait_for()
    look(page, "archive-upload")
    page.goto(f"{world.url}/archives/{archive.slug}/settings/viewing/")
    look(page, "archive-viewing")
    page.goto(f"{world.url}/archives/{archive.slug}/settings/sockets/")
    look(page, "archive-sockets")
