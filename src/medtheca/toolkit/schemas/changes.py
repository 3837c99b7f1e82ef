"""Stored values compared by field: what a change adds, changes and clears, and how it is laid on."""

from collections.abc import Iterable, Mapping
from typing import Any

from medtheca.toolkit.schemas.parsing import Value
from medtheca.toolkit.schemas.registry import Field, Kind, Pack
from medtheca.toolkit.schemas.vocabulary import SEPARATOR, Hierarchy

Changes = dict[str, list[Any]]
"""Field → [before, after]; None where there is no value."""

ADDED, CHANGED, CLEARED = "added", "changed", "cleared"


def field_values(values: Mapping[str, Any], *, pack: Pack) -> dict[str, Any]:
    """Stored columns as one value a field: a hierarchy as its path, age without its approximation.

    >>> from medtheca.toolkit.schemas.packs.dermatology import DERMATOLOGY
    >>> field_values({"age": 53, "age_approx": 55, "diagnosis_1": "Benign"}, pack=DERMATOLOGY)
    {'age': 53, 'diagnosis': 'Benign'}
    """
    found: dict[str, Any] = {}
    for item in pack.fields:
        if item.level_names:
            path = SEPARATOR.join(str(values[level]) for level in item.level_names if values.get(level))
            if path:
                found[item.name] = path
        elif values.get(item.name) is not None:
            found[item.name] = values[item.name]
    return found


def compare_values(before: Mapping[str, Any], after: Mapping[str, Any]) -> Changes:
    """What differs, key by key, in the order of both.

    >>> compare_values({"sex": "male", "age": 5}, {"age": 6, "melanocytic": True})
    {'sex': ['male', None], 'age': [5, 6], 'melanocytic': [None, True]}
    """
    return {
        name: [before.get(name), after.get(name)]
        for name in (*before, *(name for name in after if name not in before))
        if not same(before.get(name), after.get(name))
    }


def same(first: Any, second: Any) -> bool:
    """Whether two values are one; True is not 1.

    >>> same(1, True), same("0.50", "0.50"), same(None, None)
    (False, True, True)
    """
    return type(first) is type(second) and bool(first == second)


def kind_of_change(before: Any, after: Any) -> str:
    """`added`, `changed` or `cleared`."""
    if before is None:
        return ADDED
    return CLEARED if after is None else CHANGED


def columns_of(item: Field, value: Value | None) -> dict[str, Value]:
    """A field's value as it is stored; empty for None."""
    if value is None:
        return {}
    if isinstance(item.vocabulary, Hierarchy):
        return dict(zip(item.level_names, item.vocabulary.levels(str(value)), strict=False))
    if item.approximation is not None:
        return {item.name: value, item.approximation.name: item.approximation.of(int(value))}
    return {item.name: value}


def lay_on(values: Mapping[str, Any], after: Mapping[str, Any], *, pack: Pack) -> dict[str, Any]:
    """Stored values with some fields set anew (None clears); all else stays as it is."""
    dropped = {column.name for name in after for column in pack.by_name[name].columns}
    laid = {name: value for name, value in values.items() if name not in dropped}
    for name, value in after.items():
        laid.update(columns_of(pack.by_name[name], value))
    return laid


def restore(
    values: Mapping[str, Any], earlier: Mapping[str, Any], fields: Iterable[str], *, pack: Pack
) -> dict[str, Any]:
    """Stored values with some fields exactly as they are stored in `earlier`."""
    columns = {column.name for name in fields for column in pack.by_name[name].columns}
    kept = {name: value for name, value in values.items() if name not in columns}
    return kept | {name: earlier[name] for name in columns if name in earlier}


def public_changes(before: Mapping[str, Any], after: Mapping[str, Any], *, pack: Pack) -> Changes:
    """What the public may know of a change: public columns only, hierarchies as paths, never an exact age or id."""
    shown: dict[str, list[Any]] = {}
    for item in pack.fields:
        if item.kind is Kind.IDENTIFIER:
            continue
        names = [column.name for column in item.columns if column.public]
        if not names:
            continue
        if item.level_names:
            pair = [SEPARATOR.join(str(v[n]) for n in names if v.get(n)) or None for v in (before, after)]
            key = item.name
        else:
            key = names[0]
            pair = [before.get(key), after.get(key)]
        if not same(*pair):
            shown[key] = pair
    return shown
