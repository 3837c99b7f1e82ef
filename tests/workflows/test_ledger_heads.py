"""Who can do everything to the database cannot cut the ledger unnoticed: its end is noted outside."""

import pytest
from django.db import DatabaseError, connection, transaction

from medtheca.domains.ledger import heads
from medtheca.domains.ledger.heads import heads_file, note_head, noted_heads
from medtheca.domains.ledger.models import Event, Seal
from medtheca.domains.ledger.operations import record, seal_events
from medtheca.workflows.checking import Look, ledger_is_whole
from tests.factories.storage import use_data_folder

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    return use_data_folder(settings, tmp_path / "data")


@pytest.fixture
def seal(django_capture_on_commit_callbacks):
    """Write events and seal them in batches, as the job does."""

    def write_and_seal(number, *, batch=2):
        for serial in range(number):
            record(actor_id=7, verb="user.renamed", subject_type="user", subject_id=serial)
        with django_capture_on_commit_callbacks(execute=True):
            while seal_events(limit=batch):
                pass

    return write_and_seal


def sql(*statements):
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for statement in statements:
            cursor.execute(statement)


def behind_triggers(table, statement):
    sql(f"ALTER TABLE {table} DISABLE TRIGGER USER", statement, f"ALTER TABLE {table} ENABLE TRIGGER USER")


def violations():
    return [f"{subject}: {words}" for subject, words in ledger_is_whole(Look())]


@pytest.mark.parametrize("table", ["ledger_event", "ledger_seal"])
def test_the_database_refuses_to_empty_the_ledger(seal, table):
    seal(3)
    with pytest.raises(DatabaseError, match="append-only: TRUNCATE"), transaction.atomic():
        sql(f"TRUNCATE {table} CASCADE")
    assert (Event.objects.count(), Seal.objects.count()) == (3, 3)
    assert violations() == []


def test_a_missing_guard_is_a_violation(seal):
    seal(1)
    sql("DROP TRIGGER ledger_seal_no_truncate ON ledger_seal")
    assert "ledger_seal_no_truncate, which refuses changes, is not there" in violations()[0]


def test_each_batch_notes_its_end(seal):
    seal(5)
    ends = dict(Seal.objects.filter(sequence__in=[2, 4, 5]).values_list("sequence", "digest"))
    assert noted_heads() == ends
    assert oct(heads_file().stat().st_mode & 0o777) == "0o600"
    assert violations() == []


def test_what_was_rolled_back_is_not_noted():
    record(actor_id=7, verb="user.renamed", subject_type="user", subject_id=1)
    seal_events()  # In this test's transaction, which never ends.
    assert noted_heads() == {}


def test_a_cut_tail_is_found_though_what_is_left_is_a_chain(seal):
    seal(6)
    behind_triggers("ledger_seal", "DELETE FROM ledger_seal WHERE sequence > 3")
    behind_triggers("ledger_event", "DELETE FROM ledger_event e WHERE NOT EXISTS "
                                    "(SELECT FROM ledger_seal s WHERE s.event_id = e.id)")  # fmt: skip
    assert violations() == ["seal 6: It was noted in the data folder, and the chain ends at 3: it was cut."]


def test_a_chain_that_was_made_anew_is_found_once(seal):
    seal(6)
    behind_triggers("ledger_seal", "DELETE FROM ledger_seal")
    behind_triggers("ledger_event", "UPDATE ledger_event SET verb = 'user.enabled', salt = '', commitment = ''")
    while seal_events():
        pass
    assert violations() == ["seal 2: It is not the one that the data folder noted: the chain was made anew."]


def test_events_that_are_not_yet_sealed_are_no_cut(seal):
    seal(2)
    record(actor_id=7, verb="user.renamed", subject_type="user", subject_id=9)
    assert violations() == []


def test_a_line_that_was_cut_off_neither_counts_nor_swallows_the_next():
    note_head(1, "a" * 64)
    with heads_file().open("a") as file:
        file.write("2 bbbb")
    note_head(3, "c" * 64)
    assert noted_heads() == {1: "a" * 64, 3: "c" * 64}


def test_a_folder_that_cannot_be_written_does_not_stop_the_sealing(seal, folder):
    (folder / "ledger").write_text("a file where the folder would be")
    seal(2)
    assert Seal.objects.count() == 2


def test_the_file_stays_small_and_keeps_its_newest_and_oldest_lines(monkeypatch):
    monkeypatch.setattr(heads, "_LARGEST", 70 * 600)
    for number in range(1, 1400):
        note_head(number, f"{number:064}")
    noted = noted_heads()
    assert {1, *range(1400 - 500, 1400)} <= set(noted)
    assert heads_file().stat().st_size < 70 * 700
    assert all(digest == f"{number:064}" for number, digest in noted.items())
