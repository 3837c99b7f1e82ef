"""Two people ask for an erasure, with a reason that names nobody; it waits for what is on its way."""

import pytest

from medtheca.base.errors import Conflict, Invalid, NotAllowed, NotFound
from medtheca.domains.access.queries import ANYBODY
from medtheca.domains.access.serving import find_served_image
from medtheca.domains.provenance.erasing import (
    confirm_erasure,
    decline_erasure,
    erasure_for,
    erasures_for,
    may_confirm,
    request_erasure,
)
from medtheca.domains.provenance.models import Accession, Delivery, Erasure
from medtheca.workflows.erase import running
from tests.workflows.erasing.archive import LESION, NAME, PATIENT

pytestmark = pytest.mark.django_db(transaction=True)


def test_two_people_are_needed_and_one_is_of_the_staff(archive):
    make = lambda user: request_erasure(user=user, patient_public_id=archive.patient.public_id, reason="consent")  # noqa: E731
    with pytest.raises(NotFound):
        make(archive.bob)
    asked = make(archive.alice)
    with pytest.raises(Conflict, match="under way already"):
        make(archive.sam)
    for user in (archive.alice, archive.bob):
        assert not may_confirm(user, asked)
    with pytest.raises(NotAllowed, match="asked cannot confirm"):
        confirm_erasure(user=archive.alice, erasure_id=asked.pk, typed=asked.patient_public_id)
    with pytest.raises(NotFound):
        confirm_erasure(user=archive.bob, erasure_id=asked.pk, typed=asked.patient_public_id)
    with pytest.raises(Invalid):
        confirm_erasure(user=archive.sam, erasure_id=asked.pk, typed="IP_0000000")
    decline_erasure(user=archive.alice, erasure_id=asked.pk, because="A mistake.")
    with pytest.raises(Conflict, match="declined already"):
        confirm_erasure(user=archive.sam, erasure_id=asked.pk, typed=asked.patient_public_id)
    by_staff = make(archive.sam)
    assert may_confirm(archive.alice, by_staff)
    assert may_confirm(archive.other_staff, by_staff)
    assert erasures_for(archive.bob).count() == 0
    with pytest.raises(NotFound):
        erasure_for(archive.bob, by_staff.pk)


@pytest.mark.parametrize("words", [f"As {PATIENT} wished", f"Image {NAME}_1.jpg", f"of {LESION.lower()}"])
def test_the_reason_may_not_name_the_patient(archive, words):
    with pytest.raises(Invalid) as refusal:
        archive.erase(words=words)
    assert refusal.value.problems[0].code == "names_the_patient"
    assert not Erasure.objects.exists()


def test_nothing_begins_while_an_upload_is_on_its_way(archive):
    Delivery.objects.update(state="unpacking", finished=None)
    erasure = archive.erase()
    with pytest.raises(Conflict, match="still being worked through"):
        running.erase_patient(erasure_id=erasure.pk)
    erasure.refresh_from_db()
    assert (erasure.stage, erasure.trouble) == (
        "",
        "An upload with files of the patient is still being worked through.",
    )
    assert Accession.objects.filter(patient=archive.patient).count() == 3


def test_the_images_are_hidden_while_the_work_waits(archive):
    Delivery.objects.update(state="unpacking", finished=None)
    shown = Accession.objects.filter(patient=archive.patient, image__withdrawal__isnull=True).first()
    assert find_served_image(ANYBODY, shown.image.public_id)
    erasure = archive.erase()
    with pytest.raises(Conflict):
        running.erase_patient(erasure_id=erasure.pk)
    assert find_served_image(ANYBODY, shown.image.public_id) is None
