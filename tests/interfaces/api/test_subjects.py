"""Patients, lesions and erasures by API: who sees what, ISIC's shape of a lesion, two people for an erasure."""

import pytest

from medtheca.domains.imaging.models import Image
from medtheca.domains.metadata.operations import Change, describe_accessions
from medtheca.domains.provenance.longitudinal import link_subjects
from medtheca.domains.provenance.models import Accession, Erasure, Lesion, Patient
from medtheca.domains.storage.erased import note_erased
from tests.factories.accounts import bearer, make_token, make_user
from tests.factories.images import make_images
from tests.factories.provenance import make_cohort

pytestmark = pytest.mark.django_db

MELANOMA = {"diagnosis_1": "Malignant", "diagnosis_2": "Malignant melanocytic proliferations (Melanoma)"}


@pytest.fixture
def alice():
    return make_user("alice")


@pytest.fixture
def cohort(alice):
    return make_cohort(alice)


def make_lesion(cohort, values, *, patient="MRN-1", lesion="left arm", visibility="public"):
    images = make_images(cohort, len(values), visibility=visibility)
    rows = list(Accession.objects.filter(image__in=images).order_by("pk"))
    describe_accessions(
        changes=[Change(row, dict(said)) for row, said in zip(rows, values, strict=True)], creator=cohort.creator
    )
    link_subjects(contributor=cohort.contributor, rows=[(row, patient, lesion) for row in rows])
    return Lesion.objects.get(private_id=lesion, contributor=cohort.contributor), images


def get(client, path, user=None):
    headers = bearer(make_token(user, scope="write")[1]) if user else {}
    return client.get(f"/api/v2/{path}", **headers)


def post(client, path, user, data):
    return client.post(
        f"/api/v2/{path}", data, content_type="application/json", **bearer(make_token(user, scope="write")[1])
    )


def test_a_lesion_has_the_shape_of_isic(client, cohort):
    lesion, images = make_lesion(
        cohort,
        [
            {"acquisition_day": 30, "image_type": "dermoscopic", **MELANOMA},
            {"acquisition_day": 1, "image_type": "clinical: overview", "diagnosis_1": "Benign"},
            {"acquisition_day": 1, "image_type": "dermoscopic", "diagnosis_1": "Indeterminate"},
        ],
    )
    body = get(client, f"lesions/{lesion.public_id}/").json()
    assert set(body) == {
        "id",
        "images",
        "images_count",
        "longitudinally_monitored",
        "index_image_id",
        "outcome_diagnosis",
        "outcome_diagnosis_1",
    }
    assert [image["isic_id"] for image in body["images"]] == [images[at].public_id for at in (1, 2, 0)]
    # Without a biopsy the earliest day counts, and of one day the nearest look.
    assert body["index_image_id"] == images[2].public_id
    assert (body["outcome_diagnosis"], body["outcome_diagnosis_1"]) == ("Indeterminate", "Indeterminate")
    assert body["longitudinally_monitored"] is True


def test_the_image_of_the_biopsy_stands_for_the_lesion(client, cohort):
    lesion, images = make_lesion(
        cohort,
        [
            {"image_type": "dermoscopic", "diagnosis_1": "Benign"},
            {"image_type": "clinical: overview", "concomitant_biopsy": True, **MELANOMA},
        ],
    )
    body = get(client, f"lesions/{lesion.public_id}/").json()
    assert body["index_image_id"] == images[1].public_id
    assert body["outcome_diagnosis"] == "Malignant:Malignant melanocytic proliferations (Melanoma)"
    assert body["longitudinally_monitored"] is False


def test_a_lesion_is_seen_by_whoever_sees_all_of_its_images(client, cohort, alice):
    lesion, _ = make_lesion(cohort, [{}, {}])
    hidden = make_images(cohort, 1)[0]
    link_subjects(contributor=cohort.contributor, rows=[(Accession.objects.get(image=hidden), "MRN-1", "left arm")])
    charlie = make_user("charlie")
    for asker in (None, charlie):
        assert get(client, f"lesions/{lesion.public_id}/", asker).status_code == 404
        assert get(client, "lesions/", asker).json()["results"] == []
    for asker in (alice, make_user("sam")):
        assert get(client, f"lesions/{lesion.public_id}/", asker).json()["images_count"] == 3


def test_the_list_asks_the_database_as_often_whatever_its_length(client, cohort, django_assert_max_num_queries):
    for number in range(12):
        make_lesion(cohort, [{"acquisition_day": 1}, {"acquisition_day": 2}], lesion=f"lesion {number}")
    with django_assert_max_num_queries(6):
        body = get(client, "lesions/").json()
    assert body["count"] == len(body["results"]) == 12


def test_patients_are_shown_to_the_contributors_people_only(client, cohort, alice):
    lesion, images = make_lesion(cohort, [{}, {}])
    patient = Patient.objects.get()
    body = get(client, f"patients/{patient.public_id}/", alice).json()
    assert (body["private_id"], body["images_count"], body["lesions"]) == ("MRN-1", 2, [lesion.public_id])
    assert body["images"] == [image.public_id for image in images]
    assert get(client, f"patients/{patient.public_id}/").status_code == 401
    for stranger in (make_user("bob"), make_user("charlie")):
        assert get(client, f"patients/{patient.public_id}/", stranger).status_code == 404
        assert get(client, "patients/", stranger).json()["count"] == 0


def test_an_erasure_goes_through_two_people(client, cohort, alice):
    make_lesion(cohort, [{}, {}])
    patient, sam = Patient.objects.get(), make_user("sam")
    preview = get(client, f"patients/{patient.public_id}/erasure-preview/", alice).json()
    assert preview["removed"]["images"] == 2
    assert not Erasure.objects.exists()
    asked = post(client, "erasures/", alice, {"patient": patient.public_id, "reason": "patient"})
    assert asked.status_code == 201
    address = f"erasures/{asked.json()['id']}/"
    assert post(client, f"{address}confirm/", alice, {"patient": patient.public_id}).status_code == 403
    wrong = post(client, f"{address}confirm/", sam, {"patient": "IP_0000000"})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (400, "patient")
    assert get(client, address, sam).json()["may_confirm"] is True
    done = post(client, f"{address}confirm/", sam, {"patient": patient.public_id}).json()
    assert (done["state"], done["may_confirm"]) == ("erasing", False)
    assert post(client, f"{address}decline/", sam, {"because": "No."}).status_code == 409


@pytest.mark.parametrize("path", ["images/ISIC_9999999/", "lesions/IL_9999999/", "patients/IP_9999999/"])
def test_what_was_erased_says_so_and_nothing_else(client, path, alice):
    public_id = path.split("/")[1]
    note_erased([public_id])
    for asker in (alice,) if path.startswith("patients") else (None, alice):
        answer = get(client, path, asker)
        assert answer.status_code == 410
        assert answer.json()["code"] == "erased"
        assert answer.json()["message"].startswith(f"{public_id} was erased on ")
    assert not Image.objects.filter(public_id=public_id).exists()
