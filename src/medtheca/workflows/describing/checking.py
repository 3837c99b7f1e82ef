"""Checking a sheet: every row against the schema, the other rows and what is stored; and what it would change."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from typing import Any

from django.db import transaction

from medtheca.domains.metadata.contradictions import stored_beside, subjects_of
from medtheca.domains.metadata.enums import MetadataFileState, RowOutcome
from medtheca.domains.metadata.models import Description, MetadataFile, SheetRow
from medtheca.domains.metadata.sheets import forget_rows, keep_rows, lock_file, note_progress
from medtheca.domains.provenance.matching import Match, Matched, match_names, names_of
from medtheca.domains.provenance.models import Accession
from medtheca.toolkit.names import name_key
from medtheca.toolkit.schemas import DERMATOLOGY, RowReader, Sheet, TableError, validate_batch
from medtheca.workflows.describing.reading import open_sheet, recipe_named, uses_of
from medtheca.workflows.describing.report import Report
from medtheca.workflows.describing.rows import FoundProblem, JudgedRow, Present, judge_row

_CHUNK = 1000


def check_file(file: MetadataFile, *, then: Callable[[MetadataFile], None]) -> None:
    """Find everything that is wrong with a file and everything it would change; it is ready or invalid then.

    What is found counts only if nobody has changed the mapping, the matches or a cell meanwhile. `then` is called with
    the file in the transaction that ends the check.
    """
    recipe = recipe_named(file.recipe)
    forget_rows(file)
    try:
        sheet = open_sheet(file)
    except TableError as error:
        report = Report.of_unreadable([asdict(problem) for problem in error.problems], count=error.count)
        _finish(file, report, rows=None, then=then)
        return
    uses = uses_of(file, sheet, recipe)
    report = Report(sheet, uses)
    reader = RowReader(uses, pack=DERMATOLOGY, recipe=recipe, decimal_comma=sheet.delimiter == ";")
    if reader.filename_at is None:
        report.add_nameless(sheet)
    else:
        _Check(file, sheet, reader, report, recipe_column=uses[reader.filename_at].column).run()
    _finish(file, report, rows=len(sheet.rows), then=then)


def _finish(file: MetadataFile, report: Report, *, rows: int | None, then: Callable[[MetadataFile], None]) -> None:
    with transaction.atomic():
        present = lock_file(file.pk)
        if present.revision != file.revision or present.state != MetadataFileState.CHECKING:
            # Somebody changed it meanwhile, and the job that came of it does all this again.
            return
        found = report.as_json(present)
        present.state = MetadataFileState.INVALID if report.problem_count else MetadataFileState.READY
        present.report, present.rows = found, rows
        present.done = present.total = rows or 0
        present.save()
        then(present)


class _Check:
    """The rows of one sheet, in chunks: no more than a chunk of descriptions is in memory."""

    def __init__(
        self, file: MetadataFile, sheet: Sheet, reader: RowReader, report: Report, *, recipe_column: str
    ) -> None:
        self._file, self._sheet, self._reader, self._report = file, sheet, reader, report
        self._column = recipe_column
        self._first: dict[int, int] = {}
        self._first_named: dict[str, int] = {}
        # Line, and what rules between rows ask for; of a row without an accession nothing is asked.
        self._subjects: list[tuple[int, dict[str, Any]]] = []
        self._shapes: dict[int, list[FoundProblem]] = {}
        for problem in sheet.problems:
            found = FoundProblem(problem.column, "", "", problem.code, problem.message, problem.remedy)
            self._shapes.setdefault(problem.line, []).append(found)

    def run(self) -> None:
        at = self._reader.filename_at
        assert at is not None
        names = [row[at] for row in self._sheet.rows]
        matches = self._matched(names)
        self._report.take_matches(self._sheet, names, matches, self._file.matches)
        total = len(names)
        for start in range(0, total, _CHUNK):
            self._check_chunk(range(start, min(start + _CHUNK, total)), names, matches)
            note_progress(self._file.pk, done=min(start + _CHUNK, total), total=total)
        self._check_batch()

    def _matched(self, names: Sequence[str]) -> dict[str, Match]:
        matches = match_names(self._file.cohort, [name for name in names if name])
        chosen = self._file.matches
        known = names_of(self._file.cohort, [pk for pk in chosen.values() if pk])
        for name, pk in chosen.items():
            if name in matches:
                matches[name] = Match(pk, Matched.CHOSEN) if pk in known else Match()
        return matches

    def _check_chunk(self, places: Iterable[int], names: Sequence[str], matches: dict[str, Match]) -> None:
        wanted = {at: match.accession_id for at in places if (match := matches.get(names[at])) and match.accession_id}
        accessions = Accession.objects.only("name", "published").in_bulk(set(wanted.values()))
        stored = {row.pk: row for row in Description.objects.filter(pk__in=list(accessions))}
        rows = []
        for at in places:
            name, line = names[at], self._sheet.lines[at]
            accession = accessions.get(wanted.get(at, 0))
            description = stored.get(accession.pk) if accession else None
            row = self._judge(at, accession, Present.of(description) if accession else None)
            row.problems.extend(self._name_problems(name, line, accession))
            row.problems.extend(self._shapes.get(line, []))
            if accession is not None:
                self._subjects.append((line, subjects_of(row.values)))
            self._report.take_row(line, name, row, accession)
            kept = _kept(row, file=self._file, line=line, name=name, accession=accession, match=matches.get(name))
            rows.append(kept)
        keep_rows(rows)

    def _judge(self, at: int, accession: Accession | None, present: Present | None) -> JudgedRow:
        if accession is None or present is None:
            return JudgedRow()
        return judge_row(self._reader.read(self._sheet.rows[at]), present)

    def _name_problems(self, name: str, line: int, accession: Accession | None) -> list[FoundProblem]:
        if not name:
            words = "The row does not say which image it is about."
            return [FoundProblem(self._column, "", "", "no_filename", words, "Name the image, or delete the row.")]
        # Equal names are found also where no image has them; different ones of one image only the cohort knows.
        first = self._first_named.setdefault(name_key(name), line)
        words = f"'{name}' stands in line {first} already."
        if accession is not None and first == line:
            first = self._first.setdefault(accession.pk, line)
            words = f"{name} means {accession.name}, which line {first} describes already."
        if first == line:
            return []
        return [FoundProblem(self._column, "", name, "duplicate_filename", words, "Keep one row an image.")]

    def _check_batch(self) -> None:
        """Rules between rows, also with what is stored in the contributor's other rows."""
        cohort = self._file.cohort
        beside = stored_beside(
            contributor_id=cohort.contributor_id,
            rows=[values for _, values in self._subjects],
            file_id=self._file.pk,
        )
        lines = {f"line {line}": line for line, _ in self._subjects}
        # The owner of one cohort need not know the file names of another.
        labelled = [(f"line {line}", values) for line, values in self._subjects] + [
            (f"{row.name}, stored" if row.cohort_id == cohort.pk else "an image of another cohort", row.values)
            for row in beside
        ]
        found: dict[int, list[FoundProblem]] = {}
        for problem in validate_batch(labelled, pack=DERMATOLOGY):
            column = self._report.column_of(problem.field)
            told = FoundProblem(column, problem.field, problem.value, problem.code, problem.message, problem.remedy)
            for label in dict.fromkeys(problem.rows):
                if label in lines:
                    found.setdefault(lines[label], []).append(told)
        self._add_to_rows(found)

    def _add_to_rows(self, found: dict[int, list[FoundProblem]]) -> None:
        ordered = sorted(found)
        for start in range(0, len(ordered), _CHUNK):
            rows = SheetRow.objects.filter(file=self._file, line__in=ordered[start : start + _CHUNK])
            changed = list(rows)
            for row in changed:
                for problem in found[row.line]:
                    self._report.take_problem(row.line, row.name, problem)
                    row.problems.append(problem.as_json())
            SheetRow.objects.bulk_update(changed, ["problems"], batch_size=_CHUNK)


def _kept(
    row: JudgedRow, *, file: MetadataFile, line: int, name: str, accession: Accession | None, match: Match | None
) -> SheetRow:
    outcome = RowOutcome.WAITING
    if accession is None:
        outcome = RowOutcome.SKIPPED
    elif not (row.structured or row.unstructured):
        outcome = RowOutcome.UNCHANGED
    return SheetRow(
        file=file,
        line=line,
        name=name,
        accession=accession,
        matched=match.how.value if match and match.how else "",
        structured=row.structured,
        unstructured=row.unstructured,
        problems=[problem.as_json() for problem in row.problems],
        base=row.base,
        outcome=outcome,
    )
