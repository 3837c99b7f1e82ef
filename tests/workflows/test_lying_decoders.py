"""What a taken-over decoder says of its file is refused, once and for all; its neighbours are accepted."""

import pytest

from medtheca.domains.imaging.models import ImageFile
from medtheca.domains.provenance.models import Accession, Verdict
from medtheca.domains.storage.queries import blob_store
from medtheca.toolkit.sandbox import DecoderPool
from medtheca.workflows import decoding
from tests.factories.accounts import make_user
from tests.factories.provenance import deliver, make_cohort, make_zip, run_jobs
from tests.factories.storage import use_data_folder
from tests.generators.images import insert, jpeg

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
