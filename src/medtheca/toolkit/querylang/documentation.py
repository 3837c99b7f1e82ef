"""The fields of the language as a table."""

from __future__ import annotations

from medtheca.toolkit.querylang.fields import FIELDS, SearchField, ValueKind

_KINDS = {
    ValueKind.KEYWORD: "text",
    ValueKind.NUMBER: "number",
    ValueKind.BOOL: "true or false",
    ValueKind.HIERARCHY: "term or path",
    ValueKind.DATE: "date",
}


def fields_table() -> str:
    """Every field in Markdown, in the order in which they are shown.

    >>> print(fields_table().splitlines()[0])
    | Field | Value | ISIC | What it finds |
    """
    rows = [
        f"| `{name}` | {_value(field)} | {'yes' if field.isic else ''} | {field.description} |"
        for name, field in FIELDS.items()
    ]
    return "\n".join(["| Field | Value | ISIC | What it finds |", "|---|---|---|---|", *rows])


def _value(field: SearchField) -> str:
    units = f", in {field.unit}" if field.unit else ""
    return "id or name" if field.by_name else f"{_KINDS[field.kind]}{units}"
