"""What PostgreSQL keeps after rows are gone: dead rows, samples for the planner, the write-ahead log."""

from __future__ import annotations

import logging

from django.db import DatabaseError, connection, transaction

log = logging.getLogger(__name__)

_SMALL = 256 * 1024 * 1024
_PATIENCE = "5s"


def clean_database() -> dict[str, int]:
    """Rewrite small tables and vacuum large ones, then ask for a checkpoint; return how many were done how.

    Call outside of a transaction. Rewriting a table leaves nothing of dead rows; vacuuming makes room where they were.
    A table that is too busy to be rewritten is vacuumed.
    """
    if connection.in_atomic_block:
        raise RuntimeError("VACUUM runs outside of transactions")
    done = {"rewritten": 0, "vacuumed": 0}
    for table, size in _tables():
        if size < _SMALL and _rewrite(table):
            done["rewritten"] += 1
        else:
            _run(f"VACUUM (ANALYZE) {connection.ops.quote_name(table)}")
            done["vacuumed"] += 1
    _checkpoint()
    return done


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
    except DatabaseError:
        return False
    finally:
        _run("SET lock_timeout = DEFAULT")
    return True


def _checkpoint() -> None:
    """Let old segments of the log be recycled. Our own server lets its role do so; another may refuse."""
    for statement in ("SELECT pg_switch_wal()", "CHECKPOINT"):
        try:
            with transaction.atomic():
                _run(statement)
        except DatabaseError:
            log.info("The database does not let us run %s: its log goes as its administrator has set it.", statement)
            return


def _run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
