"""Everything that points to a row, found among all tables so that none is forgotten."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.db.models import Field, Model


def fields_pointing_to(model: type[Model]) -> list[Field[Any, Any]]:
    """Foreign keys of all tables, those between others included, that point to a table."""
    fields = (field for each in apps.get_models(include_auto_created=True) for field in each._meta.concrete_fields)
    return [field for field in fields if field.is_relation and field.related_model is model]
