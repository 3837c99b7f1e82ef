"""What a taken-over decoder says of its file is refused, once and for all; its neighbours are accepted."""

import pytest

from medtheca.domains.imaging.models import Image, ImageFile
from medtheca.domains.provenance.models import Accession, Verdict
from medtheca.domains.storage.queries import blob_store
from medtheca.toolkit.sandbox import DecoderPool
from medtheca.workflows import decoding
from tests.factories.accounts import make_user
from tests.factories.provenance import deliver, make_cohort, make_zip, run_jobs
from tests.factories.storage import use_data_folder
from tests.generators import dicoms
from tests.generators.images import insert, jpeg
from tests.workflows import lying_cases as lies

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def data(settings, tmp_path, monkeypatch):
    with DecoderPool("tests.workflows.lying:examine", size=1) as pool:
        monkeypatch.setattr(decoding, "_pool", pool)
        yield use_data_folder(settings, tmp_path / "data")
    blob_store.cache_clear()


def test_a_lie_is_a_refusal(data):
    words = ("web page", "script", "number", "nothing", "name", "retry")
    alice = make_user("alice")
    files = [("honest.jpg", jpeg(seed=99))]
    for seed, word in enumerate(words):
        text = f"lie: {word}".encode()
        comment = b"\xff\xfe" + (len(text) + 2).to_bytes(2, "big") + text
        files.append((f"{word}.jpg", insert(jpeg(seed=seed), comment)))
    deliver(alice, make_cohort(alice), make_zip(files))
    run_jobs()
    codes = dict(Verdict.objects.values_list("path", "code"))
    assert codes == {"honest.jpg": "accepted"} | {f"{word}.jpg": "decoder_output" for word in words}
    assert Accession.objects.exclude(image=None).count() == 1
    assert set(ImageFile.objects.values_list("media_type", flat=True)) <= {"image/jpeg", "image/webp"}


@pytest.fixture
def lying_cases(data, monkeypatch):
    tasks = "tests.workflows.lying_cases"
    with DecoderPool(f"{tasks}:describe", case_task=f"{tasks}:run", size=1) as pool:
        monkeypatch.setattr(decoding, "_pool", pool)
        yield


def test_a_lie_of_a_slice_is_a_refusal_and_harms_no_other(lying_cases):
    alice = make_user("alice")
    files = [("honest.dcm", dicoms.dicom(dicoms.phantom()))]
    words = [*lies.LIES, *lies.DESCRIPTIONS, *lies.REFUSALS]
    for seed, word in enumerate(words, 1):
        made = dicoms.dicom(dicoms.phantom(seed=seed), ImagePositionPatient=[0, 0, seed], PixelSpacing=[1, 1])
        files.append((f"{word.decode()}.dcm", (b"lie: " + word).ljust(128, b"\0") + made[128:]))
    deliver(alice, make_cohort(alice), make_zip(files))
    run_jobs()
    codes = dict(Verdict.objects.values_list("path", "code"))
    assert codes == {"honest.dcm": "accepted"} | {f"{word.decode()}.dcm": "decoder_output" for word in words}
    assert Image.objects.count() == 1


def test_what_a_reader_quotes_is_told_to_its_owner_and_not_logged(lying_cases, caplog):
    alice = make_user("alice")
    made = dicoms.dicom(dicoms.phantom())
    deliver(alice, make_cohort(alice), b"lie: quote".ljust(128, b"\0") + made[128:], filename="a.dcm")
    run_jobs()
    assert Verdict.objects.get().words == "Canary^Mary is missing."
    assert "missing_file" in caplog.text
    assert "Canary" not in caplog.text
