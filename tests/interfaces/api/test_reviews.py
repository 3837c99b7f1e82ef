"""Judging, redacting and finding what looks alike, by the API."""

import pytest

from medtheca.domains.access.enums import Role, Visibility
from medtheca.domains.access.operations import add_member
from medtheca.domains.imaging.models import Image
from medtheca.domains.imaging.queries import REDACTION
from medtheca.domains.provenance.models import Accession, Cohort, FileVersion, Review
from medtheca.domains.provenance.reviewing import record_reviews
from medtheca.interfaces.api.v2.shapes.images import ImageOut
from medtheca.interfaces.api.v2.shapes.reviews import SimilarImageOut
from medtheca.toolkit.images import redact
from tests.factories.accounts import make_user
from tests.factories.images import make_images
from tests.factories.provenance import make_cohort
from tests.interfaces.api.world import by_session, by_token, nobody, walk

pytestmark = pytest.mark.django_db


@pytest.fixture
def cohort():
    return make_cohort(make_user("alice"))


@pytest.fixture
def rita(cohort):
    return make_reviewer("rita", cohort)


def make_reviewer(name, cohort):
    user = make_user(name)
    add_member(scope=cohort.scope, user=user, role=Role.REVIEWER)
    return user


def accessions_of(cohort, number):
    images = make_images(cohort, number)
    return list(Accession.objects.filter(image__in=images).order_by("pk").values_list("pk", flat=True))


def test_the_queue_is_walked_by_pages_oldest_first(cohort, rita):
    pks = accessions_of(cohort, 5)
    record_reviews(accession_ids=pks[:1], reviewer=rita, decision="accepted")
    caller = by_token(rita)

    assert [row["accession"] for row in walk(caller, "reviews/?limit=2")] == pks[1:]
    assert [row["accession"] for row in caller.get("reviews/?state=accepted").body["results"]] == pks[:1]
    assert caller.get(f"reviews/?cohort={cohort.pk}").body["count"] == 4
    assert caller.get("reviews/?state=all").body["count"] == 5
    assert caller.get("reviews/?cohort=999999").status_code == 404
    assert caller.get("reviews/?state=nonsense").status_code == 422
    assert by_session(cohort.creator).get("reviews/").body["count"] == 0


def test_a_review_is_given_once_and_read_by_the_owner(cohort, rita):
    (pk,) = accessions_of(cohort, 1)
    caller = by_token(rita, "write")
    given = {"decision": "rejected", "reason_code": "text", "reason": "A name tag"}

    first = caller.post(f"accessions/{pk}/reviews/", given)
    again = caller.post(f"accessions/{pk}/reviews/", given)

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.body == again.body
    assert (first.body["decision"], first.body["reviewer"], first.body["standing"]) == ("rejected", rita.pk, True)
    assert by_session(cohort.creator).get(f"accessions/{pk}/reviews/").body == [first.body]
    assert by_token(rita).post(f"accessions/{pk}/reviews/", given).status_code == 403  # a token that only reads
    bad = caller.post(f"accessions/{pk}/reviews/", {"decision": "rejected"})
    assert (bad.status_code, bad.body["errors"][0]["field"]) == (400, "reason_code")


def test_the_second_reader_does_not_read_the_first(cohort, rita):
    Cohort.objects.filter(pk=cohort.pk).update(readers=2)
    (pk,) = accessions_of(cohort, 1)
    record_reviews(accession_ids=[pk], reviewer=rita, decision="flagged", reason_code="text")
    ruth = by_token(make_reviewer("ruth", cohort), "write")

    assert ruth.get(f"accessions/{pk}/reviews/").body == []
    assert ruth.get("reviews/").body["results"][0]["review_state"] == "awaiting"
    assert ruth.get("reviews/?state=flagged").body["results"] == []
    ruth.post(f"accessions/{pk}/reviews/", {"decision": "accepted"})
    assert len(ruth.get(f"accessions/{pk}/reviews/").body) == 2


def test_many_are_judged_as_clients_of_isic_do(cohort, rita):
    pks = accessions_of(cohort, 4)
    caller = by_token(rita, "write")
    given = [{"id": pk, "value": pk != pks[3]} for pk in pks]

    answer = caller.post("accessions/create-review-bulk/", given)

    assert (answer.status_code, answer.body) == (201, {})
    states = Accession.objects.order_by("pk").values_list("review_state", flat=True)
    assert list(states) == ["accepted", "accepted", "accepted", "rejected"]


def test_many_are_judged_all_or_none(cohort, rita):
    pks = accessions_of(cohort, 2)
    other = accessions_of(make_cohort(make_user("bob"), name="Bob's"), 1)
    given = [{"id": pks[0], "value": True}, {"id": other[0], "value": False}]

    assert by_token(rita, "write").post("accessions/create-review-bulk/", given).status_code == 404
    assert not Review.objects.exists()
    assert by_session(cohort.creator).post("accessions/create-review-bulk/", given[:1]).status_code == 403
    many = [{"id": 1, "value": True}] * 10_001
    assert by_token(rita, "write").post("accessions/create-review-bulk/", many).status_code == 413


def test_one_that_is_accepted_and_rejected_is_told_and_nothing_is_kept(cohort, rita):
    (pk,) = accessions_of(cohort, 1)
    given = [{"id": pk, "value": True}, {"id": pk, "value": False}]
    answer = by_token(rita, "write").post("accessions/create-review-bulk/", given)
    assert (answer.status_code, str(pk) in answer.body["errors"][0]["message"]) == (400, True)
    assert not Review.objects.exists()


def test_a_redaction_is_asked_for(cohort):
    (pk,) = accessions_of(cohort, 1)
    caller = by_token(cohort.creator, "write")

    answer = caller.post(f"accessions/{pk}/redactions/", {"boxes": [[1, 2, 30, 40]], "reason": "A name tag"})

    assert answer.status_code == 202
    assert (answer.body["state"], answer.body["version"], answer.body["boxes"]) == ("waiting", 2, [[1, 2, 30, 40]])
    assert FileVersion.objects.get(number=2).redactions == [[1, 2, 30, 40]]
    again = caller.post(f"accessions/{pk}/redactions/", {"boxes": [[1, 2, 3, 4]], "reason": "More"})
    assert (again.status_code, again.body["code"]) == (409, "version_under_way")


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"boxes": [[1, 2, 3000, 4]], "reason": "A face"}, 400),
        ({"boxes": [[1, 2, 3, 4]], "reason": ""}, 400),
        ({"boxes": [], "reason": "A face"}, 422),
        ({"boxes": [[1, 2, 3]], "reason": "A face"}, 422),
        ({"boxes": [[1, 2, 3, 4]]}, 422),
    ],
)
def test_a_redaction_that_cannot_be(given, status, cohort):
    (pk,) = accessions_of(cohort, 1)

    assert by_token(cohort.creator, "write").post(f"accessions/{pk}/redactions/", given).status_code == status
    assert not FileVersion.objects.exists()


def test_an_image_says_that_it_is_redacted(cohort):
    (image,) = make_images(cohort, 1, visibility="public")
    assert nobody().get(f"images/{image.public_id}/").body["redacted"] is False

    Image.objects.filter(pk=image.pk).update(stripped=[{"kind": "EXIF", "bytes": 3}, {"kind": REDACTION, "bytes": 9}])

    assert nobody().get(f"images/{image.public_id}/").body["redacted"] is True
    assert redact.REDACTION == REDACTION


def test_lookalikes_are_those_that_the_caller_sees(cohort):
    near, far, private, asked = make_images(cohort, 4, visibility="public")
    for image, bits in ((asked, 0), (near, 0b111), (far, (1 << 40) - 1), (private, 0b1)):
        Image.objects.filter(pk=image.pk).update(perceptual_hash=bits)
    from medtheca.domains.access.operations import set_visibility

    set_visibility(image_ids=[private.pk], visibility=Visibility.PRIVATE)
    charlie, alice = by_token(make_user("charlie")), by_token(cohort.creator)
    path = f"images/{asked.public_id}/similar/"

    assert [(row["isic_id"], row["distance"]) for row in charlie.get(path).body] == [(near.public_id, 3)]
    assert [row["distance"] for row in alice.get(path).body] == [1, 3]
    assert len(alice.get(f"{path}?limit=1").body) == 1
    assert alice.get(f"{path}?limit=51").status_code == 422
    assert nobody().get(path).status_code == 401
    assert charlie.get(f"images/{private.key}/similar/").status_code == 404
    row = charlie.get(path).body[0]
    assert SimilarImageOut.model_validate(row).distance == 3
    assert set(row) == set(ImageOut.model_fields) | {"distance"}
