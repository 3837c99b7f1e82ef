"""The start page and the gallery: what is found, how it is counted, what is dropped when nothing is found."""

import re
from html import unescape

import pytest

from medtheca.domains.imaging.models import Image
from medtheca.domains.provenance.enums import DeliveryState
from medtheca.toolkit.querylang import parse
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
    assert option(page, "Benign melanocytic proliferations")[0] == "/gallery/?q=diagnosis%3ABenign"


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
    assert page.index("Sex: male: 5") < page.index("Diagnosis: Benign: 0 images without it")


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


def said(images, **columns):
    Image.objects.filter(pk__in=[image.pk for image in images]).update(**columns)
    return images


@pytest.fixture
def scans(cohort):
    """Two public MR volumes of the brain, a public slide, a private CT, and a photograph."""
    brain = {"value": "12738006", "scheme": "SCT", "meaning": "Brain"}
    stain = {"value": "12710003", "scheme": "SCT", "meaning": "hematoxylin stain"}
    volume = {"kind": "volume", "format": "dicom", "spacing_x": 0.7, "spacing_y": 0.7}
    said(make_images(cohort, 1, visibility="public"), **volume, depth=100, facts={"modality": "MR", "body_part": brain})
    said(make_images(cohort, 1, visibility="public"), **volume, depth=30, facts={"modality": "MR", "body_part": brain})
    said(
        make_images(cohort, 1, visibility="public"),
        kind="slide", format="slide", spacing_x=0.00025, spacing_y=0.00025,
        facts={"modality": "SM", "magnification": 40.0, "stain": [stain], "manufacturer": "Aperio"},
    )  # fmt: skip
    said(make_images(cohort, 1), **volume, depth=10, facts={"modality": "CT", "manufacturer": "Secret Maker"})
    make_images(cohort, 1, visibility="public")


def test_what_files_say_is_counted_and_leads_to_as_many(nobody, scans):
    page = nobody.get("/gallery/")
    for label, number in (
        ("volume", 2),
        ("slide", 1),
        ("picture", 1),
        ("dicom", 2),
        ("MR", 2),
        ("Brain", 2),
        ("hematoxylin stain", 1),
        ("40", 1),
        ("Aperio", 1),
    ):
        address, counted = option(page, label)
        found = nobody.get(address)
        assert (counted, len(ids_on(found))) == (number, number), label
        assert option(found, label)[0] == "/gallery/", label


def test_what_files_say_of_private_images_is_not_told(nobody, as_alice, as_charlie, scans):
    for stranger in (nobody, as_charlie):
        page = stranger.get("/gallery/")
        assert option(page, "CT") is None
        assert "Secret Maker" not in page.content.decode()
        assert ids_on(stranger.get("/gallery/?modality=CT")) == []
    assert option(as_alice.get("/gallery/"), "CT")[1] == 1


def test_slices_and_spacing_are_ranges_that_keep_each_other(nobody, scans):
    page = nobody.get("/gallery/?slices_from=50&body_part=12738006").content.decode()
    assert len(re.findall(r'<a class="tile"', page)) == 1
    assert "Slices: 50 and above" in page
    assert "Body part: Brain" in page
    form = re.search(r'<form(?:(?!</form>).)*name="pixel_spacing_from".*?</form>', page, re.DOTALL)[0]
    rest = re.search(r'<input type="hidden" name="q" value="([^"]+)">', form)[1]
    assert parse(rest) == parse("body_part:Brain AND slices:>=50")
    assert 'step="any" inputmode="decimal" name="pixel_spacing_to"' in form
    form = re.search(r'<form(?:(?!</form>).)*name="slices_from".*?</form>', page, re.DOTALL)[0]
    assert '<input type="hidden" name="q" value="body_part:Brain">' in form
    assert 'name="slices_from" value="50"' in form
    fine = nobody.get("/gallery/?pixel_spacing_to=0.001")
    assert "Pixel spacing (mm): up to 0.001" in fine.content.decode()
    assert len(ids_on(fine)) == 1


def test_the_page_of_an_image_shows_what_its_file_says_beside_what_people_say(nobody, scans):
    image = Image.objects.get(depth=100)
    page = nobody.get(f"/images/{image.public_id}/").content.decode()
    assert "What the file says" in page
    assert 'href="/gallery/?modality=MR"' in page
    assert "Magnetic Resonance (MR)" in page
    assert "SCT 12738006" in page
    assert 'href="/gallery/?body_part=Brain"' in page
    photograph = Image.objects.get(kind="picture")
    assert "What the file says" not in nobody.get(f"/images/{photograph.public_id}/").content.decode()


def test_an_archive_of_photographs_has_no_filters_of_scans(nobody, cohort):
    make_images(cohort, 2, visibility="public")
    page = nobody.get("/gallery/").content.decode()
    assert not [word for word in ("Kind of image", "Modality", "Slices", "Stain") if word in page]


def test_a_screen_of_pictures_is_asked_for_at_once_and_the_others_when_they_come_near(nobody, cohort):
    make_images(cohort, 30, visibility="public")
    page = nobody.get("/gallery/").content.decode()
    assert len(re.findall(r'<img src="[^"]+" alt="ISIC', page)) == 24
    assert len(re.findall(r'<img data-src="[^"]+" alt="ISIC', page)) == 6
    # Without scripts they are pictures as well.
    assert len(re.findall(r'<noscript><img src="[^"]+"', page)) == 6


def test_a_page_of_the_gallery_takes_a_bounded_number_of_queries(nobody, cohort, django_assert_max_num_queries):
    make_images(cohort, 60, visibility="public", structured=NEVUS)
    with django_assert_max_num_queries(22):
        nobody.get("/gallery/?diagnosis=Benign&sex=female")
    with django_assert_max_num_queries(8):
        nobody.get("/")
