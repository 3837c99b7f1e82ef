"""An archive with a patient who is in every corner of it, and what looks for their marks."""

import io
import subprocess

from PIL import Image as Picture

from medtheca.domains.ledger.notifying import notify
from medtheca.domains.ledger.operations import seal_events
from medtheca.domains.provenance.erasing import (
    confirm_erasure,
    request_erasure,
)
from medtheca.domains.provenance.models import Accession, Patient
from medtheca.domains.provenance.publication import decide_publication, request_publication
from medtheca.domains.provenance.reviewing import record_reviews
from medtheca.domains.storage.operations import keeping_blobs, store_blobs
from medtheca.domains.storage.queries import blob_store
from medtheca.workflows.backup.programs import find_program, run_program, server_major
from medtheca.workflows.describe import give_metadata
from medtheca.workflows.publish import withdraw
from tests.factories.accounts import make_user
from tests.factories.provenance import deliver, make_cohort, make_zip, run_jobs

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


def sheet_row_of(other):
    return {"name": "IMG 15", "line": 4, "candidates": [{"accession": other.pk, "name": "other_0.jpg"}]}


def store(data):
    with keeping_blobs():
        return list(store_blobs([blob_store().stage([data])]).values())


def dump_of(url, tmp_path):
    path = tmp_path / "restored.sql"
    subprocess.run(
        [find_program("pg_dump", server=server_major()), f"--file={path}", "--inserts", url], check=True, timeout=60
    )
    return path.read_text()
