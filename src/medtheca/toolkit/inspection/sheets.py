"""What a spreadsheet would meet: its columns, every problem grouped by its cause, and how it and the files agree."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from medtheca.toolkit.inspection.opening import open_spreadsheet
from medtheca.toolkit.names import display_name, name_key
from medtheca.toolkit.schemas import (
    CLEAR,
    DERMATOLOGY,
    ColumnUse,
    Pack,
    Problem,
    ProblemGroups,
    ReadRow,
    RowReader,
    RowResult,
    Sheet,
    TableError,
    TableLimits,
    merge_row,
    plan_columns,
    validate_batch,
    validate_row,
)

_MOST_NAMES = 2000
_NAMELESS = {
    "line": 1,
    "file": "",
    "column": "",
    "field": "filename",
    "value": "",
    "code": "no_filename_column",
    "message": "No column names the images.",
    "remedy": "Call the column with the file names 'filename'.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetReport:
    """What became of a spreadsheet. `problems` are groups of `ProblemGroups.as_list`; `problem_count` counts all.

    `rows_without_file` are names in the spreadsheet that none of the files has; `files_without_row` the opposite.
    """

    name: str
    rows: int = 0
    columns: tuple[ColumnUse, ...] = ()
    problems: tuple[dict[str, Any], ...] = ()
    problem_count: int = 0
    notes: tuple[str, ...] = ()
    rows_without_file: tuple[str, ...] = ()
    files_without_row: tuple[str, ...] = ()
    rows_without_file_count: int = 0
    files_without_row_count: int = 0


def inspect_sheet(
    name: str,
    path: Path,
    *,
    names: Sequence[str],
    limits: TableLimits | None = None,
    pack: Pack = DERMATOLOGY,
    allow_unsafe: bool = False,
) -> SheetReport:
    """Read and check a spreadsheet against the names of files that would be taken in. Everything wrong is told at once.

    Columns that are surely a field under another name are read as it; a "did you mean" is left for a person. Raises
    `SandboxUnavailable` for a workbook where the kernel has no fence.
    """
    check = _Check(pack)
    try:
        sheet = open_spreadsheet(path, limits=limits or TableLimits(), allow_unsafe=allow_unsafe)
    except TableError as error:
        for found in error.problems:
            check.groups.add({"file": "", "field": "", "value": "", **asdict(found)})
        return SheetReport(name=display_name(name), problems=check.ordered(), problem_count=error.count)
    uses = plan_columns(sheet.columns, pack=pack, chosen={})
    wanted = check.run(sheet, uses)
    matches = match_names(wanted, names)
    missing = [one for one in wanted if one not in matches]
    taken = set(matches.values())
    undescribed = [one for one in names if one not in taken]
    return SheetReport(
        name=display_name(name),
        rows=len(sheet.rows),
        columns=tuple(uses),
        problems=check.ordered(),
        problem_count=check.groups.count,
        notes=(*sheet.notes, *sorted(check.notes)),
        rows_without_file=tuple(display_name(one) for one in missing[:_MOST_NAMES]),
        files_without_row=tuple(undescribed[:_MOST_NAMES]),
        rows_without_file_count=len(missing),
        files_without_row_count=len(undescribed),
    )


class _Check:
    """Rows against the schema and against each other, as of images of which nothing is stored yet."""

    def __init__(self, pack: Pack) -> None:
        self.pack = pack
        self.groups = ProblemGroups()
        self.notes: set[str] = set()

    def ordered(self) -> tuple[dict[str, Any], ...]:
        return tuple(self.groups.as_list())

    def run(self, sheet: Sheet, uses: Sequence[ColumnUse]) -> list[str]:
        """Find everything; return the names of the images, in order."""
        for found in sheet.problems:
            self.groups.add({"file": "", "field": "", "value": "", **asdict(found)})
        reader = RowReader(uses, pack=self.pack, decimal_comma=sheet.delimiter == ";")
        at = reader.filename_at
        if at is None:
            self.groups.add(_NAMELESS)
            return []
        columns = {use.name: use.column for use in uses if use.name}
        names: dict[str, int] = {}
        read = []
        for line, cells in zip(sheet.lines, sheet.rows, strict=True):
            self._take_name(line, cells[at], uses[at].column, names)
            row = reader.read(cells)
            result = self._judge(row)
            for problem in (*row.problems, *result.problems):
                self._take(line, cells[at], row.columns.get(problem.field, ""), problem)
            self.notes |= {note.message for note in (*row.notes, *result.notes)}
            read.append((f"line {line}", result.values))
        for between in validate_batch(read, pack=self.pack):
            told = {key: value for key, value in asdict(between).items() if key != "rows"}
            for label in dict.fromkeys(between.rows):
                line = int(label.removeprefix("line "))
                self.groups.add({"line": line, "file": "", "column": columns.get(between.field, ""), **told})
        return list(names)

    def _judge(self, row: ReadRow) -> RowResult:
        known = {*self.pack.by_name, *self.pack.level_columns}
        fields = {name: cell for name, cell in row.cells.items() if name in known}
        others = {name: cell for name, cell in row.cells.items() if name not in known and cell.strip() != CLEAR}
        result = validate_row(merge_row({}, fields, pack=self.pack), pack=self.pack)
        result.problems.extend(validate_row(others, pack=self.pack).problems)
        return result

    def _take(self, line: int, file: str, column: str, problem: Problem) -> None:
        told = {key: value for key, value in asdict(problem).items() if key != "related"}
        self.groups.add({"line": line, "file": file, "column": column, **told})

    def _take_name(self, line: int, name: str, column: str, names: dict[str, int]) -> None:
        code, words, remedy = "no_filename", "The row does not say which image it is about.", "Name the image."
        if name:
            first = names.setdefault(name, line)
            code, words = "duplicate_filename", f"'{name}' stands in line {first} already."
            remedy = "Keep one row an image."
            if first == line:
                return
        problem = {"field": "", "value": name, "code": code, "message": words, "remedy": remedy}
        self.groups.add({"line": line, "file": name, "column": column, **problem})


def match_names(wanted: Iterable[str], names: Sequence[str]) -> dict[str, str]:
    """Names of a spreadsheet → names of files, with or without folder, ending and leading zeros; where that is one.

    >>> match_names(["a.jpg", "x/b.jpg", "c", "d", "7"], ["a.jpg", "b.jpg", "c.png", "d.jpg", "d.png", "007.jpg"])
    {'a.jpg': 'a.jpg', 'x/b.jpg': 'b.jpg', 'c': 'c.png', '7': '007.jpg'}
    """
    by_name = {name_key(name): name for name in names}
    near: dict[str, list[str]] = {}
    for name in names:
        stem = _stem(name_key(name))
        for key in {stem, stem.lstrip("0") if stem.isdecimal() else stem}:
            near.setdefault(key, []).append(name)
    found: dict[str, str] = {}
    for name in wanted:
        last = name_key(name).replace("\\", "/").rsplit("/", 1)[-1]
        alike = near.get(last) or []
        match = by_name.get(name_key(name)) or by_name.get(last) or (alike[0] if len(alike) == 1 else None)
        if match is not None:
            found[name] = match
    return found


def _stem(name: str) -> str:
    return name.rpartition(".")[0] or name
