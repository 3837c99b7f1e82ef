"""A patient is erased: nothing is found of them afterwards, wherever one looks, and others lose nothing."""

import io
import json
import shutil
import subprocess

import psycopg
import pytest
from django.db import transaction
from PIL import Image as Picture
from procrastinate.contrib.django.models import ProcrastinateJob

from medtheca.base.errors import Conflict, Erased, Invalid, NotAllowed, NotFound
from medtheca.domains.access.queries import ANYBODY
from medtheca.domains.access.serving import find_served_image
from medtheca.domains.accounts.models import DataExport
from medtheca.domains.accounts.taking import finish_export, request_export
from medtheca.domains.imaging.models import Image, ImageFile
from medtheca.domains.ledger.models import Event
from medtheca.domains.ledger.notifying import notify
from medtheca.domains.ledger.operations import seal_events
from medtheca.domains.metadata.models import MetadataFile, SheetEdit
from medtheca.domains.provenance.erasing import (
    confirm_erasure,
    decline_erasure,
    erasure_for,
    erasures_for,
    may_confirm,
    request_erasure,
)
from medtheca.domains.provenance.models import Accession, Delivery, Erasure, Lesion, Patient
from medtheca.domains.provenance.patients import patient_for
from medtheca.domains.provenance.publication import decide_publication, request_publication
from medtheca.domains.provenance.reviewing import record_reviews
from medtheca.domains.provenance.versions import begin_version
from medtheca.domains.search.queries import image_for
from medtheca.domains.storage.models import ErasedId
from medtheca.domains.storage.operations import keeping_blobs, store_blobs
from medtheca.domains.storage.queries import blob_store
from medtheca.domains.storage.uploads import part_path
from medtheca.workflows.backup.known import known_backups
from medtheca.workflows.backup.lists import entries_in
from medtheca.workflows.backup.programs import find_program, run_program, server_major
from medtheca.workflows.backup.writing import write_backup
from medtheca.workflows.checking import Look, check_archive
from medtheca.workflows.describe import give_metadata
from medtheca.workflows.describing.reading import read_blob
from medtheca.workflows.erase import running
from medtheca.workflows.erase.previewing import preview_erasure
from medtheca.workflows.publish import withdraw
from medtheca.workflows.receive import acknowledge_bytes
from medtheca.workflows.replace import begin_replacement
from tests.factories.accounts import make_user
from tests.factories.provenance import deliver, make_cohort, make_zip, run_jobs
from tests.factories.storage import make_wide_scopes, sha256_of, use_data_folder
from tests.plugins.database import session_database
from tests.workflows.test_backup import empty_database, medtheca

pytestmark = pytest.mark.django_db(transaction=True)

PATIENT, LESION, FOLDER, NAME = "PATMARK-0001", "LESMARK-0001", "PATHMARK-77", "NAMEMARK"
MARKS = (PATIENT, LESION, FOLDER, NAME, "EXIFMARK", "FREEMARK", "REASONMARK", "LOGMARK")
WORDS = "The label reads REASONMARK."


def photograph(seed, *, secret=""):
    data = io.BytesIO()
    exif = Picture.Exif()
    if secret:
        exif[270] = f"Taken of {secret}"
    Picture.effect_noise((48, 36), 40 + seed).convert("RGB").save(data, "JPEG", exif=exif)
    return data.getvalue()


class Archive:
    """Alice's cohort with three images of one patient and two of another, published, one of the three withdrawn."""

    def __init__(self, data):
        self.data = data
        self.alice, self.bob, self.sam = make_user("alice"), make_user("bob"), make_user("sam")
        self.other_staff = make_user("susan", staff=True)
        self.cohort = make_cohort(self.alice)
        self.mine = [photograph(number, secret="EXIFMARK") for number in range(3)]
        self.others = [photograph(number) for number in range(10, 12)]
        packed = [(f"{FOLDER}/{NAME}_{number}.jpg", image) for number, image in enumerate(self.mine)]
        packed += [(f"ward/other_{number}.jpg", image) for number, image in enumerate(self.others)]
        self.container = make_zip(packed)
        deliver(self.alice, self.cohort, self.container, filename="all.zip")
        # The same file once more, by itself: its upload is named after it.
        deliver(self.alice, self.cohort, self.mine[0], filename=f"{NAME}_0.jpg")
        run_jobs()
        self.describe()
        self.publish()

    def describe(self):
        lines = ["filename;patient_id;lesion_id;sex;ward"]
        lines += [f"{NAME}_{number}.jpg;{PATIENT};{LESION};female;FREEMARK ward" for number in range(3)]
        lines += [f"other_{number}.jpg;PAT-OTHER-2;;male;seven" for number in range(2)]
        give_metadata(
            user=self.alice, cohort_id=self.cohort.pk, name="values.csv", data="\r\n".join(lines).encode() + b"\r\n"
        )
        run_jobs()
        self.patient = Patient.objects.get(private_id=PATIENT)

    def publish(self):
        for mine, reason in ((True, WORDS), (False, "")):
            rows = Accession.objects.filter(patient__private_id=PATIENT) if mine else Accession.objects.all()
            record_reviews(
                accession_ids=rows.values_list("pk", flat=True),
                reviewer=self.sam if mine else self.other_staff,
                decision="accepted",
                reason=reason,
            )
        request = request_publication(cohort=self.cohort, requester=self.alice, visibility="public")
        decide_publication(request_id=request.pk, staff=self.sam, accept=True)
        run_jobs()
        last = Accession.objects.filter(patient=self.patient).last()
        withdraw(user=self.alice, image_ref=last.image.public_id, reason=WORDS)
        notify(
            recipient_ids=[self.alice.pk], kind="review.outcome", words="Seen.", url=f"/images/{last.image.public_id}/"
        )
        seal()

    def erase(self, **changes):
        asked = request_erasure(
            user=self.alice, patient_public_id=self.patient.public_id, **{"reason": "patient", **changes}
        )
        return confirm_erasure(user=self.sam, erasure_id=asked.pk, typed=self.patient.public_id)


def seal():
    while seal_events():
        pass


@pytest.fixture
def archive(settings, tmp_path):
    data = use_data_folder(settings, tmp_path / "data", secret_key="")
    make_wide_scopes()
    (data / "logs").mkdir()
    (data / "logs" / "web.log").write_text(f"2026 INFO something about {NAME}_1.jpg\nand a line that stays\n")
    yield Archive(data)
    blob_store.cache_clear()


def dump(tmp_path):
    """Everything in the database as SQL, but for the queue's finished jobs, which are Procrastinate's."""
    path = tmp_path / "dump.sql"
    run_program(find_program("pg_dump", server=server_major()), ["--format=plain", "--inserts", f"--file={path}"])
    return path.read_text()


def marks_in(text):
    return sorted(mark for mark in MARKS if mark in text)


def marks_in_folder(folder):
    found = {}
    for path in folder.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            if marks := sorted(mark for mark in MARKS if mark.encode() in data) or [
                mark for mark in MARKS if mark in path.name
            ]:
                found[str(path.relative_to(folder))] = marks
    return found


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
    print(
        [
            line[:200]
            for line in text.splitlines()
            for word in [*keys, *pixels, *files, sha256_of(archive.container)]
            if word in line
        ]
    )
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
    assert marks_in_folder(folder) == {}


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


def workbook(rows):
    """A workbook of one sheet, as small as they come: text in the cells themselves."""
    names = {
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Override PartName="/xl/workbook.xml" ContentType='
        '"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>'
        '<Override PartName="/xl/worksheets/sheet1.xml" ContentType='
        '"application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>',
        "_rels/.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        '<Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"'
        ' Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
        ' xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
        '<sheets><sheet name="one" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        '<Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet"'
        ' Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        + "".join(
            f'<row r="{at}">'
            + "".join(
                f'<c r="{"ABCDEFG"[place]}{at}" t="inlineStr"><is><t>{cell}</t></is></c>'
                for place, cell in enumerate(row)
            )
            + "</row>"
            for at, row in enumerate(rows, 1)
        )
        + "</sheetData></worksheet>",
    }
    return make_zip([(name, text.encode()) for name, text in names.items()])


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


def test_others_lose_nothing_and_every_invariant_holds(archive):
    before = set(Accession.objects.exclude(patient=archive.patient).values_list("pk", flat=True))
    archive.erase()
    run_jobs()
    seal()
    assert set(Accession.objects.values_list("pk", flat=True)) == before
    assert [str(violation) for violation in check_archive(Look(deep=True)).all] == []
    sheet = MetadataFile.objects.get()
    lines = blob_store().path(sheet.blob.sha256).read_text().splitlines()
    assert [line for line in lines if line] == [
        "filename;patient_id;lesion_id;sex;ward",
        "other_0.jpg;PAT-OTHER-2;;male;seven",
        "other_1.jpg;PAT-OTHER-2;;male;seven",
    ]
    # Lines keep their numbers, which corrections name.
    assert lines[4].startswith("other_0.jpg")


def test_public_ids_are_tombstones(archive):
    public = list(Image.objects.filter(accession__patient=archive.patient).values_list("public_id", flat=True))
    lesion = Lesion.objects.get(private_id=LESION).public_id
    archive.erase()
    run_jobs()
    assert set(ErasedId.objects.values_list("public_id", flat=True)) == {*public, lesion, archive.patient.public_id}
    with pytest.raises(Erased, match="was erased on"):
        image_for(None, public[0])
    with pytest.raises(Erased):
        patient_for(archive.bob, archive.patient.public_id)
    with pytest.raises(Exception, match="never given again"):
        Image.objects.filter(accession__isnull=False).update(public_id=public[0])


def test_the_receipt_counts_and_identifies_nobody(archive):
    erasure = archive.erase(words="Letter of 3 May, file 17.")
    run_jobs()
    erasure.refresh_from_db()
    receipt = erasure.receipt
    assert receipt["removed"]["images"] == 3
    assert receipt["removed"]["rows of spreadsheets"] == 3
    assert receipt["requested"]["by"] == "Alice Example"
    assert receipt["confirmed"]["by"] == "Sam Example"
    assert receipt["words"] == "Letter of 3 May, file 17."
    assert marks_in(json.dumps(receipt)) == []
    assert sha256_of(archive.mine[0]) not in json.dumps(receipt)
    event = Event.objects.get(verb="erasure.done")
    assert event.details == {"receipt_sha256": receipt["sha256"]}


def test_two_people_are_needed_and_one_is_of_the_staff(archive):
    make = lambda user: request_erasure(user=user, patient_public_id=archive.patient.public_id, reason="consent")  # noqa: E731
    with pytest.raises(NotFound):
        make(archive.bob)
    asked = make(archive.alice)
    with pytest.raises(Conflict, match="under way already"):
        make(archive.sam)
    for user in (archive.alice, archive.bob):
        assert not may_confirm(user, asked)
    with pytest.raises(NotAllowed, match="asked cannot confirm"):
        confirm_erasure(user=archive.alice, erasure_id=asked.pk, typed=asked.patient_public_id)
    with pytest.raises(NotFound):
        confirm_erasure(user=archive.bob, erasure_id=asked.pk, typed=asked.patient_public_id)
    with pytest.raises(Invalid):
        confirm_erasure(user=archive.sam, erasure_id=asked.pk, typed="IP_0000000")
    decline_erasure(user=archive.alice, erasure_id=asked.pk, because="A mistake.")
    with pytest.raises(Conflict, match="declined already"):
        confirm_erasure(user=archive.sam, erasure_id=asked.pk, typed=asked.patient_public_id)
    by_staff = make(archive.sam)
    assert may_confirm(archive.alice, by_staff)
    assert may_confirm(archive.other_staff, by_staff)
    assert erasures_for(archive.bob).count() == 0
    with pytest.raises(NotFound):
        erasure_for(archive.bob, by_staff.pk)


@pytest.mark.parametrize("words", [f"As {PATIENT} wished", f"Image {NAME}_1.jpg", f"of {LESION.lower()}"])
def test_the_reason_may_not_name_the_patient(archive, words):
    with pytest.raises(Invalid) as refusal:
        archive.erase(words=words)
    assert refusal.value.problems[0].code == "names_the_patient"
    assert not Erasure.objects.exists()


class Killed(BaseException):
    """The process ends here."""


_POINTS = (
    "write_entry",
    "set_visibility",
    "cut_sheet",
    "remove_rows",
    "erase_bytes",
    "clean_database",
    "make_receipt",
    "scrub_reports",
    "give_up_replacements",
    "words.forget_notifications",
    "words.redact_ledger",
    "words.drop_copies",
    "words.scrub_tables",
    "words.scrub_sessions",
    "words.blot_files",
    "words.find_in_tables",
)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("point", _POINTS)
def test_killed_anywhere_it_goes_on(archive, tmp_path, monkeypatch, point, when):
    module, _, name = f"{point}".rpartition(".")
    place = running.words if module else running
    real = getattr(place, name)

    def killed(*args, **kwargs):
        if when == "after":
            real(*args, **kwargs)
        raise Killed

    erasure = archive.erase()
    with monkeypatch.context() as patched:
        patched.setattr(place, name, killed)
        with pytest.raises(Killed):
            running.erase_patient(erasure_id=erasure.pk)
    running.erase_patient(erasure_id=erasure.pk)
    erasure.refresh_from_db()
    assert erasure.state == "done"
    assert erasure.receipt["removed"]["images"] == 3
    assert marks_in(dump(tmp_path)) == []
    assert marks_in_folder(archive.data) == {}
    seal()
    assert [str(violation) for violation in check_archive(Look(deep=True)).all] == []


def test_bytes_that_others_hold_stay_and_the_receipt_says_so(archive):
    elsewhere = make_cohort(archive.bob, name="Bob's")
    deliver(archive.bob, elsewhere, archive.mine[1], filename="my own.jpg")
    run_jobs()
    erasure = archive.erase()
    run_jobs()
    erasure.refresh_from_db()
    assert erasure.state == "done"
    assert erasure.receipt["kept_because_shared"] > 0
    assert blob_store().exists(sha256_of(archive.mine[1]))
    assert not blob_store().exists(sha256_of(archive.mine[2]))


def test_nothing_begins_while_an_upload_is_on_its_way(archive):
    Delivery.objects.update(state="unpacking", finished=None)
    erasure = archive.erase()
    with pytest.raises(Conflict, match="still being worked through"):
        running.erase_patient(erasure_id=erasure.pk)
    erasure.refresh_from_db()
    assert (erasure.stage, erasure.trouble) == (
        "",
        "An upload with files of the patient is still being worked through.",
    )
    assert Accession.objects.filter(patient=archive.patient).count() == 3


def test_words_that_somebody_else_needs_are_left_to_them(archive):
    """Bob's file has the same name as one of Alice's patient: it is his, and its name stays."""
    elsewhere = make_cohort(archive.bob, name="Bob's")
    deliver(archive.bob, elsewhere, photograph(99), filename=f"{NAME}_1.jpg")
    run_jobs()
    erasure = archive.erase()
    run_jobs()
    erasure.refresh_from_db()
    assert erasure.state == "done"
    assert Accession.objects.get(cohort=elsewhere).name == f"{NAME}_1.jpg"
    assert erasure.receipt["words_left_because_shared"] == 1


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


def dump_of(url, tmp_path):
    path = tmp_path / "restored.sql"
    subprocess.run(
        [find_program("pg_dump", server=server_major()), f"--file={path}", "--inserts", url], check=True, timeout=60
    )
    return path.read_text()


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


def sheet_row_of(other):
    return {"name": "IMG 15", "line": 4, "candidates": [{"accession": other.pk, "name": "other_0.jpg"}]}


def store(data):
    with keeping_blobs():
        return list(store_blobs([blob_store().stage([data])]).values())


def test_a_preview_is_no_way_to_ask_what_others_hold(archive):
    bob = make_cohort(archive.bob, name="Bob's")
    deliver(archive.bob, bob, archive.mine[1], filename="my own.jpg")
    run_jobs()
    wanted = {"patient_public_id": archive.patient.public_id}
    assert preview_erasure(user=archive.sam, **wanted).doubts.elsewhere == 1
    assert preview_erasure(user=archive.alice, **wanted).doubts.elsewhere == 0


def test_the_images_are_hidden_while_the_work_waits(archive):
    Delivery.objects.update(state="unpacking", finished=None)
    shown = Accession.objects.filter(patient=archive.patient, image__withdrawal__isnull=True).first()
    assert find_served_image(ANYBODY, shown.image.public_id)
    erasure = archive.erase()
    with pytest.raises(Conflict):
        running.erase_patient(erasure_id=erasure.pk)
    assert find_served_image(ANYBODY, shown.image.public_id) is None
