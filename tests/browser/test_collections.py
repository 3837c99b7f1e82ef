"""Collections in a real browser: from a search to a shared collection, by day and on a phone at night."""

import pytest
from playwright.sync_api import expect

from medtheca.domains.access.enums import Role
from medtheca.domains.access.groups import create_group
from medtheca.domains.access.operations import add_member, set_visibility
from medtheca.domains.collections.models import Collection
from medtheca.domains.collections.operations import set_pinned
from medtheca.domains.imaging.operations import assign_public_ids
from medtheca.domains.provenance.models import Accession
from medtheca.toolkit.synthetic.cohort import draw_lesion
from tests.browser.visiting import browse, look, unsafe
from tests.factories.accounts import make_user
from tests.factories.collections import make_collection
from tests.factories.provenance import deliver, make_cohort, make_zip, run_jobs
from tests.factories.storage import make_wide_scopes

__all__ = ["browse", "unsafe"]  # fixtures

pytestmark = pytest.mark.browser

IMAGES = 12


@pytest.fixture
def alice(world):
    """With a dozen pictures, ten of them public. Another for each test."""
    make_wide_scopes()
    serial = Accession.objects.count()
    alice = make_user(f"alice{serial}")
    cohort = make_cohort(alice, name=f"Pigmented lesion clinic {serial}")
    pictures = [(f"IMG_{at:04}.jpg", draw_lesion(serial + at, size=(600, 450)).jpeg) for at in range(IMAGES)]
    deliver(alice, cohort, make_zip(pictures))
    run_jobs()
    images = list(Accession.objects.filter(cohort=cohort).order_by("name").values_list("image", flat=True))
    assign_public_ids(image_ids=images[:10])
    set_visibility(image_ids=images[:10], visibility="public")
    return alice


def test_alice_makes_a_collection_of_what_she_found_and_shares_it(browse, world, alice):
    bob = make_user("bob")
    group = create_group(creator=alice, name="Readers")
    add_member(scope=group, user=bob, role=Role.VIEWER)
    page = browse(alice)
    main = page.get_by_role("main")
    cohort = Accession.objects.filter(creator=alice).values_list("cohort", flat=True).first()
    page.goto(f"{world.url}/gallery/?cohort={cohort}")
    main.get_by_role("link", name="Add to collection").click()
    page.fill("main [name=name]", "Trunk, 2026")
    look(page, "collections-add")
    main.get_by_role("button", name="Add 12 images").click()
    main.get_by_text("Images are being added").wait_for()
    look(page, "collections-under-way")
    run_jobs()
    # The page watches, and shows the images when they are there.
    main.get_by_role("heading", name="Images", exact=True).wait_for()
    expect(main.locator(".tile img")).to_have_count(IMAGES)
    look(page, "collections-one")
    main.get_by_role("link", name="Share", exact=True).click()
    main.get_by_label("Readers").check()
    main.get_by_role("button", name="Share the collection").click()
    main.get_by_role("cell", name="Group Readers").wait_for()
    look(page, "collections-people")
    his = browse(bob)
    his.goto(f"{world.url}/collections/?view=shared")
    his.get_by_role("link", name="Trunk, 2026").click()
    his.get_by_text("12 images").first.wait_for()
    expect(his.locator(".tile img")).to_have_count(IMAGES)
    for picture in his.locator(".tile img").all():
        picture.scroll_into_view_if_needed()
        expect(picture).to_have_js_property("complete", True)
        assert picture.evaluate("img => img.naturalWidth") > 0
    look(his, "collections-bobs")
    # Making it public names what stands in the way.
    page.goto(page.url.replace("people/", "edit/"))
    main.get_by_label("Public").check()
    main.get_by_role("button", name="Save").click()
    main.get_by_text("is not public").first.wait_for()
    look(page, "collections-refused")


def test_images_are_chosen_by_keyboard_and_removed(browse, world, alice):
    images = [row.image for row in Accession.objects.filter(cohort__creator=alice).select_related("image")]
    made = make_collection(alice, images, name="Moles")
    page = browse(alice)
    page.goto(f"{world.url}/collections/{made.pk}/")
    page.get_by_role("link", name="Remove images").click()
    boxes = page.get_by_role("checkbox")
    boxes.first.focus()
    page.keyboard.press("Space")
    look(page, "collections-choosing")
    page.get_by_role("button", name="Remove the chosen images").click()
    page.get_by_text("1 image was removed from the collection.").wait_for()
    assert Collection.objects.get(pk=made.pk).changes.filter(kind="removed").count() == 1


def test_the_list_for_everybody(browse, world, alice):
    public = [row.image for row in Accession.objects.filter(image__public_id__isnull=False).select_related("image")]
    sam = make_user("sam")
    for name, images in (("Challenge 2026: Training", public), ("Few", public[:2]), ("Empty", [])):
        made = make_collection(alice, images, name=name, public=True)
        if images == public:
            set_pinned(collection=made, actor=sam, pinned=True)
    page = browse()
    page.goto(f"{world.url}/collections/")
    look(page, "collections-list")
    page.get_by_role("link", name="Challenge 2026: Training").click()
    page.get_by_role("heading", name="Whose work it is").wait_for()
    look(page, "collections-public")
