"""Rows of the table of public metadata as a Parquet file: the same rows give the same bytes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medtheca.toolkit.publictable.columns import COLUMNS, TableColumn, Type

if TYPE_CHECKING:
    import pyarrow as pa

FORMAT = "1"
"""Of the way in which rows become a file; to be raised with any change of it."""
_ROWS_A_GROUP = 20_000
_DIGITS = 12


def write_table(rows: Iterable[Mapping[str, Any]], path: Path, *, facts: Mapping[str, str]) -> int:
    """Write rows with values by the names of columns, in their order; return how many there were.

    Absent values are null. `facts` are words about the whole that stand in the file's metadata. Raises `ValueError`
    for a name that is no column, and where a value is not of its column's type.
    """
    # Here, because whoever only wants the columns needs none of it, and it takes 40 MB.
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = {column.name for column in COLUMNS}
    schema = pa.schema([_field(pa, column) for column in COLUMNS], metadata={**facts, "table_format": FORMAT})
    number = 0
    with pq.ParquetWriter(path, schema, compression="zstd", version="2.6", write_page_index=True) as writer:
        walked = iter(rows)
        while group := list(islice(walked, _ROWS_A_GROUP)):
            for row in group:
                if strangers := row.keys() - names:
                    raise ValueError(f"These are no columns: {', '.join(sorted(strangers))}.")
            values = [
                pa.array([_value(column, row.get(column.name)) for row in group], type=field.type)
                for column, field in zip(COLUMNS, schema, strict=True)
            ]
            writer.write_table(pa.Table.from_arrays(values, schema=schema))
            number += len(group)
    return number


def _value(column: TableColumn, value: Any) -> Any:
    if column.type is Type.EXACT and value is not None:
        return Decimal(str(value)).quantize(Decimal(1).scaleb(-column.places))
    return float(value) if column.type is Type.NUMBER and value is not None else value


def _field(pa: Any, column: TableColumn) -> pa.Field:
    types = {
        Type.TEXT: pa.string(),
        Type.TEXTS: pa.list_(pa.string()),
        Type.INTEGER: pa.int64(),
        Type.NUMBER: pa.float64(),
        Type.EXACT: pa.decimal128(_DIGITS, column.places),
        Type.BOOL: pa.bool_(),
        Type.MOMENT: pa.timestamp("us", tz="UTC"),
    }
    told = {"description": column.description, "unit": column.unit, "values": json.dumps(column.values)}
    kept = {name: text for name, text in told.items() if text not in {"", "[]"}}
    return pa.field(column.name, types[column.type], nullable=not column.required, metadata=kept)
