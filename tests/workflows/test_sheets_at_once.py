"""Sheets, corrections and refusals at the same moment, in real transactions, and a worker killed in the middle."""

import threading

import pytest
from django.db import connection, connections

from medtheca.base.errors import DomainError
from medtheca.domains.metadata.models import Description, MetadataVersion, SheetRow
from medtheca.domains.provenance.enums import AccessionState
from medtheca.domains.provenance.models import Accession
from medtheca.domains.storage.queries import blob_store
from medtheca.workflows import describe
from medtheca.workflows.correct import correct_metadata
from medtheca.workflows.describe import apply_file, describe_file, undo_file
from tests.factories.accounts import make_user
from tests.factories.images import make_images
from tests.factories.provenance import make_cohort
from tests.factories.storage import make_wide_scopes, use_data_folder
from tests.workflows.describing import check, said

pytestmark = pytest.mark.django_db(transaction=True)
NUMBER = 40


@pytest.fixture(autouse=True)
def data(settings, tmp_path, monkeypatch):
    yield use_data_folder(settings, tmp_path / "data")
    blob_store.cache_clear()


@pytest.fixture
def alice(transactional_db):
    make_wide_scopes()
    return make_user("alice")


@pytest.fixture
def cohort(alice):
    cohort = make_cohort(alice)
    make_images(cohort, NUMBER, names=[f"{number:02}.jpg" for number in range(NUMBER)])
    return cohort


def together(*deeds):
    """Do things at the same moment, each in a session of its own; what they raised, by place."""
    ready = threading.Barrier(len(deeds))
    raised = {}

    def run(place, deed):
        try:
            ready.wait()
            deed()
        except Exception as error:  # noqa: BLE001 - whatever it is, the test names it
            raised[place] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(deeds)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert not any(thread.is_alive() for thread in threads), "Somebody waits for somebody for ever."
    return raised


def sheet(column, value):
    return f"filename,{column}\n" + "".join(f"{number:02}.jpg,{value}\n" for number in range(NUMBER))


def test_two_sheets_applied_at_once_both_end_and_nothing_is_lost(alice, cohort, monkeypatch):
    monkeypatch.setattr(describe, "CHUNK", 3)
    files = [check(alice, cohort, sheet("sex", "male")), check(alice, cohort, sheet("age", "50"))]
    for file in files:
        apply_file(user=alice, file_id=file.pk)
    assert together(*(lambda pk=file.pk: describe_file(file_id=pk) for file in files)) == {}
    for file in files:
        file.refresh_from_db()
        assert (file.state, file.report["changed"], file.report["skipped"]) == ("applied", NUMBER, 0)
    stored = list(Description.objects.values_list("structured", "version"))
    assert stored == [({"sex": "male", "age": 50, "age_approx": 50}, 2)] * NUMBER
    assert MetadataVersion.objects.count() == 2 * NUMBER


def test_one_sheet_applied_by_two_workers_is_applied_once(alice, cohort, monkeypatch):
    monkeypatch.setattr(describe, "CHUNK", 3)
    file = check(alice, cohort, sheet("sex", "male"))
    apply_file(user=alice, file_id=file.pk)
    assert together(*[lambda: describe_file(file_id=file.pk)] * 3) == {}
    file.refresh_from_db()
    assert (file.state, file.report["changed"], file.done) == ("applied", NUMBER, NUMBER)
    assert MetadataVersion.objects.count() == NUMBER
    undo_file(user=alice, file_id=file.pk)
    assert together(*[lambda: describe_file(file_id=file.pk)] * 3) == {}
    assert set(Description.objects.values_list("version", flat=True)) == {2}
    assert said("00.jpg") == ({}, {})


def test_people_correct_while_a_sheet_is_applied(alice, cohort, monkeypatch):
    monkeypatch.setattr(describe, "CHUNK", 3)
    file = check(alice, cohort, sheet("sex", "male"))
    apply_file(user=alice, file_id=file.pk)
    ids = list(Accession.objects.order_by("-pk").values_list("pk", flat=True))

    def correct():
        for pk in ids:
            correct_metadata(user=alice, accession_id=pk, changes={"age": 30})

    assert together(lambda: describe_file(file_id=file.pk), correct) == {}
    assert set(Description.objects.values_list("structured__sex", "structured__age")) == {("male", 30)}


def test_two_contradictory_corrections_at_once_leave_one_lesion_with_one_patient(alice, cohort):
    first, second = Accession.objects.order_by("pk")[:2]
    raised = together(
        lambda: correct_metadata(user=alice, accession_id=first.pk, changes={"lesion_id": "L1", "patient_id": "P1"}),
        lambda: correct_metadata(user=alice, accession_id=second.pk, changes={"lesion_id": "L1", "patient_id": "P2"}),
    )
    assert len(raised) == 1
    assert isinstance(*raised.values(), DomainError)
    assert Description.objects.filter(structured__lesion_id="L1").count() == 1


def test_images_are_refused_and_removed_while_a_sheet_is_applied(alice, cohort, monkeypatch):
    monkeypatch.setattr(describe, "CHUNK", 2)
    file = check(alice, cohort, sheet("sex", "male"))
    apply_file(user=alice, file_id=file.pk)
    gone = list(Accession.objects.order_by("-pk").values_list("pk", flat=True)[: NUMBER // 2])

    def refuse():
        for at, pk in enumerate(gone):
            with connection.cursor() as cursor:
                if at % 2:
                    cursor.execute("DELETE FROM metadata_metadataversion WHERE accession_id = %s", [pk])
                    cursor.execute("DELETE FROM metadata_description WHERE accession_id = %s", [pk])
                    cursor.execute("UPDATE metadata_sheetrow SET accession_id = NULL WHERE accession_id = %s", [pk])
                else:
                    Accession.objects.filter(pk=pk).update(state=AccessionState.REFUSED, original=None, image=None)

    assert together(lambda: describe_file(file_id=file.pk), refuse) == {}
    file.refresh_from_db()
    assert file.state == "applied"
    outcomes = dict(SheetRow.objects.filter(file=file).values_list("line", "outcome"))
    assert set(outcomes.values()) <= {"applied", "skipped"}
    assert [outcomes[line] for line in range(2, 2 + NUMBER // 2)] == ["applied"] * (NUMBER // 2)
    undo_file(user=alice, file_id=file.pk)
    describe_file(file_id=file.pk)
    file.refresh_from_db()
    assert file.state == "undone"
