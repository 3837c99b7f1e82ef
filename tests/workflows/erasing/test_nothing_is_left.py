"""Nothing is found of an erased patient, wherever one looks."""

import json
import threading
from contextlib import contextmanager

import psycopg
import pytest
from django.db import connection, transaction
from procrastinate.contrib.django.models import ProcrastinateJob

from medtheca.base.errors import Conflict
from medtheca.domains.accounts.models import DataExport
from medtheca.domains.accounts.taking import finish_export, request_export
from medtheca.domains.imaging.models import ImageFile
from medtheca.domains.metadata.models import MetadataFile, SheetEdit
from medtheca.domains.provenance.models import Accession, Delivery, Patient
from medtheca.domains.provenance.versions import begin_version
from medtheca.domains.storage.operations import keeping_blobs, store_blobs
from medtheca.domains.storage.queries import blob_store
from medtheca.domains.storage.uploads import part_path
from medtheca.workflows.describe import give_metadata
from medtheca.workflows.describing.reading import read_blob
from medtheca.workflows.erase import cleaning, samples
from medtheca.workflows.erase.running import erase_patient
from medtheca.workflows.receive import acknowledge_bytes
from medtheca.workflows.replace import begin_replacement
from tests.factories.provenance import make_zip, run_jobs
from tests.factories.storage import sha256_of
from tests.plugins.database import session_database
from tests.workflows.erasing.archive import (
    FOLDER,
    LESION,
    NAME,
    PATIENT,
    WORDS,
    dump,
    marks_in,
    marks_in_folder,
    photograph,
    sheet_row_of,
    store,
    workbook,
)

pytestmark = pytest.mark.django_db(transaction=True)


def test_marks_are_found_before(archive, tmp_path):
    """The search itself must be able to find."""
    assert {PATIENT, LESION, FOLDER, NAME, "FREEMARK", "REASONMARK"} <= set(marks_in(dump(tmp_path)))
    assert "EXIFMARK" in {mark for marks in marks_in_folder(archive.data).values() for mark in marks}


def test_nothing_is_left_of_the_patient(archive, tmp_path):
    mine = list(Accession.objects.filter(patient=archive.patient).select_related("image"))
    keys = [str(row.image.key) for row in mine]
    pixels = [row.image.pixel_hash for row in mine]
    files = list(
        ImageFile.objects.filter(image__in=[row.image_id for row in mine]).values_list("blob__sha256", flat=True)
    )
    erasure = archive.erase()
    run_jobs()
    erasure.refresh_from_db()
    assert (erasure.state, erasure.trouble, erasure.plan) == ("done", "", {})
    text = dump(tmp_path)
    assert marks_in(text) == []
    assert [word for word in [*keys, *pixels, *files, sha256_of(archive.container)] if word in text] == []
    assert marks_in_folder(archive.data) == {}
    for data in [*archive.mine, archive.container]:
        assert not blob_store().exists(sha256_of(data))
    assert "and a line that stays" in (archive.data / "logs" / "web.log").read_text()


def test_the_database_s_own_files_hold_nothing(archive):
    """Neither dead rows, nor samples for the planner, nor the write-ahead log."""
    folder = session_database.folder / "database"
    assert marks_in_folder(folder) != {}
    archive.erase()
    run_jobs()
    assert {_relation(path): marks for path, marks in marks_in_folder(folder).items()} == {}


@pytest.mark.parametrize("version", [18, 17])
def test_samples_of_tables_that_become_empty_are_forgotten(archive, monkeypatch, version):
    """PostgreSQL leaves them: it finds nothing to put in their place.

    What is done on older servers works on newer ones as well, so that here it is done for real on whichever there is.
    """
    version = min(version, samples.server_major())
    monkeypatch.setattr(samples, "server_major", lambda: version)
    try:
        with connection.cursor() as cursor:
            cursor.execute('CREATE TABLE ward (patient varchar(40), note text COLLATE "C")')
            cursor.execute("CREATE INDEX ward_note ON ward (upper(note))")
            cursor.execute("INSERT INTO ward SELECT %s, %s || n %% 2 FROM generate_series(1, 100) n", [PATIENT, NAME])
            cursor.execute("ANALYZE")
            assert _sampled(cursor) >= {"ward", "ward_note", "provenance_accession"}
            before = _columns(cursor)
            cursor.execute("DELETE FROM ward")
        archive.erase()
        run_jobs()
        with connection.cursor() as cursor:
            assert not _sampled(cursor)
            assert _columns(cursor) == before
        assert marks_in_folder(session_database.folder / "database") == {}
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE IF EXISTS ward")


def test_a_table_that_is_in_use_keeps_its_samples_and_is_named(monkeypatch):
    """Of servers before PostgreSQL 18, which have to lock it."""
    monkeypatch.setattr(samples, "server_major", lambda: 17)
    monkeypatch.setattr(samples, "_PATIENCE", "100ms")
    try:
        with connection.cursor() as cursor:
            cursor.execute("CREATE TABLE ward (patient varchar(40))")
            cursor.execute("INSERT INTO ward SELECT %s FROM generate_series(1, 100)", [PATIENT])
            cursor.execute("ANALYZE ward")
            cursor.execute("DELETE FROM ward")
            with _reader() as session:
                session.execute("SELECT FROM ward")
                with pytest.raises(Conflict, match=r"in use: .* column patient"):
                    samples.forget_samples_of_empty_tables()
            samples.forget_samples_of_empty_tables()
            assert not _sampled(cursor)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE IF EXISTS ward")


def _sampled(cursor):
    """Tables and indexes of which the planner remembers values of the patient's."""
    cursor.execute("SELECT tablename, concat(most_common_vals, histogram_bounds) FROM pg_stats")
    return {table for table, values in cursor.fetchall() if marks_in(values)}


def _columns(cursor):
    """All columns with their types and collations."""
    cursor.execute(
        "SELECT attrelid::regclass::text, attname, format_type(atttypid, atttypmod), attcollation, attnotnull"
        " FROM pg_attribute WHERE attnum > 0 AND NOT attisdropped"
        " AND attrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace) ORDER BY 1, 2"
    )
    return cursor.fetchall()


@contextmanager
def _reader():
    """A session that reads as things were when it began."""
    settings = connection.settings_dict
    parameters = {name: settings[name.upper()] for name in ("user", "password", "host", "port")}
    with psycopg.connect(dbname=settings["NAME"], application_name="a reader", **parameters) as session:
        session.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        session.execute("SELECT FROM provenance_patient")
        yield session


def test_who_still_reads_what_was_erased_is_waited_for(archive):
    """Rewriting a table copies the dead rows that somebody may still see."""
    folder = session_database.folder / "database"
    with _reader() as session:
        archive.erase()
        threading.Timer(5, session.rollback).start()
        run_jobs()
    assert {_relation(path): marks for path, marks in marks_in_folder(folder).items()} == {}


def test_an_erasure_is_not_done_while_somebody_reads_on(archive, monkeypatch):
    folder = session_database.folder / "database"
    with _reader(), monkeypatch.context() as patch:
        patch.setattr(cleaning, "_SECONDS_FOR_READERS", 0.5)
        erasure = archive.erase()
        with pytest.raises(Conflict):
            run_jobs()
        erasure.refresh_from_db()
        assert erasure.state == "erasing"
        assert "a reader" in erasure.trouble
        assert marks_in_folder(folder) != {}
    erase_patient(erasure_id=erasure.pk)
    erasure.refresh_from_db()
    assert (erasure.state, erasure.trouble) == ("done", "")
    assert marks_in_folder(folder) == {}


def _relation(path):
    """What the database keeps in a file, which its number does not tell."""
    number = path.rpartition("/")[2].split(".")[0]
    if not number.isdecimal():
        return path
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_filenode_relation(0, %s)::regclass::text", [int(number)])
        return f"{cursor.fetchone()[0]} in {path}"


def test_a_workbook_is_cut_too(archive):
    rows = [
        ["filename", "patient_id", "ward"],
        [f"{NAME}_0.jpg", PATIENT, "FREEMARK"],
        ["other_0.jpg", "PAT-OTHER-2", "x"],
    ]
    give_metadata(user=archive.alice, cohort_id=archive.cohort.pk, name="values.xlsx", data=workbook(rows))
    run_jobs()
    archive.erase()
    run_jobs()
    sheet = MetadataFile.objects.get(name="values.xlsx.csv")
    assert read_blob(sheet.blob.sha256).rows == (("other_0.jpg", "PAT-OTHER-2", "x"),)
    assert read_blob(sheet.blob.sha256).lines == (3,)


def test_a_spreadsheet_of_the_patient_alone_keeps_no_name(archive, tmp_path):
    lines = ["filename,sex", f"{NAME}_0.jpg,female", f"{NAME}_1.jpg,female"]
    give_metadata(
        user=archive.alice,
        cohort_id=archive.cohort.pk,
        name="Mrs LOGMARK.csv",
        data="\n".join(lines).encode(),
        reason="Described anew.",
    )
    run_jobs()
    assert MetadataFile.objects.filter(name="Mrs LOGMARK.csv").exists()
    archive.erase()
    run_jobs()
    assert sorted(MetadataFile.objects.values_list("name", flat=True)) == ["erased.csv", "values.csv"]
    assert marks_in(dump(tmp_path)) == []


def test_copies_that_people_took_or_tried_go_too(archive):
    export = request_export(user=archive.alice)
    finish_export(export=export, content=make_zip([("uploads.json", f'["{NAME}_0.jpg"]'.encode())]))
    kept = request_export(user=archive.bob)
    finish_export(export=kept, content=make_zip([("uploads.json", b"[]")]))
    archive.erase()
    run_jobs()
    assert list(DataExport.objects.values_list("pk", flat=True)) == [kept.pk]


def test_a_replaced_file_goes_with_all_its_versions(archive):
    accession = Accession.objects.filter(patient=archive.patient).first()
    with keeping_blobs():
        blob = store_blobs([blob_store().stage([b"EXIFMARK of the second version"])])
        version = begin_version(
            accession=accession,
            kind="replacement",
            creator=archive.alice,
            reason=WORDS,
            name=f"{NAME}_second.jpg",
            original=next(iter(blob.values())),
        )
    assert version.number == 2
    erasure = archive.erase()
    run_jobs()
    erasure.refresh_from_db()
    assert erasure.receipt["removed"]["versions of files"] == 2
    assert marks_in_folder(archive.data) == {}


def test_what_was_to_replace_an_image_of_the_patient_goes_too(archive):
    """Half an upload would hold the work up for days; a whole one would come back as an image of nobody."""
    accession, other = Accession.objects.filter(patient=archive.patient).order_by("pk")[:2]
    image = photograph(77, secret="EXIFMARK")
    uploads = []
    for target, sent in ((accession, len(image)), (other, 100)):
        upload = begin_replacement(
            user=archive.alice, accession_id=target.pk, filename=f"{NAME}_new.jpg", size=len(image), reason=WORDS
        )
        part_path(upload.pk).write_bytes(image[:sent])
        with transaction.atomic():
            acknowledge_bytes(upload=upload, begun_at=0, offset=sent)
        uploads.append(upload.pk)
    ProcrastinateJob.objects.filter(task_name="replace.accession").update(priority=-99)
    erasure = archive.erase()
    run_jobs()
    erasure.refresh_from_db()
    assert erasure.state == "done"
    assert set(Delivery.objects.filter(pk__in=uploads).values_list("state", flat=True)) == {"refused"}
    assert not Accession.objects.filter(cohort=archive.cohort, name__startswith=NAME).exists()
    assert marks_in_folder(archive.data) == {}


def test_sheets_forget_the_patient_in_every_corner_readable_or_not(archive):
    short, first = "P7", Accession.objects.filter(patient=archive.patient).first()
    Patient.objects.filter(pk=archive.patient.pk).update(private_id=short)
    blob = next(iter(store(b"PK\x03\x04 a workbook under a password")))
    other = Accession.objects.exclude(patient=archive.patient).first()
    sheet = MetadataFile.objects.create(
        cohort=archive.cohort,
        creator=archive.alice,
        name="locked.xlsx",
        blob=blob,
        state="invalid",
        matches={"IMG 12": first.pk, "IMG 13": other.pk, "IMG 14": None},
        report={
            "columns": [{"column": "patient", "name": "patient_id", "examples": [short, "PAT-OTHER-2"]}],
            "unmatched": ["IMG 12", "IMG 15"],
            "unmatched_rows": [
                {"name": "x", "line": 3, "candidates": [{"accession": first.pk, "name": "short.jpg"}]},
                {"name": "IMG 15", "line": 4, "candidates": [{"accession": other.pk, "name": "other_0.jpg"}]},
            ],
            "problems": [{"line": 3, "file": "IMG 12", "value": short, "message": f"'{short}' is odd."}],
        },
    )
    SheetEdit.objects.create(file=sheet, line=9, column="patient", value=short, by=archive.alice)
    SheetEdit.objects.create(file=sheet, line=4, column="patient", value="PAT-OTHER-2", by=archive.alice)
    archive.erase()
    run_jobs()
    sheet.refresh_from_db()
    told = json.dumps([sheet.report, sheet.matches])
    assert short not in told
    assert "IMG 12" not in told
    assert "short.jpg" not in told
    assert sheet.report.get("unmatched_rows", []) in ([], [sheet_row_of(other)])
    assert str(first.pk) not in sheet.matches.values()
    assert not SheetEdit.objects.filter(value=short).exists()
    check = blob_store().path(sheet.blob.sha256).read_bytes()
    assert b"password" not in check
