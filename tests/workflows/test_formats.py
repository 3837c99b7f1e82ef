"""Volumes, slides and documents go in by the same door as photographs, however many files each is made of."""

import gzip
import io
import json

import numpy as np
import pytest
import SimpleITK
from PIL import Image as Picture

from medtheca.domains.imaging.models import Image
from medtheca.domains.provenance.models import Accession, HeldFile, Verdict
from medtheca.domains.storage.bundles import MEDIA_TYPE, parts_of
from medtheca.domains.storage.erasing import erase_bytes, left_of
from medtheca.domains.storage.models import Blob
from medtheca.domains.storage.queries import blob_store, unreferenced_blobs
from medtheca.workflows.gathering import gather_held
from medtheca.workflows.receive import receive_delivery
from tests.factories.provenance import deliver, make_zip, run_jobs
from tests.generators import dicoms, volumes
from tests.generators.slides import tissue, write_mirax, write_vms

pytestmark = pytest.mark.django_db


def photograph(seed=1):
    data = io.BytesIO()
    Picture.effect_noise((40, 30), 40 + seed).convert("RGB").save(data, "JPEG")
    return data.getvalue()


def series(count=5, gaps=None, **options):
    return dicoms.series(dicoms.along(gaps or [3.0 * place for place in range(count)]), **options)


def send(alice, cohort, files):
    upload = deliver(alice, cohort, make_zip(files))
    run_jobs()
    return {row.path: row for row in Verdict.objects.filter(delivery=upload)}


def bytes_of(blob):
    with blob_store().open(blob.sha256) as file:
        return file.read()


def test_a_series_is_one_image_whatever_its_files_are_called(alice, cohort):
    slices = series()
    files = [(f"P001/t1/IM{number:04}", data) for number, data in enumerate(reversed(slices))]
    found = send(alice, cohort, [*files, ("photo.jpg", photograph())])
    assert {(row.outcome, row.code) for row in found.values()} == {("accepted", "accepted")}
    (accession,) = {found[path].accession for path, _ in files}
    image = accession.image
    assert (accession.name, image.kind, image.depth, image.format) == ("t1.dcm", "volume", 5, "dicom")
    assert (image.spacing_x, image.spacing_y, image.spacing_z) == (1.0, 2.0, 3.0)
    original = image.files.get(kind="original")
    assert original.media_type == MEDIA_TYPE
    assert sorted(bytes_of(part.blob) for part in parts_of([original.blob_id])[original.blob_id]) == sorted(slices)
    assert not HeldFile.objects.exists()


def test_the_volume_that_is_served_has_the_voxels_and_the_space_of_the_files(alice, cohort, tmp_path):
    row, column = dicoms.oblique()
    places = dicoms.along([0, 2.5, 5.0, 7.5], row=row, column=column)
    pixels = [dicoms.phantom((10, 20), np.int16, seed=number) for number in range(4)]
    slices = dicoms.series(places, pixels=pixels, row=row, column=column)
    found = send(alice, cohort, [(f"s/{number}.dcm", data) for number, data in enumerate(slices)])
    public = found["s/0.dcm"].accession.image.files.get(kind="public")
    (tmp_path / "made.mha").write_bytes(bytes_of(public.blob))
    made = SimpleITK.ReadImage(str(tmp_path / "made.mha"))
    np.testing.assert_array_equal(SimpleITK.GetArrayFromImage(made), np.stack(pixels))
    np.testing.assert_allclose(made.GetSpacing(), (1.0, 2.0, 2.5), rtol=1e-6)
    np.testing.assert_allclose(made.GetOrigin(), places[0], atol=1e-6)
    np.testing.assert_allclose(np.reshape(made.GetDirection(), (3, 3)).T[:2], (row, column), atol=1e-6)


def test_a_header_finds_its_data_file_and_a_slide_its_folder(alice, cohort, tmp_path):
    header, data = volumes.metaimage(volumes.draw(), data_file="anat.raw")
    folder = tmp_path / "slide"
    folder.mkdir()
    write_mirax(folder, tissue(512, 384))
    slide = [(f"s/{path.relative_to(folder)}", path.read_bytes()) for path in folder.rglob("*") if path.is_file()]
    found = send(alice, cohort, [("a/anat.mhd", header), ("a/anat.raw", data), *slide])
    assert {path: row.outcome for path, row in found.items()} == dict.fromkeys(found, "accepted")
    kinds = dict(Accession.objects.values_list("name", "image__kind"))
    assert kinds == {"anat.mhd": "volume", "m.mrxs": "slide"}


def test_a_slide_of_several_pictures_is_one_image(alice, cohort, tmp_path):
    folder = tmp_path / "slide"
    folder.mkdir()
    write_vms(folder, tissue(512, 384))
    files = [(path.name, path.read_bytes()) for path in folder.iterdir()]
    found = send(alice, cohort, files)
    assert {path: row.outcome for path, row in found.items()} == dict.fromkeys(found, "accepted")
    assert Image.objects.get().kind == "slide"
    assert len({row.accession_id for row in found.values()}) == 1


def test_what_lacks_its_other_half_is_refused_with_words(alice, cohort):
    header, data = volumes.metaimage(volumes.draw(), data_file="anat.raw")
    found = send(alice, cohort, [("a/anat.mhd", header), ("b/other.raw", data), ("c/m.mrxs", photograph())])
    assert {path: (row.outcome, row.code) for path, row in found.items()} == {
        "a/anat.mhd": ("refused", "missing_file"),
        "b/other.raw": ("refused", "unreferenced_data"),
        "c/m.mrxs": ("refused", "missing_file"),
    }
    assert "anat.raw" in found["a/anat.mhd"].words
    assert not Accession.objects.exists()


def test_a_series_with_a_hole_is_never_averaged(alice, cohort):
    found = send(
        alice, cohort, [(f"s/{place}", data) for place, data in enumerate(series(gaps=[0, 3, 6, 9, 15, 18, 21, 24]))]
    )
    assert {row.outcome for row in found.values()} == {"accepted"}
    assert "missing" in found["s/0"].note
    depths = Image.objects.values_list("depth", "spacing_z")
    assert all(depth == 1 or spacing == 3.0 for depth, spacing in depths)
    assert sum(depth for depth, _ in depths) == 8
    assert Accession.objects.count() == len({row.accession for row in found.values()}) > 1


def test_two_series_of_one_folder_have_names_of_their_own_and_come_once(alice, cohort):
    files = [(f"scan/{place}", data) for place, data in enumerate([*series(3), *series(3)])]
    send(alice, cohort, files)
    assert set(Accession.objects.values_list("name", flat=True)) == {"scan.dcm", "scan-2.dcm"}
    again = send(alice, cohort, files)
    assert {(row.outcome, row.code) for row in again.values()} == {("linked", "already_here")}
    assert Accession.objects.count() == 2


def test_a_report_is_kept_as_what_it_is(alice, cohort):
    made = dicoms.dataset(SOPClassUID=dicoms.STORAGE + "88.11", Modality="SR", PatientName="Mustermann^Erika")
    found = send(alice, cohort, [("report.dcm", dicoms.write(made))])
    image = found["report.dcm"].accession.image
    assert (image.kind, image.width) == ("document", 0)
    assert set(image.files.values_list("kind", flat=True)) == {"original", "public", "thumbnail", "web"}
    public = json.loads(bytes_of(image.files.get(kind="public").blob))
    assert set(public) == {"document", "title"}
    assert "Mustermann" not in str(public)


def test_slices_can_be_had_by_range_from_the_volume(alice, cohort):
    voxels = volumes.draw((9, 8, 7))
    data = gzip.compress(volumes.nifti(voxels, sform=volumes.affine(), sform_code=1))
    found = send(alice, cohort, [("brain.nii.gz", data)])
    image = found["brain.nii.gz"].accession.image
    geometry = json.loads(bytes_of(image.files.get(kind="geometry").blob))
    assert geometry["size"] == [9, 8, 7]
    assert len(geometry["slices"]) == 7


def test_a_reception_that_is_cut_off_goes_on_where_it_was(alice, cohort, monkeypatch):
    files = [(f"s/{place}", data) for place, data in enumerate(series())]
    upload = deliver(alice, cohort, make_zip(files))

    def cut_off(_delivery):
        raise ConnectionError("cut off")

    monkeypatch.setattr("medtheca.workflows.receive.gather_held", cut_off)
    with pytest.raises(ConnectionError):
        receive_delivery(upload_id=upload)
    assert HeldFile.objects.count() == 5
    monkeypatch.setattr("medtheca.workflows.receive.gather_held", gather_held)
    receive_delivery(upload_id=upload)
    run_jobs()
    assert Image.objects.get().depth == 5
    assert Verdict.objects.filter(delivery=upload, outcome="accepted").count() == 5


@pytest.mark.django_db(transaction=True)
def test_the_bytes_of_a_bundle_go_with_it(alice, cohort):
    found = send(alice, cohort, [(f"s/{place}", data) for place, data in enumerate(series())])
    accession = found["s/0"].accession
    assert not unreferenced_blobs().filter(pk=accession.original_id).exists()
    original = accession.original
    names = [original.sha256, *(part.blob.sha256 for part in parts_of([original.pk])[original.pk])]
    image = accession.image
    Verdict.objects.all().delete()
    accession.delete()
    image.files.all().delete()
    assert set(erase_bytes(sha256s=names).gone) == set(names)
    assert not left_of(names)
    assert not Blob.objects.filter(sha256__in=names).exists()
