"""Statements that every request sends: made once by Django, planned once by PostgreSQL, and still Django's own SQL.

Making a statement out of a queryset costs more than the database needs to answer one by keys, and so does planning it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
from django.db import connection
from django.db.models import BooleanField, Func, QuerySet

_FROM_THE_FIRST = 0
A_PERSON = -(2**40) - 1
"""What stands in a `Statement` for the key of a person; nobody has such a key."""


def fetch_prepared(statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """All rows of a statement that is sent again and again; the database keeps it, with its plan.

    Lists of keys go as `array_of` writes them, with a cast in the statement: a list of numbers would have another type,
    and so another plan, by how large they are.
    """
    connection.ensure_connection()
    raw: Any = connection.connection
    if raw.prepare_threshold is None:
        # Django's own cursors never prepare, whatever stands here.
        raw.prepare_threshold = _FROM_THE_FIRST
    # As Django makes its own cursors, so that statements are counted and told where they are wanted. It has no public
    # way to do so for a cursor that it did not choose, and its own never prepare.
    cursor_of = connection._prepare_cursor  # type: ignore[attr-defined]  # noqa: SLF001 - as just said
    with cursor_of(psycopg.Cursor(raw)) as cursor:
        cursor.execute(statement, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def array_of(keys: Sequence[int]) -> str:
    """Keys as the text of an array.

    >>> array_of([1, 70000])
    '{1,70000}'
    """
    return f"{{{','.join(map(str, keys))}}}"


class IsOneOf(Func):
    """Whether a column is one of a list, which is a single parameter, as `array_of` writes it."""

    template = "(%(expressions)s::bigint[]))"
    arg_joiner = " = ANY("
    output_field = BooleanField()


class Statement:
    """The SQL of a queryset in which `places` stand for values that are given later.

    Rows come as the database gives them: no converters of Django's, and JSON as text. Choose places that no other
    parameter can be equal to.
    """

    def __init__(self, rows: QuerySet[Any, Any], *places: Any) -> None:
        self._sql, parameters = rows.query.sql_with_params()
        self._parameters = tuple(parameters)
        self._places = places
        missing = [place for place in places if place not in self._parameters]
        if missing:
            raise RuntimeError(f"A statement has no place for {missing}: {self._sql}")

    def fetch(self, *values: Any) -> list[tuple[Any, ...]]:
        """All rows, with these values in the places."""
        return fetch_prepared(*self.with_values(*values))

    def with_values(self, *values: Any) -> tuple[str, list[Any]]:
        """The SQL, and its parameters with these values in the places: for a statement around this one."""
        given = dict(zip(self._places, values, strict=True))
        return self._sql, [given.get(value, value) for value in self._parameters]
