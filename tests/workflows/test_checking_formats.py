"""Bundles, volumes, slides and documents are broken on purpose, and the check says what is wrong with them."""

import pytest

from medtheca.domains.imaging.models import Image, ImageFile
from medtheca.domains.provenance.models import Accession
from medtheca.domains.storage.models import Blob, BundlePart
from medtheca.domains.storage.queries import blob_store
from medtheca.workflows.checking import Look, check_archive
from tests.factories.accounts import make_user
from tests.factories.provenance import deliver, make_cohort, make_zip, run_jobs
from tests.factories.storage import use_data_folder
from tests.generators import dicoms, volumes
from tests.generators.images import jpeg
from tests.generators.slides import tissue, write_mirax

pytestmark = pytest.mark.django_db


@pytest.fixture
def archive(settings, tmp_path):
    """A series, a NIfTI, a slide with its folder, a report and a photograph; nothing is wrong with them."""
    use_data_folder(settings, tmp_path / "data")
    alice = make_user("alice")
    write_mirax(tmp_path / "slide", tissue(512, 384))
    files = [(f"t1/{place}.dcm", data) for place, data in enumerate(dicoms.series(dicoms.along([0, 3, 6])))]
    slide = [path for path in (tmp_path / "slide").rglob("*") if path.is_file()]
    files += [(f"s/{path.relative_to(tmp_path / 'slide')}", path.read_bytes()) for path in slide]
    report = dicoms.dataset(SOPClassUID=dicoms.STORAGE + "88.11", Modality="SR")
    files += [("brain.nii", volumes.nifti(volumes.draw((9, 8, 7)))), ("report.dcm", dicoms.write(report))]
    deliver(alice, make_cohort(alice), make_zip([*files, ("photo.jpg", jpeg(seed=1))]))
    run_jobs()
    assert sorted(Image.objects.values_list("kind", flat=True)) == [
        "document", "picture", "slide", "volume", "volume",
    ]  # fmt: skip
    report = check_archive(Look(deep=True))
    assert report.clean, report.all
    yield
    blob_store.cache_clear()


def broken():
    return [f"{found.subject}: {found.words}" for found in check_archive(Look()).violations["formats"]]


def series():
    return Accession.objects.get(name="t1.dcm")


def bundle_of_series():
    return series().original


@pytest.mark.parametrize(
    ("kind", "file"),
    [
        ("volume", "public"),
        ("volume", "geometry"),
        ("volume", "thumbnail"),
        ("slide", "public"),
        ("slide", "web"),
        ("document", "public"),
        ("picture", "thumbnail"),
        ("slide", "original"),
    ],
)
def test_an_image_lacks_a_file_that_its_kind_needs(archive, kind, file):
    image = Image.objects.filter(kind=kind).first()
    image.files.get(kind=file).delete()
    assert broken() == [f"image {image.pk}: It is a {kind} and has no {file} file."]


def test_a_volume_may_lack_a_reduced_copy(archive):
    ImageFile.objects.filter(kind="small").delete()
    assert broken() == []


def test_a_file_is_not_what_its_kind_needs(archive):
    image = series().image
    image.files.filter(kind="public").update(media_type="image/tiff")
    assert broken() == [
        f"image {image.pk}: It is a volume, and its public file is image/tiff where application/x-metaimage is due."
    ]


def test_a_part_of_a_bundle_has_no_row(archive):
    BundlePart.objects.filter(bundle=bundle_of_series(), ordinal=1).delete()
    assert broken() == [
        f"bundle {bundle_of_series().sha256}: It lists 000001.dcm, of which no row knows where the bytes are."
    ]


def test_a_bundle_has_no_rows_at_all(archive):
    BundlePart.objects.filter(bundle=bundle_of_series()).delete()
    assert "It lists 000000.dcm and 2 more, of which" in broken()[0]


def test_a_row_of_a_bundle_leads_to_other_bytes(archive):
    first, second = BundlePart.objects.filter(bundle=bundle_of_series()).order_by("ordinal")[:2]
    BundlePart.objects.filter(pk=first.pk).update(blob=second.blob)
    assert broken() == [f"bundle {bundle_of_series().sha256}: The rows of its parts are not what it lists."]


def test_the_list_of_a_bundle_is_gone(archive):
    blob_store().path(bundle_of_series().sha256).unlink()
    assert broken() == [f"bundle {bundle_of_series().sha256}: Its list of files is not in the store."]


def test_the_bytes_of_a_part_are_gone(archive):
    """That is I3's: every blob has its file, whatever refers to it."""
    part = BundlePart.objects.filter(bundle=bundle_of_series()).first()
    blob_store().path(part.blob.sha256).unlink()
    found = check_archive(Look()).violations["I3"]
    assert [violation.subject for violation in found] == [f"blob {part.blob.sha256}"]


@pytest.mark.parametrize("which", ["list", "part"])
def test_a_file_of_the_original_is_served(archive, which):
    image, bundle = series().image, bundle_of_series()
    served = bundle if which == "list" else Blob.objects.get(pk=BundlePart.objects.filter(bundle=bundle)[0].blob_id)
    image.files.filter(kind="web").update(blob=served)
    assert broken() == [f"image {image.pk}: Its web file is a file of its original, which is never served."]
