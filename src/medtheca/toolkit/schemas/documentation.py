"""The data dictionary and the spreadsheet template of a pack, out of its fields."""

import csv
import io
from dataclasses import dataclass

from medtheca.toolkit.schemas.mapping import FILENAME
from medtheca.toolkit.schemas.registry import Field, Kind, Pack
from medtheca.toolkit.schemas.vocabulary import Coded, Hierarchy

EXAMPLE_FILENAME = "image-0001.jpg"


@dataclass(frozen=True)
class DictionaryEntry:
    """A field in words, for a table of the documentation."""

    name: str
    label: str
    group: str
    kind: str
    values: str
    unit: str
    search: str
    shown_as: str
    synonyms: str
    standards: str
    description: str


def data_dictionary(pack: Pack) -> list[DictionaryEntry]:
    """One entry a field, in the order of the pack."""
    return [_entry(item) for item in pack.fields]


def csv_template(pack: Pack) -> str:
    """A spreadsheet to fill in: a header with every field, and one example row that passes validation."""
    sheet = io.StringIO(newline="")
    writer = csv.writer(sheet)
    writer.writerow([FILENAME, *pack.by_name])
    writer.writerow([EXAMPLE_FILENAME, *(pack.example.get(name, "") for name in pack.by_name)])
    return sheet.getvalue()


def fields_table(pack: Pack) -> str:
    """The fields of a pack as a table in Markdown."""
    rows = [("Field", "Values", "Unit", "What DICOM calls it", "Meaning")]
    rows += [(f"`{one.name}`", one.values, one.unit, one.standards, one.description) for one in data_dictionary(pack)]
    lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join([lines[0], "|---" * len(rows[0]) + "|", *lines[1:]])


def _entry(item: Field) -> DictionaryEntry:
    return DictionaryEntry(
        name=item.name,
        label=item.label,
        group=item.group,
        kind=item.kind,
        values=_values_in_words(item),
        unit=item.unit,
        search=item.search,
        shown_as=_shown_as(item),
        synonyms=", ".join(item.synonyms),
        standards="; ".join(item.standards),
        description=item.description,
    )


def _values_in_words(item: Field) -> str:
    if isinstance(item.vocabulary, Hierarchy):
        return f"{len(item.vocabulary.values)} terms in {item.vocabulary.depth} levels"
    if isinstance(item.vocabulary, Coded):
        return f"{len(item.vocabulary.values)} terms, by code or meaning"
    if item.vocabulary is not None:
        return "; ".join(item.vocabulary.values)
    if item.kind is Kind.BOOL:
        return "true; false"
    low = "" if item.minimum is None else f"{item.minimum:g}"
    high = item.maximum if item.maximum is not None else item.clamp
    return f"{low} to {high:g}" if low and high is not None else ""


def _shown_as(item: Field) -> str:
    """What the public sees of the field: names of columns, or that a public id replaces it."""
    if item.kind is Kind.IDENTIFIER:
        return f"{item.name} (public id)"
    return ", ".join(column.name for column in item.columns if column.public) or "not shown"
