"""The start page and the gallery: what is found, how it is counted, what is dropped when nothing is found."""

import re
from html import unescape

import pytest

from medtheca.domains.provenance.enums import DeliveryState
from tests.factories.images import make_delivery, make_images

pytestmark = pytest.mark.django_db

NEVUS = {
    "diagnosis_1": "Benign",
    "diagnosis_2": "Benign melanocytic proliferations",
    "diagnosis_3": "Nevus",
    "sex": "female",
    "age": 41,
    "age_approx": 40,
    "image_type": "dermoscopic",
}
MELANOMA = {
    "diagnosis_1": "Malignant",
    "diagnosis_2": "Malignant melanocytic proliferations (Melanoma)",
    "sex": "male",
    "age": 70,
    "age_approx": 70,
}


def tiles_on(page):
    return re.findall(r'<a class="tile" href="([^"]+)"', page.content.decode())


def ids_on(page):
    return [unescape(url).split("/")[2] for url in tiles_on(page)]


def option(page, label):
    """The address and the count of a filter's option."""
    text = page.content.decode()
    found = re.search(
        rf'<a class="facet-option" href="([^"]+)"[^>]*>(?:(?!</a>).)*<span>{re.escape(label)}</span>'
        r'<span class="facet-count">([\d,]+)</span>',
        text,
        re.DOTALL,
    )
    return (unescape(found[1]), int(found[2].replace(",", ""))) if found else None


def test_everybody_sees_public_images_and_nobody_private_ones(nobody, as_alice, as_charlie, cohort):
    (public,) = make_images(cohort, 1, visibility="public")
    (hidden,) = make_images(cohort, 1)
    assert ids_on(nobody.get("/gallery/")) == ids_on(as_charlie.get("/gallery/")) == [public.public_id]
    assert set(ids_on(as_alice.get("/gallery/"))) == {public.public_id, str(hidden.key)}
    assert "1 medical image" in nobody.get("/").content.decode()


def test_all_pages_together_show_each_image_once_and_as_many_as_are_counted(nobody, cohort):
    images = make_images(cohort, 145, visibility="public")
    page, seen = nobody.get("/gallery/"), []
    assert "145 images" in page.content.decode()
    while True:
        seen += ids_on(page)
        following = re.search(r'rel="next" href="([^"]+)"', page.content.decode())
        if not following:
            break
        page = nobody.get(unescape(following[1]))
    assert sorted(seen) == sorted(image.public_id for image in images)
    back = re.search(r'rel="prev" href="([^"]+)"', page.content.decode())
    assert ids_on(nobody.get(unescape(back[1]))) == seen[60:120]


def test_an_option_leads_to_as_many_images_as_it_counts(nobody, cohort):
    make_images(cohort, 5, visibility="public", structured=NEVUS)
    make_images(cohort, 3, visibility="public", structured=MELANOMA)
    page = nobody.get("/gallery/")
    for label, number in (
        ("Benign", 5),
        ("Malignant", 3),
        ("female", 5),
        ("male", 3),
        ("dermoscopic", 5),
        ("CC-BY-4.0", 8),
    ):
        address, counted = option(page, label)
        assert counted == number
        assert len(ids_on(nobody.get(address))) == number


def test_counts_of_a_filter_pass_over_that_filter_itself(nobody, cohort):
    make_images(cohort, 5, visibility="public", structured=NEVUS)
    make_images(cohort, 3, visibility="public", structured=MELANOMA)
    page = nobody.get("/gallery/?sex=female")
    assert option(page, "male")[1] == 3
    assert option(page, "Malignant") is None


def test_choosing_a_term_opens_those_below_it_and_choosing_it_again_goes_back(nobody, cohort):
    make_images(cohort, 2, visibility="public", structured=NEVUS)
    page = nobody.get("/gallery/")
    assert option(page, "Nevus") is None
    page = nobody.get(option(page, "Benign")[0])
    address, counted = option(page, "Benign melanocytic proliferations")
    assert counted == 2
    page = nobody.get(address)
    assert option(page, "Nevus")[1] == 2
    assert option(page, "Benign melanocytic proliferations")[0] == "/gallery/?diagnosis=Benign"


def test_ages_are_found_by_their_coarse_value_inclusive(nobody, cohort):
    make_images(cohort, 2, visibility="public", structured=NEVUS)
    make_images(cohort, 1, visibility="public", structured=MELANOMA)
    assert len(ids_on(nobody.get("/gallery/?age_from=40&age_to=60"))) == 2
    assert len(ids_on(nobody.get("/gallery/?age_from=41"))) == 1


def test_words_find_ids_and_diagnoses(nobody, cohort):
    (nevus,) = make_images(cohort, 1, visibility="public", structured=NEVUS)
    make_images(cohort, 1, visibility="public", structured=MELANOMA)
    assert ids_on(nobody.get("/gallery/?q=nev")) == [nevus.public_id]
    assert ids_on(nobody.get(f"/gallery/?q={nevus.public_id}")) == [nevus.public_id]


def test_zero_results_say_which_filter_to_drop(nobody, cohort):
    make_images(cohort, 5, visibility="public", structured=NEVUS)
    page = nobody.get("/gallery/?sex=male&diagnosis=Benign").content.decode()
    assert "No image matches" in page
    assert "Sex: male: 5 images without it" in page
    assert "Diagnosis: Benign: 0 images without it" in page


def test_a_filter_nobody_knows_is_refused_with_a_suggestion(nobody):
    page = nobody.get("/gallery/?sex=femail")
    assert page.status_code == 400
    assert "female" in page.content.decode()


@pytest.mark.parametrize(
    "query",
    [
        "cursor=x",
        "cursor=W10",
        "age_from=old",
        "q=%00",
        "cohort=9999999999999999999999",
        "age_from=99999999999999999999",
    ],
)
def test_odd_addresses_are_no_fault_of_ours(nobody, cohort, query):
    make_images(cohort, 1, visibility="public")
    assert nobody.get(f"/gallery/?{query}").status_code in {200, 400}


def test_a_cohort_is_no_filter_for_strangers(nobody, as_charlie, as_alice, cohort):
    make_images(cohort, 2, visibility="public")
    address = f"/gallery/?cohort={cohort.pk}"
    assert len(ids_on(as_alice.get(address))) == 2
    for stranger in (nobody, as_charlie):
        page = stranger.get(address)
        assert ids_on(page) == []
        assert cohort.name not in page.content.decode()


def test_synthetic_images_say_so_on_their_tiles(nobody, cohort):
    make_images(cohort, 1, visibility="public", structured={"image_manipulation": "synthetic"})
    for address in ("/", "/gallery/"):
        assert nobody.get(address).content.decode().count("Synthetic</span>") == 1


def test_progress_is_shown_to_owners_while_their_images_come_in(nobody, as_alice, as_charlie, cohort):
    verdicts = [{"path": "a.jpg", "outcome": "accepted"}, {"path": "b.jpg", "outcome": "waiting"}]
    make_delivery(cohort, verdicts, state=DeliveryState.CONVERTING)
    page = as_alice.get("/gallery/").content.decode()
    assert "1 of 2" in page
    assert 'hx-trigger="every 5s"' in page
    for stranger in (nobody, as_charlie):
        assert "ingest-progress" not in stranger.get("/gallery/").content.decode()


def test_on_a_demonstration_everybody_sees_the_progress(nobody, cohort, settings):
    from dataclasses import replace

    make_delivery(cohort, [{"path": "b.jpg", "outcome": "waiting"}], state=DeliveryState.CONVERTING)
    settings.ENVIRONMENT = replace(settings.ENVIRONMENT, demo=True)
    assert "0 of 1" in nobody.get("/").content.decode()


def test_a_page_of_the_gallery_takes_a_bounded_number_of_queries(nobody, cohort, django_assert_max_num_queries):
    make_images(cohort, 60, visibility="public", structured=NEVUS)
    with django_assert_max_num_queries(22):
        nobody.get("/gallery/?diagnosis=Benign&sex=female")
    with django_assert_max_num_queries(8):
        nobody.get("/")
