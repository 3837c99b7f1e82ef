"""`medtheca ingest` and `medtheca demo`, as people run them: in processes of their own, with no worker beside them."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from tests.factories.provenance import make_zip
from tests.generators import dicoms
from tests.generators.images import jpeg
from tests.plugins.server import fresh_database


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """Runs a command on an archive of its own; `variables` change its settings."""
    data = tmp_path_factory.mktemp("archive")
    with fresh_database() as (_, url):
        environment = os.environ | {"DATABASE_URL": url, "MEDTHECA_DATA": str(data), "MEDTHECA_DISK_RESERVE": "0"}

        def start(*arguments, **variables):
            return subprocess.Popen(
                [sys.executable, "-m", "medtheca", *map(str, arguments)],
                env=environment | variables,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )

        def run(*arguments, **variables):
            process = start(*arguments, **variables)
            stdout, stderr = process.communicate(timeout=120)
            assert "Traceback" not in stdout
            return process.returncode, stdout, stderr

        run.start = start
        run.data = data
        code, stdout, stderr = run("user", "create", "alice@example.org", "--random-password")
        assert code == 0, (stdout, stderr)
        yield run


def as_alice(*arguments, cohort):
    return ("ingest", *arguments, "--cohort", cohort, "--as", "alice@example.org")


@pytest.fixture
def folder(tmp_path):
    """Pictures in folders, one with a time that a ZIP cannot hold and one whose name is no UTF-8, a ZIP, a sheet."""
    photos = tmp_path / "photos"
    (photos / "left").mkdir(parents=True)
    (photos / "left" / "1.jpg").write_bytes(jpeg(seed=1))
    (photos / "left" / "Lu\u0308beck.jpg").write_bytes(jpeg(seed=2))
    (photos / "old.jpg").write_bytes(jpeg(seed=3))
    os.utime(photos / "old.jpg", (0, 0))
    (photos / "link.jpg").symlink_to("old.jpg")
    (photos / os.fsdecode(b"M\x81ller.jpg")).write_bytes(jpeg(seed=4))
    (photos / "more.zip").write_bytes(make_zip([("5.jpg", jpeg(seed=5)), (".DS_Store", b"x")]))
    (photos / "sheet.csv").write_text("filename,age,sex\n1,53,female\nL\u00fcbeck.jpg,40,male\nnobody.jpg,1,male\n")
    return photos


def test_a_folder_with_a_zip_and_a_sheet_goes_in_once(archive, folder):
    wanted = (
        *as_alice(folder, cohort="Clinic"),
        "--contributor",
        "Clinic",
        "--metadata",
        folder / "sheet.csv",
        "--json",
    )
    code, stdout, stderr = archive(*wanted)
    assert code == 0, (stdout, stderr)
    outcome = json.loads(stdout)
    assert stdout.count("\n") == 1
    assert outcome["counts"] == {"accepted": 5, "skipped": 1}
    assert outcome["complete"]
    assert sorted(v["path"] for v in outcome["verdicts"]) == sorted(
        [".DS_Store", "5.jpg", "left/1.jpg", "left/L\u00fcbeck.jpg", "M\ufffdller.jpg", "old.jpg"]
    )
    described = outcome["metadata"]
    assert (described["state"], described["matched"], described["unmatched"]) == ("applied", 2, ["nobody.jpg"])
    code, stdout, _ = archive(*wanted)
    again = json.loads(stdout)
    assert (code, again["counts"]) == (0, {"linked": 5, "skipped": 1})
    assert again["cohort"] == outcome["cohort"]
    assert not list((archive.data / "uploads").iterdir())


def test_what_is_refused_or_a_duplicate_is_told_and_ends_with_1(archive, tmp_path):
    paths = [tmp_path / name for name in ("a/1.jpg", "b/1.jpg", "text.jpg", "good.jpg", "good.csv")]
    for path, content in zip(
        paths, [jpeg(seed=6), jpeg(seed=7), b"Just words.", jpeg(seed=8), b"filename,age\ngood.jpg,old\n"], strict=True
    ):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    code, stdout, _ = archive(
        *as_alice(*paths[:4], tmp_path / "a" / ".." / "good.jpg", cohort="Second"),
        "--contributor",
        "Clinic",
        "--metadata",
        paths[4],
    )
    assert code == 1
    assert "2 accepted, 1 duplicate names, 1 refused." in stdout
    assert "text.jpg: " in stdout
    assert "line 2: " in stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--cohort", "None such", "--as", "alice@example.org"), "--contributor"),
        (("--cohort", "1", "--as", "nobody@example.org"), "nobody@example.org"),
        (("--cohort", "New", "--contributor", "Other", "--as", "alice@example.org", "--licence", "GPL"), "CC0-1.0"),
        (("--cohort", "New", "--contributor", "Other" * 60, "--as", "alice@example.org"), "255"),
        (("--cohort", "9" * 30, "--as", "alice@example.org"), "--contributor"),
        (("--as", "alice@example.org"), "--cohort"),
    ],
)
def test_wrong_usage_ends_with_2_and_says_what_is_wrong(arguments, told, archive, tmp_path):
    path = tmp_path / "1.jpg"
    path.write_bytes(jpeg())
    code, stdout, stderr = archive("ingest", path, *arguments, "--json")
    assert (code, stdout) == (2, "")
    assert told in stderr
    assert "Traceback" not in stderr


def test_jobs_that_fail_for_good_end_the_command_with_the_reason(archive, tmp_path):
    path = tmp_path / "1.jpg"
    path.write_bytes(jpeg(seed=20))
    broken = tmp_path / "broken"
    broken.mkdir()
    # Where the store should be, a file is.
    (broken / "blobs").write_text("")
    code, stdout, stderr = archive(
        *as_alice(path, cohort="Third"), "--contributor", "Clinic", "--json", MEDTHECA_DATA=str(broken)
    )
    assert code == 1, stderr
    outcome = json.loads(stdout)
    assert "receive.delivery has failed 3 times" in outcome["stopped"]
    assert "blobs" in outcome["stopped"]
    assert not outcome["complete"]


def test_an_interrupted_command_says_so_and_the_next_one_goes_on(archive, tmp_path):
    path = tmp_path / "many.zip"
    path.write_bytes(make_zip([(f"{n}.jpg", jpeg(size=(500, 400), seed=n)) for n in range(100)]))
    wanted = (*as_alice(path, cohort="Fourth"), "--contributor", "Clinic", "--json")
    process = archive.start(*wanted)
    blobs = archive.data / "blobs" / "sha256"
    before = sum(1 for _ in blobs.rglob("*"))
    until = time.monotonic() + 300
    while sum(1 for _ in blobs.rglob("*")) < before + 5:
        assert time.monotonic() < until
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=300)
    assert (process.returncode, stdout) == (130, "")
    assert "the same command again goes on" in stderr
    assert "Traceback" not in stderr
    code, stdout, stderr = archive(*wanted)
    assert code == 0, (stdout, stderr)
    counts = json.loads(stdout)["counts"]
    assert sum(counts.values()) == 100
    assert set(counts) <= {"accepted", "linked"}


def test_what_was_found_in_a_series_is_told_once(archive, tmp_path):
    """A slice is missing: the files are taken in, and the summary and the JSON say what was found."""
    folder = tmp_path / "scan"
    folder.mkdir()
    for place, data in enumerate(dicoms.series(dicoms.along([0, 3, 6, 9, 15, 18, 21, 24]))):
        (folder / f"{place}.dcm").write_bytes(data)
    wanted = as_alice(folder, cohort="Holes")
    code, stdout, stderr = archive(*wanted, "--contributor", "Radiology", "--licence", "CC0-1.0", "--json")
    assert code == 0, (stdout, stderr)
    assert all("missing" in verdict["note"] for verdict in json.loads(stdout)["verdicts"])
    code, stdout, _ = archive(*wanted)
    notes = [line for line in stdout.splitlines() if line.startswith("  Note on ")]
    assert notes
    assert all("missing" in line for line in notes)
    assert len(notes) < 8
