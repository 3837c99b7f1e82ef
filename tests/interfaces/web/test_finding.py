"""Quick-find as a page, and as what its dialog lists."""

from html import unescape

import pytest

from medtheca.domains.provenance.models import Accession
from tests.factories.collections import make_collection
from tests.factories.images import make_images

pytestmark = pytest.mark.django_db


def words_on(page):
    return unescape(page.content.decode())


def test_what_a_name_stands_for_is_grouped_by_kind_and_links_lead_there(as_alice, nobody, alice, cohort):
    (image,) = make_images(cohort, 1)
    Accession.objects.filter(image=image).update(name="Pigment_1.jpg", name_key="Pigment_1.jpg")
    mine = make_collection(alice, name="Pigmented, mine")
    public = make_collection(alice, name="Pigmented, all", public=True)
    page = words_on(as_alice.get("/find/?q=pigment"))
    for address in (f"/images/{image.key}/", f"/collections/{mine.pk}/", f"/collections/{public.pk}/"):
        assert f'href="{address}"' in page
        assert as_alice.get(address).status_code == 200
    assert page.index("Images</h2>") < page.index("Collections</h2>")
    assert 'href="/gallery/?q=pigment"' in page
    page = words_on(nobody.get("/find/?q=pigment"))
    assert "Pigmented, all" in page
    assert "Pigment_1.jpg" not in page
    assert "Pigmented, mine" not in page


def test_a_whole_id_leads_to_its_image(nobody, cohort):
    (public,) = make_images(cohort, 1, visibility="public")
    answer = nobody.get(f"/find/?q={public.public_id.lower()}")
    assert (answer.status_code, answer.url) == (302, f"/images/{public.public_id}/")
    assert nobody.get(f"/find/?q={public.public_id[:-1]}").status_code == 200


def test_the_dialog_gets_options_only(nobody, cohort):
    (public,) = make_images(cohort, 1, visibility="public")
    page = words_on(nobody.get(f"/find/?q={public.public_id}&part=options"))
    assert "<html" not in page
    assert 'data-number="1"' in page
    assert page.count('role="option"') == 2  # the image, and the gallery


@pytest.mark.parametrize("text", ["", "a", "%00", "<script>", "%f0%28%8c%28", "x" * 5000, "%25%25%25"])
def test_odd_texts_are_no_fault_of_ours(nobody, text):
    for part in ("", "&part=options"):
        answer = nobody.get(f"/find/?q={text}{part}")
        assert answer.status_code in {200, 400}
        assert "<script>”" not in answer.content.decode()


def test_every_page_has_the_button_and_the_dialog(nobody, as_alice):
    for client, address in ((nobody, "/"), (as_alice, "/account/"), (nobody, "/nowhere/")):
        page = client.get(address).content.decode()
        assert 'action="/find/"' in page
        assert "<dialog" in page
