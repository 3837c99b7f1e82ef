"""An image that was brought from another archive leaves nothing of what that said, but that it is not to come again."""

import pytest

from medtheca.base.clock import now
from medtheca.base.errors import Conflict
from medtheca.domains.provenance.models import Accession, Delivery, Lesion, Origin, Patient
from medtheca.domains.provenance.origins import known_origins
from medtheca.workflows.erase.running import erase_patient
from medtheca.workflows.receive import begin_delivery, cancel_delivery
from tests.factories.provenance import deliver, run_jobs
from tests.workflows.erasing.archive import LESION, PATIENT, dump, marks_in, photograph

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_erased_image_is_remembered_without_what_was_said_of_it(archive, tmp_path):
    mine = Accession.objects.filter(patient=archive.patient).select_related("cohort").first()
    noted = Origin.objects.create(
        cohort=mine.cohort,
        host="archive.example.org",
        remote_id="ISIC_0000042",
        url="https://archive.example.org/api/v2/images/ISIC_0000042/",
        sha256="a" * 64,
        attribution="Somebody",
        said={"metadata": {"clinical": {"patient_id": PATIENT}}},
        path=mine.name,
        accession=mine,
        delivery=mine.delivery,
    )
    erasure = archive.erase()
    run_jobs()
    erasure.refresh_from_db()
    assert (erasure.state, erasure.trouble) == ("done", "")
    noted.refresh_from_db()
    assert (noted.erased, noted.said, noted.path, noted.sha256) == (True, {}, "", "")
    assert (noted.url, noted.attribution, noted.accession, noted.delivery) == ("", "", None, None)
    assert PATIENT not in marks_in(dump(tmp_path))
    assert known_origins(mine.cohort, "archive.example.org", ["ISIC_0000042"])["ISIC_0000042"].erased


def note(archive, remote_id, said, **changes):
    return Origin.objects.create(
        cohort=archive.cohort,
        host="archive.example.org",
        remote_id=remote_id,
        url=f"https://archive.example.org/api/v2/images/{remote_id}/",
        sha256="a" * 64,
        attribution="Somebody",
        said={"metadata": {"clinical": {"sex": "female", **said}}},
        path=f"{remote_id}.jpg",
        **changes,
    )


def test_what_was_said_of_images_that_are_not_here_or_not_yet_the_patients_goes_too(archive):
    """One was refused, one names the lesion alone, one is here but nothing was applied, one is somebody else's now."""
    at_host = f"{PATIENT}@archive.example.org"
    Patient.objects.filter(pk=archive.patient.pk).update(private_id=at_host)
    archive.patient.refresh_from_db()
    Lesion.objects.filter(private_id=LESION).update(private_id=f"{LESION}@archive.example.org")
    mine = {"patient_id": PATIENT}
    refused = note(archive, "ISIC_0000001", mine)
    lesion = note(archive, "ISIC_0000002", {"lesion_id": LESION})
    deliver(archive.alice, archive.cohort, photograph(70), filename="ISIC_0000003.jpg")
    run_jobs()
    fresh = Accession.objects.get(name="ISIC_0000003.jpg")
    waiting = note(archive, "ISIC_0000003", mine, accession=fresh, delivery=fresh.delivery)
    other = Accession.objects.get(name="other_0.jpg")
    corrected = note(archive, "ISIC_0000004", mine, accession=other, delivery=other.delivery, described=now())
    another = note(archive, "ISIC_0000005", {"patient_id": f"{PATIENT}5"})

    erasure = archive.erase()
    run_jobs()
    erasure.refresh_from_db()
    assert (erasure.state, erasure.trouble) == ("done", "")
    for row in (refused, lesion, waiting):
        row.refresh_from_db()
        assert (row.erased, row.said, row.path, row.url, row.accession) == (True, {}, "", "", None)
    assert not Accession.objects.filter(pk=fresh.pk).exists()
    corrected.refresh_from_db()
    assert (corrected.erased, corrected.accession) == (False, other)
    assert corrected.said == {"metadata": {"clinical": {"sex": "female"}}}
    another.refresh_from_db()
    assert (another.erased, another.said["metadata"]["clinical"]["patient_id"]) == (False, f"{PATIENT}5")


def test_an_erasure_waits_for_an_import_that_is_bringing_an_image_of_the_patient(archive):
    at_host = f"{PATIENT}@archive.example.org"
    Patient.objects.filter(pk=archive.patient.pk).update(private_id=at_host)
    archive.patient.refresh_from_db()
    upload = begin_delivery(user=archive.alice, cohort_id=archive.cohort.pk, filename="a.zip", size=100)
    row = note(archive, "ISIC_0000001", {"patient_id": PATIENT}, delivery=Delivery.objects.get(pk=upload.pk))
    erasure = archive.erase()
    with pytest.raises(Conflict, match="still being worked"):
        erase_patient(erasure_id=erasure.pk)
    cancel_delivery(user=archive.alice, upload=upload)
    erase_patient(erasure_id=erasure.pk)
    erasure.refresh_from_db()
    assert (erasure.state, erasure.trouble) == ("done", "")
    row.refresh_from_db()
    assert (row.erased, row.said) == (True, {})
