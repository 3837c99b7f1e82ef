"""Where an image was brought from, in a browser: readable at every width, by day and by night, and without barriers."""

import secrets

import pytest
from playwright.sync_api import expect

from medtheca.domains.access.operations import set_visibility
from medtheca.domains.imaging.operations import assign_public_ids
from medtheca.domains.provenance.models import Accession, Origin
from medtheca.toolkit.synthetic.cohort import draw_lesion
from tests.browser.visiting import browse, look, unsafe
from tests.factories.accounts import make_user
from tests.factories.provenance import deliver, make_cohort, run_jobs
from tests.factories.storage import make_wide_scopes

__all__ = ["browse", "unsafe"]  # fixtures

pytestmark = pytest.mark.browser


@pytest.fixture
def brought(world):
    """A public image that came from the ISIC Archive."""
    make_wide_scopes()
    alice = make_user(f"alice-{secrets.token_hex(4)}")
    cohort = make_cohort(alice, name=f"Nevi {secrets.token_hex(4)}")
    deliver(alice, cohort, draw_lesion(secrets.randbelow(10**6), size=(600, 450)).jpeg, filename="ISIC_0481516.jpg")
    run_jobs()
    accession = Accession.objects.select_related("image").get(cohort=cohort)
    assign_public_ids(image_ids=[accession.image_id])
    set_visibility(image_ids=[accession.image_id], visibility="public")
    accession.image.refresh_from_db()
    Origin.objects.create(
        cohort=cohort,
        accession=accession,
        host="api.isic-archive.com",
        remote_id="ISIC_0481516",
        url="https://api.isic-archive.com/api/v2/images/ISIC_0481516/",
        sha256=secrets.token_hex(32),
        is_public=True,
    )
    accession.owner = alice
    return accession


def test_the_page_of_an_image_says_where_it_came_from(browse, world, brought):
    page = browse()
    page.goto(f"{world.url}/images/{brought.image.public_id}/")
    expect(page.get_by_role("heading", name="Where it came from")).to_be_visible()
    there = page.get_by_role("link", name="ISIC_0481516")
    expect(there).to_have_attribute("href", "https://api.isic-archive.com/images/ISIC_0481516/")
    look(page, "origin-image")
    page = browse(brought.owner)
    page.goto(f"{world.url}/accessions/{brought.pk}/")
    expect(page.get_by_role("heading", name="Where it came from")).to_be_visible()
    look(page, "origin-submission")
