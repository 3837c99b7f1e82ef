"""One row laid over what is stored: what it changes and what is wrong with it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from medtheca.toolkit.schemas import (
    CLEAR,
    DERMATOLOGY,
    Changes,
    Problem,
    ReadRow,
    check_unstructured,
    compare_values,
    field_values,
    merge_row,
    validate_row,
)

if TYPE_CHECKING:
    from medtheca.domains.metadata.models import Description


@dataclass(frozen=True, slots=True)
class FoundProblem:
    """What is wrong, by column of the sheet and by field; either may be empty.

    Where two cells contradict each other, `other_column` and `other_value` are the second, which may be the wrong one.
    """

    column: str
    field: str
    value: str
    code: str
    message: str
    remedy: str
    other_column: str = ""
    other_value: str = ""

    def as_json(self) -> dict[str, str]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Present:
    """What is stored of an accession."""

    structured: dict[str, Any] = field(default_factory=dict)
    unstructured: dict[str, str] = field(default_factory=dict)
    version: int = 0

    @classmethod
    def of(cls, description: Description | None) -> Present:
        if description is None:
            return cls()
        return cls(description.structured, description.unstructured, description.version)


@dataclass(slots=True)
class JudgedRow:
    """Changes by field, the values after them, problems and remarks; `base` is the version they were made against."""

    structured: Changes = field(default_factory=dict)
    unstructured: Changes = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    problems: list[FoundProblem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    base: int = 0


def judge_row(row: ReadRow, present: Present) -> JudgedRow:
    """Lay a row over what is stored: a blank cell keeps, `[clear]` erases."""
    fields: dict[str, str] = {}
    other: dict[str, str] = {}
    for name, cell in row.cells.items():
        known = name in DERMATOLOGY.by_name or name in DERMATOLOGY.level_columns
        (fields if known else other)[name] = cell
    result = validate_row(merge_row(present.structured, fields, pack=DERMATOLOGY), pack=DERMATOLOGY)
    kept = dict(present.unstructured)
    given, damaged = check_unstructured({name: cell for name, cell in other.items() if cell.strip() != CLEAR})
    kept.update(given)
    for name, cell in other.items():
        if cell.strip() == CLEAR:
            kept.pop(name, None)
    found = row.problems + result.problems + damaged
    return JudgedRow(
        structured=compare_values(
            field_values(present.structured, pack=DERMATOLOGY), field_values(result.values, pack=DERMATOLOGY)
        ),
        unstructured=compare_values(present.unstructured, kept),
        values=result.values,
        problems=[_told(problem, row) for problem in found],
        notes=[note.message for note in (*row.notes, *result.notes)],
        base=present.version,
    )


def _told(problem: Problem, row: ReadRow) -> FoundProblem:
    column = row.columns.get(problem.field, "")
    remedy = problem.remedy
    levels = DERMATOLOGY.by_name[problem.field].level_names if problem.field in DERMATOLOGY.by_name else ()
    if not column:
        column = next((row.columns[level] for level in levels if level in row.columns), "")
    given = row.cells.get(problem.field, "") or any(row.cells.get(level) for level in levels)
    if not given and problem.related:
        # The sheet says nothing of it: it is there from before, and leaving the cell empty keeps it.
        remedy = f"{remedy.rstrip('.')}; {problem.field} is stored already: write {CLEAR} under it to erase it."
    other = next((name for name in problem.related if name in row.columns), "")
    return FoundProblem(
        column,
        problem.field,
        problem.value,
        problem.code,
        problem.message,
        remedy,
        other_column=row.columns.get(other, ""),
        other_value=row.cells.get(other, ""),
    )
