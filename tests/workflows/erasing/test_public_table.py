"""The file of public metadata names nobody who was erased, wherever a copy of it may lie."""

import duckdb
import psycopg
import pytest

from medtheca.domains.downloads import public_table
from medtheca.domains.downloads.models import PublicTable
from medtheca.domains.downloads.public_table import published_table, refresh_public_table
from medtheca.domains.provenance.models import Accession
from medtheca.workflows.backup.writing import write_backup
from medtheca.workflows.erase import running
from tests.factories.provenance import run_jobs
from tests.workflows.test_backup import empty_database, medtheca

pytestmark = pytest.mark.django_db(transaction=True)


def told_in(folder):
    """Ids of images and patients in each Parquet file that lies anywhere in a folder."""
    tables = [path for path in folder.rglob("*") if path.is_file() and path.read_bytes()[:4] == b"PAR1"]
    return [
        {
            value
            for row in duckdb.sql(f"SELECT isic_id, patient_id FROM read_parquet('{path}')").fetchall()
            for value in row
        }
        for path in tables
    ]


@pytest.fixture
def erased(archive):
    """What may stand in no file after the erasure."""
    ids = Accession.objects.filter(patient=archive.patient).values_list("image__public_id", flat=True)
    return {*ids, archive.patient.public_id}


def test_the_file_and_older_ones_go_with_the_patient(archive, erased):
    assert refresh_public_table() == "made"
    PublicTable.objects.update(layout="an older one")
    assert erased & told_in(archive.data)[0]
    Accession.objects.exclude(patient=archive.patient).update(attribution="Somebody else")
    assert refresh_public_table() == "made"
    assert len(told_in(archive.data)) == 2
    archive.erase()
    run_jobs()
    assert told_in(archive.data) == []
    assert refresh_public_table() == "made"
    (told,) = told_in(archive.data)
    assert (len(told & erased), published_table().images) == (0, 2)


def test_an_erasure_that_overtakes_the_job_leaves_nothing_of_it(archive, erased, monkeypatch):
    """It begins after the snapshot, and is done before the file is stored."""
    make, erasures = public_table._make, []

    def slow():
        made = make()
        if not erasures:
            erasures.append(archive.erase())
            run_jobs()
        return made

    monkeypatch.setattr(public_table, "_make", slow)
    assert refresh_public_table() == "made"
    erasures[0].refresh_from_db()
    assert erasures[0].state == "done"
    (told,) = told_in(archive.data)
    assert (len(told & erased), published_table().images) == (0, 2)


@pytest.mark.parametrize("cut_off", [False, True])
def test_a_backup_is_restored_without_the_rows(archive, erased, tmp_path, monkeypatch, cut_off):
    """Also one that was made when the rows of the erasure were gone, and its bytes were not."""

    def die(**_):
        raise KeyboardInterrupt

    (archive.data / "secret.key").write_text("the key of this archive, long enough to sign with")
    refresh_public_table()
    if cut_off:
        erasure = archive.erase()
        with monkeypatch.context() as patched:
            patched.setattr(running, "erase_bytes", die)
            with pytest.raises(KeyboardInterrupt):
                running.erase_patient(erasure_id=erasure.pk)
    write_backup(folder=tmp_path / "backup")
    assert erased & told_in(tmp_path / "backup")[0]
    if not cut_off:
        archive.erase()
    run_jobs()
    data = tmp_path / "restored"
    with empty_database() as url:
        done = medtheca("restore", tmp_path / "backup", "--json", data=data, url=url)
        assert done.returncode == 0, done.stdout + done.stderr
        with psycopg.connect(url) as database:
            assert database.execute("SELECT count(*) FROM downloads_publictable").fetchone() == (0,)
    assert told_in(data) == []
