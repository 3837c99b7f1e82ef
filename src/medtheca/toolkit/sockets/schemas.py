"""The JSON schemas of values: Grand Challenge's, of its sockets and of its annotations.

Coordinates are triples of numbers in millimetres of the patient. No object may have more than its schema names.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

Schema = dict[str, Any]

NUMBER: Schema = {"type": "number"}
TEXT: Schema = {"type": "string"}
PROBABILITY: Schema = {"type": "number", "minimum": 0, "maximum": 1}
POINT: Schema = {"type": "array", "items": NUMBER, "minItems": 3, "maxItems": 3}
_NOT_NEGATIVE: Schema = {"type": "number", "minimum": 0, "multipleOf": 1.0}


def _object(properties: Mapping[str, Schema], required: tuple[str, ...]) -> Schema:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(required),
        "additionalProperties": False,
    }


def _list(items: Schema, exactly: int | None = None) -> Schema:
    bounds = {} if exactly is None else {"minItems": exactly, "maxItems": exactly}
    return {"type": "array", "items": items, **bounds}


VERSION = _object({"major": _NOT_NEGATIVE, "minor": _NOT_NEGATIVE}, ("major", "minor"))

_GEOMETRY: dict[str, dict[str, Schema]] = {
    "2DBB": {"corners": _list(POINT, 4)},
    "DIST": {"start": POINT, "end": POINT},
    "POIN": {"point": POINT},
    "POLY": {
        "seed_point": POINT,
        "path_points": _list(POINT),
        "sub_type": TEXT,
        "groups": _list(TEXT),
    },
    "LINE": {"seed_points": _list(POINT), "path_point_lists": _list(_list(POINT))},
    "ANGL": {"lines": _list(_list(POINT, 2), 2)},
    "ELLI": {"major_axis": _list(POINT, 2), "minor_axis": _list(POINT, 2)},
    "3ANG": {"angle": _list(POINT, 3)},
}
"""What says where one annotation is, by kind; all of it is required."""

WORDS = {
    "2DBB": "2D bounding box",
    "DIST": "Distance measurement",
    "POIN": "Point",
    "POLY": "Polygon",
    "LINE": "Line",
    "ANGL": "Angle",
    "ELLI": "Ellipse",
    "3ANG": "Three-point angle",
}
"""What stands in `type` of one annotation, by kind."""

SEVERAL = {
    "M2DB": ("2DBB", "Multiple 2D bounding boxes", "boxes"),
    "MDIS": ("DIST", "Multiple distance measurements", "lines"),
    "MPOI": ("POIN", "Multiple points", "points"),
    "MPOL": ("POLY", "Multiple polygons", "polygons"),
    "MLIN": ("LINE", "Multiple lines", "lines"),
    "MANG": ("ANGL", "Multiple angles", "angles"),
    "MELL": ("ELLI", "Multiple ellipses", "ellipses"),
    "M3AN": ("3ANG", "Multiple three-point angles", "angles"),
}
"""Kinds of several annotations: the kind of one, what stands in `type`, and under what they are listed."""


def _annotation(kind: str, *, alone: bool) -> Schema:
    """The schema of one annotation; among several it needs neither type nor version, and has no version."""
    place = _GEOMETRY[kind]
    said: dict[str, Schema] = {"name": TEXT, "type": {"enum": [WORDS[kind]]}, "probability": PROBABILITY}
    if not alone:
        return _object({**said, **place}, tuple(place))
    return _object({**said, **place, "version": VERSION}, ("version", "type", *place))


def _annotations(kind: str) -> Schema:
    one, words, listed = SEVERAL[kind]
    properties = {
        "name": TEXT,
        "type": {"enum": [words]},
        listed: _list(_annotation(one, alone=False)),
        "version": VERSION,
    }
    return _object(properties, ("version", "type", listed))


_PLAIN: dict[str, Schema] = {
    "STR": TEXT,
    "INT": {"type": "integer"},
    "FLT": NUMBER,
    "BOOL": {"type": "boolean"},
    "JSON": {},
    "CHOI": TEXT,
    "MCHO": _list(TEXT),
    "ATRG": _object({"3d_affine_transform": _list(_list(NUMBER, 4), 4)}, ("3d_affine_transform",)),
}


@cache
def schema_of(kind: str) -> Schema:
    """The schema that every value of a JSON kind obeys. Raises `KeyError` for kinds of files and images, and charts.

    >>> schema_of("ATRG")["required"], schema_of("POIN")["required"]
    (['3d_affine_transform'], ['version', 'type', 'point'])
    """
    if kind in _PLAIN:
        return _PLAIN[kind]
    return _annotation(kind, alone=True) if kind in _GEOMETRY else _annotations(kind)
