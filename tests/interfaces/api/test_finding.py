"""Quick finding, completing and counting through the API: each finds what they may see, and nothing else."""

import pytest
from django.urls import resolve

from medtheca.domains.access.enums import Visibility
from medtheca.domains.collections.operations import create_collection
from medtheca.domains.provenance.models import Accession
from medtheca.interfaces.api.v2.routes.finding import PAGES
from tests.factories.accounts import make_user
from tests.factories.provenance import make_cohort
from tests.interfaces.api.world import by_token, make_image, nobody

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice():
    return make_user("alice")


@pytest.fixture
def cohort(alice):
    return make_cohort(alice, name="Moles 2026")


def titles(answer):
    return {(one["result_type"], one["title"]) for one in answer.body}


def test_everybody_finds_what_they_may_see(alice, cohort):
    public = make_image(cohort, visibility=Visibility.PUBLIC)
    hidden = make_image(cohort, visibility=Visibility.PRIVATE, published=True)
    create_collection(creator=alice, name="Moles of all", description="", public=True)
    create_collection(creator=alice, name="Moles of mine", description="", public=False)
    bob = make_user("bob")
    assert titles(by_token(alice).get("quickfind/?query=moles")) == {
        ("collection", "Moles of all"),
        ("collection", "Moles of mine"),
        ("cohort", "Moles 2026"),
        ("contributor", "Institution of Moles 2026"),
    }
    for caller in (nobody(), by_token(bob)):
        assert titles(caller.get("quickfind/?query=moles")) == {("collection", "Moles of all")}
    for image, seen in ((public, True), (hidden, False)):
        found = titles(nobody().get(f"quickfind/?query={image.public_id.lower()}"))
        assert found == ({("image", image.public_id)} if seen else set())
    assert titles(by_token(alice).get(f"quickfind/?query={hidden.public_id}")) == {("image", hidden.public_id)}


def test_people_of_the_cohort_find_images_by_the_names_of_their_files(alice, cohort):
    hidden = make_image(cohort)
    Accession.objects.filter(image=hidden).update(name="Lu\u0308neburg_7.jpg", name_key="L\u00fcneburg_7.jpg")
    public = make_image(cohort, visibility=Visibility.PUBLIC)
    Accession.objects.filter(image=public).update(name="l\u00fcneburg_%.jpg", name_key="l\u00fcneburg_%.jpg")
    found = by_token(alice).get("quickfind/?query=LU\u0308NEBURG").body
    assert [(one["title"], one["subtitle"]) for one in found] == [
        ("l\u00fcneburg_%.jpg", public.public_id),
        ("Lu\u0308neburg_7.jpg", "Not published"),
    ]
    assert [one["title"] for one in by_token(alice).get("quickfind/?query=l\u00fcneburg_%25").body] == [
        "l\u00fcneburg_%.jpg"
    ]
    for caller in (nobody(), by_token(make_user("bob"))):
        assert caller.get("quickfind/?query=l\u00fcneburg").body == []


def test_the_digits_of_an_id_are_enough(alice, cohort):
    image = make_image(cohort, visibility=Visibility.PUBLIC)
    number = image.public_id.removeprefix("ISIC_")
    for text in (number, str(int(number)), number[:5]):
        assert ("image", image.public_id) in titles(nobody().get(f"quickfind/?query={text}"))


@pytest.mark.parametrize("text", ["", "mo", "ISIC_", "sic", "isic", "%00x"])
def test_what_every_image_has_finds_nothing(alice, cohort, text):
    make_image(cohort, visibility=Visibility.PUBLIC)
    answer = by_token(alice).get(f"quickfind/?query={text}")
    assert (answer.status_code, answer.body) == (200, []) or answer.status_code == 400


def test_what_was_found_has_a_page(alice, cohort):
    create_collection(creator=alice, name="Moles", description="", public=False)
    for one in by_token(alice).get("quickfind/?query=moles").body:
        assert one["yours"]
        assert one["url"].startswith("http")
    for page in PAGES.values():
        assert resolve(page.format(key=1)).url_name


def test_people_are_found_by_staff_alone(alice):
    sam = make_user("sam")
    assert ("user", alice.shown_name) in titles(by_token(sam).get("quickfind/?query=alice"))
    assert titles(by_token(make_user("bob")).get("quickfind/?query=alice")) == set()
    assert [one["id"] for one in by_token(sam).get("autocomplete/user/?query=alice").body] == [alice.pk]
    assert by_token(alice).get("autocomplete/user/?query=alice").status_code in {403, 404}


def test_names_are_completed(alice, cohort):
    for kind, query in (("cohort", "mole"), ("contributor", "institution")):
        address = f"autocomplete/{kind}/?query={query}"
        assert [one["id"] for one in by_token(alice).get(address).body]
        assert by_token(make_user(f"stranger-{kind}")).get(address).body == []
        assert nobody().get(address).status_code == 401
    assert by_token(alice).get("autocomplete/cohort/?query=mo").body == []


def test_fields_and_values_are_completed_with_what_one_sees(alice, cohort):
    make_image(cohort, visibility=Visibility.PUBLIC, structured={"sex": "male"})
    make_image(cohort, structured={"sex": "male"})
    assert "diagnosis_1" in [one["name"] for one in nobody().get("autocomplete/field/?query=diag").body]
    address = "autocomplete/value/?field=sex&query=m"
    assert {"value": "male", "count": 1} in nobody().get(address).body
    assert {"value": "male", "count": 2} in by_token(alice).get(address).body


def test_statistics_count_what_one_sees(alice, cohort):
    make_image(cohort, visibility=Visibility.PUBLIC)
    make_image(cohort)
    create_collection(creator=alice, name="Mine", description="", public=False)
    mine, others = by_token(alice).get("stats/").body, nobody().get("stats/").body
    assert mine["image"] == {"images_count": 2, "public_images_count": 1, "annotated_images_count": 0}
    assert others["image"] == {"images_count": 1, "public_images_count": 1, "annotated_images_count": 0}
    assert (mine["collection"]["collections_count"], others["collection"]["collections_count"]) == (1, 0)
