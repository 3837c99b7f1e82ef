"""Schemas that people write for their sockets, besides that of the kind."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from jsonschema.exceptions import SchemaError

from medtheca.toolkit.errors import Refused
from medtheca.toolkit.sockets.bounded import compile_pattern, draft_of
from medtheca.toolkit.sockets.explaining import explain
from medtheca.toolkit.sockets.json_text import count_nodes

LARGEST = 64 << 10
"""Characters of a schema; each of its rules may be tried for every value."""

_NO_SCHEMAS = frozenset({"enum", "const", "default", "examples"})


def check_schema(schema: Any) -> None:
    """Raise `Refused` unless values can be judged by it: draft 3, 4, 6 or 7, which refers to nothing outside itself.

    >>> check_schema({"type": "string", "enum": ["left", "right"]})
    >>> check_schema({"type": "strings"})
    Traceback (most recent call last):
    ...
    medtheca.toolkit.errors.Refused: The schema is none: type is "strings", ... Did you mean 'string'?
    """
    if schema is None:
        return
    if not isinstance(schema, dict):
        raise Refused("invalid_schema", "A JSON schema is an object.", 'Such as {"enum": ["left", "right"]}.')
    count_nodes(schema)
    if len(json.dumps(schema)) > LARGEST:
        raise Refused("invalid_schema", f"The schema has more than {LARGEST:,} characters.", "Make it shorter.")
    try:
        draft_of(schema).check_schema(schema)
    except SchemaError as error:
        words, remedy = explain(error)
        raise Refused("invalid_schema", f"The schema is none: {words}", remedy) from None
    except RecursionError:
        raise Refused("invalid_schema", "The schema is nested too deep.", "Make it flatter.") from None
    for part in _objects_in(schema):
        _check_references(schema, part)
        for pattern in [part.get("pattern"), *(part.get("patternProperties") or ())]:
            if isinstance(pattern, str):
                compile_pattern(pattern)


def _objects_in(schema: Any) -> Iterator[dict[str, Any]]:
    """All objects that may be schemas."""
    if isinstance(schema, dict):
        yield schema
        for name, item in schema.items():
            if name not in _NO_SCHEMAS:
                yield from _objects_in(item)
    elif isinstance(schema, list):
        for item in schema:
            yield from _objects_in(item)


def _check_references(schema: dict[str, Any], part: dict[str, Any]) -> None:
    target = part.get("$ref")
    if not isinstance(target, str):
        return
    if not target.startswith("#"):
        words = f"It refers to {target[:80]}, and nothing is fetched from elsewhere."
        raise Refused(
            "invalid_schema", words, "Write what it refers to under definitions, and refer to #/definitions/…."
        )
    found: Any = schema
    for step in target[1:].split("/")[1:] if target not in ("#", "#/") else []:
        name = unquote(step).replace("~1", "/").replace("~0", "~")
        inside = isinstance(found, dict) and name in found
        if not inside and not (isinstance(found, list) and name.isdecimal() and int(name) < len(found)):
            raise Refused("invalid_schema", f"It refers to {target[:80]}, which is not in it.", "")
        found = found[name] if isinstance(found, dict) else found[int(name)]
