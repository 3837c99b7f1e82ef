"""`medtheca rebuild`: what an older recipe made is made again from the originals, and nothing else."""

import json
import re

import pytest
from click.testing import CliRunner

from medtheca.domains.imaging.models import Image, ImageFile
from medtheca.domains.storage.queries import blob_store
from medtheca.interfaces.cli import rebuild as command
from medtheca.toolkit.images.present_recipes import is_present
from medtheca.workflows.decoding import close_decoder_pool
from tests.factories.accounts import make_user
from tests.factories.provenance import deliver, make_cohort, make_zip, run_jobs
from tests.factories.storage import use_data_folder
from tests.generators import dicoms, images, volumes
from tests.generators.slides import tissue, write_mirax

pytestmark = pytest.mark.django_db
BY = ["--as", "sam@example.org"]


@pytest.fixture
def cohort(settings, tmp_path, monkeypatch):
    use_data_folder(settings, tmp_path / "data")
    make_user("sam")
    # A worker of its own would need a database that is committed; the jobs are done here.
    monkeypatch.setattr(command, "let_work", lambda is_done: [run_jobs(), is_done()][-1])
    yield make_cohort(make_user("alice"))
    close_decoder_pool()
    blob_store.cache_clear()


@pytest.fixture
def archive(cohort, tmp_path):
    """A photograph, a volume, a slide and a document."""
    (tmp_path / "slide").mkdir()
    write_mirax(tmp_path / "slide", tissue(512, 384))
    slide = [
        (str(path.relative_to(tmp_path)), path.read_bytes())
        for path in (tmp_path / "slide").rglob("*")
        if path.is_file()
    ]
    report = dicoms.dataset(SOPClassUID=dicoms.STORAGE + "88.11", Modality="SR")
    files = [
        ("photo.jpg", images.jpeg(size=(900, 700))),
        ("brain.nii", volumes.nifti(volumes.draw((150, 12, 9)), sform=volumes.affine(), sform_code=1)),
        ("report.dcm", dicoms.write(report)),
    ]
    deliver(cohort.creator, cohort, make_zip([*files, *slide]))
    run_jobs()
    assert sorted(Image.objects.values_list("kind", flat=True)) == ["document", "picture", "slide", "volume"]
    return cohort


def run(*words, exit_code=0):
    done = CliRunner().invoke(command.rebuild, [*map(str, words), *BY])
    assert done.exit_code == exit_code, done.output + str(done.exception)
    return done.output


def files_of(kind):
    rows = ImageFile.objects.filter(image__kind=kind).order_by("kind")
    return list(rows.values_list("kind", "recipe", "blob__sha256", "source"))


def test_every_file_has_a_recipe_of_today_and_says_of_which_original_it_was_made(archive):
    for file in ImageFile.objects.select_related("image__accession__original"):
        assert is_present(file.image.kind, file.kind, file.recipe), (file.image.kind, file.kind, file.recipe)
        original = file.image.accession.original.sha256
        assert file.source == ("" if file.kind == "original" else original)
    assert "Nothing to do" in run()


@pytest.mark.parametrize("kind", ["volume", "slide", "document", "picture"])
def test_only_what_an_older_recipe_made_is_made_again(archive, kind):
    before = {name: files_of(name) for name in ("picture", "volume", "slide", "document")}
    changed = ImageFile.objects.filter(image__kind=kind, kind="thumbnail")
    changed.update(recipe="thumbnail-128/0 of old")
    told = run("--dry-run")
    assert "1 would change." in told
    assert f"{kind} thumbnail by thumbnail-128/0 of old: 1" in told
    assert changed.get().recipe == "thumbnail-128/0 of old"
    assert json.loads(run("--json")) == {"begun": 1, "made": 1, "left": 0, "failures": []}
    assert {name: files_of(name) for name in before} == before


def test_what_was_made_of_another_original_is_made_again(archive):
    ImageFile.objects.filter(image__kind="volume", kind="public").update(source="0" * 64)
    assert "1 images were made again" in run()
    original = Image.objects.get(kind="volume").accession.original.sha256
    assert ImageFile.objects.get(image__kind="volume", kind="public").source == original


def test_kinds_cohorts_and_all_choose(archive):
    assert json.loads(run("--all", "--kind", "slide", "--kind", "volume", "--json"))["begun"] == 2
    assert json.loads(run("--all", "--cohort", archive.pk, "--json"))["begun"] == 4
    assert "no such cohort" in run("--cohort", "nothing", exit_code=1)
    run("--cohort", archive.pk, "--contributor", archive.contributor_id, exit_code=2)


def test_files_that_are_made_no_more_go(archive):
    image = Image.objects.get(kind="document")
    extra = ImageFile.objects.get(image=image, kind="public")
    ImageFile.objects.create(
        image=image, kind="small", blob=extra.blob, media_type="application/x-metaimage", recipe="reduced/0"
    )
    run()
    assert not ImageFile.objects.filter(image=image, kind="small").exists()


def test_other_pixels_than_before_are_left_alone_and_it_ends_with_1(archive):
    Image.objects.filter(kind="volume").update(pixel_hash="0" * 64)
    ImageFile.objects.filter(image__kind="volume", kind="web").update(recipe="web-1/0")
    told = json.loads(run("--json", exit_code=1))
    assert (told["begun"], told["made"], told["left"]) == (1, 0, 1)
    (failure,) = told["failures"]
    assert failure["image"].startswith("brain.nii (submission ")
    assert "pixels would be others" in failure["reason"]


def test_all_ends_with_1_and_lists_what_failed_though_its_recipes_are_of_today(archive):
    Image.objects.filter(kind="slide").update(pixel_hash="0" * 64)
    damaged = Image.objects.get(kind="volume").accession
    # Its original was damaged on the disk after it was taken in.
    path = blob_store().path(damaged.original.sha256)
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:100])
    told = run("--all", exit_code=1)
    assert "2 images were made again. 2 were left as they were:" in told
    assert re.search(r"m\.mrxs \(submission \d+\): its pixels would be others", told)
    assert re.search(rf"brain\.nii \(submission {damaged.pk}\): it cannot be read", told)
    # What failed does not stay failed in what is told of the next time.
    assert json.loads(run("--all", "--kind", "document", "--json"))["failures"] == []


def test_strangers_may_not(archive):
    done = CliRunner().invoke(command.rebuild, ["--as", "alice@example.org", "--dry-run"])
    assert done.exit_code == 1
    assert "Only staff may" in done.output
