"""Pages of patients, lesions and erasures."""

import pytest

from medtheca.domains.provenance.longitudinal import link_subjects
from medtheca.domains.provenance.models import Accession, Erasure, Lesion, Patient
from medtheca.domains.storage.erased import note_erased
from tests.factories.images import make_images

pytestmark = pytest.mark.django_db


@pytest.fixture
def patient(cohort):
    images = make_images(cohort, 3, visibility="public", names=["MRN-1_a.jpg", "b.jpg", "c.jpg"])
    rows = Accession.objects.filter(image__in=images)
    link_subjects(contributor=cohort.contributor, rows=[(row, "MRN-20471", "arm") for row in rows])
    return Patient.objects.get()


def text(answer):
    assert answer.status_code == 200
    return answer.content.decode()


def test_alice_sees_her_patient(as_alice, patient):
    page = text(as_alice.get(f"/patients/{patient.public_id}/"))
    assert "MRN-20471" in page
    assert page.count('class="tile"') == 3
    assert "Erase this patient" in page
    assert patient.public_id in text(as_alice.get("/patients/?q=mrn-20"))
    assert "No patient has an id" in text(as_alice.get("/patients/?q=nothing"))


def test_a_stranger_does_not(as_charlie, nobody, patient):
    assert as_charlie.get(f"/patients/{patient.public_id}/").status_code == 404
    assert nobody.get(f"/patients/{patient.public_id}/").status_code == 302
    assert "MRN-20471" not in text(as_charlie.get("/patients/"))


def test_everybody_sees_a_public_lesion_without_private_ids(nobody, as_alice, patient):
    lesion = Lesion.objects.get()
    page = text(nobody.get(f"/lesions/{lesion.public_id}/"))
    assert page.count('class="tile"') == 3
    assert "MRN-20471" not in page
    assert f"/patients/{patient.public_id}/" not in page
    assert f"/patients/{patient.public_id}/" in text(as_alice.get(f"/lesions/{lesion.public_id}/"))


def test_lesions_are_listed_where_every_image_may_be_seen(nobody, as_alice, as_charlie, cohort, patient):
    page = text(nobody.get("/lesions/"))
    assert Lesion.objects.get().public_id in page
    assert page.count('class="tile"') == 3
    assert "MRN-20471" not in page
    [private] = make_images(cohort, 1, names=["d.jpg"])
    link_subjects(contributor=cohort.contributor, rows=[(Accession.objects.get(image=private), "MRN-20471", "arm")])
    for client in (nobody, as_charlie):
        assert "No lesions yet" in text(client.get("/lesions/"))
    assert "4 images" in text(as_alice.get("/lesions/"))
    assert nobody.get("/lesions/?page=9").status_code == 400


def test_alice_asks_sam_confirms(as_alice, as_sam, patient):
    page = text(as_alice.get(f"/erasures/new/?patient={patient.public_id}"))
    assert "What is removed" in page
    assert page.count('class="tile"') == 3
    refused = text(
        as_alice.post(
            f"/erasures/new/?patient={patient.public_id}", {"reason": "patient", "words": "as MRN-20471 wishes"}
        )
    )
    assert "names the patient" in refused
    assert "as MRN-20471 wishes" in refused
    assert as_alice.post(f"/erasures/new/?patient={patient.public_id}", {"reason": "patient"}).status_code == 302
    address = f"/erasures/{Erasure.objects.get().pk}/"
    assert "somebody else has to confirm it" in text(as_alice.get(address))
    assert address in text(as_alice.get("/erasures/"))
    assert "A second person has to confirm" in text(as_alice.get(f"/patients/{patient.public_id}/")) or address in text(
        as_alice.get(f"/patients/{patient.public_id}/")
    )
    wrong = text(as_sam.post(f"{address}confirm/", {"patient": "IP_0000000"}))
    assert f"IP_0000000 is not {patient.public_id}." in wrong
    assert as_sam.post(f"{address}confirm/", {"patient": patient.public_id}).status_code == 302
    assert "How far it has come" in text(as_sam.get(address))


def test_a_request_is_taken_back(as_alice, patient):
    as_alice.post(f"/erasures/new/?patient={patient.public_id}", {"reason": "mistake"})
    address = f"/erasures/{Erasure.objects.get().pk}/"
    assert "This field is required" in text(as_alice.post(f"{address}decline/", {"because": " "}))
    assert as_alice.post(f"{address}decline/", {"because": "The wrong patient."}).status_code == 302
    page = text(as_alice.get(address))
    assert "The wrong patient." in page
    assert "Declined" in page


def test_a_tombstone_says_the_day_and_nothing_else(nobody, as_alice, db):
    note_erased(["ISIC_9999999", "IL_9999999", "IP_9999999"])
    for path in ("images/ISIC_9999999/", "lesions/IL_9999999/", "patients/IP_9999999/"):
        for client in (nobody, as_alice):
            answer = client.get(f"/{path}")
            assert answer.status_code == 410
            assert f"{path.split('/')[1]} was erased on " in answer.content.decode()
