"""What a checked sheet would change, page by page, out of what checking kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Q

from medtheca.domains.metadata.sheets import changing_rows
from medtheca.toolkit.schemas import DERMATOLOGY, kind_of_change

if TYPE_CHECKING:
    from medtheca.domains.metadata.models import MetadataFile, SheetRow

PAGE = 50
MOST = 500


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One value before and after; `kind` is added, changed or cleared; None where there is no value."""

    field: str
    label: str
    before: Any
    after: Any
    kind: str


@dataclass(frozen=True, slots=True)
class PreviewRow:
    """One accession: its line and name in the sheet, and every value that changes."""

    line: int
    sheet_name: str
    accession_id: int | None
    name: str
    matched: str
    published: bool
    outcome: str
    changes: tuple[FieldChange, ...]
    problems: tuple[Mapping[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class FieldCount:
    """How many accessions get, change and lose a value of a field."""

    field: str
    label: str
    added: int
    changed: int
    cleared: int


@dataclass(frozen=True, slots=True)
class Preview:
    """A page of rows that change something; `total` of them in all, or with the field that was asked for."""

    rows: tuple[PreviewRow, ...]
    page: int
    size: int
    total: int
    fields: tuple[FieldCount, ...]

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // self.size))


def preview_page(file: MetadataFile, *, page: int = 1, size: int = PAGE, field: str = "", outcome: str = "") -> Preview:
    """A page of what changes, of one field or one outcome where that is given."""
    size = max(1, min(size, MOST))
    rows = changing_rows(file)
    if field:
        rows = rows.filter(Q(structured__has_key=field) | Q(unstructured__has_key=field))
    if outcome:
        rows = rows.filter(outcome=outcome)
    total = rows.count()
    page = max(1, min(page, -(-total // size) or 1))
    start = (page - 1) * size
    shown = rows.select_related("accession")[start : start + size]
    return Preview(tuple(_shown(row) for row in shown), page, size, total, field_counts(file))


def field_counts(file: MetadataFile) -> tuple[FieldCount, ...]:
    """Counts by field over the whole sheet, fields of the schema first and in its order."""
    counts = file.report.get("fields", {})
    order = {name: at for at, name in enumerate(DERMATOLOGY.by_name)}
    names = sorted(counts, key=lambda name: (order.get(name, len(order)), name))
    return tuple(
        FieldCount(
            name,
            label_of(name),
            counts[name].get("added", 0),
            counts[name].get("changed", 0),
            counts[name].get("cleared", 0),
        )
        for name in names
    )


def label_of(field: str) -> str:
    """A field in words; an unstructured one is called as in the sheet."""
    item = DERMATOLOGY.by_name.get(field)
    return item.label if item else field


def _shown(row: SheetRow) -> PreviewRow:
    changes = row.structured | row.unstructured
    return PreviewRow(
        line=row.line,
        sheet_name=row.name,
        accession_id=row.accession_id,
        name=row.accession.name if row.accession else "",
        matched=row.matched,
        published=row.accession is not None and row.accession.published is not None,
        outcome=row.outcome,
        changes=tuple(
            FieldChange(name, label_of(name), before, after, kind_of_change(before, after))
            for name, (before, after) in changes.items()
        ),
        problems=tuple(row.problems),
    )
