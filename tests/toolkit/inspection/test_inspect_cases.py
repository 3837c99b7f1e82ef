"""What a dry run finds in volumes, slides and documents, and in files that belong together."""

import json

import numpy as np
import pytest

from medtheca.toolkit.inspection import Container, inspect_files
from medtheca.toolkit.inspection.tables import csv_rows, report_of
from medtheca.toolkit.sandbox import DecoderPool
from tests.factories.provenance import make_zip
from tests.generators import dicoms, images, volumes
from tests.generators.slides import tissue, write_mirax, write_vms


@pytest.fixture(scope="module")
def pool():
    tasks = "medtheca.toolkit.images.tasks:run", "medtheca.toolkit.images.case_task:run"
    with DecoderPool(tasks[0], case_task=tasks[1], size=2) as made:
        yield made


@pytest.fixture
def inspect(pool, tmp_path):
    def run(files, *, packed=True, progress=lambda _done, _of: None):
        containers = []
        for number, (name, content) in enumerate(files):
            path = tmp_path / f"given-{number}"
            path.write_bytes(content)
            containers.append(Container(name, path, packed))
        scratch = tmp_path / "scratch"
        scratch.mkdir(exist_ok=True)
        report = inspect_files(containers, pool=pool, scratch=scratch, progress=progress)
        assert not list(scratch.iterdir())
        return report

    return run


def outcomes(report):
    return {verdict.path: (verdict.outcome, verdict.code) for verdict in report.verdicts}


def series(count=4, **options):
    return dicoms.series(dicoms.along([2.5 * place for place in range(count)]), **options)


def test_a_series_is_one_image_with_the_space_of_its_files(inspect):
    row, column = dicoms.oblique()
    places = dicoms.along([0, 2.5, 5.0, 7.5], row=row, column=column)
    pixels = [dicoms.phantom((10, 20), np.int16, seed=number) for number in range(4)]
    slices = dicoms.series(places, pixels=pixels, row=row, column=column, Modality="MR")
    files = [(f"P1/t1/{number}.dcm", data) for number, data in reversed(list(enumerate(slices)))]
    report = inspect([*files, ("photo.jpg", images.jpeg())])
    assert set(outcomes(report).values()) == {("accepted", "accepted")}
    volume, photograph = report.images
    assert (volume.name, volume.kind, volume.size, volume.value_type) == ("t1.dcm", "volume", (20, 10, 4), "int16")
    assert volume.files == tuple(f"P1/t1/{number}.dcm" for number in range(4))
    assert volume.spacing == pytest.approx({"x": 1.0, "y": 2.0, "z": 2.5})
    np.testing.assert_allclose(volume.origin, places[0], atol=1e-6)
    np.testing.assert_allclose(np.reshape(volume.direction, (3, 3)).T[:2], (row, column), atol=1e-6)
    assert volume.facts["modality"] == "MR"
    assert (photograph.kind, photograph.name, photograph.size) == ("picture", "photo.jpg", (83, 61, 1))
    assert {verdict.path: verdict.image for verdict in report.verdicts} == {
        **{path: 1 for path, _ in files},
        "photo.jpg": 2,
    }
    assert report.names() == ["t1.dcm", "photo.jpg"]


def test_a_header_finds_its_data_and_slides_their_files(inspect, tmp_path):
    header, data = volumes.metaimage(volumes.draw(), data_file="anat.raw")
    for name, write in (("mirax", write_mirax), ("vms", write_vms)):
        (tmp_path / name).mkdir()
        write(tmp_path / name, tissue(512, 384))
    slides = [
        (str(path.relative_to(tmp_path)), path.read_bytes())
        for name in ("mirax", "vms")
        for path in sorted((tmp_path / name).rglob("*"))
        if path.is_file()
    ]
    report = inspect([("a.zip", make_zip([("a/anat.mhd", header), ("a/anat.raw", data)])), *slides])
    assert {outcome for outcome, _ in outcomes(report).values()} == {"accepted"}
    assert next((image.name, image.kind, len(image.files)) for image in report.images) == ("anat.mhd", "volume", 2)
    assert sorted(image.kind for image in report.images) == ["slide", "slide", "volume"]
    assert sum(len(image.files) for image in report.images) == len(report.verdicts)
    assert report.images[0].container == "a.zip"


def test_what_lacks_its_other_half_is_refused_also_where_that_comes_by_another_upload(inspect):
    header, data = volumes.metaimage(volumes.draw(), data_file="anat.raw")
    report = inspect([("anat.mhd", header), ("anat.raw", data)], packed=False)
    assert outcomes(report) == {"anat.mhd": ("refused", "missing_file"), "anat.raw": ("refused", "unreferenced_data")}
    assert not report.images


def test_two_series_of_one_folder_have_names_of_their_own_and_equal_ones_are_linked(inspect):
    first, second = series(), series()
    files = [
        *((f"scan/a{n}", data) for n, data in enumerate(first)),
        *((f"scan/b{n}", d) for n, d in enumerate(second)),
    ]
    again = [(f"again/{n}", data) for n, data in enumerate(first)]
    report = inspect([("one.zip", make_zip(files)), ("two.zip", make_zip(again))])
    assert sorted(image.name for image in report.images) == ["again.dcm", "scan-2.dcm", "scan.dcm"]
    assert {outcome for path, outcome in outcomes(report).items() if path.startswith("again/")} == {
        ("linked", "same_content")
    }


def test_what_cannot_be_decoded_is_refused_for_all_its_files(inspect):
    header, data = volumes.metaimage(volumes.draw(), data_file="anat.raw")
    report = inspect([("anat.mhd", header), ("anat.raw", data[:-3])])
    assert set(outcomes(report).values()) == {("refused", "truncated")}
    assert len({verdict.message for verdict in report.verdicts}) == 1
    assert not report.images


def test_a_report_is_a_document_and_names_nobody(inspect):
    made = dicoms.dataset(SOPClassUID=dicoms.STORAGE + "88.11", Modality="SR", PatientName="Mustermann^Erika")
    report = inspect([("report.dcm", dicoms.write(made))])
    (document,) = report.images
    assert (document.kind, document.size) == ("document", (0, 0, 0))
    assert document.title
    assert "Mustermann" not in str(report)


def test_progress_ends_with_all_files(inspect):
    told = []
    inspect([(f"s/{number}", data) for number, data in enumerate(series())], progress=lambda *told_: told.append(told_))
    assert told[-1] == (4, 4)
    assert told == sorted(told)


def test_the_report_is_plain_json_and_its_csv_has_a_column_for_each_heading(inspect):
    found = inspect([("v.nii", volumes.nifti(volumes.draw(), sform=volumes.affine(), sform_code=1)), ("x.bin", b"?")])
    report = json.loads(json.dumps(report_of(found, None), allow_nan=False))
    rows = list(csv_rows(report))
    assert {len(row) for row in rows} == {len(rows[0])}
    by_path = {row[0]: dict(zip(rows[0], row, strict=True)) for row in rows[1:]}
    assert by_path["v.nii"]["kind"] == "volume"
    assert by_path["v.nii"]["spacing"] == "x=0.5 y=2 z=3.25"
    assert by_path["x.bin"]["image"] == ""


def test_a_file_that_others_may_not_read_is_decoded_all_the_same_and_left_as_it_was(pool, tmp_path):
    path, scratch = tmp_path / "brain.nii", tmp_path / "scratch"
    scratch.mkdir()
    path.write_bytes(volumes.nifti(volumes.draw(), sform=volumes.affine(), sform_code=1))
    path.chmod(0o600)
    link = tmp_path / "link.nii"
    link.symlink_to(path)
    report = inspect_files([Container("brain.nii", link)], pool=pool, scratch=scratch)
    assert [image.kind for image in report.images] == ["volume"]
    assert (path.stat().st_mode & 0o777, path.stat().st_nlink) == (0o600, 1)
