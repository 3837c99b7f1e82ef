"""Writing many rows at once."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from django.db import connection, models


def update_rows(rows: Sequence[models.Model], fields: Sequence[str]) -> int:
    """Write `fields` of rows that have keys; return how many are there.

    As `bulk_update`, but the values go as one array a column, where Django writes a case for every row and field: a
    tenth of the time for a hundred rows. Columns are of plain types: numbers, text, times.
    """
    if not rows:
        return 0
    meta = rows[0]._meta
    assert meta.pk is not None
    columns: list[models.Field[Any, Any]] = [meta.pk, *(meta.get_field(name) for name in fields)]  # type: ignore[list-item] # names of columns, not of relations from elsewhere
    table, key, *changed = map(connection.ops.quote_name, [meta.db_table, *(str(column.column) for column in columns)])
    arrays = ", ".join(f"%s::{_array_type(column)}" for column in columns)
    given = f"unnest({arrays}) AS given ({', '.join([key, *changed])})"
    assigned = ", ".join(f"{name} = given.{name}" for name in changed)
    with connection.cursor() as cursor:
        cursor.execute(
            # Names of tables and columns are our own; every value is a parameter.
            f"UPDATE {table} SET {assigned} FROM {given} WHERE {table}.{key} = given.{key}",  # noqa: S608 - see above
            [[_value(row, column) for row in rows] for column in columns],
        )
        return int(cursor.rowcount)


def _value(row: models.Model, column: models.Field[Any, Any]) -> Any:
    value = column.get_db_prep_save(getattr(row, column.attname), connection)
    # A member of an enumeration becomes its plain text: an array is of one type.
    return str(value) if isinstance(value, str) else value


def _array_type(column: models.Field[Any, Any]) -> str:
    # Without a length: a cast to one would cut text that is too long, where the assignment refuses it.
    name = re.sub(r"\(.*\)", "", column.rel_db_type(connection) or "")
    return f"{name}[]"
