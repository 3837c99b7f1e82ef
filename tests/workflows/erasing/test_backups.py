"""Backups are known to hold the patient, and what is restored from them is rid of the patient before it serves."""

import json
import shutil

import psycopg
import pytest

from medtheca.workflows.backup.known import known_backups
from medtheca.workflows.backup.lists import entries_in
from medtheca.workflows.backup.writing import write_backup
from tests.factories.provenance import run_jobs
from tests.workflows.erasing.archive import PATIENT, dump_of, marks_in, marks_in_folder
from tests.workflows.test_backup import empty_database, medtheca

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_list_beside_the_database_names_nobody(archive):
    erasure = archive.erase()
    run_jobs()
    (path,) = (archive.data / "erasures").iterdir()
    assert marks_in(path.read_text()) == []
    assert entries_in(archive.data / "erasures")[str(erasure.pk)].patient == archive.patient.public_id


def test_a_backup_is_listed_as_holding_the_patient(archive, tmp_path):
    write_backup(folder=tmp_path / "backup")
    erasure = archive.erase()
    run_jobs()
    erasure.refresh_from_db()
    (listed,) = erasure.receipt["backups"]
    assert listed["holds"] == "yes"
    assert (tmp_path / "backup" / "erasures" / f"{erasure.pk}.json").exists()
    write_backup(folder=tmp_path / "backup")
    assert len(known_backups()) == 2


def test_an_older_backup_is_restored_without_the_patient(archive, tmp_path):
    """As an administrator does it, on the command line, in an empty database and data folder."""
    (archive.data / "secret.key").write_text("the key of this archive, long enough to sign with")
    write_backup(folder=tmp_path / "backup")
    erasure = archive.erase()
    run_jobs()
    data = tmp_path / "restored"
    with empty_database() as url:
        done = medtheca("restore", tmp_path / "backup", "--json", data=data, url=url)
        assert done.returncode == 0, done.stdout + done.stderr
        told = json.loads(done.stdout)
        assert [(again["patient"], again["images"]) for again in told["erased_again"]] == [
            (archive.patient.public_id, 3)
        ]
        assert told["erasures_as_of"] is not None
        found = marks_in(dump_of(url, tmp_path))
        check = medtheca("check", "--deep", "--seal", data=data, url=url)
        assert check.returncode == 0, check.stdout
        with psycopg.connect(url) as database:
            ids = {row[0] for row in database.execute("SELECT public_id FROM storage_erasedid")}
            ((state, replayed, removed),) = database.execute(
                "SELECT state, replayed IS NOT NULL, receipt->'removed'->>'images' FROM provenance_erasure"
            )
    assert found == []
    assert marks_in_folder(data) == {}
    assert archive.patient.public_id in ids
    assert (state, replayed, removed) == ("done", True, "3")
    assert (data / "erasures" / f"{erasure.pk}.json").exists()


def test_a_list_that_is_older_than_told_is_refused(archive, tmp_path):
    write_backup(folder=tmp_path / "backup")
    with empty_database() as url:
        done = medtheca(
            "restore", tmp_path / "backup", "--erasures-as-of", "2999-01-01", data=tmp_path / "new", url=url
        )
        assert done.returncode == 1
        assert "The erasures that can be found are known until" in done.stderr
        with psycopg.connect(url) as database:
            assert database.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone() == (0,)


def test_a_database_restored_by_other_means_is_rid_of_the_patient_by_the_list_in_the_data_folder(archive, tmp_path):
    """The database was put back by its administrator; the data folder still has its list of erasures."""
    (archive.data / "secret.key").write_text("the key of this archive, long enough to sign with")
    write_backup(folder=tmp_path / "backup")
    archive.erase()
    run_jobs()
    data, kept = tmp_path / "restored", tmp_path / "kept"
    shutil.copytree(archive.data / "erasures", kept)
    shutil.rmtree(tmp_path / "backup" / "erasures")
    with empty_database() as url:
        assert medtheca("restore", tmp_path / "backup", data=data, url=url).returncode == 0
        assert PATIENT in dump_of(url, tmp_path)
        shutil.copytree(kept, data / "erasures", dirs_exist_ok=True)
        done = medtheca("erase", "pending", "--json", data=data, url=url)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["erased_again"][0]["images"] == 3
        assert marks_in(dump_of(url, tmp_path)) == []
        assert json.loads(medtheca("erase", "pending", "--json", data=data, url=url).stdout) == {"erased_again": []}
    assert marks_in_folder(data) == {}
