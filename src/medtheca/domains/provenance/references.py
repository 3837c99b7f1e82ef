"""Everything that points to a row, found among all tables so that none is forgotten."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any

from django.apps import apps
from django.db import connection
from django.db.models import Field, Model


def fields_pointing_to(model: type[Model]) -> list[Field[Any, Any]]:
    """Foreign keys of all tables, those between others included, that point to a table."""
    fields = (field for each in apps.get_models(include_auto_created=True) for field in each._meta.concrete_fields)
    return [field for field in fields if field.is_relation and field.related_model is model]


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
            # Names of tables and columns are our own; every value is a parameter.
            f"UPDATE {table} SET {column} = given.after"  # noqa: S608 - see above
            " FROM unnest(%s::bigint[], %s::bigint[]) AS given (before, after)"
            f" WHERE {table}.{column} = given.before",
            [list(mapping), list(mapping.values())],
        )
