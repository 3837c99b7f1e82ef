"""A snapshot reads one moment and writes nothing, and whoever has the connection next knows nothing of it."""

import threading
import time
from dataclasses import replace

import pytest
from django.db import InternalError, OperationalError, connection, transaction

from medtheca.domains.search.errors import SearchTooSlow
from medtheca.domains.search.index.keeping import keep_index
from medtheca.domains.search.index.snapshots import look, one_snapshot, present_snapshot

pytestmark = pytest.mark.django_db(transaction=True)
ORDINARY = ("read committed", "off")


def kind_of_transaction():
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('transaction_isolation'), current_setting('transaction_read_only')")
        return cursor.fetchone()


def test_everything_inside_is_of_one_moment():
    with one_snapshot():
        assert kind_of_transaction() == ("repeatable read", "on")
        with one_snapshot():
            assert kind_of_transaction() == ("repeatable read", "on")
        assert present_snapshot() is not None
    assert present_snapshot() is None
    with transaction.atomic():
        assert kind_of_transaction() == ORDINARY


def test_nothing_can_be_written():
    with pytest.raises(InternalError, match="read-only"), one_snapshot():
        connection.cursor().execute("INSERT INTO search_savedsearch DEFAULT VALUES")
    with transaction.atomic():
        assert kind_of_transaction() == ORDINARY


def test_statements_by_keys_keep_one_plan_inside_and_nowhere_else():
    def mode():
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('plan_cache_mode')")
            return cursor.fetchone()[0]

    keep_index()
    before = mode()
    with one_snapshot():
        assert look(None) is not None
        assert mode() == "force_generic_plan" != before
    assert mode() == before


def test_within_another_transaction_it_is_as_that_one_is():
    with transaction.atomic(), one_snapshot():
        assert kind_of_transaction() == ORDINARY
        assert present_snapshot() is None


def test_a_connection_that_breaks_inside_tells_so_and_the_next_is_an_ordinary_one():
    with pytest.raises(OperationalError), one_snapshot(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    connection.close()
    with transaction.atomic():
        assert kind_of_transaction() == ORDINARY


def test_a_connection_that_is_closed_inside_is_an_ordinary_one_for_whoever_has_it_next():
    """The pool takes it back alive and gives it to another thread, while the first has not gone on yet."""
    found = {}

    def ask():
        try:
            with transaction.atomic():
                kind = kind_of_transaction()
                found.setdefault(connection.connection, kind)
        finally:
            connection.close()

    with one_snapshot():
        assert kind_of_transaction() == ("repeatable read", "on")
        link = connection.connection
        connection.close()
        # The pool has others, too, and takes this one back in its own time.
        until = time.monotonic() + 30
        while link not in found and time.monotonic() < until:
            thread = threading.Thread(target=ask)
            thread.start()
            thread.join()
    assert found[link] == ORDINARY


def test_what_waits_for_the_end_may_write():
    found = []

    def note():
        with transaction.atomic():
            found.append(kind_of_transaction())

    with one_snapshot():
        transaction.on_commit(note)
        assert kind_of_transaction() == ("repeatable read", "on")
    assert found == [ORDINARY]


def test_a_statement_that_takes_too_long_is_given_up_and_the_next_may_take_its_time(settings):
    settings.ENVIRONMENT = replace(settings.ENVIRONMENT, search_seconds=1)
    with pytest.raises(SearchTooSlow, match="longer than 1 s"), one_snapshot(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(30)")
    with transaction.atomic():
        assert kind_of_transaction() == ORDINARY
        connection.cursor().execute("SELECT pg_sleep(1.2)")


def test_who_is_patient_waits(settings):
    settings.ENVIRONMENT = replace(settings.ENVIRONMENT, search_seconds=1)
    with one_snapshot(patient=True), one_snapshot(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(1.2), current_setting('statement_timeout')")
        assert cursor.fetchone()[1] == "0"


def test_many_statements_that_take_too_long_together_are_given_up(settings):
    settings.ENVIRONMENT = replace(settings.ENVIRONMENT, search_seconds=1)
    with one_snapshot(), connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    asked = []

    def ask():
        with one_snapshot(), connection.cursor() as cursor:
            for _ in range(10):
                cursor.execute("SELECT pg_sleep(0.4)")
                asked.append(1)

    with pytest.raises(SearchTooSlow):
        ask()
    assert len(asked) <= 3
    connection.cursor().execute("SELECT 1")


def test_a_statement_that_an_operator_cancels_is_not_told_as_slow_to_the_patient():
    with pytest.raises(OperationalError), one_snapshot(patient=True), connection.cursor() as cursor:
        cursor.execute("SELECT pg_cancel_backend(pg_backend_pid()), pg_sleep(1)")
