"""Whether a JSON value is one that a socket can hold, and if not, where in it and by which rule."""

from __future__ import annotations

import json
from typing import Any

from jsonschema import Draft7Validator

from medtheca.toolkit.errors import Refused
from medtheca.toolkit.sockets.bounded import Schema, errors_of
from medtheca.toolkit.sockets.charts import check_chart
from medtheca.toolkit.sockets.explaining import require_none
from medtheca.toolkit.sockets.json_text import count_nodes
from medtheca.toolkit.sockets.schemas import schema_of

LARGEST_IN_DATABASE = 1 << 20
"""Bytes of JSON that are kept in a row; more is for a socket whose values are files."""


def check_value(kind: str, value: Any, *, schema: Schema | None = None, stored: bool = False) -> None:
    """Raise `Refused` unless the value is one of a JSON kind, and obeys the socket's own schema where it has one.

    `stored` values go into the database, and may not be as large as those in files.

    >>> check_value("FLT", 0.5)
    >>> check_value("MCHO", ["left", 2])
    Traceback (most recent call last):
    ...
    medtheca.toolkit.errors.Refused: [1] is 2, and has to be a text (rule type). Put it into quotes: "…".
    """
    nodes = count_nodes(value)
    if stored and len(json.dumps(value)) > LARGEST_IN_DATABASE:
        words = f"The value is larger than {LARGEST_IN_DATABASE >> 20} MB."
        raise Refused("too_large", words, "Use a socket whose values are files.")
    if kind == "CHART":
        check_chart(value)
    else:
        require_none(Draft7Validator(schema_of(kind)).iter_errors(value))
    if schema is not None:
        require_none(errors_of(schema, value, nodes=nodes))
