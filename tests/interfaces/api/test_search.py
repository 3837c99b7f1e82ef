"""Search over the API: the language, collections, sizes, facets, and what a bad query is told."""

from __future__ import annotations

from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from medtheca.domains.access.enums import Visibility
from medtheca.domains.collections.contents import add_named
from medtheca.domains.collections.operations import create_collection
from medtheca.domains.imaging.models import Image
from medtheca.domains.provenance.models import Accession
from medtheca.interfaces.api.v2.shapes.search import ISIC_FACETS, FacetOut
from medtheca.toolkit.schemas import DERMATOLOGY
from tests.factories.accounts import make_user
from tests.factories.provenance import make_cohort
from tests.interfaces.api.world import Caller, by_token, make_image, make_images, nobody, walk

pytestmark = pytest.mark.django_db
PUBLIC = Visibility.PUBLIC
MALE = {"sex": "male", "age": 53, "age_approx": 55, "diagnosis_1": "Benign", "melanocytic": True}
FEMALE = {
    "sex": "female",
    "age_approx": 30,
    "diagnosis_1": "Malignant",
    "diagnosis_2": "Malignant melanocytic proliferations (Melanoma)",
    "diagnosis_3": "Melanoma Invasive",
    "mel_thick_mm": "0.80",
    "patient_id": "MRN 4711",
}


@pytest.fixture
def alice():
    return make_user("alice")


@pytest.fixture
def cohort(alice):
    return make_cohort(alice)


@pytest.fixture
def images(cohort):
    """Two men, one woman, one of whom nothing is known; and one that is Alice's alone."""
    return {
        "men": make_images(cohort, 2, visibility=PUBLIC, structured=MALE),
        "woman": make_image(cohort, visibility=PUBLIC, structured=FEMALE),
        "unknown": make_image(cohort, visibility=PUBLIC),
        "private": make_image(cohort, structured=MALE),
    }


def ids(answer):
    assert answer.status_code == 200, answer.body
    return [result["isic_id"] for result in answer.body["results"]]


def ask(caller, path, given):
    return caller.get(f"{path}?{urlencode(given)}")


def test_a_search_finds_in_the_order_of_lists_and_counts_exactly(images):
    answer = ask(nobody(), "images/search/", {"query": "sex:male"})
    assert ids(answer) == [image.public_id for image in images["men"]]
    assert answer.body["count"] == 2
    everything = [*images["men"], images["woman"], images["unknown"]]
    for empty in ("", "  "):
        assert ids(ask(nobody(), "images/search/", {"query": empty})) == [image.public_id for image in everything]


def test_a_negated_term_finds_what_says_nothing(images):
    answer = ask(nobody(), "images/search/", {"query": "-sex:male"})
    assert ids(answer) == [images["woman"].public_id, images["unknown"].public_id]


def test_the_list_of_images_takes_queries_beside_filters(images):
    answer = ask(nobody(), "images/", {"query": 'age_approx:>=50 OR diagnosis:"Melanoma Invasive"', "sex": "female"})
    assert ids(answer) == [images["woman"].public_id]


def test_an_owner_finds_and_counts_what_others_do_not(images, alice):
    mine = ask(by_token(alice), "images/search/", {"query": "sex:male"})
    assert mine.body["count"] == 3
    assert str(images["private"].key) in ids(mine)
    assert ask(nobody(), "images/search/", {"query": "public:false"}).body["count"] == 0


def test_private_ids_and_names_of_cohorts_find_nothing(images, cohort, alice):
    for query in ('patient_id:"MRN 4711"', 'patient_id:"MRN*"', '"MRN 4711"', f'cohort:"{cohort.name}"', "cohort:1"):
        assert ask(nobody(), "images/search/", {"query": query}).body["count"] == 0
    assert ask(by_token(alice), "images/search/", {"query": f'cohort:"{cohort.name}"'}).body["count"] == 5


def test_pages_are_walked_to_the_end_with_the_query_in_each_address(images):
    found = list(walk(nobody(), "images/search/?query=public:true%20-sex:female&collections=&limit=2"))
    assert [row["isic_id"] for row in found] == [image.public_id for image in (*images["men"], images["unknown"])]


@pytest.mark.parametrize(
    "query", ["diagnosis_3:Melanoma Invasive", "age_approx:[10 to 20]", "melanocytic:TRUE", "diagnosys:x", "(sex:male"]
)
@pytest.mark.parametrize("path", ["images/", "images/search/", "images/search/size/", "images/facets/"])
def test_a_bad_query_is_told_where_it_is_wrong(path, query):
    answer = ask(nobody(), path, {"query": query})
    assert (answer.status_code, answer.body["message"]) == (400, "Could not parse search query.")
    assert 1 <= answer.body["column"] <= len(query) + 1
    assert answer.body["remedy"].startswith(f"Column {answer.body['column']}: ")
    [problem] = answer.body["errors"]
    assert problem["field"] == "query"
    assert answer.body["expected"]


def test_a_suggestion_says_what_may_have_been_meant():
    answer = ask(nobody(), "images/search/", {"query": "sex:male AND diagnosys:Nevus"})
    assert answer.body["suggestions"][0] == "diagnosis"
    assert (answer.body["column"], answer.body["length"]) == (14, 9)


@pytest.mark.parametrize("collections", ["abc", "1,", "-1", "1.5", "1;2"])
def test_collections_that_are_no_ids_are_refused(collections):
    assert ask(nobody(), "images/search/", {"collections": collections}).status_code == 422


def test_collections_narrow_to_what_the_caller_sees(images, alice):
    shown = create_collection(creator=alice, name="Shown", public=True)
    hidden = create_collection(creator=alice, name="Hidden")
    # Whoever asks for a hidden one by its number must not be given another of that name.
    named = create_collection(creator=alice, name=str(hidden.pk), public=True)
    woman, man = images["woman"].public_id, images["men"][0].public_id
    for collection, refs in ((shown, [woman]), (hidden, [woman, man]), (named, [man])):
        add_named(collection=collection, actor=alice, refs=refs)

    def found(caller, **given):
        return set(ids(ask(caller, "images/search/", given)))

    assert found(nobody(), collections=str(shown.pk)) == {woman}
    assert found(nobody(), collections=str(hidden.pk)) == set()
    assert found(nobody(), collections=f"{shown.pk},{hidden.pk}") == {woman}
    assert found(nobody(), query=f"collection:{hidden.pk}") == set()
    assert found(nobody(), query="collection:Shown OR collection:Hidden") == {woman}
    assert found(nobody(), query="-collection:Shown", collections=str(shown.pk)) == set()
    assert found(by_token(alice), collections=str(hidden.pk)) == {woman, man}
    assert ask(nobody(), "images/search/", {"collections": "999999999"}).body["count"] == 0
    assert ask(nobody(), "images/search/size/", {"collections": str(hidden.pk)}).body == {"size": 0}


def test_the_size_is_that_of_the_files_of_all_pages(images, alice):
    listed = ask(nobody(), "images/search/", {"query": "sex:*"}).body["results"]
    size = sum(result["files"]["full"]["size"] for result in listed)
    assert size > 0
    assert ask(nobody(), "images/search/size/", {"query": "sex:*"}).body == {"size": size}
    assert ask(by_token(alice), "images/search/size/", {"query": "sex:*"}).body["size"] > size


def test_facets_count_what_is_there_and_what_is_missing(images):
    body = nobody().get("images/facets/").body
    assert tuple(body) == ISIC_FACETS
    for name, facet in body.items():
        FacetOut.model_validate(facet)
        assert facet["meta"]["missing_count"] + facet["meta"]["present_count"] == 4, name
        if not name.startswith(("diagnosis_", "anatom_site_")):
            assert sum(bucket["doc_count"] for bucket in facet["buckets"]) == facet["meta"]["present_count"], name
    assert body["sex"]["buckets"] == [{"key": "male", "doc_count": 2}, {"key": "female", "doc_count": 1}]
    assert [bucket["key"] for bucket in body["image_type"]["buckets"]] == list(
        DERMATOLOGY.by_name["image_type"].vocabulary.values
    )
    assert body["melanocytic"]["buckets"] == [
        {"key": 0, "key_as_string": "false", "doc_count": 0},
        {"key": 1, "key_as_string": "true", "doc_count": 2},
    ]
    ages = {bucket["key"]: bucket["doc_count"] for bucket in body["age_approx"]["buckets"]}
    assert (len(ages), ages[30.0], ages[55.0], max(ages)) == (18, 1, 2, 85.0)
    thick = body["mel_thick_mm"]["buckets"]
    assert thick[1] == {"key": "0.5-1.0", "from": 0.5, "to": 1.0, "doc_count": 1}
    assert thick[-1] == {"key": "5.0-*", "from": 5.0, "to": "*", "doc_count": 0}
    assert body["copyright_license"]["buckets"][0] == {"key": "CC-BY", "doc_count": 4}


def test_facets_of_named_fields_under_a_query(images):
    body = ask(nobody(), "images/facets/", {"query": "sex:male", "fields": "sex,format"}).body
    assert set(body) == {"sex", "format"}
    assert body["sex"]["meta"] == {"missing_count": 0, "present_count": 2}
    others = ask(nobody(), "images/facets/", {"query": "sex:male", "fields": "sex", "own": "false"}).body
    assert others["sex"]["buckets"] == [{"key": "male", "doc_count": 2}, {"key": "female", "doc_count": 1}]


@pytest.mark.parametrize("field", ["age", "patient_id", "isic_id", "cohort", "nosuch"])
def test_nothing_private_is_counted_by(field):
    assert ask(nobody(), "images/facets/", {"fields": field}).status_code == 400


def test_a_plus_is_a_plus_to_who_writes_spaces_otherwise(cohort):
    lympho = {
        "diagnosis_1": "Malignant",
        "diagnosis_2": "Lymphocytic proliferations - T-Cell/NK",
        "diagnosis_3": "Primary cutaneous CD30+ lymphoproliferative disease",
    }
    wanted = make_images(cohort, 3, visibility=PUBLIC, structured=lympho)
    quoted = '"Primary cutaneous CD30+ lymphoproliferative disease"'
    counted = ask(nobody(), "images/search/", {"query": f"diagnosis_3:{quoted}", "limit": 1})
    assert counted.body["count"] == 3
    by_hand = f"diagnosis_3:{quoted}".replace(" ", "%20").replace('"', "%22")
    found = list(walk(nobody(), f"images/search/?query={by_hand}&collections=&limit=2"))
    assert [row["isic_id"] for row in found] == [image.public_id for image in wanted]
    following = nobody().get(f"images/search/?query={by_hand}&limit=2").body["next"]
    assert parse_qs(urlsplit(following).query)["query"] == [f"diagnosis_3:{quoted}"]


def test_isic_cli_walks_as_it_counted_where_nothing_but_a_plus_is_odd(cohort):
    image = make_image(cohort, visibility=PUBLIC)
    Accession.objects.filter(image=image).update(attribution="CD30+")
    isic_cli = Caller(agent="isic-cli/12.4.0")
    walked = isic_cli.get('images/search/?query=attribution:"CD30+"&collections=')
    counted = isic_cli.get('images/search/?query=attribution:"CD30%2B"+sex:male&collections=&limit=1')
    assert (walked.body["count"], counted.body["count"]) == (1, 0)
    spaces = isic_cli.get("images/search/?query=-sex:male+-sex:female&limit=1")
    assert spaces.body["count"] == 1


def test_other_parameters_keep_their_spaces_on_further_pages(images):
    answer = nobody().get("images/?query=public:true%20melanoma+&words=Melanoma+Invasive&limit=1")
    assert answer.status_code == 400
    found = nobody().get("images/?query=public:true%20OR%20sex:*&words=Melanoma+Invasive&limit=1")
    assert found.body["count"] == 1


def test_pins_are_asked_for_without_effect(images):
    assert ask(nobody(), "images/search/", {"pin_sort": "true"}).body["count"] == 4


def test_the_number_of_statements_does_not_grow_with_the_page(images, cohort, django_assert_max_num_queries):
    make_images(cohort, 30, visibility=PUBLIC, structured=MALE)
    with django_assert_max_num_queries(12):
        assert len(ids(ask(nobody(), "images/search/", {"query": "sex:male"}))) == 32
    assert Image.objects.count() == 35
