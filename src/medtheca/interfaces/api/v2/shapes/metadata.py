"""Metadata files, what they would change, corrections and versions."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from ninja import Schema
from pydantic import Field

from medtheca.interfaces.api.v2.shapes.common import Given, Reason, Text

Cell = Annotated[Text, Field(max_length=10_000)]
ColumnName = Annotated[Text, Field(max_length=255)]
Value = str | int | float | bool | None


class MetadataFileOut(Schema):
    """A spreadsheet for a cohort.

    `state` is `checking`, `ready`, `invalid`, `applying`, `applied`, `undoing` or `undone`; while it is one that ends
    in -ing, `done` of `total` rows are worked through. `report` says what checking found: `columns` and how each is
    read, `groups` of problems, `unmatched_rows`, counts by field in `fields`. With one problem nothing is applied.
    """

    id: int
    created: datetime
    cohort: int
    creator: int
    name: str
    recipe: str
    state: Literal["checking", "ready", "invalid", "applying", "applied", "undoing", "undone"]
    done: int
    total: int
    rows: int | None
    apply_when_ready: bool
    reason: str
    mapping: dict[str, Any]
    matches: dict[str, int | None]
    applied: datetime | None
    report: dict[str, Any]


class ColumnChoice(Given):
    """What one column is to be: exactly one of the three."""

    field: Text | None = Field(None, description="A field of the data dictionary, or `filename`.")
    unstructured: ColumnName | None = Field(None, description="Kept beside the fields under this name.")
    ignore: Literal[True] | None = Field(None, description="Left out.")


class MappingIn(Given):
    """How columns are read; those not named are read by their names."""

    mapping: dict[ColumnName, ColumnChoice] = Field(examples=[{"Geschlecht": {"field": "sex"}, "n": {"ignore": True}}])


class MatchesIn(Given):
    """Which accession a name in the sheet means; null leaves its row out."""

    matches: dict[Text, int | None] = Field(max_length=100_000, examples=[{"IMG 12": 4711, "total": None}])


class EditsIn(Given):
    """Corrected cells: line → column → value."""

    cells: dict[int, dict[ColumnName, Cell]] = Field(max_length=20_000, examples=[{"7": {"sex": "female"}}])


class ReplacementIn(Given):
    """One value of a column that becomes another in every row."""

    column: ColumnName
    old: Cell
    new: Cell


class ReplacementOut(Schema):
    """How many cells were corrected."""

    replaced: int


class ApplyIn(Given):
    """Needs a reason where published images would change; everybody can read it in their change log."""

    reason: Reason = ""


class UndoIn(ApplyIn):
    """Values that have changed since are listed and left alone, unless conflicts are accepted."""

    accept_conflicts: bool = False


class FieldChangeOut(Schema):
    """One value before and after; null where there is none."""

    field: str
    label: str
    before: Value
    after: Value
    kind: Literal["added", "changed", "cleared"]


class PreviewRowOut(Schema):
    """What one row changes."""

    line: int
    file: str = Field(description="The name in the sheet.")
    accession: int | None
    name: str = Field(description="The name of the accession.")
    matched: str
    published: bool
    outcome: Literal["waiting", "applied", "unchanged", "skipped", "undone", "conflict"]
    changes: list[FieldChangeOut]
    problems: list[dict[str, str]]


class FieldCountOut(Schema):
    """How many accessions get, change and lose a value."""

    field: str
    label: str
    added: int
    changed: int
    cleared: int


class PreviewOut(Schema):
    """A page of rows that change something; `fields` are counts over the whole sheet."""

    results: list[PreviewRowOut]
    page: int
    pages: int
    count: int
    fields: list[FieldCountOut]


class RowProblemsOut(Schema):
    """A row with everything that is wrong in it."""

    line: int
    file: str
    problems: list[dict[str, str]]


class CorrectionIn(Given):
    """New values by field; null clears one. A published image needs a reason, which everybody can read."""

    metadata: dict[Text, Value] = Field(default_factory=dict, max_length=200, examples=[{"diagnosis": "Nevus"}])
    unstructured: dict[ColumnName, Value] = Field(default_factory=dict, max_length=200)
    reason: Reason = ""


class VersionOut(Schema):
    """One version of a description: who, when, why, and what it changed (field → before and after)."""

    number: int
    created: datetime
    creator: int
    reason: str
    metadata_file: int | None
    changes: dict[str, list[Any]]
    unstructured: dict[str, list[Any]]


class CorrectionOut(Schema):
    """The version that came of a correction; null where nothing differed."""

    version: VersionOut | None


class PublicChangeOut(Schema):
    """What everybody may know of a change: public fields only, and the reason."""

    at: datetime
    reason: str
    changes: dict[str, list[Any]]


class PublicChangesOut(Schema):
    """Changes since an image was published, newest first."""

    results: list[PublicChangeOut]


class FieldOut(Schema):
    """A field of the data dictionary."""

    name: str
    label: str
    group: str
    kind: str
    values: str
    unit: str
    shown_as: str
    synonyms: str
    standards: str = Field(description="What DICOM calls it.")
    description: str


class DictionaryOut(Schema):
    """The fields of a pack: those that a sheet may have, or those that files say themselves."""

    pack: str
    version: str
    source: Literal["sheet", "header"] = Field(
        description="`header`: facts of the image, which no sheet sets; see `facts` of an image and the filters."
    )
    fields: list[FieldOut]
