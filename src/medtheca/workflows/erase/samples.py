"""Samples of values, which PostgreSQL's planner keeps of each column (`pg_statistic`)."""

from __future__ import annotations

import logging

from django.db import NotSupportedError, connection

log = logging.getLogger(__name__)

_CLEARS_SAMPLES = 18
"""The version of PostgreSQL that has a function to clear them."""

# Those of an index over expressions stand under the name of the index.
_SAMPLES = """
SELECT coalesce(i.indrelid::regclass, c.oid::regclass)::text, s.tablename, s.attname, s.inherited, c.relkind = 'r',
    format_type(a.atttypid, a.atttypmod),
    CASE WHEN a.attcollation <> t.typcollation THEN a.attcollation::regcollation::text END
FROM pg_stats s
    JOIN pg_class c ON c.relname = s.tablename AND c.relnamespace = current_schema()::regnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = s.attname
    JOIN pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_index i ON i.indexrelid = c.oid
WHERE s.schemaname = current_schema()
ORDER BY 1, 2, 3
"""


def forget_samples_of_empty_tables() -> None:
    """Take away what the planner remembers of tables that have no rows any more.

    `ANALYZE` finds no values in them and leaves those of before, which may be what was erased.
    """
    with connection.cursor() as cursor:
        cursor.execute(_SAMPLES)
        samples = cursor.fetchall()
    empty = {table for table in {row[0] for row in samples} if not _has_rows(table)}
    clears = _version() >= _CLEARS_SAMPLES
    for table, relation, column, inherited, is_table, kind, collation in samples:
        if table not in empty:
            continue
        if clears:
            _run("SELECT pg_clear_attribute_stats(current_schema()::text, %s, %s, %s)", relation, column, inherited)
        elif is_table:
            _retype(table, column, kind if collation is None else f"{kind} COLLATE {collation}")


def _retype(table: str, column: str, kind: str) -> None:
    """Give a column the type that it has: it loses its samples, and the indexes over it are made anew."""
    try:
        _run(f"ALTER TABLE {table} ALTER COLUMN {connection.ops.quote_name(column)} TYPE {kind}")
    except NotSupportedError:
        # Those that triggers name are none that anybody types in.
        log.warning("The planner's samples of %s.%s stay until rows come, or PostgreSQL 18.", table, column)


def _version() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version_num")
        return int(cursor.fetchone()[0]) // 10_000


def _has_rows(table: str) -> bool:
    with connection.cursor() as cursor:
        # A name of PostgreSQL's own giving, quoted by it.
        cursor.execute(f"SELECT EXISTS (SELECT FROM {table})")  # noqa: S608 - as just said
        return bool(cursor.fetchone()[0])


def _run(statement: str, *parameters: str | bool) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters or None)
