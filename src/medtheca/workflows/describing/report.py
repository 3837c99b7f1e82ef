"""What checking a sheet found, for people: problems grouped, columns, names without an image, counts by field."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from medtheca.domains.provenance.matching import Match, Matched, unchosen
from medtheca.toolkit.schemas import ColumnUse, ProblemGroups, Sheet, Use, kind_of_change

if TYPE_CHECKING:
    from medtheca.domains.metadata.models import MetadataFile
    from medtheca.domains.provenance.models import Accession
    from medtheca.workflows.describing.rows import FoundProblem, JudgedRow

_MOST_REPORTED = 2000
_EXAMPLES = 3


class Report:
    """Gathers while a sheet is read; `as_json` is what `MetadataFile.report` holds."""

    def __init__(self, sheet: Sheet | None = None, uses: Sequence[ColumnUse] = ()) -> None:
        self._sheet = sheet
        self._uses = uses
        self._columns = {use.name: use.column for use in uses if use.name}
        self._groups = ProblemGroups()
        self._problems: list[dict[str, Any]] = []
        self._file_problems = 0
        self._notes: Counter[str] = Counter(sheet.notes if sheet else ())
        self._fields: dict[str, Counter[str]] = defaultdict(Counter)
        self._counts: Counter[str] = Counter()
        self._unmatched: list[str] = []
        self._unmatched_rows: list[dict[str, Any]] = []

    @classmethod
    def of_unreadable(cls, problems: Sequence[dict[str, Any]], *, count: int) -> Report:
        """A report of a file that is no sheet."""
        report = cls()
        report._problems = [{"file": "", "field": "", "value": "", **problem} for problem in problems]
        report._file_problems = count
        for problem in report._problems:
            report._groups.add(problem)
        return report

    @property
    def problem_count(self) -> int:
        return max(self._groups.count, self._file_problems)

    def column_of(self, field: str) -> str:
        """The column of the sheet that a field comes from; empty where it is not in the sheet."""
        return self._columns.get(field, "")

    def add_nameless(self, sheet: Sheet) -> None:
        """No column names the images: somebody has to say which one does."""
        problem = {
            "line": 1,
            "file": "",
            "column": "",
            "field": "filename",
            "value": "",
            "code": "no_filename_column",
            "message": f"No column names the images. Columns: {', '.join(sheet.columns[:20])}.",
            "remedy": "Say which column holds the file names, or call it 'filename'.",
        }
        self._problems.append(problem)
        self._groups.add(problem)

    def take_matches(
        self, sheet: Sheet, names: Sequence[str], matches: Mapping[str, Match], chosen: Mapping[str, int | None]
    ) -> None:
        """Names that mean no image, with those that could be meant; and how the others were matched."""
        lines: dict[str, int] = {}
        for name, line in zip(names, sheet.lines, strict=True):
            lines.setdefault(name, line)
        missing = [name for name in unchosen(matches, chosen) if name]
        unmatched = set(missing)
        self._counts["unmatched"] = sum(1 for name in names if name in unmatched)
        self._counts["left_out"] = sum(1 for name in names if name in chosen and chosen[name] is None)
        self._unmatched = missing[:_MOST_REPORTED]
        self._unmatched_rows = [
            {
                "name": name,
                "line": lines[name],
                "candidates": [{"accession": pk, "name": shown} for pk, shown in matches[name].candidates],
            }
            for name in self._unmatched
        ]
        zeros = [name for name, match in matches.items() if match.how is Matched.ZEROS]
        if zeros:
            self._notes[
                f"Leading zeros that the sheet has lost were put back in {len(zeros):,} file names, such as {zeros[0]}."
            ] += 1

    def take_row(self, line: int, name: str, row: JudgedRow, accession: Accession | None) -> None:
        """Count what a row changes and keep what is wrong with it."""
        for problem in row.problems:
            self.take_problem(line, name, problem)
        self._notes.update(row.notes)
        if accession is None:
            return
        self._counts["matched"] += 1
        changes = row.structured | row.unstructured
        for field, (before, after) in changes.items():
            self._fields[field][kind_of_change(before, after)] += 1
        if changes:
            self._counts["changing"] += 1
            self._counts["published"] += accession.published is not None

    def take_problem(self, line: int, name: str, problem: FoundProblem) -> None:
        told = {"line": line, "file": name, **problem.as_json()}
        self._groups.add(told)
        if len(self._problems) < _MOST_REPORTED:
            self._problems.append(told)

    def as_json(self, file: MetadataFile) -> dict[str, Any]:
        """All of it. Keys that earlier releases wrote keep their names."""
        sheet = self._sheet
        notes = [f"{words} ({count:,} times)" if count > 1 else words for words, count in self._notes.most_common(100)]
        found: dict[str, Any] = {
            "problems": sorted(self._problems, key=lambda problem: problem["line"]),
            "problem_count": self.problem_count,
            "groups": self._groups.as_list(),
            "unmatched": self._unmatched,
            "unmatched_count": self._counts["unmatched"],
            "unmatched_rows": self._unmatched_rows,
            "left_out": self._counts["left_out"],
            "matched": self._counts["matched"],
            "changing": self._counts["changing"],
            "published": self._counts["published"],
            "fields": {field: dict(counts) for field, counts in self._fields.items()},
            "notes": notes,
            "columns": self._column_list(),
        }
        if sheet is not None:
            found |= {
                "kind": sheet.kind,
                "encoding": sheet.encoding,
                "delimiter": sheet.delimiter,
                "tab": sheet.tab,
                "decimal_comma": sheet.delimiter == ";",
            }
        return found

    def _column_list(self) -> list[dict[str, Any]]:
        if self._sheet is None:
            return []
        listed = []
        for at, use in enumerate(self._uses):
            examples = [row[at] for row in self._sheet.rows[:50] if row[at]]
            listed.append(asdict(use) | {"use": use.use.value, "examples": list(dict.fromkeys(examples))[:_EXAMPLES]})
        return listed


def unclear_columns(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Columns that are kept as unstructured though a field may be meant."""
    return [
        column
        for column in report.get("columns", [])
        if column["use"] == Use.UNSTRUCTURED and column["suggested"] and column["how"] != "chosen"
    ]
