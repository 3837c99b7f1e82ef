"""Samples of values, which PostgreSQL's planner keeps of each column (`pg_statistic`)."""

from __future__ import annotations

import logging

from django.db import NotSupportedError, OperationalError, connection, transaction
from psycopg import sql

from medtheca.base.errors import Conflict
from medtheca.workflows.backup.programs import server_major

log = logging.getLogger(__name__)

_CLEARS_SAMPLES = 18
"""The version of PostgreSQL that has a function to clear them."""
_PATIENCE = "5s"

# Those of an index over expressions stand under the name of the index.
_SAMPLES = """
SELECT coalesce(o.relname, c.relname), s.tablename, s.attname, s.inherited, c.relkind = 'r',
    format_type(a.atttypid, a.atttypmod),
    CASE WHEN a.attcollation <> t.typcollation THEN a.attcollation::regcollation::text END
FROM pg_stats s
    JOIN pg_class c ON c.relname = s.tablename AND c.relnamespace = current_schema()::regnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = s.attname
    JOIN pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_index i ON i.indexrelid = c.oid
    LEFT JOIN pg_class o ON o.oid = i.indrelid
WHERE s.schemaname = current_schema()
ORDER BY 1, 2, 3
"""


def forget_samples_of_empty_tables() -> None:
    """Take away what the planner remembers of tables that have no rows any more.

    `ANALYZE` finds no values in them and leaves those of before, which may be what was erased. Raises `Conflict` where
    a table is too busy for it.
    """
    with connection.cursor() as cursor:
        cursor.execute(_SAMPLES)
        samples = cursor.fetchall()
    empty = {table for table in {row[0] for row in samples} if not _has_rows(table)}
    clears = server_major() >= _CLEARS_SAMPLES
    for table, relation, column, inherited, is_table, kind, collation in samples:
        if table not in empty:
            continue
        if clears:
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_clear_attribute_stats(current_schema()::text, %s, %s, %s)", [relation, column, inherited]
                )
        elif is_table:
            _retype(table, column, kind if collation is None else f"{kind} COLLATE {collation}")


def _retype(table: str, column: str, kind: str) -> None:
    """Give a column the type that it has: it loses its samples, and the indexes over it are made anew."""
    name, part = connection.ops.quote_name(table), connection.ops.quote_name(column)
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [_PATIENCE])
            cursor.execute(f"ALTER TABLE {name} ALTER COLUMN {part} TYPE {kind}")
    except NotSupportedError:
        # Those that triggers name are none that anybody types in.
        log.warning("The planner's samples of %s.%s stay until rows come, or PostgreSQL 18.", table, column)
    except OperationalError as busy:
        raise Conflict(
            f"The table {table}, or one that it refers to, is in use: what the planner remembers of its column {column}"
            " cannot be taken away.",
            code="busy",
            remedy="Wait until those who use it end; then the erasure goes on.",
        ) from busy


def _has_rows(table: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("SELECT EXISTS (SELECT FROM {})").format(sql.Identifier(table)))
        return bool(cursor.fetchone()[0])
