"""`medtheca metadata`, as people run it: in processes of its own, with no worker beside it."""

import json
import os
import subprocess
import sys

import pytest

from tests.factories.provenance import make_zip
from tests.generators.images import jpeg
from tests.plugins.server import fresh_database

ALICE = ("--as", "alice@example.org")


@pytest.fixture(scope="module")
def medtheca(tmp_path_factory):
    """Runs a command on an archive with the images a.jpg and b.jpg in the cohort Clinic."""
    data = tmp_path_factory.mktemp("archive")
    with fresh_database() as (_, url):
        environment = os.environ | {"DATABASE_URL": url, "MEDTHECA_DATA": str(data), "MEDTHECA_DISK_RESERVE": "0"}

        def run(*arguments, **variables):
            done = subprocess.run(
                [sys.executable, "-m", "medtheca", *map(str, arguments)],
                env=environment | variables,
                capture_output=True,
                text=True,
                timeout=180,
                check=False,
            )
            assert "Traceback" not in done.stderr, done.stderr
            return done.returncode, done.stdout, done.stderr

        archive = data / "images.zip"
        archive.write_bytes(make_zip([("a.jpg", jpeg(seed=1)), ("b.jpg", jpeg(seed=2))]))
        assert run("user", "create", "alice@example.org", "--random-password")[0] == 0
        done = run("ingest", archive, "--cohort", "Clinic", "--contributor", "Clinic", *ALICE)
        assert done[0] == 0, done
        yield run


def test_a_sheet_from_check_to_undo(medtheca, tmp_path):
    sheet, mend = tmp_path / "sheet.csv", tmp_path / "mend.csv"
    sheet.write_text("filename;sexe;age\na;femal;53\nb;male;1,5\nnobody;male;3\n")
    code, out, _ = medtheca(
        "metadata", "check", sheet, "--cohort", "Clinic", "--map", "sexe=sex", "--errors", mend, *ALICE
    )
    assert code == 1
    assert "2 errors. Nothing was changed." in out
    assert "sexe, 1 times (line 2)" in out
    assert "nobody" in out
    assert "medtheca_errors" in mend.read_text(encoding="utf-8-sig")
    sheet.write_text("filename;sex;age\na;female;53\nb;male;15\n")
    code, out, err = medtheca("metadata", "check", sheet, "--cohort", "Clinic", "--json", *ALICE)
    assert code == 0, err
    found = json.loads(out)
    assert (found["state"], found["report"]["changing"]) == ("ready", 2)
    code, out, _ = medtheca("metadata", "apply", found["id"], *ALICE)
    assert (code, "2 images have new values" in out) == (0, True)
    code, _, err = medtheca("metadata", "apply", found["id"], *ALICE)
    assert (code, "applied" in err) == (2, True)
    code, out, _ = medtheca("metadata", "undo", found["id"], "--json", *ALICE)
    assert (code, json.loads(out)["report"]["undone"]) == (0, 2)


@pytest.mark.parametrize(
    "arguments",
    [
        ("apply", "999999", *ALICE),
        ("check", __file__, "--cohort", "Clinic", "--map", "nonsense", *ALICE),
        ("check", __file__, "--cohort", "Clinic", "--recipe", "isic2071", *ALICE),
        ("check", __file__, "--cohort", "Clinic", "--as", "nobody@example.org"),
    ],
)
def test_what_cannot_be_begun_ends_in_two_with_a_reason(arguments, medtheca):
    code, out, err = medtheca("metadata", *arguments)
    assert (code, out) == (2, "")
    assert "Error: " in err


def test_template_and_dictionary_need_no_archive(medtheca, tmp_path):
    nowhere = {"DATABASE_URL": "", "MEDTHECA_DATA": str(tmp_path / "none")}
    code, out, _ = medtheca("metadata", "template", **nowhere)
    assert (code, out.splitlines()[0].split(",")[:2]) == (0, ["filename", "age"])
    code, out, _ = medtheca("metadata", "dictionary", "diagnosis", "--json", **nowhere)
    (field,) = json.loads(out)
    assert (code, field["name"], len(field["terms"]) > 400) == (0, "diagnosis", True)
    assert not (tmp_path / "none" / "database").exists()
    assert medtheca("metadata", "dictionary", "diagnosys", **nowhere)[0] == 2
