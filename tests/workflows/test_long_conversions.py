"""Conversions that take a while: how far they are is told, and one that is cut off begins anew."""

import numpy as np
import pytest

from medtheca.domains.imaging.models import Image
from medtheca.domains.provenance.models import Accession, Verdict
from medtheca.domains.storage.queries import blob_store
from medtheca.workflows import convert
from medtheca.workflows.convert import convert_batch
from tests.factories.provenance import deliver, run_jobs
from tests.generators import volumes

pytestmark = pytest.mark.django_db


@pytest.fixture
def large(alice, cohort):
    """A volume whose voxels take a second or two to pack."""
    voxels = np.random.default_rng(1).integers(-1000, 1000, (1, 900, 256, 256), dtype=np.int16)
    return deliver(alice, cohort, volumes.mha(voxels), filename="large.mha")


def test_how_far_a_conversion_is_stands_in_the_verdict_of_its_file(large, monkeypatch):
    monkeypatch.setattr(convert, "_TELL_EVERY", 0.0)
    told = []

    def note(**noted):
        note_conversion(**noted)
        told.append(Verdict.objects.get(delivery=large).words)

    note_conversion = convert.note_conversion
    monkeypatch.setattr(convert, "note_conversion", note)
    run_jobs()
    parts = [int(words.removeprefix("Converting, ").removesuffix(" %.")) for words in told]
    assert parts == sorted(parts)
    assert any(0 < part < 100 for part in parts)
    assert Verdict.objects.get(delivery=large).words == "Accepted."


def test_a_short_one_says_nothing_on_its_way(alice, cohort, monkeypatch):
    told = []
    # On a busy machine it is not so short.
    monkeypatch.setattr(convert, "_TELL_EVERY", 60.0)
    monkeypatch.setattr(convert, "note_conversion", lambda **noted: told.append(noted))
    deliver(alice, cohort, volumes.mha(volumes.draw()), filename="small.mha")
    run_jobs()
    assert Image.objects.count() == 1
    assert not told


@pytest.mark.parametrize("where", ["convert.examined", "convert.images", "convert.rows"])
def test_one_that_is_cut_off_leaves_nothing_and_begins_anew(alice, cohort, data, monkeypatch, where):
    class Cut(BaseException):
        """Nobody catches it, as nobody catches a kill."""

    def cut(name):
        if name == where:
            raise Cut

    deliver(alice, cohort, volumes.mha(volumes.draw((150, 20, 9))), filename="brain.mha")
    with monkeypatch.context() as patch:
        patch.setattr(convert, "step", cut)
        with pytest.raises(Cut):
            run_jobs()
    accession = Accession.objects.get()
    assert (accession.state, accession.image) == ("received", None)
    assert not list((data / "cases").iterdir())
    convert_batch(accession_ids=[accession.pk])
    accession.refresh_from_db()
    assert accession.state == "converted"
    kinds = set(accession.image.files.values_list("kind", flat=True))
    assert kinds == {"original", "public", "thumbnail", "web", "geometry", "small"}
    for file in accession.image.files.select_related("blob"):
        assert blob_store().path(file.blob.sha256).stat().st_size == file.blob.size
    convert_batch(accession_ids=[accession.pk])
    assert Image.objects.count() == 1
