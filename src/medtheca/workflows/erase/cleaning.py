"""What PostgreSQL keeps after rows are gone: dead rows, samples for the planner, the write-ahead log."""

from __future__ import annotations

import logging
import time

from django.db import DatabaseError, connection

from medtheca.base.errors import Conflict
from medtheca.workflows.erase.samples import forget_samples_of_empty_tables

log = logging.getLogger(__name__)

_SMALL = 256 * 1024 * 1024
_PATIENCE = "5s"
_SECONDS_FOR_READERS = 60.0
_SEGMENT_IN_MEGABYTES = 16


def clean_database() -> dict[str, int]:
    """Rewrite small tables and vacuum large ones, then ask for a checkpoint; return how many were done how.

    Call outside of a transaction. Rewriting a table leaves nothing of dead rows; vacuuming makes room where they were.
    A table that is too busy to be rewritten is vacuumed. Raise `Conflict` while somebody still reads what was erased.
    """
    if connection.in_atomic_block:
        raise RuntimeError("VACUUM runs outside of transactions")
    _wait_for_readers()
    done = {"rewritten": 0, "vacuumed": 0}
    for table, size in _tables():
        if size < _SMALL and _rewrite(table):
            done["rewritten"] += 1
        else:
            _run(f"VACUUM (ANALYZE) {connection.ops.quote_name(table)}")
            done["vacuumed"] += 1
    # Samples of the tables' values, which the planner keeps.
    forget_samples_of_empty_tables()
    _rewrite("pg_statistic")
    _checkpoint()
    return done


def _wait_for_readers() -> None:
    """Wait until no transaction is as old as what was erased: rewriting keeps the dead rows that one may still see.

    Of sessions of other roles a role that may not read all statistics sees nothing.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()::xid::text")
        barrier = cursor.fetchone()[0]
        end = time.monotonic() + _SECONDS_FOR_READERS
        while readers := _older_than(barrier):
            if time.monotonic() > end:
                raise Conflict(
                    f"Transactions that began before the rows were erased are still open ({', '.join(readers)}).",
                    code="busy",
                    remedy="Wait until they end, or end them; then the erasure goes on.",
                )
            time.sleep(0.2)


def _older_than(barrier: str) -> list[str]:
    """Process and application of sessions that may see rows deleted before a transaction id; vacuums look at none."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT pid || ' ' || coalesce(nullif(application_name, ''), backend_type) FROM pg_stat_activity
            WHERE pid <> pg_backend_pid() AND (datname = current_database() OR datname IS NULL)
            AND greatest(age(backend_xid), age(backend_xmin)) >= age(%s::text::xid)
            AND pid NOT IN (SELECT pid FROM pg_stat_progress_vacuum) ORDER BY pid""",
            [barrier],
        )
        return [name for (name,) in cursor.fetchall()]


def _tables() -> list[tuple[str, int]]:
    """Tables in which something was changed since they were last cleaned would be enough; but a crash forgets that."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT c.relname, pg_total_relation_size(c.oid) FROM pg_class c
            JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = current_schema() AND c.relkind = 'r' ORDER BY c.relname"""
        )
        return list(cursor.fetchall())


def _rewrite(table: str) -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, false)", [_PATIENCE])
            cursor.execute(f"VACUUM (FULL, ANALYZE) {connection.ops.quote_name(table)}")
    except DatabaseError as reason:
        log.warning("The table %s could not be rewritten, room is made in it instead: %s", table, type(reason).__name__)
        return False
    finally:
        _run("SET lock_timeout = DEFAULT")
    return True


def _checkpoint() -> None:
    """Leave the segments of the log in which the erased rows stood behind, and let them be removed.

    Our own server removes what lies before a checkpoint, and its role may ask for one. Another server may refuse, or
    keep its log for replicas and archives: that is its administrator's to see to.
    """
    try:
        for _ in range(_SEGMENT_IN_MEGABYTES + 1):
            _run("SELECT pg_logical_emit_message(false, 'medtheca', repeat('0', 1048576))")
        # The first moves the point from which recovery begins, the second removes what lies before it.
        for _ in range(2):
            _run("CHECKPOINT")
    except DatabaseError:
        log.info("The database does not let us ask for a checkpoint: its log goes when its administrator has it go.")


def _run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
