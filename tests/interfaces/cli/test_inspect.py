"""`medtheca inspect` as people run it: without a database, a data folder or anything left behind."""

import json
import os
import subprocess
import sys

import pytest

from tests.factories.provenance import make_zip
from tests.generators import dicoms, images, volumes


def medtheca(*words, cwd, **environment):
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("MEDTHECA_", "DATABASE_", "DJANGO_"))
    }
    temporary = cwd.parent / "temporary"
    temporary.mkdir(exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-m", "medtheca", *words],
        cwd=cwd,
        env=kept | {"TMPDIR": str(temporary), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert not list(temporary.iterdir())
    return done


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "photographs"
    made.mkdir()
    (made / "a.jpg").write_bytes(images.insert(images.jpeg(seed=1), images.exif_segment()))
    (made / "b.jpg").write_bytes(images.jpeg(seed=2))
    return made


def test_good_files_end_with_0_and_nothing_is_made(folder):
    before = sorted(folder.iterdir())
    done = medtheca("inspect", ".", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "2 would be accepted" in done.stdout
    assert "position (GPS) (1)" in done.stdout
    assert images.CANARY not in done.stdout
    assert sorted(folder.iterdir()) == before


def test_volumes_are_told_with_their_space_and_a_series_once(folder):
    nifti = volumes.nifti(volumes.draw(), sform=volumes.affine(), sform_code=1)
    (folder / "brain.nii").write_bytes(nifti)
    (folder / "cut.nii").write_bytes(nifti[:-5])
    (folder / "t1").mkdir()
    for number, data in enumerate(dicoms.series(dicoms.along([0, 2.5, 5.0]))):
        (folder / "t1" / f"{number}.dcm").write_bytes(data)
    done = medtheca("inspect", ".", cwd=folder)
    assert done.returncode == 1, done.stderr
    told = done.stdout
    assert "6 would be accepted, 1 refused." in told
    assert "cut.nii: The file ends too early" in told
    blocks = {block.splitlines()[0]: block for block in told.split("\n\n")[1:]}
    assert "3, from t1/0.dcm to t1/2.dcm" in blocks["t1.dcm"]
    assert "x 0.5 mm, y 2 mm, z 3.25 mm" in blocks["brain.nii"]
    assert "x 10.5, y -20.25, z 3 mm (LPS)" in blocks["brain.nii"]
    assert "x to the left, y to the posterior" in blocks["t1.dcm"]
    assert "Pictures: 2" in told


def test_a_refused_file_ends_with_1_and_says_what_would_be_right(folder):
    (folder / "set.zip").write_bytes(make_zip([("x/c.jpg", b"no image"), ("x/d.jpg", images.jpeg(seed=3))]))
    done = medtheca("inspect", "set.zip", "a.jpg", "--json", cwd=folder)
    assert done.returncode == 1
    report = json.loads(done.stdout)
    assert report["counts"] == {"accepted": 2, "refused": 1}
    (refused,) = (file for file in report["files"] if file["outcome"] == "refused")
    assert refused["path"] == "x/c.jpg"
    assert refused["remedy"].startswith("Send JPEG, PNG, TIFF")


def test_a_spreadsheet_with_a_problem_ends_with_1(folder):
    (folder / "values.csv").write_text("filename;sex\na.jpg;mal\nz.jpg;male\n")
    done = medtheca("inspect", ".", "--metadata", "values.csv", cwd=folder)
    assert done.returncode == 1
    assert "Did you mean 'male'" in done.stdout
    assert "Rows without a file: 1 (z.jpg)" in done.stdout
    assert "Files without a row: 1 (b.jpg)" in done.stdout
    assert "2 would be accepted" in done.stdout


def test_wrong_usage_ends_with_2(folder):
    assert medtheca("inspect", "none.jpg", cwd=folder).returncode == 2
    assert medtheca("inspect", cwd=folder).returncode == 2


def test_help_teaches(folder):
    done = medtheca("inspect", "--help", cwd=folder)
    assert done.returncode == 0
    assert all(words in done.stdout for words in ("Examples:", "Exit codes:", "--metadata", "Nothing is stored."))
