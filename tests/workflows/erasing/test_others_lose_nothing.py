"""What is not the patient's stays, and what is told of the erasure identifies nobody."""

import json

import pytest

from medtheca.base.errors import Erased
from medtheca.domains.imaging.models import Image
from medtheca.domains.ledger.models import Event
from medtheca.domains.metadata.models import MetadataFile
from medtheca.domains.provenance.models import Accession, Lesion
from medtheca.domains.provenance.patients import patient_for
from medtheca.domains.search.queries import image_for
from medtheca.domains.storage.models import ErasedId
from medtheca.domains.storage.queries import blob_store
from medtheca.workflows.checking import Look, check_archive
from medtheca.workflows.erase.previewing import preview_erasure
from tests.factories.provenance import deliver, make_cohort, run_jobs
from tests.factories.storage import sha256_of
from tests.workflows.erasing.archive import LESION, NAME, marks_in, photograph, seal

pytestmark = pytest.mark.django_db(transaction=True)


def test_others_lose_nothing_and_every_invariant_holds(archive):
    before = set(Accession.objects.exclude(patient=archive.patient).values_list("pk", flat=True))
    archive.erase()
    run_jobs()
    seal()
    assert set(Accession.objects.values_list("pk", flat=True)) == before
    assert [str(violation) for violation in check_archive(Look(deep=True)).all] == []
    sheet = MetadataFile.objects.get()
    lines = blob_store().path(sheet.blob.sha256).read_text().splitlines()
    assert [line for line in lines if line] == [
        "filename;patient_id;lesion_id;sex;ward",
        "other_0.jpg;PAT-OTHER-2;;male;seven",
        "other_1.jpg;PAT-OTHER-2;;male;seven",
    ]
    # Lines keep their numbers, which corrections name.
    assert lines[4].startswith("other_0.jpg")


def test_public_ids_are_tombstones(archive):
    public = list(Image.objects.filter(accession__patient=archive.patient).values_list("public_id", flat=True))
    lesion = Lesion.objects.get(private_id=LESION).public_id
    archive.erase()
    run_jobs()
    assert set(ErasedId.objects.values_list("public_id", flat=True)) == {*public, lesion, archive.patient.public_id}
    with pytest.raises(Erased, match="was erased on"):
        image_for(None, public[0])
    with pytest.raises(Erased):
        patient_for(archive.bob, archive.patient.public_id)
    with pytest.raises(Exception, match="never given again"):
        Image.objects.filter(accession__isnull=False).update(public_id=public[0])


def test_the_receipt_counts_and_identifies_nobody(archive):
    erasure = archive.erase(words="Letter of 3 May, file 17.")
    run_jobs()
    erasure.refresh_from_db()
    receipt = erasure.receipt
    assert receipt["removed"]["images"] == 3
    assert receipt["removed"]["rows of spreadsheets"] == 3
    assert receipt["requested"]["by"] == "Alice Example"
    assert receipt["confirmed"]["by"] == "Sam Example"
    assert receipt["words"] == "Letter of 3 May, file 17."
    assert marks_in(json.dumps(receipt)) == []
    assert sha256_of(archive.mine[0]) not in json.dumps(receipt)
    event = Event.objects.get(verb="erasure.done")
    assert event.details == {"receipt_sha256": receipt["sha256"]}


def test_bytes_that_others_hold_stay_and_the_receipt_says_so(archive):
    elsewhere = make_cohort(archive.bob, name="Bob's")
    deliver(archive.bob, elsewhere, archive.mine[1], filename="my own.jpg")
    run_jobs()
    erasure = archive.erase()
    run_jobs()
    erasure.refresh_from_db()
    assert erasure.state == "done"
    assert erasure.receipt["kept_because_shared"] > 0
    assert blob_store().exists(sha256_of(archive.mine[1]))
    assert not blob_store().exists(sha256_of(archive.mine[2]))


def test_words_that_somebody_else_needs_are_left_to_them(archive):
    """Bob's file has the same name as one of Alice's patient: it is his, and its name stays."""
    elsewhere = make_cohort(archive.bob, name="Bob's")
    deliver(archive.bob, elsewhere, photograph(99), filename=f"{NAME}_1.jpg")
    run_jobs()
    erasure = archive.erase()
    run_jobs()
    erasure.refresh_from_db()
    assert erasure.state == "done"
    assert Accession.objects.get(cohort=elsewhere).name == f"{NAME}_1.jpg"
    assert erasure.receipt["words_left_because_shared"] == 1


def test_a_preview_is_no_way_to_ask_what_others_hold(archive):
    bob = make_cohort(archive.bob, name="Bob's")
    deliver(archive.bob, bob, archive.mine[1], filename="my own.jpg")
    run_jobs()
    wanted = {"patient_public_id": archive.patient.public_id}
    assert preview_erasure(user=archive.sam, **wanted).doubts.elsewhere == 1
    assert preview_erasure(user=archive.alice, **wanted).doubts.elsewhere == 0
