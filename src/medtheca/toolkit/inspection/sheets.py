"""What a spreadsheet would meet: its columns, every problem grouped by its cause, and how it and the files agree."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from medtheca.toolkit.names import display_name, name_key
from medtheca.toolkit.schemas import (
    DERMATOLOGY,
    How,
    Pack,
    Proposal,
    Table,
    TableError,
    TableLimits,
    propose_mapping,
    read_table,
    rename_columns,
    validate_batch,
    validate_row,
)
from medtheca.toolkit.schemas.mapping import FILENAME

_TOLD = 12
_MOST_GROUPS = 500
_MOST_NAMES = 2000


@dataclass(slots=True)
class ProblemGroup:
    """Problems of one cause: how often, and in which lines the first of them are."""

    column: str
    code: str
    message: str
    remedy: str
    count: int = 0
    lines: list[str] = field(default_factory=list)

    def add(self, where: Iterable[str]) -> None:
        """One more, with the lines that have it."""
        self.count += 1
        self.lines += list(where)[: _TOLD - len(self.lines)]


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetReport:
    """What became of a spreadsheet. `problems` are by cause, most frequent first, `problem_count` counts all.

    `rows_without_file` are names in the spreadsheet that none of the files has; `files_without_row` the opposite.
    """

    name: str
    rows: int = 0
    columns: tuple[Proposal, ...] = ()
    problems: tuple[ProblemGroup, ...] = ()
    problem_count: int = 0
    notes: tuple[str, ...] = ()
    rows_without_file: tuple[str, ...] = ()
    files_without_row: tuple[str, ...] = ()
    rows_without_file_count: int = 0
    files_without_row_count: int = 0


def inspect_sheet(
    name: str, data: bytes, *, names: Sequence[str], limits: TableLimits | None = None, pack: Pack = DERMATOLOGY
) -> SheetReport:
    """Read and check a spreadsheet against the names of files that would be taken in. Everything wrong is told at once.

    Columns that are surely a field under another name are read as it; a "did you mean" is left for a person.
    """
    groups = _Groups()
    try:
        table = read_table(data, limits=limits or TableLimits())
    except TableError as error:
        for problem in error.problems:
            where = [f"line {problem.line}"] if problem.line else []
            groups.add(problem.column, problem.code, problem.message, problem.remedy, where)
        return SheetReport(name=name, problems=groups.ordered(), problem_count=error.count)
    columns = propose_mapping(table.columns, pack=pack)
    _check_rows(table, columns, groups, pack)
    matches = match_names([row.filename for row in table.rows], names)
    missing = [row.filename for row in table.rows if row.filename not in matches]
    taken = set(matches.values())
    undescribed = [name for name in names if name not in taken]
    return SheetReport(
        name=display_name(name),
        rows=len(table.rows),
        columns=tuple(columns),
        problems=groups.ordered(),
        problem_count=groups.count,
        notes=table.notes,
        rows_without_file=tuple(display_name(name) for name in missing[:_MOST_NAMES]),
        files_without_row=tuple(undescribed[:_MOST_NAMES]),
        rows_without_file_count=len(missing),
        files_without_row_count=len(undescribed),
    )


def _check_rows(table: Table, columns: Sequence[Proposal], groups: "_Groups", pack: Pack) -> None:
    mapping = {
        column.column: column.field
        for column in columns
        if column.field and column.field != FILENAME and column.how in {How.EXACT, How.SYNONYM}
    }
    read = []
    for row in table.rows:
        result = validate_row(rename_columns(row.cells, mapping), pack=pack)
        for problem in result.problems:
            groups.add(problem.field, problem.code, problem.message, problem.remedy, [f"line {row.line}"])
        read.append((f"line {row.line}", result.values))
    for found in validate_batch(read, pack=pack):
        groups.add(found.field, found.code, found.message, found.remedy, found.rows)


class _Groups:
    def __init__(self) -> None:
        self.count = 0
        self._groups: dict[tuple[str, str, str], ProblemGroup] = {}

    def add(self, column: str, code: str, message: str, remedy: str, where: Iterable[str]) -> None:
        self.count += 1
        group = ProblemGroup(column, code, message, remedy)
        self._groups.setdefault((column, code, message), group).add(where)

    def ordered(self) -> tuple[ProblemGroup, ...]:
        ordered = sorted(self._groups.values(), key=lambda group: -group.count)
        return tuple(replace(group) for group in ordered[:_MOST_GROUPS])


def match_names(wanted: Iterable[str], names: Sequence[str]) -> dict[str, str]:
    """Names of a spreadsheet → names of files: as they are, else without folder, else without ending where that is one.

    >>> match_names(["a.jpg", "x/b.jpg", "c", "d"], ["a.jpg", "b.jpg", "c.png", "d.jpg", "d.png"])
    {'a.jpg': 'a.jpg', 'x/b.jpg': 'b.jpg', 'c': 'c.png'}
    """
    by_name = {name_key(name): name for name in names}
    stems: dict[str, list[str]] = {}
    for name in names:
        stems.setdefault(_stem(name_key(name)), []).append(name)
    found: dict[str, str] = {}
    for name in wanted:
        last = name_key(name).replace("\\", "/").rsplit("/", 1)[-1]
        near = stems.get(last) or stems.get(_stem(last)) or []
        match = by_name.get(name_key(name)) or by_name.get(last) or (near[0] if len(near) == 1 else None)
        if match is not None:
            found[name] = match
    return found


def _stem(name: str) -> str:
    return name.rpartition(".")[0] or name
