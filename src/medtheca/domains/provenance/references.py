"""Having whatever points to one row point to another."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any

from django.db import connection
from django.db.models import Field, Model

from medtheca.base.references import fields_pointing_to


def point_elsewhere(model: type[Model], mapping: Mapping[int, int], *, but: Container[type[Model]] = ()) -> None:
    """Have whatever points to rows of a table (keys of `mapping`) point to others of it, but in tables `but`."""
    if not mapping:
        return
    for field in fields_pointing_to(model):
        if field.model not in but:
            _update(field, mapping)


def _update(field: Field[Any, Any], mapping: Mapping[int, int]) -> None:
    quote = connection.ops.quote_name
    table, column = quote(field.model._meta.db_table), quote(str(field.column))
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} SET {column} = given.after"  # noqa: S608 - our own names, from the models
            " FROM unnest(%s::bigint[], %s::bigint[]) AS given (before, after)"
            f" WHERE {table}.{column} = given.before",
            [list(mapping), list(mapping.values())],
        )
