"""A value that is right and one that is wrong for each socket of JSON, for people who learn from examples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from medtheca.toolkit.errors import Refused
from medtheca.toolkit.sockets.bounded import Schema
from medtheca.toolkit.sockets.kinds import MANY
from medtheca.toolkit.sockets.schemas import SEVERAL, WORDS
from medtheca.toolkit.sockets.values import check_value

_A, _B, _C, _D = [12.5, 30.0, 0.5], [40.0, 30.0, 0.5], [40.0, 55.5, 0.5], [12.5, 55.5, 0.5]
_VERSION = {"major": 1, "minor": 0}
_PLACES: dict[str, dict[str, Any]] = {
    "2DBB": {"corners": [_A, _B, _C, _D]},
    "DIST": {"start": _A, "end": _C},
    "POIN": {"point": _A},
    "POLY": {"seed_point": _A, "path_points": [_A, _B, _C, _D], "sub_type": "brush", "groups": ["tumour"]},
    "LINE": {"seed_points": [_A, _B], "path_point_lists": [[_A, _B], [_B, _C]]},
    "ANGL": {"lines": [[_A, _B], [_C, _D]]},
    "ELLI": {"major_axis": [_A, _C], "minor_axis": [_B, _D]},
    "3ANG": {"angle": [_A, _B, _C]},
}
_RIGHT: dict[str, Any] = {
    "STR": "No finding.",
    "INT": 3,
    "FLT": 0.87,
    "BOOL": True,
    "JSON": {"nodules": [{"diameter_mm": 6.2}]},
    "CHOI": "left",
    "MCHO": ["left", "right"],
    "ATRG": {"3d_affine_transform": [[1, 0, 0, 12.5], [0, 1, 0, -4.0], [0, 0, 1, 0], [0, 0, 0, 1]]},
    "CHART": {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "data": {"values": [{"week": 1, "volume": 12.1}, {"week": 2, "volume": 11.4}]},
        "mark": "line",
        "encoding": {"x": {"field": "week", "type": "ordinal"}, "y": {"field": "volume", "type": "quantitative"}},
    },
}
_WRONG: dict[str, Any] = {
    "STR": 42,
    "INT": 2.5,
    "FLT": "0.87",
    "BOOL": "yes",
    "CHOI": 1,
    "MCHO": "left",
    "ATRG": {"3d_affine_transform": [[1, 0, 0], [0, 1, 0], [0, 0, 1]]},
    "CHART": {"mark": "lines", "data": {"values": []}},
}


@dataclass(frozen=True, slots=True)
class Wrong:
    """A value that is refused, and how."""

    value: Any
    message: str
    remedy: str


def example_of(kind: str) -> Any:
    """A value of a JSON kind. Raises `KeyError` for other kinds.

    >>> example_of("POIN")["point"]
    [12.5, 30.0, 0.5]
    """
    if kind in _RIGHT:
        return _RIGHT[kind]
    if kind in _PLACES:
        return {"type": WORDS[kind], **_PLACES[kind], "version": _VERSION}
    _, words, listed = SEVERAL[kind]
    one = {"name": "First", **_PLACES[MANY[kind]], "probability": 0.92}
    return {"type": words, listed: [one, {**one, "name": "Second"}], "version": _VERSION}


def right_for(kind: str, schema: Schema | None, *known: Any) -> Any:
    """The first of some values that is right for a socket, else the kind's own example, else None."""
    said = schema if isinstance(schema, dict) else {}
    items = said.get("items")
    choices = said.get("enum") or (items.get("enum") if isinstance(items, dict) else None) or []
    for value in (*known, example_of(kind), *choices[:1], choices[:1]):
        if value is not None and _refusal(kind, value, schema) is None:
            return value
    return None


def wrong_for(kind: str, schema: Schema | None, right: Any) -> Wrong | None:
    """A value that is refused, near to one that is right; None where everything is right."""
    for value in (*_near(kind, right), _WRONG.get(kind), "something else", {"key": "value"}, -1, None):
        refused = _refusal(kind, value, schema)
        if refused is not None:
            return Wrong(value, refused.message, refused.remedy)
    return None


def _near(kind: str, right: Any) -> list[Any]:
    if not isinstance(right, dict) or kind in ("JSON", "CHART", "ATRG"):
        return []
    key = next(iter(_PLACES.get(kind, {})), None) or SEVERAL[kind][2]
    return [{**right, key: _cut(right[key])}] if key in right else []


def _cut(value: Any) -> Any:
    """The same with one coordinate missing, as deep as there are coordinates."""
    if isinstance(value, dict):
        name = next((name for name, item in value.items() if isinstance(item, list)), None)
        return value if name is None else {**value, name: _cut(value[name])}
    if isinstance(value, list) and value and isinstance(value[0], list | dict):
        return [_cut(value[0]), *value[1:]]
    return value[:-1] if isinstance(value, list) else value


def _refusal(kind: str, value: Any, schema: Schema | None) -> Refused | None:
    try:
        check_value(kind, value, schema=schema)
    except Refused as refused:
        return refused
    return None
