"""A patient whose image is made of many files: nothing of it is left, and what another's image shares stays."""

import json

import pytest

from medtheca.domains.imaging.models import Image, ImageFile
from medtheca.domains.provenance.models import Accession, Patient
from medtheca.domains.storage.bundles import parts_of
from medtheca.domains.storage.erasing import left_of
from medtheca.domains.storage.models import Blob, BundlePart
from medtheca.domains.storage.queries import blob_store
from medtheca.workflows.checking import Look, check_archive
from medtheca.workflows.describe import give_metadata
from tests.factories.provenance import deliver, make_cohort, make_zip, run_jobs
from tests.factories.storage import sha256_of
from tests.generators import dicoms
from tests.workflows.erasing.archive import MARKS, dump, marks_in, marks_in_folder, seal

pytestmark = pytest.mark.django_db(transaction=True)
PATIENT, FOLDER, HEADER = MARKS[0], MARKS[2], "HEADERMARK"


def scan(count=5, **attributes):
    return dicoms.series(
        dicoms.along([3.0 * place for place in range(count)]),
        PatientName=f"{HEADER}^Mary",
        PatientID=HEADER,
        **attributes,
    )


@pytest.fixture
def hospital(archive):
    """In the archive: a series of a patient of Alice's, published; four of its five slices are in Bob's series too."""
    archive.erase()
    run_jobs()
    archive.slices = scan()
    files = [(f"{FOLDER}/IM{place}", data) for place, data in enumerate(archive.slices)]
    archive.packed = make_zip(files)
    deliver(archive.alice, archive.cohort, archive.packed, filename="scan.zip")
    run_jobs()
    archive.series = Accession.objects.get(image__kind="volume")
    sheet = f"filename,patient_id\n{archive.series.name},{PATIENT}-S\n"
    give_metadata(user=archive.alice, cohort_id=archive.cohort.pk, name="s.csv", data=sheet.encode())
    run_jobs()
    archive.patient = Patient.objects.get(private_id=f"{PATIENT}-S")
    return archive


def files_of(accession):
    """SHA-256 of all that hangs on an accession: its list, its slices, what was made of them."""
    parts = parts_of([accession.original_id])[accession.original_id]
    made = ImageFile.objects.filter(image=accession.image_id).values_list("blob__sha256", flat=True)
    return {part.blob.sha256 for part in parts}, {accession.original.sha256, *made}


def test_nothing_is_left_of_a_series(hospital, tmp_path):
    slices, others = files_of(hospital.series)
    assert slices == {sha256_of(data) for data in hospital.slices}
    assert len(others) > 4
    assert any(HEADER.encode() in path.read_bytes() for path in hospital.data.rglob("*") if path.is_file())
    erasure = hospital.erase()
    run_jobs()
    erasure.refresh_from_db()
    assert (erasure.state, erasure.trouble) == ("done", "")
    everything = {*slices, *others, sha256_of(hospital.packed)}
    assert left_of(everything) == []
    assert not Blob.objects.filter(sha256__in=everything).exists()
    assert not BundlePart.objects.exists()
    assert not Image.objects.filter(kind="volume").exists()
    text = dump(tmp_path)
    assert [word for word in (*everything, HEADER) if word in text] == []
    assert marks_in(text) == []
    assert marks_in_folder(hospital.data) == {}
    assert not any(HEADER.encode() in path.read_bytes() for path in hospital.data.rglob("*") if path.is_file())
    seal()
    assert [str(found) for found in check_archive(Look(deep=True)).all] == []
    assert not [word for word in everything if word in json.dumps(erasure.receipt)]


def test_a_slice_that_anothers_series_shares_stays(hospital):
    shared = hospital.slices[:4]
    elsewhere = make_cohort(hospital.bob, name="Bob's")
    deliver(hospital.bob, elsewhere, make_zip([(f"b/{place}", data) for place, data in enumerate(shared)]))
    run_jobs()
    bobs = Accession.objects.get(cohort=elsewhere)
    assert bobs.image.depth == 4
    kept, made = files_of(bobs)
    gone = files_of(hospital.series)[1] - made
    erasure = hospital.erase()
    run_jobs()
    erasure.refresh_from_db()
    assert erasure.state == "done"
    assert erasure.receipt["kept_because_shared"] >= len(shared)
    assert kept == {sha256_of(data) for data in shared}
    assert all(blob_store().exists(name) for name in kept | made)
    assert left_of({*gone, sha256_of(hospital.slices[4])}) == []
    assert Accession.objects.filter(pk=bobs.pk, image=bobs.image).exists()
    seal()
    assert [str(found) for found in check_archive(Look(deep=True)).all] == []


def test_the_same_slices_in_another_series_of_the_cohort_stay_too(hospital):
    """The whole scan and a part of it are two images of two patients; one erased leaves the other readable."""
    part = [(f"part/{place}", data) for place, data in enumerate(hospital.slices[1:4])]
    deliver(hospital.alice, hospital.cohort, make_zip(part))
    run_jobs()
    other = Accession.objects.get(image__kind="volume", image__depth=3)
    hospital.erase()
    run_jobs()
    assert [item.blob.sha256 for item in parts_of([other.original_id])[other.original_id]] == [
        sha256_of(data) for _, data in part
    ]
    assert left_of({sha256_of(hospital.slices[0]), sha256_of(hospital.slices[4])}) == []
    seal()
    assert [str(found) for found in check_archive(Look(deep=True)).all] == []
