"""Charts: specifications of Vega-Lite 5, judged by its own schema.

The schema is that of Vega-Lite 5.23 (BSD-3-Clause, see `vega_lite_5_licence.txt`) without its descriptions.
"""

from __future__ import annotations

import gzip
import json
from functools import cache
from importlib.resources import files
from typing import Any

from medtheca.toolkit.errors import Refused
from medtheca.toolkit.sockets.bounded import errors_of
from medtheca.toolkit.sockets.explaining import require_none

VERSION = "https://vega.github.io/schema/vega-lite/v5"


def check_chart(value: Any) -> None:
    """Raise `Refused` unless the value is a chart of Vega-Lite 5 that brings its data along."""
    if not isinstance(value, dict):
        raise Refused("invalid_value", "The value is no object, and a chart of Vega-Lite is one.", "")
    said = value.get("$schema")
    if said is not None and not (isinstance(said, str) and said.startswith(VERSION)):
        words = f"$schema is {json.dumps(said)[:80]}, and charts are of Vega-Lite 5."
        raise Refused("invalid_value", words, f"Write {VERSION}.json.")
    require_none(errors_of(chart_schema(), _without_rows(value), nodes=0))


@cache
def chart_schema() -> dict[str, Any]:
    """Vega-Lite's schema."""
    packed = (files(__package__) / "vega_lite_5.json.gz").read_bytes()
    schema: dict[str, Any] = json.loads(gzip.decompress(packed))
    return schema


def _without_rows(item: Any) -> Any:
    """The chart without the rows of its data, which may be many; refused where data would come from elsewhere."""
    if isinstance(item, list):
        return [_without_rows(one) for one in item]
    if not isinstance(item, dict):
        return item
    plain = {key: _without_rows(one) for key, one in item.items() if key != "data"}
    if "data" in item:
        plain["data"] = _plain_data(item["data"])
    return plain


def _plain_data(data: Any) -> Any:
    if not isinstance(data, dict):
        return data
    if "url" in data:
        words = "data.url: a chart shows the data that it brings along, and loads none."
        raise Refused("invalid_value", words, "Write the rows into data.values.")
    rows = data.get("values")
    if isinstance(rows, list) and all(isinstance(row, dict) for row in rows):
        return {**data, "values": []}
    return data
