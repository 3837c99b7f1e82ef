"""`medtheca deidentify` as people run it: without a database or data folder, and nothing is left but the copies."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time

import imagecodecs
import nibabel
import numpy as np
import pydicom
import pytest
import SimpleITK
import tifffile
from PIL import Image

from medtheca.toolkit.confidentiality.keyed import Keyed
from tests.canary import planting_dicom, planting_pictures
from tests.canary.canaries import Canaries, find
from tests.generators import dicoms, images, octs, slides, volumes

PIXELS = dicoms.phantom((12, 16), np.int16)
VOXELS = volumes.draw((24, 20, 4), "int16")


def medtheca(*words, cwd, **environment):
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("MEDTHECA_", "DATABASE_", "DJANGO_"))
    }
    temporary = cwd.parent / "temporary"
    temporary.mkdir(exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-m", "medtheca", *map(str, words)],
        cwd=cwd,
        env=kept | {"TMPDIR": str(temporary), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert not list(temporary.iterdir())
    return done


def tree(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """A folder of every format with identifiers wherever there is room, copied in one go with all options."""
    above = tmp_path_factory.mktemp("planted")
    source = above / "source"
    canaries = Canaries()
    coloured = images.draw(120, 90)
    plain = {"jpg": images.jpeg(), "png": images.write_png(images.draw())}
    # The canary of a path: nothing may be written where a header says.
    mha = planting_pictures.metaimage(canaries, VOXELS)
    days = {}

    def dated(name, data):
        days[name] = {str(day) for day in canaries.dates} - set().union(*days.values())
        return data

    files = {
        "ct/slice.dcm": dated("ct/slice.dcm", planting_dicom.slice_(canaries, PIXELS)),
        "ct/big.dcm": dated("ct/big.dcm", planting_dicom.slice_(canaries, PIXELS, syntax=dicoms.BIG)),
        "report.dcm": dated("report.dcm", planting_dicom.report(canaries)),
        "photo.jpg": planting_pictures.jpeg(canaries, plain["jpg"]),
        "photo.png": planting_pictures.png(canaries, plain["png"]),
        "brain.nii": planting_pictures.nifti(canaries, VOXELS),
        "packed.nii.gz": planting_pictures.packed(planting_pictures.nifti(canaries, VOXELS)),
        "brain.nrrd": planting_pictures.nrrd(canaries, VOXELS),
        "brain.mha": mha,
        "eye.fds": octs.fds(volumes.draw((24, 20, 4), "uint16")[0], *planting_pictures.oct_blocks(canaries)),
        "plain.tif": planting_pictures.tiff(canaries, coloured),
    }
    for name, data in files.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes(data)
    with pytest.MonkeyPatch.context() as patch:
        planting_pictures.mark_slides(patch, canaries)
        (source / "slides").mkdir()
        made = slides.write_all(source / "slides", slides.tissue(512, 512))
        for path in (source / "slides" / "dicom").glob("*.dcm"):
            planting_dicom.fill_file(path, canaries)
    before = tree(source)
    (above / "key").write_bytes(key_that_moves_far(source, days))
    words = [word for option in ("retain-longitudinal", "clean-descriptors", "clean-structured", "retain-device")
             for word in ("--option", option)]  # fmt: skip
    done = medtheca(
        "deidentify", "source", "--into", "copies", "--keep-names", *words, "--report", "report.csv", "--json",
        "--key-file", "key", cwd=above,
    )  # fmt: skip
    assert tree(source) == before
    assert not done.stderr, done.stderr
    return above, json.loads(done.stdout), done, (canaries, days), plain, coloured, made


def key_that_moves_far(source, days):
    """A key by which no day of a file becomes another day that was planted in the same file."""
    patients = {name: str(pydicom.dcmread(source / name).get("PatientID") or "") for name in days}
    studies = {name: f"study {pydicom.dcmread(source / name).get('StudyInstanceUID', '')}" for name in days}
    for number in range(100_000):
        key = number.to_bytes(16, "big")
        moved = {name: -Keyed(key).days(patients[name] or studies[name]) for name in days}
        if all(moved[name] > len(days[name]) + 1 for name in days):
            return key
    raise AssertionError("no key moves far enough")


def by_source(report):
    return {name: image for image in report["images"] for name in image["sources"]}


def test_no_identifier_is_in_any_copy(planted):
    above, report, _, (canaries, days), *_ = planted
    copies = tree(above / "copies")
    assert len(canaries) > 12_000
    dates = {str(day) for day in canaries.dates}
    leaks = []
    for name, data in copies.items():
        # Days are moved, and may so become days that were planted in another file.
        others = dates - days[name] if name in days else set()
        leaks += [(word, name) for word in find(canaries, {name: data}) if word not in others]
    print(f"{len(canaries):,} identifiers planted, {len(copies)} copies, {len(leaks)} found")
    assert not leaks, leaks[:10]
    # Beside the names of the sources, which are said to be in it, the report has nothing of them either.
    told = [{**image, "sources": [], "target": ""} for image in report["images"]]
    assert not find(canaries, {"report": json.dumps(told).encode()})
    assert sorted(copies) == sorted(image["target"] for image in report["images"] if image["target"])


def test_every_format_is_written_or_refused_with_a_reason(planted):
    _, report, done, *_ = planted
    refused = {image["sources"][0]: image["problem"]["code"] for image in report["images"] if image["problem"]}
    labels = {name for name in refused if name.startswith("slides/dicom/")}
    assert set(refused) == labels
    assert set(refused.values()) <= {"unsupported_variant"}
    assert done.returncode == (1 if refused else 0)
    formats = {image["format"] for image in report["images"] if image["outcome"] == "written"}
    assert formats == {"dicom", "jpeg", "png", "nifti", "nrrd", "mha", "oct", "tiff", "slide"}
    assert report["method"][0] == {
        "value": "113100", "scheme": "DCM", "meaning": "Basic Application Confidentiality Profile",
    }  # fmt: skip


def test_pixels_of_dicom_are_the_same(planted):
    above, report, *_ = planted
    for name, kind in (("slice", "<i2"), ("big", ">i2")):
        source = pydicom.dcmread(above / "source" / "ct" / f"{name}.dcm")
        made = pydicom.dcmread(above / "copies" / "ct" / f"{name}.dcm")
        assert made.PixelData == source.PixelData == PIXELS.astype(kind).tobytes()
        assert made.PatientIdentityRemoved == "YES"
        assert made.SOPInstanceUID.startswith("2.25.")
        assert made.SOPInstanceUID != source.SOPInstanceUID
    actions = by_source(report)["ct/slice.dcm"]["actions"]
    assert {"path": "00100010", "keyword": "PatientName", "action": "Z", "count": 1} in actions


def test_pixels_of_photographs_are_the_same(planted):
    above, report, _, _, plain, *_ = planted
    copies = above / "copies"
    ours, theirs = (imagecodecs.jpeg8_decode(data) for data in ((copies / "photo.jpg").read_bytes(), plain["jpg"]))
    np.testing.assert_array_equal(ours, theirs)
    png = Image.open(copies / "photo.png")
    np.testing.assert_array_equal(np.asarray(png), np.asarray(Image.open(io.BytesIO(plain["png"]))))
    assert by_source(report)["photo.jpg"]["removed"]


def test_voxels_and_their_places_are_the_same(planted):
    above, report, *_ = planted
    for name in ("brain.nii", "packed.nii.gz", "brain.nrrd", "brain.mha"):
        made = SimpleITK.ReadImage(str(above / "copies" / by_source(report)[name]["target"]))
        np.testing.assert_array_equal(SimpleITK.GetArrayFromImage(made), VOXELS[0])
        source = SimpleITK.ReadImage(str(above / "source" / name))
        for ask in ("GetSpacing", "GetOrigin", "GetDirection"):
            np.testing.assert_allclose(getattr(made, ask)(), getattr(source, ask)(), atol=1e-5)
    stored = np.asarray(nibabel.load(above / "source" / "brain.nii").dataobj)
    np.testing.assert_array_equal(stored.T, VOXELS[0])


def test_slides_have_no_label_and_say_how_their_pixels_were_coded(planted):
    above, report, *_, coloured, made = planted
    for maker, (folder, names) in made.items():
        if maker == "dicom":
            continue
        image = by_source(report)[str((folder / names[0]).relative_to(above / "source"))]
        assert image["pixels"] in {"copied", "coded"}
        assert image["target"].endswith(".tif")
        with tifffile.TiffFile(above / "copies" / image["target"]) as opened:
            for page in opened.pages:
                picture = page.asarray().astype(int)
                assert np.abs(picture - np.array(slides.MARKER)).max(axis=-1).min() > 60
            finest = opened.pages[0]
            assert image["pixels"] == "coded" or finest.compression == tifffile.COMPRESSION.JPEG
    plain = by_source(report)["plain.tif"]
    read = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(above / "copies" / plain["target"])))
    np.testing.assert_array_equal(read.reshape(coloured.shape), coloured)


def test_the_report_is_a_table_too(planted):
    above, *_ = planted
    rows = list(csv.DictReader((above / "report.csv").open(encoding="utf-8", newline="")))
    assert {row["source"] for row in rows} >= {"photo.jpg", "ct/slice.dcm"}
    one = [row for row in rows if row["source"] == "ct/slice.dcm" and row["what"] == "00100020"]
    assert [(row["keyword"], row["action"]) for row in one] == [("PatientID", "D")]
    assert (above / "report.csv").stat().st_mode & 0o077 == 0


# --- on its own


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "scans"
    (made / "t1").mkdir(parents=True)
    for number, data in enumerate(dicoms.series(dicoms.along([0, 2.5, 5.0]), StudyDate="20240301")):
        (made / "t1" / f"{number}.dcm").write_bytes(data)
    (made / "MILLER_MARY.jpg").write_bytes(images.jpeg(seed=1))
    return made


def test_copies_are_numbered_and_what_is_there_is_not_replaced(folder):
    above = folder.parent
    done = medtheca("deidentify", "scans", "--into", "copies", "--json", cwd=above)
    assert (done.returncode, done.stderr) == (0, "")
    copies = tree(above / "copies")
    assert sorted(copies) == ["000001.jpg", "000002.dcm", "000003.dcm", "000004.dcm"]
    again = medtheca("deidentify", "scans", "--into", "copies", cwd=above)
    assert again.returncode == 1
    assert "000001.jpg is there already." in again.stdout
    assert tree(above / "copies") == copies
    forced = medtheca("deidentify", "scans", "--into", "copies", "--force", cwd=above)
    assert forced.returncode == 0
    assert "The key is gone" in forced.stdout
    replaced = tree(above / "copies")
    assert sorted(replaced) == sorted(copies)
    # Of another key, all but the photograph is another file.
    assert [name for name in copies if copies[name] == replaced[name]] == ["000001.jpg"]


def test_the_same_key_gives_the_same_and_keeps_references_and_days(folder):
    above = folder.parent
    (above / "key").write_bytes(b"0123456789abcdef")
    words = ("--key-file", "key", "--option", "retain-longitudinal")
    for into in ("one", "two"):
        assert medtheca("deidentify", "scans", "--into", into, *words, cwd=above).returncode == 0
    done = medtheca("deidentify", "scans", "--into", "three", "--key-file", "new", cwd=above)
    assert done.stderr == "A key was made: new. Keep it, and keep it secret.\n"
    assert (above / "new").stat().st_mode & 0o077 == 0
    assert len((above / "new").read_bytes()) == 32
    assert tree(above / "one") == tree(above / "two")
    made = [pydicom.dcmread(path) for path in sorted((above / "one").glob("*.dcm"))]
    assert len({one.SeriesInstanceUID for one in made}) == 1
    assert len({one.SOPInstanceUID for one in made}) == 3
    (day,) = {one.StudyDate for one in made}
    assert day < "20240301"


def test_sources_are_never_replaced(folder):
    before = tree(folder)
    done = medtheca("deidentify", "t1", "MILLER_MARY.jpg", "--into", ".", "--keep-names", "--force", cwd=folder)
    assert done.returncode == 2  # all of them are in the folder of the copies
    assert "There are no files but those in ." in done.stderr
    (folder / "out").symlink_to(folder / "t1", target_is_directory=True)
    done = medtheca("deidentify", "MILLER_MARY.jpg", "--into", "out", "--keep-names", "--force", cwd=folder)
    assert done.returncode == 0
    assert {name: data for name, data in tree(folder).items() if name in before} == before


def test_refusals_say_why_and_the_others_are_written(folder):
    above = folder.parent
    (folder / "words.dcm").write_bytes(b"no image at all")
    (folder / "cut.jpg").write_bytes((folder / "MILLER_MARY.jpg").read_bytes()[:-400])
    (folder / "empty.png").write_bytes(b"")
    report = dicoms.dataset(SOPClassUID=dicoms.STORAGE + "88.11", Modality="SR")
    (folder / "report.dcm").write_bytes(dicoms.write(report))
    (folder / "private.dcm").write_bytes(dicoms.dicom(PIXELS, SOPClassUID="1.2.840.113619.4.30"))
    (folder / "a.mhd").write_text("ObjectType = Image\nNDims = 2\nDimSize = 4 4\nElementType = MET_UCHAR\n"
                                  "ElementDataFile = ../../etc/hostname\n")  # fmt: skip
    (folder / "screen.dcm").write_bytes(dicoms.dicom(PIXELS, SOPClassUID=dicoms.SC, Modality="OT"))
    done = medtheca("deidentify", "scans", "--into", "copies", "--json", cwd=above)
    assert done.returncode == 1
    told = by_source(json.loads(done.stdout))
    codes = {name: image["problem"]["code"] for name, image in told.items() if image["problem"]}
    assert set(codes) == {"words.dcm", "cut.jpg", "empty.png", "report.dcm", "private.dcm", "a.mhd"}, codes
    assert codes["report.dcm"] == codes["private.dcm"] == "unsupported_variant"
    assert all(told[name]["problem"]["message"] for name in codes)
    assert told["screen.dcm"]["text_suspected"].startswith("Text may be burned into its pixels")
    assert (above / "copies" / told["screen.dcm"]["target"]).is_file()
    assert len(tree(above / "copies")) == 5
    words = medtheca("deidentify", folder / "screen.dcm", "--into", "other", cwd=above)
    assert (words.returncode, "look at its copy before you pass it on" in words.stdout) == (0, True)


def test_a_volume_in_two_files_is_one_copy(folder):
    above = folder.parent
    voxels = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    (folder / "v.mhd").write_text("ObjectType = Image\nNDims = 3\nDimSize = 4 3 2\nElementType = MET_UCHAR\n"
                                  "ElementDataFile = v.raw\n")  # fmt: skip
    (folder / "v.raw").write_bytes(voxels.tobytes())
    done = medtheca("deidentify", folder / "v.mhd", folder / "v.raw", "--into", "copies", "--json", cwd=above)
    assert done.returncode == 0, done.stdout
    (image,) = json.loads(done.stdout)["images"]
    assert image["sources"] == ["v.mhd", "v.raw"]
    read = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(above / "copies" / "000001.mha")))
    np.testing.assert_array_equal(read, voxels)


MANY = 1_500
"""Copies enough to be interrupted in."""


def test_interrupted_it_ends_with_130_and_what_is_there_is_whole(folder):
    above = folder.parent
    slice_ = (folder / "t1" / "0.dcm").read_bytes()
    (folder / "0.dcm").write_bytes(slice_)
    for number in range(1, MANY):
        os.link(folder / "0.dcm", folder / f"{number}.dcm")
    (above / "temporary").mkdir()
    command = [sys.executable, "-m", "medtheca", "deidentify", "scans", "--into", "copies"]
    environment = os.environ | {"TMPDIR": str(above / "temporary")}
    with subprocess.Popen(command, cwd=above, env=environment, stderr=subprocess.PIPE, text=True) as running:
        until = time.monotonic() + 120
        while time.monotonic() < until and not list(above.glob("copies/*.dcm")):
            time.sleep(0.05)
        running.send_signal(signal.SIGINT)
        _, told = running.communicate(timeout=120)
    assert (running.returncode, told) == (130, "Interrupted. Copies that are there are whole.\n")
    copies = sorted((above / "copies").iterdir())
    assert 0 < len(copies) < MANY
    assert all(path.suffix in {".dcm", ".jpg"} for path in copies)
    assert {pydicom.dcmread(path).PatientIdentityRemoved for path in copies if path.suffix == ".dcm"} == {"YES"}
    assert not list((above / "temporary").iterdir())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--report", "a.txt"], "A report is written as .json or .csv."),
        (["--report", "there.json"], "there.json is there already."),
        (["--key-file", "short"], "short has 5 bytes; a key has 16 at least"),
        (["--option", "retain-everything"], "retain-everything"),
    ],
)
def test_wrong_usage_ends_with_2_before_anything_is_done(folder, words, said):
    above = folder.parent
    (above / "short").write_bytes(b"12345")
    (above / "there.json").write_text("{}")
    done = medtheca("deidentify", "scans", "--into", "copies", *words, cwd=above)
    assert done.returncode == 2
    assert said in done.stderr
    assert not (above / "copies").exists()
    assert (above / "there.json").read_text() == "{}"
