"""What is made of an image and mostly is its original is stored once: stripped copies, and pyramids of copied tiles."""

import io
import json
import shutil

import numpy as np
import psycopg
import pytest
from PIL import Image as Picture
from PIL import PngImagePlugin

from medtheca.domains.imaging.enums import FileKind
from medtheca.domains.imaging.models import ImageFile
from medtheca.domains.provenance.models import Accession, Verdict
from medtheca.domains.storage.fixity import scrub_blobs
from medtheca.domains.storage.models import Blob, Composition, CompositionSource
from medtheca.domains.storage.queries import blob_store
from medtheca.domains.storage.stores import LocalStore
from medtheca.toolkit.sandbox import DecoderPool
from medtheca.workflows import casing, decoding
from medtheca.workflows.backup.writing import write_backup
from medtheca.workflows.checking import Look, check_archive, check_size
from medtheca.workflows.reconvert import reconvert_batch
from tests.factories.accounts import make_user
from tests.factories.provenance import deliver, make_cohort, make_zip, run_jobs
from tests.factories.storage import make_wide_scopes, read, sha256_of, use_data_folder
from tests.generators import slides
from tests.workflows.test_backup import empty_database, medtheca, store_files

pytestmark = pytest.mark.django_db(transaction=True)
MARK = b"EXIFMARK"


def photograph(seed=0, *, size=(700, 500), mark="EXIFMARK", kind="JPEG"):
    """Some 400 KB of noise, with a word in its metadata."""
    samples = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), np.uint8)
    data, exif, text = io.BytesIO(), Picture.Exif(), PngImagePlugin.PngInfo()
    exif[270] = f"Taken of {mark}"
    text.add_text("Comment", f"Taken of {mark}")
    options = {"exif": exif, "quality": 90} if kind == "JPEG" else {"pnginfo": text}
    Picture.fromarray(samples).save(data, kind, **options)
    return data.getvalue()


def slide(seed=0):
    return slides.aperio(slides.tissue(1536, 1024, seed))


@pytest.fixture
def data(settings, tmp_path):
    folder = use_data_folder(settings, tmp_path / "data", secret_key="")
    (folder / "secret.key").write_text("the key of this archive, long enough to sign with")
    make_wide_scopes()
    yield folder
    blob_store.cache_clear()


@pytest.fixture
def cohort(data):
    return make_cohort(make_user("alice"))


def bring(cohort, *files):
    deliver(cohort.creator, cohort, make_zip(list(files)))
    run_jobs()
    assert set(Verdict.objects.values_list("outcome", flat=True)) == {"accepted"}
    return list(Accession.objects.order_by("pk").select_related("original", "image"))


def public(accession):
    return ImageFile.objects.get(image=accession.image, kind=FileKind.PUBLIC).blob


def taken(data):
    return {name: len(content) for name, content in store_files(data / "blobs").items()}


@pytest.mark.parametrize(("kind", "name"), [("JPEG", "one.jpg"), ("PNG", "one.png")])
def test_a_stripped_copy_takes_no_room(cohort, data, kind, name):
    original = photograph(kind=kind)
    (accession,) = bring(cohort, (name, original))
    blob = public(accession)
    assert {row.source for row in CompositionSource.objects.filter(composition__blob=blob)} == {accession.original}
    copy = read(blob.sha256)
    assert sha256_of(copy) == blob.sha256
    assert MARK in original
    assert MARK not in copy
    assert np.array_equal(np.asarray(Picture.open(io.BytesIO(copy))), np.asarray(Picture.open(io.BytesIO(original))))
    assert not blob_store().exists(blob.sha256)
    recipe = Composition.objects.get(blob=blob).recipe
    assert MARK not in read(recipe.sha256)
    assert recipe.size < 3000
    assert check_archive(Look(deep=True)).clean
    told = []
    check_archive(Look(deep=True, progress=lambda files, size: told.append((files, size))))
    assert (sum(files for files, _ in told), sum(size for _, size in told)) == tuple(check_size(deep=True).values())


def test_a_small_photograph_keeps_a_file_of_its_own(cohort):
    (accession,) = bring(cohort, ("one.jpg", photograph(size=(90, 60))))
    assert blob_store().exists(public(accession).sha256)
    assert not Composition.objects.exists()


def test_tiles_that_are_copied_are_kept_once(cohort, data):
    original = slide()
    (accession,) = bring(cohort, ("slide.svs", original))
    assert accession.image.geometry["copied"]
    blob = public(accession)
    recipe = Composition.objects.get(blob=blob).recipe
    assert blob.size > len(original)
    assert recipe.size < 0.5 * len(original)
    assert sha256_of(read(blob.sha256)) == blob.sha256
    assert b"Canary" not in read(recipe.sha256)
    assert check_archive(Look(deep=True)).clean


def test_made_again_it_is_the_same_and_takes_no_more(cohort, data):
    accessions = bring(cohort, ("one.jpg", photograph()), ("slide.svs", slide()))
    before, rows = taken(data), Blob.objects.count()
    assert reconvert_batch(accession_ids=[row.pk for row in accessions]).made == [row.pk for row in accessions]
    assert (taken(data), Blob.objects.count()) == (before, rows)
    # A recipe that is lost is made again with the rest.
    recipe = Composition.objects.get(blob=public(accessions[1])).recipe
    blob_store().path(recipe.sha256).unlink()
    assert not check_archive(Look()).clean
    reconvert_batch(accession_ids=[row.pk for row in accessions])
    assert check_archive(Look(deep=True)).clean
    assert taken(data) == before


def test_two_originals_of_the_same_pixels_share_their_copy(cohort, data):
    one, other = bring(cohort, ("one.jpg", photograph(mark="ONEMARK")), ("other.jpg", photograph(mark="OTHERMARK")))
    assert public(one) == public(other)
    assert Composition.objects.count() == 1
    assert check_archive(Look(deep=True)).clean


def test_what_was_there_with_a_file_of_its_own_stays_valid(cohort, data, monkeypatch):
    """As in an archive that was begun before."""
    with monkeypatch.context() as before:
        before.setattr("medtheca.workflows.examining.compose", lambda *_args, **_options: None)
        before.setattr(casing, "compose", lambda *_args, **_options: None)
        accessions = bring(cohort, ("one.jpg", photograph()), ("slide.svs", slide()))
    held = taken(data)
    assert not Composition.objects.exists()
    reconvert_batch(accession_ids=[row.pk for row in accessions])
    assert taken(data) == held
    assert not Composition.objects.exists()
    assert check_archive(Look(deep=True)).clean


def test_a_decoder_that_claims_other_ranges_gains_nothing(cohort, data, monkeypatch):
    here = "tests.workflows.lying_copies"
    with DecoderPool(f"{here}:run", case_task=f"{here}:run_case", size=1) as pool:
        monkeypatch.setattr(decoding, "_pool", pool)
        accessions = bring(cohort, ("one.jpg", photograph()), ("slide.svs", slide()))
    assert not Composition.objects.exists()
    for accession in accessions:
        assert MARK not in read(public(accession).sha256)
        assert blob_store().exists(public(accession).sha256)
    assert not list((data / "blobs" / "staging").iterdir())
    assert check_archive(Look(deep=True)).clean


def test_rot_in_an_original_is_told_of_all_that_is_composed_of_it(cohort, data):
    (accession,) = bring(cohort, ("one.jpg", photograph()))
    path = blob_store().path(accession.original.sha256)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert check_archive(Look()).clean
    found = check_archive(Look(deep=True)).violations["ranges"]
    assert [violation.subject for violation in found] == [f"blob {public(accession).sha256}"]
    assert "holds other bytes" in found[0].words
    assert len(scrub_blobs().findings) == 2
    assert "is quarantined" in check_archive(Look()).violations["ranges"][0].words


def test_the_check_names_what_a_composition_lacks(cohort, data):
    (accession,) = bring(cohort, ("one.jpg", photograph()))
    composition, size = Composition.objects.get(blob=public(accession)), public(accession).size

    def words():
        return " ".join(violation.words for violation in check_archive(Look()).violations["ranges"])

    other = Blob.objects.exclude(pk__in=[accession.original_id, composition.pk, composition.recipe_id]).first()
    CompositionSource.objects.update(source=other)
    assert "other sources than its rows" in words()
    CompositionSource.objects.update(source=accession.original)
    Blob.objects.filter(pk=composition.pk).update(size=7)
    assert "It should have 7 bytes" in words()
    Blob.objects.filter(pk=composition.pk).update(size=size)
    path = blob_store().path(composition.recipe.sha256)
    path.write_bytes(b"x" * composition.recipe.size)
    assert "cannot be used: it is no recipe" in words()
    path.unlink()
    assert "is not in the store" in words()


def test_a_backup_holds_them_once_and_brings_them_back(cohort, data, tmp_path):
    accessions = bring(cohort, ("one.jpg", photograph()), ("slide.svs", slide()))
    files = store_files(data / "blobs")
    folder = tmp_path / "backup"
    report = write_backup(folder=folder)
    assert report.complete
    assert (report.copied, report.bytes) == (len(files), sum(map(len, files.values())))
    assert report.blobs == len(files) + 2
    assert store_files(folder) == files
    again = write_backup(folder=folder, verify=True)
    assert (again.complete, again.copied) == (True, 0)
    digests = {public(accession).sha256 for accession in accessions}
    shutil.rmtree(data)
    with empty_database() as url:
        done = medtheca("restore", folder, "--json", data=tmp_path / "restored", url=url)
        assert done.returncode == 0, done.stdout + done.stderr
        assert store_files(tmp_path / "restored" / "blobs") == files
        for command in (("check", "--deep"), ("scrub",)):
            done = medtheca(*command, "--json", data=tmp_path / "restored", url=url)
            assert done.returncode == 0, done.stdout + done.stderr
        with psycopg.connect(url) as database:
            found = database.execute(
                "SELECT sha256 FROM storage_blob JOIN storage_composition ON blob_id = id"
            ).fetchall()
            assert {name for (name,) in found} == digests
            assert database.execute(
                "SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'storage_composition%flat'"
            ).fetchone() == (2,)


def test_a_backup_names_what_it_cannot_bring_back(cohort, data, tmp_path):
    (accession,) = bring(cohort, ("one.jpg", photograph()))
    folder = tmp_path / "backup"
    write_backup(folder=folder)
    copy = LocalStore(folder / "blobs").path(accession.original.sha256)
    content = bytearray(copy.read_bytes())
    content[-5000] ^= 1
    copy.write_bytes(content)
    with empty_database() as url:
        done = medtheca("restore", folder, "--json", data=tmp_path / "restored", url=url)
    assert done.returncode == 1
    assert set(json.loads(done.stdout)["damaged"]) == {accession.original.sha256, public(accession).sha256}
    blob_store().path(accession.original.sha256).unlink()
    report = write_backup(folder=tmp_path / "other")
    assert set(report.damaged) == {accession.original.sha256, public(accession).sha256}


def test_pruning_a_backup_keeps_what_newer_ones_are_composed_of(cohort, data, tmp_path):
    one, *_ = bring(cohort, ("one.jpg", photograph(mark="ONEMARK")))
    write_backup(folder=tmp_path / "backup")
    bring(cohort, ("two.jpg", photograph(seed=2)))
    report = write_backup(folder=tmp_path / "backup", keep=1)
    assert report.complete
    assert store_files(tmp_path / "backup") == store_files(data / "blobs")
    assert public(one).sha256 not in store_files(tmp_path / "backup")
