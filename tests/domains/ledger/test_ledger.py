"""What was written stays as it was: the database refuses changes, and the chain shows what was changed all the same."""

import threading
from contextlib import contextmanager

import pytest
from django.db import DatabaseError, close_old_connections, connection, transaction

from medtheca.domains.ledger.models import Event, Seal
from medtheca.domains.ledger.operations import ERASED, GENESIS, record, seal_events, seal_holds
from medtheca.domains.ledger.queries import events_of, sealed_events
from medtheca.domains.ledger.redaction import redact_events, redacted_events


def write(number, **fields):
    for serial in range(number):
        record(
            actor_id=7,
            verb="tested",
            subject_type="thing",
            subject_id=serial,
            details={"n": serial, "ü": 1.5},
            **fields,
        )


@contextmanager
def without_triggers(table):
    """As somebody with the keys of the database would do it."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        yield cursor
        cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def chain_is_whole():
    previous, redacted = GENESIS, redacted_events()
    for sequence, seal in enumerate(sealed_events(), 1):
        if seal.sequence != sequence or not seal_holds(seal, previous, redacted=redacted):
            return False
        previous = seal.digest
    return True


@pytest.mark.django_db
@pytest.mark.parametrize("table", ["ledger_event", "ledger_seal"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET {} = {}", "DELETE FROM {}"])
def test_the_database_refuses_to_change_or_delete(table, statement):
    write(3)
    seal_events()
    column = "verb" if table == "ledger_event" else "digest"
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement.format(table, column, column))
    assert (Event.objects.count(), Seal.objects.count()) == (3, 3)


@pytest.mark.django_db
def test_events_are_sealed_in_order_and_once():
    write(5)
    assert seal_events(limit=3) == 3
    write(1)
    assert seal_events() == 3
    assert seal_events() == 0
    assert list(Seal.objects.order_by("sequence").values_list("sequence", flat=True)) == [1, 2, 3, 4, 5, 6]
    assert chain_is_whole()
    assert [event.subject_id for event in events_of("thing", 0)] == ["0", "0"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "change",
    [
        "verb = 'nothing'",
        "actor_id = 8",
        "actor_id = NULL",
        "at = at + interval '1 microsecond'",
        "details = '{}'",
        "subject_id = '9'",
        "cohort_id = 1",
    ],
)
def test_a_changed_event_is_found(change):
    write(5)
    seal_events()
    assert chain_is_whole()
    victim = Event.objects.order_by("pk")[2].pk
    with without_triggers("ledger_event") as cursor:
        cursor.execute(f"UPDATE ledger_event SET {change} WHERE id = %s", [victim])
    assert not chain_is_whole()


@pytest.mark.django_db
def test_a_removed_event_is_found():
    write(5)
    seal_events()
    victim = Event.objects.order_by("pk")[2].pk
    with without_triggers("ledger_seal") as cursor:
        cursor.execute("DELETE FROM ledger_seal WHERE event_id = %s", [victim])
    with without_triggers("ledger_event") as cursor:
        cursor.execute("DELETE FROM ledger_event WHERE id = %s", [victim])
    assert not chain_is_whole()


@pytest.mark.django_db(transaction=True)
def test_sealers_at_once_make_one_chain_and_a_late_event_is_sealed_late():
    write(40)
    begun, finish = threading.Event(), threading.Event()
    failures = []

    def write_late():
        with transaction.atomic():
            record(actor_id=1, verb="late", subject_type="thing", subject_id="late")
            begun.set()
            finish.wait(600)
        close_old_connections()

    def seal():
        try:
            while seal_events(limit=3):
                pass
        except DatabaseError as error:
            failures.append(error)
        finally:
            close_old_connections()

    late = threading.Thread(target=write_late)
    late.start()
    try:
        assert begun.wait(60)
        write(5)
        sealers = [threading.Thread(target=seal) for _ in range(4)]
        for thread in sealers:
            thread.start()
        for thread in sealers:
            thread.join()
    finally:
        finish.set()
        late.join()
    assert not failures
    assert Seal.objects.count() == 45
    assert seal_events() == 1
    assert Seal.objects.order_by("-sequence").first().event.verb == "late"
    assert chain_is_whole()


@pytest.mark.django_db
def test_what_is_rolled_back_was_never_written():
    with transaction.atomic():
        write(1)
        transaction.set_rollback(True)
    assert not Event.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("sealed_first", [True, False])
def test_details_can_be_erased_on_record_and_the_chain_holds(sealed_first):
    write(5)
    if sealed_first:
        seal_events()
    victims = [event.pk for event in Event.objects.order_by("pk")[1:3]]
    assert redact_events(event_ids=victims, actor_id=9) == 2
    assert redact_events(event_ids=victims, actor_id=9) == 0
    seal_events()
    assert chain_is_whole()
    assert {event.pk for event in Event.objects.filter(details=ERASED, salt="")} == set(victims)
    assert Event.objects.get(verb="ledger.redacted").details == {"events": victims}


@pytest.mark.django_db
def test_details_erased_off_the_record_are_found():
    write(5)
    seal_events()
    victim = Event.objects.order_by("pk")[2].pk
    with without_triggers("ledger_event") as cursor:
        cursor.execute("UPDATE ledger_event SET details = '{\"erased\": true}', salt = '' WHERE id = %s", [victim])
    assert not chain_is_whole()


@pytest.mark.django_db
def test_an_event_of_an_earlier_release_keeps_its_place_when_its_details_go():
    write(3)
    with without_triggers("ledger_event") as cursor:
        cursor.execute("UPDATE ledger_event SET salt = '', commitment = ''")
    seal_events()
    assert chain_is_whole()
    redact_events(event_ids=[Event.objects.order_by("pk").first().pk], actor_id=9)
    seal_events()
    assert chain_is_whole()


@pytest.mark.django_db
@pytest.mark.parametrize("change", ["verb = 'nothing'", "details = '{}'", "salt = 'x', details = '{\"erased\": true}'"])
def test_nothing_but_erasing_is_let_through(change):
    write(1)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL medtheca.redacting = 'on'")
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            cursor.execute(f"UPDATE ledger_event SET {change}")
