"""SQL statements of the archive's check, read in chunks: what a query gives is never held whole."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db import connection


def rows(sql: str, parameters: list[Any] | None = None) -> Iterator[tuple[Any, ...]]:
    """What a statement gives, row by row."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(sql, parameters)
        while found := cursor.fetchmany(2000):
            yield from found


def column(sql: str, parameters: list[Any] | None = None) -> list[Any]:
    """The first column of what a statement gives."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return [row[0] for row in cursor.fetchall()]
