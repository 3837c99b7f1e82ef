"""A patient whose photographs are stored once, original and public copy: of both nothing is left."""

import io

import numpy as np
import pytest
from PIL import Image as Picture

from medtheca.domains.imaging.models import ImageFile
from medtheca.domains.provenance.models import Accession
from medtheca.domains.storage.models import Blob, Composition
from medtheca.domains.storage.queries import blob_store
from medtheca.workflows.checking import Look, check_archive
from tests.factories.provenance import run_jobs
from tests.factories.storage import make_wide_scopes, read, use_data_folder
from tests.workflows.erasing import archive as archives

pytestmark = pytest.mark.django_db(transaction=True)


def large_photograph(seed, *, secret=""):
    """Half a megabyte of noise, so that it is worth composing."""
    data, exif = io.BytesIO(), Picture.Exif()
    exif[270] = f"Taken of {secret or 'nobody'}"
    samples = np.random.default_rng(seed).integers(0, 256, (400, 600, 3), np.uint8)
    Picture.fromarray(samples).save(data, "JPEG", quality=90, exif=exif)
    return data.getvalue()


@pytest.fixture
def archive(settings, tmp_path, monkeypatch):
    data = use_data_folder(settings, tmp_path / "data", secret_key="")
    make_wide_scopes()
    monkeypatch.setattr(archives, "photograph", large_photograph)
    yield archives.Archive(data)
    blob_store.cache_clear()


def test_both_are_erased_and_others_keep_theirs(archive):
    mine = ImageFile.objects.filter(image__accession__patient=archive.patient)
    public = list(Blob.objects.filter(pk__in=mine.values("blob"), composition__isnull=False))
    assert len(public) == 3
    recipes = list(Composition.objects.filter(blob__in=public).values_list("recipe__sha256", flat=True))
    coded = [read(blob.sha256)[-60_000:-59_000] for blob in public]
    erasure = archive.erase()
    run_jobs()
    erasure.refresh_from_db()
    assert (erasure.state, erasure.trouble) == ("done", "")
    assert not Blob.objects.filter(sha256__in=recipes).exists()
    for path in archive.data.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert b"EXIFMARK" not in content, path
            assert not any(part in content for part in coded), path
    # Those of the other patient are there, and composed as before.
    assert Accession.objects.count() == Composition.objects.count() == 2
    assert check_archive(Look(deep=True)).violations["ranges"] == []
