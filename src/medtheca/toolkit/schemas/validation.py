"""Rows and batches of metadata against a pack. Everything wrong is reported at once."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from medtheca.toolkit.errors import Refused
from medtheca.toolkit.schemas.changes import columns_of
from medtheca.toolkit.schemas.parsing import LONGEST_TEXT, Value, parse_cell
from medtheca.toolkit.schemas.problems import BatchProblem, Note, Problem, quoted
from medtheca.toolkit.schemas.registry import RESERVED_COLUMNS, Field, Kind, Pack
from medtheca.toolkit.schemas.rules import LabelledRow
from medtheca.toolkit.schemas.vocabulary import SEPARATOR

# A blank cell keeps what is stored and this word erases it, in `merge_row`; no value may be called so.
CLEAR = "[clear]"

# PostgreSQL takes neither NUL nor lone surrogates, and the others only ever come from damaged files.
_BAD_CHARACTER = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True)
class RowResult:
    """A row, read.

    `values` are by stored column (`age`, `age_approx`, `diagnosis_1` …), ready for JSON, absent ones left
    out; they hold what could be read even where there are problems. `unstructured` are the cells of unknown
    columns.
    """

    values: dict[str, Value] = field(default_factory=dict)
    unstructured: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.problems


def validate_row(row: Mapping[str, str], *, pack: Pack) -> RowResult:
    """Check and normalise one row, column name → cell.

    Cells are trimmed and an empty one is absent. A hierarchy may come as one column or, as it is stored, as
    one a level. `filename` and `isic_id` are passed over; other unknown columns are kept as unstructured.
    """
    result = RowResult()
    cells = fold_levels({name: cell.strip() for name, cell in row.items()}, pack=pack)
    parsed: dict[str, Value] = {}
    for name, cell in cells.items():
        if name in RESERVED_COLUMNS or not cell:
            continue
        problem = _reserved_or_damaged(name, cell)
        if problem is not None:
            result.problems.append(problem)
        elif name in pack.by_name:
            _read_field(pack.by_name[name], cell, parsed, result)
        else:
            result.unstructured[name] = row.get(name, cell)
    unreadable = {problem.field for problem in result.problems}
    for rule in pack.row_rules:
        result.problems.extend(rule.check(parsed, unreadable=unreadable))
    for item in pack.fields:
        if item.name in parsed:
            result.values.update(columns_of(item, parsed[item.name]))
    return result


def check_unstructured(cells: Mapping[str, str]) -> tuple[dict[str, str], list[Problem]]:
    """Cells of columns that are no fields: those that are given, as they are, and what is wrong with any."""
    kept: dict[str, str] = {}
    problems = []
    for name, cell in cells.items():
        if name in RESERVED_COLUMNS or not cell.strip():
            continue
        problem = _reserved_or_damaged(name, cell.strip())
        if problem is None:
            kept[name] = cell
        else:
            problems.append(problem)
    return kept, problems


def validate_batch(rows: Iterable[LabelledRow], *, pack: Pack) -> list[BatchProblem]:
    """Check rows against each other. Each is a label for messages ("line 7") and `RowResult.values`.

    Rows may be of the spreadsheet, of the archive, or both; identifiers must be of one kind, private or
    public.
    """
    kept = list(rows)
    return [problem for rule in pack.batch_rules for problem in rule.check(kept)]


def merge_row(stored: Mapping[str, Any], row: Mapping[str, str], *, pack: Pack) -> dict[str, str]:
    """Lay a row over stored values, as a row to validate: a blank cell keeps what is stored, `[clear]` erases it.

    >>> from medtheca.toolkit.schemas.packs.dermatology import DERMATOLOGY
    >>> merge_row({"age": 53, "melanocytic": True}, {"age": "54", "sex": ""}, pack=DERMATOLOGY)
    {'age': '54', 'melanocytic': 'true'}
    >>> merge_row({"age": 53, "melanocytic": True}, {"age": "[clear]"}, pack=DERMATOLOGY)
    {'melanocytic': 'true'}
    """
    cells = fold_levels(_clear_levels({name: cell.strip() for name, cell in row.items()}, pack), pack=pack)
    merged = row_of_values(stored, pack=pack) | {name: cell for name, cell in cells.items() if cell}
    return {name: cell for name, cell in merged.items() if cell != CLEAR}


def _clear_levels(cells: Mapping[str, str], pack: Pack) -> dict[str, str]:
    """`[clear]` in every given level clears the field; beside others it ends the path there."""
    cleared = dict(cells)
    if CLEAR not in cleared.values():
        return cleared
    for item in pack.fields:
        given = [level for level in item.level_names if cleared.get(level)]
        if not given or cleared.get(item.name):
            continue
        if all(cleared[level] == CLEAR for level in given):
            cleared[item.name] = CLEAR
        else:
            cleared |= {level: "" for level in given if cleared[level] == CLEAR}
    return cleared


def row_of_values(values: Mapping[str, Any], *, pack: Pack) -> dict[str, str]:
    """Stored values as the cells that give them again; the opposite of `validate_row`."""
    row: dict[str, str] = {}
    for item in pack.fields:
        value = values.get(item.name)
        if item.level_names:
            value = SEPARATOR.join(values[level] for level in item.level_names if values.get(level))
        if value not in (None, ""):
            row[item.name] = str(value).lower() if item.kind is Kind.BOOL else str(value)
    return row


def fold_levels(cells: Mapping[str, str], *, pack: Pack) -> dict[str, str]:
    """Join `diagnosis_1` … into `diagnosis`, unless that is given itself; then the levels are dropped."""
    folded = {name: cell for name, cell in cells.items() if name not in pack.level_columns}
    for item in pack.fields:
        if any(cells.get(level) for level in item.level_names) and not folded.get(item.name):
            levels = [cells.get(level, "") for level in item.level_names]
            folded[item.name] = SEPARATOR.join(levels).rstrip(SEPARATOR)
    return folded


def _read_field(item: Field, cell: str, parsed: dict[str, Value], result: RowResult) -> None:
    try:
        parsed[item.name], remark = parse_cell(item, cell)
    except Refused as refusal:
        result.problems.append(
            Problem(
                field=item.name,
                value=cell,
                code=refusal.code,
                message=refusal.message,
                remedy=refusal.remedy,
            )
        )
    else:
        if remark:
            result.notes.append(Note(item.name, remark))


def _reserved_or_damaged(name: str, cell: str) -> Problem | None:
    if cell == CLEAR:
        code, message = "reserved_word", f"{name}: {CLEAR} is a reserved word and cannot be a value."
        remedy = "Leave the cell empty to keep what is stored."
    elif _BAD_CHARACTER.search(name + cell):
        code, message = "bad_character", f"{quoted(name)} holds a control character, which no text has."
        remedy = "Save the spreadsheet as CSV in UTF-8 again, or retype the cell."
    elif len(cell) > LONGEST_TEXT:
        code, message = "too_long", f"{name} has {len(cell):,} characters; {LONGEST_TEXT:,} is the most."
        remedy = f"Shorten it to {LONGEST_TEXT:,} characters."
    else:
        return None
    return Problem(field=name, value=cell, code=code, message=message, remedy=remedy)
