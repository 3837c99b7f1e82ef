from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from medtheca.base.clock import now
from medtheca.domains.access.enums import Visibility
from medtheca.domains.imaging.models import Image
from medtheca.domains.metadata.models import Description
from medtheca.domains.provenance.longitudinal import link_subjects
from medtheca.domains.provenance.models import Accession
from medtheca.interfaces.api.v2.shapes.images import ImageOut
from tests.factories.accounts import make_user
from tests.factories.provenance import make_cohort
from tests.interfaces.api.world import HOST, by_session, by_token, make_image, make_images, nobody, walk

pytestmark = pytest.mark.django_db
PUBLIC = Visibility.PUBLIC
NEVUS = {
    "age": 53,
    "age_approx": 55,
    "sex": "male",
    "image_type": "dermoscopic",
    "diagnosis_1": "Benign",
    "patient_id": "MRN 4711",
    "mel_thick_mm": "0.50",
}


@pytest.fixture
def alice():
    return make_user("alice")


@pytest.fixture
def cohort(alice):
    return make_cohort(alice)


def test_an_image_has_the_shape_that_clients_of_isic_read(cohort):
    image = make_image(cohort, visibility=PUBLIC, structured=NEVUS)
    accession = Accession.objects.get(image=image)
    link_subjects(contributor=cohort.contributor, rows=[(accession, "MRN 4711", None)])
    patient = Accession.objects.get(image=image).patient.public_id

    body = nobody().get(f"images/{image.public_id}/").body

    assert (body["isic_id"], body["public"]) == (image.public_id, True)
    assert (body["copyright_license"], body["license_spdx"]) == ("CC-BY", "CC-BY-4.0")
    assert body["attribution"] == "Clinic of Exampleton"
    assert body["metadata"]["acquisition"] == {"pixels_x": 640, "pixels_y": 480, "image_type": "dermoscopic"}
    assert body["metadata"]["clinical"] == {
        "age_approx": 55,
        "sex": "male",
        "diagnosis_1": "Benign",
        "mel_thick_mm": "0.50",
        "patient_id": patient,
    }
    assert "MRN" not in str(body)


def test_files_have_whole_addresses_exact_sizes_and_hashes(cohort):
    image = make_image(cohort, visibility=PUBLIC)
    body = nobody().get(f"images/{image.public_id}/").body
    blobs = {file.kind: file.blob for file in image.files.select_related("blob")}
    for name, kind in (("full", "public"), ("thumbnail_256", "thumbnail")):
        file = body["files"][name]
        assert urlsplit(file["url"])[:2] == ("http", HOST)
        assert urlsplit(file["url"]).path.endswith(".jpg")
        assert (file["size"], file["sha256"]) == (blobs[kind].size, blobs[kind].sha256)
    assert "original" not in str(body)


def test_attribution_and_licence_are_the_accessions_own(cohort):
    image = make_image(cohort, visibility=PUBLIC)
    Accession.objects.filter(image=image).update(attribution="Another clinic", licence="CC0-1.0")
    body = nobody().get(f"images/{image.public_id}/").body
    assert (body["attribution"], body["copyright_license"]) == ("Another clinic", "CC-0")


@pytest.mark.parametrize("structured", [None, {}, NEVUS])
def test_what_is_sent_is_what_is_documented(alice, cohort, structured):
    make_image(cohort, visibility=PUBLIC, structured=structured)
    make_image(cohort, structured=structured)
    allowed = {**ImageOut.model_config, "extra": "forbid"}
    strict = type("Strict", (ImageOut,), {"model_config": allowed})
    for row in by_token(alice).get("images/").body["results"]:
        assert strict.model_validate(row).isic_id == row["isic_id"]


def test_an_image_never_published_goes_by_its_key(alice, cohort):
    image = make_image(cohort)
    [row] = by_token(alice).get("images/").body["results"]
    assert (row["isic_id"], row["public"], row["visibility"]) == (str(image.key), False, "private")
    assert by_token(alice).get(f"images/{row['isic_id']}/").body["isic_id"] == row["isic_id"]


def test_only_files_that_are_not_public_carry_a_ticket_and_only_for_programs(alice, cohort):
    public, private = make_image(cohort, visibility=PUBLIC), make_image(cohort)
    token, session = by_token(alice), by_session(alice)

    def address(caller, image):
        return caller.get(f"images/{image.key}/").body["files"]["full"]["url"]

    assert "ticket=" in address(token, private)
    assert "ticket=" not in address(token, public)
    assert "ticket=" not in address(session, private)


@pytest.mark.parametrize("query", ["", "limit=0", "limit=5000"])
def test_a_page_has_a_hundred_images_at_most(cohort, query):
    make_images(cohort, 101, visibility=PUBLIC)
    body = nobody().get(f"images/?{query}").body
    assert (len(body["results"]), body["count"]) == (100, 101)


def test_walking_the_pages_meets_every_image_once_in_order(cohort):
    made = [make_image(cohort, visibility=PUBLIC).public_id for _ in range(7)]
    rows = walk(nobody(), "images/?limit=2&sex=")
    assert [row["isic_id"] for row in rows] == made


def test_walking_loses_nothing_where_times_are_equal(cohort):
    made = {make_image(cohort, visibility=PUBLIC).public_id for _ in range(5)}
    Image.objects.update(created=now())
    assert {row["isic_id"] for row in walk(nobody(), "images/?limit=2")} == made


def test_walking_back_arrives_where_it_began(cohort):
    for _ in range(5):
        make_image(cohort, visibility=PUBLIC)
    first = nobody().get("images/?limit=2").body
    assert first["previous"] is None
    second = nobody().get(first["next"]).body
    assert nobody().get(second["previous"]).body["results"] == first["results"]


def test_the_next_address_is_whole_and_keeps_all_parameters(cohort):
    for _ in range(3):
        make_image(cohort, visibility=PUBLIC, structured=NEVUS)
    address = nobody().get("images/?sex=male&limit=2&age_from=50").body["next"]
    parts = urlsplit(address)
    assert (parts.scheme, parts.netloc, parts.path) == ("http", HOST, "/api/v2/images/")
    assert {**parse_qs(parts.query), "cursor": 0} == {"sex": ["male"], "limit": ["2"], "age_from": ["50"], "cursor": 0}


@pytest.mark.parametrize("cursor", ["x", "%2B", "bnVsbA", "e30", "WzEsMiwzXQ", "WyIyMDI2LTAxLTAxIiwiMSIsZmFsc2Vd" * 9])
def test_a_cursor_from_elsewhere_is_refused_as_isic_does(cursor):
    answer = nobody().get(f"images/?cursor={cursor}")
    assert answer.status_code == 422
    assert answer.body["detail"][0]["loc"] == ["query", "cursor"]
    assert answer.body["detail"][0]["msg"] == "Value error, Invalid cursor."


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ("sex=male", 1),
        ("sex=female", 0),
        ("diagnosis=Benign", 1),
        ("diagnosis=Malignant", 0),
        ("age_from=50&age_to=60", 1),
        ("age_from=56", 0),
        ("licence=CC-BY", 1),
        ("licence=CC0-1.0", 0),
        ("words=ISIC_", 2),
        ("", 2),
    ],
)
def test_filters_narrow_the_list_and_its_count(cohort, query, number):
    make_image(cohort, visibility=PUBLIC, structured=NEVUS)
    other = make_image(cohort, visibility=PUBLIC, structured={})
    Accession.objects.filter(image=other).update(licence="CC-BY-NC-4.0")
    assert len(walk(nobody(), f"images/?{query}")) == number


def test_a_filter_that_is_none_is_told_with_what_would_be_right():
    answer = nobody().get("images/?sex=mal&licence=MIT&age_from=12")
    assert answer.status_code == 400
    assert [error["field"] for error in answer.body["errors"]] == ["sex", "licence"]
    assert "male" in answer.body["errors"][0]["remedy"]


@pytest.mark.parametrize(
    "query",
    ["age_from=x", "limit=-1", "limit=x", "age_to=999999999999999999999", "cohort=x"],
)
def test_a_parameter_of_the_wrong_kind_is_422(query):
    answer = nobody().get(f"images/?{query}")
    assert answer.status_code == 422
    assert answer.body["errors"][0]["field"] == query.split("=")[0]


def test_a_number_that_no_cohort_can_have_is_named():
    answer = nobody().get("images/?cohort=99999999999999999999")
    assert answer.status_code == 400
    assert answer.body["errors"][0]["field"] == "cohort"


def test_a_cohort_that_is_none_holds_nothing():
    assert nobody().get("images/?cohort=0").body["count"] == 0


@pytest.mark.parametrize("reference", ["ISIC_9999999", "nosuch", "x" * 500, "00000000-0000-0000-0000-000000000000"])
def test_what_is_not_there_is_404(reference):
    answer = nobody().get(f"images/{reference}/")
    assert (answer.status_code, answer.body["detail"]) == (404, "Not Found")


def test_an_embargo_holds_an_image_back_until_it_ends(cohort):
    image = make_image(cohort, visibility=PUBLIC, opens=now() + timedelta(hours=1))
    assert nobody().get(f"images/{image.public_id}/").status_code == 404
    assert nobody().get("images/").body["count"] == 0


def test_an_image_that_has_not_changed_is_not_sent_again(cohort):
    image = make_image(cohort, visibility=PUBLIC, structured=NEVUS)
    first = nobody().get(f"images/{image.public_id}/")
    again = nobody().get(f"images/{image.public_id}/", if_none_match=first.headers["ETag"])
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    Description.objects.update(structured={"sex": "female"})
    changed = nobody().get(f"images/{image.public_id}/", if_none_match=first.headers["ETag"])
    assert (changed.status_code, changed.body["metadata"]["clinical"]) == (200, {"sex": "female"})


def test_withdrawing_closes_the_door_for_all_but_owners(alice, cohort):
    image = make_image(cohort, visibility=PUBLIC)
    answer = by_token(alice, "write").post(f"images/{image.public_id}/withdraw/", {"reason": "Consent withdrawn."})
    assert (answer.status_code, answer.body["public"]) == (200, False)
    gone = nobody().get(f"images/{image.public_id}/")
    # Who cites it is told that it was there, and why it is not; nothing else of it.
    assert (gone.status_code, gone.body["code"]) == (410, "withdrawn")
    assert nobody().get("images/").body["count"] == 0
    assert image.withdrawal.reason == "Consent withdrawn."


def test_an_unpublished_image_keeps_its_id(alice, cohort):
    image = make_image(cohort, visibility=PUBLIC)
    answer = by_token(alice, "write").post(f"images/{image.public_id}/unpublish/", {"reason": "Wrong cohort."})
    assert (answer.status_code, answer.body["isic_id"]) == (200, image.public_id)
    again = by_token(alice, "write").post(f"images/{image.public_id}/unpublish/", {"reason": "Wrong cohort."})
    assert (again.status_code, again.body["code"]) == (409, "conflict")


@pytest.mark.parametrize("given", [{}, {"reason": "  "}, {"reason": "x" * 501}, {"reason": "x", "when": "now"}, []])
def test_taking_back_needs_a_reason_and_nothing_else(alice, cohort, given):
    image = make_image(cohort, visibility=PUBLIC)
    answer = by_token(alice, "write").post(f"images/{image.public_id}/withdraw/", given)
    assert answer.status_code in {400, 422}
    assert answer.body["errors"]
    assert nobody().get(f"images/{image.public_id}/").status_code == 200


@pytest.mark.parametrize("filters", ["", "?sex=male&age_from=10&licence=CC-BY"])
@pytest.mark.parametrize("way", [lambda _: nobody(), by_token, by_session], ids=["nobody", "token", "session"])
def test_a_page_costs_eight_queries_at_most_whatever_its_size(
    django_assert_max_num_queries, alice, cohort, filters, way
):
    counts, caller = [], way(alice)
    caller.get("images/")
    for size in (2, 100):
        make_images(cohort, size, visibility=PUBLIC, structured=NEVUS)
        with django_assert_max_num_queries(8) as queries:
            assert caller.get(f"images/{filters}").body["results"]
        counts.append(len(queries))
    assert counts[0] == counts[1]
