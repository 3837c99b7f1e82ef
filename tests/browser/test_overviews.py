"""Statistics and near-duplicates in a browser: readable at every width, by day and by night, and without barriers."""

import re
import secrets

import pytest
from django.db import transaction
from playwright.sync_api import expect

from medtheca.domains.access.operations import set_visibility
from medtheca.domains.imaging.models import Image
from medtheca.domains.imaging.near_duplicates import group_due
from medtheca.domains.imaging.operations import assign_public_ids
from medtheca.domains.metadata.operations import Change, describe_accessions
from medtheca.domains.provenance.models import Accession
from medtheca.toolkit.synthetic.cohort import draw_lesion
from tests.browser.visiting import browse, look, unsafe
from tests.factories.accounts import make_user
from tests.factories.provenance import deliver, make_cohort, make_zip, run_jobs
from tests.factories.storage import make_wide_scopes

__all__ = ["browse", "unsafe"]  # fixtures

pytestmark = pytest.mark.browser

DIAGNOSES = (
    {"diagnosis_1": "Benign", "diagnosis_2": "Benign melanocytic proliferations", "diagnosis_3": "Nevus"},
    {"diagnosis_1": "Malignant", "diagnosis_2": "Malignant melanocytic proliferations (Melanoma)"},
    {},
)


@pytest.fixture
def cohort(world):
    """Of eight public pictures three are a chain of near-duplicates, and two have the same pixels."""
    make_wide_scopes()
    alice = make_user(f"alice-{secrets.token_hex(4)}")
    cohort = make_cohort(alice, name=f"Moles {secrets.token_hex(4)}")
    serial = secrets.randbelow(10**6)
    pictures = [(f"IMG_{at:04}.jpg", draw_lesion(serial + at, size=(600, 450)).jpeg) for at in range(8)]
    deliver(alice, cohort, make_zip(pictures))
    run_jobs()
    accessions = list(Accession.objects.filter(cohort=cohort).order_by("name"))
    images = [row.image_id for row in accessions]
    with transaction.atomic():
        describe_accessions(
            changes=[Change(row, DIAGNOSES[at % 3]) for at, row in enumerate(accessions)], creator=alice
        )
        assign_public_ids(image_ids=images)
        set_visibility(image_ids=images, visibility="public")
    # By hand, because what is drawn may look alike by chance; others for each test, which see each other's images.
    base, *others = (secrets.randbits(62) for _ in range(6))
    hashes = (base, base ^ 0b11, base ^ 0b1111, *others)
    for image, hash_ in zip(images, hashes, strict=True):
        Image.objects.filter(pk=image).update(perceptual_hash=hash_)
    Image.objects.filter(pk__in=images[3:5]).update(pixel_hash=secrets.token_hex(32))
    group_due()
    return cohort


def test_everybody_reads_the_statistics(browse, world, cohort):
    page = browse()
    page.goto(f"{world.url}/")
    page.get_by_role("link", name="Statistics").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Statistics")
    expect(page.get_by_role("img", name="Images at the end of each month")).to_be_visible()
    page.get_by_text("The numbers").click()
    expect(page.get_by_role("columnheader", name="Images in all")).to_be_visible()
    look(page, "statistics")
    page.get_by_role("link", name="Malignant", exact=True).click()
    expect(page).to_have_url(f"{world.url}/gallery/?q=diagnosis_1%3AMalignant")


def test_owners_see_near_duplicates_side_by_side(browse, world, cohort):
    page = browse(cohort.creator)
    page.goto(f"{world.url}/cohorts/{cohort.pk}/")
    page.get_by_role("link", name="Near-duplicates").click()
    expect(page.get_by_role("region")).to_have_count(2)
    expect(page.get_by_text("4 of 64 bits differ")).to_be_visible()
    look(page, "near-duplicates")
    page.get_by_role("link", name="Same pixels").click()
    expect(page.get_by_role("region")).to_have_count(1)
    page.get_by_role("region").get_by_role("link").nth(1).click()
    expect(page.get_by_text("1 image looks nearly the same")).to_be_visible()
    page.get_by_role("link", name="Show them").click()
    expect(page).to_have_url(re.compile("duplicate_group"))
