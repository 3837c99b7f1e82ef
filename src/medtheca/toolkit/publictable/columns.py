"""The columns of the table of public metadata, and its data dictionary."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from medtheca.toolkit.schemas import ACQUISITION, DERMATOLOGY, LICENCES, Kind, Pack
from medtheca.toolkit.schemas.registry import Column
from medtheca.toolkit.schemas.vocabulary import Hierarchy

_ELSEWHERE = frozenset({"image_kind", "format", "slices", "pixel_spacing"})


class Type(StrEnum):
    """What a column's values are. Numbers with places are exact."""

    TEXT = "text"
    TEXTS = "list of text"
    INTEGER = "integer"
    NUMBER = "number"
    EXACT = "exact number"
    BOOL = "true or false"
    MOMENT = "moment, UTC"


@dataclass(frozen=True, slots=True)
class TableColumn:
    """A column: `values` are all that there may be, where they are known; `places` those of exact numbers."""

    name: str
    type: Type
    label: str
    description: str
    unit: str = ""
    values: tuple[str, ...] = ()
    places: int = 0
    required: bool = False


_T, _KIND = Type, ACQUISITION.by_name["image_kind"]
_OF_THE_ARCHIVE = (
    TableColumn("isic_id", _T.TEXT, "Public id", "The image's public id, by which it is cited.", required=True),
    TableColumn("created", _T.MOMENT, "Added", "When the archive took the image in.", required=True),
    TableColumn(
        "copyright_license",
        _T.TEXT,
        "Licence",
        "The licence, by its SPDX name.",
        values=tuple(licence.spdx for licence in LICENCES),
    ),
    TableColumn("attribution", _T.TEXT, "Attribution", "Whom to name when the image is used."),
    TableColumn(
        "image_kind",
        _T.TEXT,
        "Kind of image",
        _KIND.description,
        values=_KIND.vocabulary.values if _KIND.vocabulary else (),
        required=True,
    ),
    TableColumn("format", _T.TEXT, "Format", ACQUISITION.by_name["format"].description, required=True),
    TableColumn("pixels_x", _T.INTEGER, "Width", "Columns of the upright picture.", unit="pixels", required=True),
    TableColumn("pixels_y", _T.INTEGER, "Height", "Rows of the upright picture.", unit="pixels", required=True),
    TableColumn("slices", _T.INTEGER, "Slices", "Slices of a volume; of a picture and a slide, one.", required=True),
    TableColumn("timepoints", _T.INTEGER, "Time points", "Volumes of a series over time.", required=True),
    TableColumn("channels", _T.INTEGER, "Channels", "Samples of a pixel.", required=True),
    TableColumn("bits", _T.INTEGER, "Bits", "Bits of a sample.", required=True),
    TableColumn("spacing_x", _T.NUMBER, "Spacing of columns", "Distance between columns.", unit="mm"),
    TableColumn("spacing_y", _T.NUMBER, "Spacing of rows", "Distance between rows.", unit="mm"),
    TableColumn("spacing_z", _T.NUMBER, "Spacing of slices", "Distance between slices.", unit="mm"),
    TableColumn("file_size", _T.INTEGER, "File size", "Bytes of the file that is served.", unit="bytes"),
    TableColumn("file_type", _T.TEXT, "Media type", "Of the file that is served."),
    TableColumn("file_sha256", _T.TEXT, "SHA-256", "Of the file that is served, in hexadecimal."),
)


def _columns_of(pack: Pack, columns: tuple[Column, ...]) -> Iterator[TableColumn]:
    for column in columns:
        item = pack.by_name[column.field]
        identifier = item.kind is Kind.IDENTIFIER
        if column.name in _ELSEWHERE or not (column.public or identifier):
            continue
        yield TableColumn(
            name=column.name,
            type=_type_of(item.kind, item.places) if column.name != "stain" else Type.TEXTS,
            label=column.label,
            description=f"{item.label}, by its public id." if identifier else item.description,
            unit=item.unit,
            values=_values_of(item.vocabulary, column.name, item.level_names),
            places=item.places if item.kind is Kind.DECIMAL else 0,
        )


def _type_of(kind: Kind, places: int) -> Type:
    if kind is Kind.DECIMAL:
        return Type.EXACT if places else Type.NUMBER
    return {Kind.INTEGER: Type.INTEGER, Kind.BOOL: Type.BOOL}.get(kind, Type.TEXT)


def _values_of(vocabulary: object, name: str, levels: tuple[str, ...]) -> tuple[str, ...]:
    values: tuple[str, ...] = getattr(vocabulary, "values", ())
    if not isinstance(vocabulary, Hierarchy):
        return values
    level = levels.index(name)
    return tuple(dict.fromkeys(path.split(":")[level] for path in values if path.count(":") >= level))


COLUMNS: tuple[TableColumn, ...] = (
    *_OF_THE_ARCHIVE,
    *_columns_of(DERMATOLOGY, tuple(DERMATOLOGY.columns.values())),
    *_columns_of(ACQUISITION, tuple(ACQUISITION.columns.values())),
)
"""All columns in their order: of the archive's records, of metadata, and of what the files say."""


def dictionary() -> list[dict[str, object]]:
    """The data dictionary: one entry a column, as JSON has it."""
    return [
        {
            "name": one.name,
            "label": one.label,
            "type": one.type.value,
            "unit": one.unit or None,
            "places": one.places if one.type is Type.EXACT else None,
            "required": one.required,
            "values": list(one.values) or None,
            "description": one.description,
        }
        for one in COLUMNS
    ]


def dictionary_csv() -> str:
    """The same as CSV; values are separated by a semicolon and a space."""
    sheet = io.StringIO(newline="")
    writer = csv.writer(sheet)
    rows = dictionary()
    writer.writerow(rows[0])
    for row in rows:
        values = "; ".join(row["values"]) if isinstance(row["values"], list) else ""
        writer.writerow(["" if value is None else str(value) for value in (row | {"values": values}).values()])
    return sheet.getvalue()


def columns_table() -> str:
    """The columns in Markdown; long vocabularies are counted."""
    types = {one.name: f"{one.type.value}, in {one.unit}" if one.unit else one.type.value for one in COLUMNS}
    rows = [f"| `{one.name}` | {types[one.name]} | {_told(one)} | {one.description} |" for one in COLUMNS]
    return "\n".join(["| Column | Type | Values | Meaning |", "|---|---|---|---|", *rows])


def _told(column: TableColumn) -> str:
    if len(column.values) > 12:
        return f"{len(column.values)} terms"
    return ", ".join(f"`{value}`" for value in column.values)
