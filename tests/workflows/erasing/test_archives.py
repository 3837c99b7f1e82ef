"""A patient whose images are in archives too: items of theirs go whole, of others' items only what is theirs."""

import json

import pytest
from django.db import DatabaseError, connection, transaction

from medtheca.domains.access.queries import viewer_of, visible_images
from medtheca.domains.archives.items import create_item, put_values, trash_items
from medtheca.domains.archives.models import Item, ItemChange, ItemValue
from medtheca.domains.provenance.models import Accession, Patient
from medtheca.domains.sockets.models import Value
from medtheca.domains.sockets.operations import create_value
from medtheca.domains.storage.queries import blob_store
from medtheca.workflows.describe import give_metadata
from tests.factories.archives import give, image_socket, make_archive, make_socket
from tests.factories.provenance import run_jobs
from tests.factories.storage import keep, sha256_of
from tests.workflows.erasing.archive import NAME, PATIENT, dump, marks_in, marks_in_folder, photograph

pytestmark = pytest.mark.django_db(transaction=True)
REPORT = b"%PDF-1.4 of " + PATIENT.encode() + b"\n%%EOF\n"


@pytest.fixture
def box(archive):
    """An archive with an item of the patient alone, one with another's image too, and one of another alone."""
    image_socket()
    made = make_archive(archive.alice, title="Ward", users=[archive.bob])
    mine, other = (
        Accession.objects.filter(patient__private_id=PATIENT).first().image,
        Accession.objects.exclude(patient__private_id=PATIENT).first().image,
    )
    second, report, note = make_socket("Second", "IMG"), make_socket("Report", "PDF"), make_socket("Note", "STR")

    def fill(title, **values):
        item = create_item(archive=made, creator=archive.alice, title=title)
        given = {"image": image_socket(), "second": second, "report": report, "note": note}
        rows = []
        for name, value in values.items():
            kind = {"image": "image", "second": "image", "report": "blob", "note": "value"}[name]
            more = {"filename": f"{NAME}_report.pdf"} if kind == "blob" else {}
            with transaction.atomic():
                blob = keep(value) if kind == "blob" else value
                rows.append(create_value(socket=given[name], creator=archive.alice, **{kind: blob}, **more))
        put_values(item=item, actor=archive.alice, values=rows)
        return item

    own = fill(f"{NAME} whole", image=mine, report=REPORT, note=f"of {PATIENT}")
    old = fill("", image=mine, note="in the trash")
    trash_items(archive=made, actor=archive.alice, item_ids=[old.pk])
    mixed = fill("two people", image=mine, second=other, note=f"beside {PATIENT}")
    others = fill("nobody else", image=other, note="not of them")
    return {"archive": made, "own": own, "old": old, "mixed": mixed, "others": others}


def test_items_of_the_patient_go_whole_and_others_lose_what_is_theirs(archive, box, tmp_path):
    erasure = archive.erase()
    run_jobs()
    erasure.refresh_from_db()
    assert (erasure.state, erasure.trouble) == ("done", "")
    assert erasure.receipt["removed"]["items of archives"] == 2
    assert {item.pk for item in Item.objects.all()} == {box["mixed"].pk, box["others"].pk}
    kept = {row.socket.slug for row in ItemValue.objects.filter(item=box["mixed"])}
    assert kept == {"second", "note"}
    assert ItemValue.objects.filter(item=box["others"]).count() == 2
    assert visible_images(viewer_of(archive.bob)).count() == 1 + 1  # The other's, in the archive and public.
    assert not blob_store().exists(sha256_of(REPORT))
    held = set(ItemValue.objects.values_list("value", flat=True))
    named = {pk for row in ItemChange.objects.values_list("before", "after") for pk in row if pk}
    assert set(Value.objects.values_list("pk", flat=True)) == held | named
    assert marks_in(dump(tmp_path)) == []
    assert marks_in_folder(archive.data) == {}


def test_spreadsheets_that_may_speak_of_the_patient_go_whatever_they_would_change(archive, box, tmp_path):
    from medtheca.workflows.archiving.value_sheets import check_values, give_values

    def bring(*rows, check=True):
        data = "\n".join(["id,note,second", *(",".join(row) for row in rows)]).encode()
        one = give_values(archive=box["archive"], user=archive.alice, name="v.csv", data=data, work_now=True)
        if check:
            check_values(import_id=one.pk)
        one.refresh_from_db()
        return one, sha256_of(data)

    public_id = ItemValue.objects.get(item=box["own"], value__image__isnull=False).value.image.public_id
    own, others = str(box["own"].pk), str(box["others"].pk)
    given = [
        bring((own, f"of {PATIENT}", ""), (others, "of another", "")),  # Of the patient it changes nothing.
        bring((own, f"still of {PATIENT}", "")),
        bring((own, f"unread, of {PATIENT}", ""), check=False),
        bring((others, "with another image", public_id)),
    ]
    assert [one.state for one, _ in given] == ["ready", "ready", "checking", "ready"], [one.report for one, _ in given]
    archive.erase()
    run_jobs()
    assert not any(blob_store().exists(sha256) for _, sha256 in given)
    assert marks_in(dump(tmp_path)) == []
    assert marks_in_folder(archive.data) == {}


def test_what_was_uploaded_to_an_archive_goes_with_its_names(archive, box, tmp_path):
    from medtheca.domains.archives.intakes import open_intake

    files = [(f"{NAME}/{NAME}_new_{number}.jpg", photograph(50 + number)) for number in range(2)]
    with transaction.atomic():
        open_intake(
            archive=box["archive"],
            creator=archive.alice,
            socket=image_socket(),
            uploads=give(archive.alice, files),
            name=f"{NAME} case",
            rule={"by": "folder", "sockets": {f"*{NAME}*": "second"}},
        )
    run_jobs()
    names = Accession.objects.filter(cohort=box["archive"].cohort).values_list("name", flat=True)
    sheet = "\n".join(["filename,patient_id", *(f"{name},{PATIENT}" for name in names)]).encode()
    give_metadata(user=archive.alice, cohort_id=box["archive"].cohort_id, name="new.csv", data=sheet)
    run_jobs()
    assert Accession.objects.filter(patient__private_id=PATIENT, cohort=box["archive"].cohort).count() == 2
    for patient in Patient.objects.filter(private_id=PATIENT):
        archive.patient = patient
        archive.erase()
        run_jobs()
    assert marks_in(dump(tmp_path)) == []
    assert marks_in_folder(archive.data) == {}


def test_a_value_changes_for_an_erasure_alone(box):
    value = Value.objects.filter(has_value=True).first()

    def change(erasing):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('medtheca.erasing', %s, true)", [erasing])
            cursor.execute("UPDATE sockets_value SET value = %s WHERE id = %s", [json.dumps("x"), value.pk])

    with pytest.raises(DatabaseError, match="never change"):
        change("")
    change("on")
    value.refresh_from_db()
    assert value.value == "x"
