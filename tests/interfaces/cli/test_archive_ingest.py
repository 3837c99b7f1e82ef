"""`medtheca archive ingest`, `uploads`, `export`, as people run them: in processes of their own."""

import csv
import hashlib
import json
import os
import subprocess
import sys

import pytest

from tests.factories.provenance import make_zip
from tests.generators.images import jpeg
from tests.plugins.server import fresh_database


@pytest.fixture(scope="module")
def medtheca(tmp_path_factory):
    """Runs a command on an instance of its own, and gives its exit code, standard output and standard error."""
    data = tmp_path_factory.mktemp("instance")
    with fresh_database() as (_, url):
        environment = os.environ | {"DATABASE_URL": url, "MEDTHECA_DATA": str(data), "MEDTHECA_DISK_RESERVE": "0"}

        def run(*arguments, by="alice", exit_code=0):
            who = ("--as", f"{by}@example.org") if by else ()
            done = subprocess.run(
                [sys.executable, "-m", "medtheca", *map(str, arguments), *who],
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=180,
                check=False,
            )
            assert done.returncode == exit_code, (done.stdout, done.stderr)
            assert "Traceback" not in done.stdout + done.stderr
            return done.stdout, done.stderr

        for name in ("alice", "una", "vic", "olive"):
            run("user", "create", f"{name}@example.org", "--random-password", by=None)
        yield run


@pytest.fixture(scope="module")
def archive(medtheca, tmp_path_factory):
    """An archive with two patients in folders, of which the first has two images."""
    made, _ = medtheca("archive", "create", "Chest CT", "--new-contributor", "Clinic", "--json")
    slug = json.loads(made)["slug"]
    for name, role in (("una", "uploader"), ("vic", "user")):
        medtheca("archive", "add", slug, f"{name}@example.org", "--role", role)
    folder = tmp_path_factory.mktemp("patients")
    for path, seed in (("P1/a.jpg", 1), ("P1/b_second.jpg", 2), ("P2/a.jpg", 3)):
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_bytes(jpeg(seed=seed))
    medtheca("sockets", "define", "Second look", "IMG", "--archive", slug)
    where = ("--folder", "--where", "*_second*=second-look")
    out, _ = medtheca("archive", "ingest", slug, folder, *where, "--json", by="una")
    told = json.loads(out)
    assert (told["counts"], told["complete"], told["troubles"]) == ({"accepted": 3}, True, [])
    assert [one["title"] for one in told["items"]] == ["P1", "P2"]
    return slug


def items(medtheca, slug):
    return json.loads(medtheca("archive", "items", slug, "--json")[0])["items"]


def test_folders_become_items_by_the_rule_that_is_said(medtheca, archive):
    first, second = items(medtheca, archive)[:2]
    assert set(first["values"]) == {"generic-medical-image", "second-look"}
    assert (second["title"], set(second["values"])) == ("P2", {"generic-medical-image"})


def test_what_is_refused_is_told_and_the_rest_goes_in(medtheca, archive, tmp_path):
    (tmp_path / "more.zip").write_bytes(make_zip([("x.jpg", jpeg(seed=8)), ("y.jpg", b"\xff\xd8 no picture")]))
    out, _ = medtheca("archive", "ingest", archive, tmp_path / "more.zip", by="una", exit_code=1)
    assert out.startswith(f"Archive {archive}: 1 accepted, 1 refused.")
    assert "y.jpg: " in out
    assert "They are in 1 item: item 3." in out
    listed = json.loads(medtheca("archive", "uploads", archive, "--json", by="una")[0])
    assert [(one["state"], one["images"], one["by"]) for one in listed] == [
        ("done", 1, "una@example.org"),
        ("done", 3, "una@example.org"),
    ]
    out, err = medtheca("archive", "uploads", archive, listed[0]["id"])
    assert {line.split("\t")[1] for line in out.splitlines()} == {"accepted", "refused"}
    assert "done: 1 image." in err
    assert "Only editors and uploaders" in medtheca("archive", "uploads", archive, by="vic", exit_code=1)[1]


def test_wrong_use_begins_nothing(medtheca, archive, tmp_path):
    (tmp_path / "x.jpg").write_bytes(jpeg(seed=9))
    path = tmp_path / "x.jpg"
    before = medtheca("archive", "uploads", archive)[0]

    def refused(*words, by="una"):
        return medtheca("archive", "ingest", archive, path, *words, by=by, exit_code=2)[1]

    assert "no socket lungs for images" in refused("--socket", "lungs")
    assert "has no star" in refused("--pattern", "t1")
    assert "not by both" in refused("--folder", "--pattern", "*_t1")
    assert "--depth goes with" in refused("--depth", "1")
    assert "is no GLOB=SLUG" in refused("--where", "mask")
    assert "Only editors and uploaders" in refused(by="vic")
    assert "no such archive" in refused(by="olive")
    assert medtheca("archive", "uploads", archive)[0] == before


def test_values_and_files_are_taken_away(medtheca, archive, tmp_path):
    out, _ = medtheca("archive", "export", archive, "--query", "title:P", "--sort", "-title", by="vic")
    assert [line.split(",")[:2][-1] for line in out.splitlines()] == ["title", "P2", "P1"]
    folder = tmp_path / "taken"
    export = ("archive", "export", archive, "--images", folder, "--query", "title:P")
    told = json.loads(medtheca(*export, "--json", by="vic")[0])
    assert (told["files"], told["written"], told["there"], told["failed"]) == (3, 3, 0, [])
    rows = list(csv.DictReader((folder / "manifest.csv").open()))
    assert {row["path"] for row in rows} == {
        "00001-P1/generic-medical-image.jpg",
        "00001-P1/second-look.jpg",
        "00002-P2/generic-medical-image.jpg",
    }
    for row in rows:
        assert hashlib.sha256((folder / row["path"]).read_bytes()).hexdigest() == row["sha256"]
    # One went missing, and of one bytes were changed, as long as before.
    (folder / "00001-P1/second-look.jpg").unlink()
    changed = folder / "00002-P2/generic-medical-image.jpg"
    changed.write_bytes(bytes(changed.stat().st_size))
    _, err = medtheca(*export, by="vic")
    assert "2 written, 1 were there" in err
    assert all(hashlib.sha256((folder / row["path"]).read_bytes()).hexdigest() == row["sha256"] for row in rows)
    assert "no such archive" in medtheca(*export, by="olive", exit_code=1)[1]
    assert "--json goes with --images" in medtheca("archive", "export", archive, "--json", exit_code=2)[1]


def test_who_may_only_look_takes_nothing_away(medtheca, archive, tmp_path):
    made, _ = medtheca("archive", "create", "Only to look", "--contributor", "Clinic", "--no-downloads", "--json")
    slug = json.loads(made)["slug"]
    medtheca("archive", "add", slug, "vic@example.org")
    assert "take nothing away" in medtheca("archive", "export", slug, by="vic", exit_code=1)[1]
    assert "take nothing away" in medtheca("archive", "export", slug, "--images", tmp_path, by="vic", exit_code=1)[1]
    assert medtheca("archive", "export", slug)[0] == "id,title\n"
