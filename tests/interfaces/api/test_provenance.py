import pytest

from medtheca.domains.access.enums import Visibility
from medtheca.domains.imaging.models import Image
from medtheca.domains.provenance.models import Accession
from medtheca.domains.provenance.operations import add_owner
from medtheca.workflows.publish import publish_request
from tests.factories.accounts import make_user
from tests.factories.provenance import make_cohort
from tests.interfaces.api.world import by_token, make_image, nobody, walk

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice():
    return make_user("alice")


@pytest.fixture
def writer(alice):
    return by_token(alice, "write")


CONTRIBUTOR = {
    "institution_name": "Clinic of Sampletown",
    "institution_url": "https://clinic.example",
    "legal_contact_info": "Legal department",
    "default_copyright_license": "CC-BY",
    "default_attribution": "Clinic",
}


def test_a_contributor_is_made_and_owned_by_its_maker(alice, writer):
    made = writer.post("contributors/", CONTRIBUTOR)
    assert made.status_code == 201
    assert made.body["owners"] == [alice.pk]
    assert {name: made.body[name] for name in CONTRIBUTOR} == CONTRIBUTOR
    assert made.body["default_license_spdx"] == "CC-BY-4.0"
    detail = writer.get(f"contributors/{made.body['id']}/").body
    assert (detail["cohorts"], detail["cohort_count"], detail["accession_count"]) == ([], 0, 0)
    assert detail["created"] == made.body["created"]


@pytest.mark.parametrize(
    ("field", "value"), [("default_copyright_license", "MIT"), ("institution_url", "javascript:x")]
)
def test_a_contributor_with_a_wrong_field_is_refused_by_name(writer, field, value):
    answer = writer.post("contributors/", {**CONTRIBUTOR, field: value})
    assert (answer.status_code, [error["field"] for error in answer.body["errors"]]) == (422, [field])


def cohort_of(contributor, **changes):
    return {
        "contributor": contributor,
        "name": "Spring",
        "default_copyright_license": "CC0-1.0",
        "default_attribution": "Clinic",
        **changes,
    }


def test_a_cohort_is_made_once_by_name(writer):
    contributor = writer.post("contributors/", CONTRIBUTOR).body["id"]
    made = writer.post("cohorts/", cohort_of(contributor))
    assert (made.status_code, made.body["default_copyright_license"]) == (201, "CC-0")
    again = writer.post("cohorts/", cohort_of(contributor))
    assert (again.status_code, again.body["code"]) == (409, "conflict")
    assert again.body["remedy"] == "Choose another name."
    assert writer.get(f"contributors/{contributor}/").body["cohorts"] == [
        {"id": made.body["id"], "name": "Spring", "accession_count": 0}
    ]


def test_a_blank_attribution_is_refused_by_name(writer):
    contributor = writer.post("contributors/", CONTRIBUTOR).body["id"]
    answer = writer.post("cohorts/", cohort_of(contributor, default_attribution=" "))
    assert (answer.status_code, answer.body["errors"][0]["field"]) == (422, "default_attribution")


@pytest.mark.parametrize("contributor", [0, 99999999999999999999])
def test_a_cohort_of_nobody_is_404(writer, contributor):
    assert writer.post("cohorts/", cohort_of(contributor)).status_code == 404


@pytest.mark.parametrize("path", ["contributors/", "cohorts/", "accessions/"])
def test_lists_hold_what_the_caller_belongs_to_and_all_for_staff(alice, path):
    for owner in (alice, make_user("bob")):
        cohort = make_cohort(owner, name=f"Of {owner.email}")
        for _ in range(2):
            make_image(cohort, visibility=Visibility.PUBLIC)
    mine, all_of_them = walk(by_token(alice), f"{path}?limit=1"), walk(by_token(make_user("sam")), f"{path}?limit=1")
    assert {row["creator"] for row in mine} == {alice.pk}
    assert len(all_of_them) == 2 * len(mine)
    assert walk(by_token(make_user("charlie")), path) == []


def test_owners_are_listed_in_the_order_in_which_they_became_so(alice):
    cohort, bob = make_cohort(alice), make_user("bob")
    add_owner(contributor=cohort.contributor, user=bob, actor=alice)
    [row] = by_token(bob).get("contributors/").body["results"]
    assert row["owners"] == [alice.pk, bob.pk]


def test_accessions_say_where_their_image_is(alice):
    cohort = make_cohort(alice)
    published, private = make_image(cohort, visibility=Visibility.PUBLIC), make_image(cohort)
    rows = by_token(alice).get(f"accessions/?cohort={cohort.pk}&state=converted").body["results"]
    assert [row["isic_id"] for row in rows] == [published.public_id, str(private.key)]
    assert [row["published"] is None for row in rows] == [False, True]
    assert by_token(alice).get("accessions/?state=refused").body["count"] == 0
    alone = by_token(alice).get(f"accessions/{rows[0]['id']}/").body
    assert {name: alone[name] for name in rows[0]} == rows[0]


@pytest.mark.parametrize("path", ["contributors/", "cohorts/", "accessions/", "publish-requests/"])
def test_a_list_costs_eight_queries_at_most_whatever_its_size(django_assert_max_num_queries, alice, writer, path):
    counts = []
    for size in (1, 6):
        for number in range(size):
            cohort = make_cohort(alice, name=f"{size} {number}")
            make_image(cohort)
            assert writer.post(f"cohorts/{cohort.pk}/publish-requests/", {}).status_code == 201
        with django_assert_max_num_queries(8) as queries:
            assert writer.get(path).body["results"]
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_an_image_becomes_public_when_staff_accept(alice, writer):
    cohort = make_cohort(alice)
    image = make_image(cohort)
    asked = writer.post(f"cohorts/{cohort.pk}/publish-requests/", {"visibility": "public"}).body
    assert (asked["state"], asked["number"]) == ("requested", 1)
    accepted = by_token(make_user("sam"), "write").post(f"publish-requests/{asked['id']}/accept/", {})
    assert (accepted.status_code, accepted.body["state"]) == (200, "publishing")
    publish_request(request_id=asked["id"])
    public_id = Image.objects.get(pk=image.pk).public_id
    assert nobody().get(f"images/{public_id}/").body["public"] is True
    assert writer.get(f"publish-requests/{asked['id']}/").body["state"] == "published"


def test_a_rejection_tells_the_owner_why_and_happens_once(alice, writer):
    cohort, sam = make_cohort(alice), by_token(make_user("sam"), "write")
    make_image(cohort)
    asked = writer.post(f"cohorts/{cohort.pk}/publish-requests/", {}).body["id"]
    assert sam.post(f"publish-requests/{asked}/reject/", {"reason": " "}).status_code == 422
    assert sam.post(f"publish-requests/{asked}/reject/", {"reason": "Faces."}).body["state"] == "rejected"
    assert writer.get(f"publish-requests/{asked}/").body["reason"] == "Faces."
    assert sam.post(f"publish-requests/{asked}/accept/", {}).status_code == 409


def test_nothing_ready_to_publish_is_a_conflict_that_says_what_to_do(alice, writer):
    answer = writer.post(f"cohorts/{make_cohort(alice).pk}/publish-requests/", {})
    assert answer.status_code == 409
    assert "Upload images" in answer.body["remedy"]


@pytest.mark.parametrize("given", [{"visibility": "private"}, {"opens": "2030-01-01T00:00:00"}, {"accessions": ["x"]}])
def test_a_publish_request_with_a_wrong_field_is_refused_by_name(alice, writer, given):
    cohort = make_cohort(alice)
    make_image(cohort)
    answer = writer.post(f"cohorts/{cohort.pk}/publish-requests/", given)
    assert answer.status_code == 422
    assert answer.body["errors"][0]["field"].split(".")[0] == next(iter(given))


def test_named_accessions_of_another_cohort_are_not_published(alice, writer):
    mine, other = make_cohort(alice), make_cohort(make_user("bob"), name="Bob's")
    make_image(mine)
    theirs = Accession.objects.get(image=make_image(other)).pk
    assert writer.post(f"cohorts/{mine.pk}/publish-requests/", {"accessions": [theirs]}).status_code == 409
