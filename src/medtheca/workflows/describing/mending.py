"""Mending a sheet in place: what its columns are, what its names mean, what its cells say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from medtheca.base.errors import Conflict, Invalid, Problem
from medtheca.domains.accounts.models import User
from medtheca.domains.metadata.models import MetadataFile
from medtheca.domains.metadata.sheets import keep_edits
from medtheca.domains.provenance.matching import names_of
from medtheca.toolkit.schemas import DERMATOLOGY, TableError, check_mapping
from medtheca.toolkit.schemas.parsing import LONGEST_TEXT
from medtheca.workflows.describing.going import changeable_file, check_anew, file_to_edit
from medtheca.workflows.describing.reading import open_sheet

_MOST_EDITS = 20_000


def set_mapping(*, user: User, file_id: int, mapping: Mapping[str, Any]) -> MetadataFile:
    """Say what columns are, and check again.

    A column becomes `{"field": name}`, `{"unstructured": name}` or `{"ignore": true}`; those not named are proposed.
    Raises `Invalid` with every problem, or `Conflict` where the file is being applied.
    """
    with transaction.atomic():
        file = changeable_file(user, file_id, to="change what its columns are")
        columns = [column["column"] for column in file.report.get("columns", [])]
        if not columns:
            raise Conflict("The columns are not known yet.", remedy="Wait until the spreadsheet was read.")
        found = check_mapping(columns, mapping, pack=DERMATOLOGY)
        if found:
            problems = [Problem(one.column, one.message, code=one.code, remedy=one.remedy) for one in found]
            raise Invalid("The columns cannot be used so.", problems=problems)
        file.mapping = {column: dict(choice) for column, choice in mapping.items()}
        return check_anew(file, user)


def set_matches(*, user: User, file_id: int, matches: Mapping[str, int | None]) -> MetadataFile:
    """Say which accession a name in the sheet means (None: none, leave the row out), and check again.

    Names that are not given keep what was said before.
    """
    with transaction.atomic():
        file = changeable_file(user, file_id, to="change what its names mean")
        wanted = {pk for pk in matches.values() if pk is not None}
        strangers = wanted - names_of(file.cohort, wanted).keys()
        if strangers:
            problems = [
                Problem(name, f"There is no accession {pk} in the cohort.", code="unknown_accession")
                for name, pk in matches.items()
                if pk in strangers
            ]
            raise Invalid("Some names cannot be matched so.", problems=problems)
        file.matches = {**file.matches, **matches}
        return check_anew(file, user)


def edit_cells(*, user: User, file_id: int, cells: Mapping[int, Mapping[str, str]]) -> MetadataFile:
    """Correct cells in place (line → column → value), and check again.

    The bytes as they came stay; each correction is kept beside them with who and when.
    """
    with transaction.atomic():
        file = changeable_file(user, file_id, to="correct its cells")
        columns = {column["column"] for column in file.report.get("columns", [])}
        problems = [
            Problem(f"{line}: {column}", f"No column is called '{column}'.", code="unknown_column")
            for line, edited in cells.items()
            for column in edited
            if column not in columns
        ]
        problems += [
            Problem(f"{line}: {column}", f"The cell is longer than {LONGEST_TEXT:,} characters.", code="too_long")
            for line, edited in cells.items()
            for column, value in edited.items()
            if len(value) > LONGEST_TEXT or "\x00" in value
        ]
        if sum(len(edited) for edited in cells.values()) > _MOST_EDITS:
            problems.append(Problem("cells", f"{_MOST_EDITS:,} cells are the most at once.", code="too_many"))
        if problems:
            raise Invalid("The cells cannot be corrected so.", problems=problems)
        keep_edits(file, cells, by=user)
        return check_anew(file, user)


def replace_values(*, user: User, file_id: int, column: str, values: Mapping[str, str]) -> int:
    """Replace, in one column, every cell that says a key of `values` by its value; return how many there were.

    The sheet is read once. Raises `Invalid` or `Conflict`.
    """
    file = file_to_edit(user, file_id)
    try:
        sheet = open_sheet(file)
    except TableError as error:
        raise Conflict("The spreadsheet cannot be read.", remedy=str(error)) from error
    if column not in sheet.columns:
        raise Invalid("Nothing was replaced.", problems=[Problem("column", f"No column is called '{column}'.")])
    at = sheet.columns.index(column)
    wanted = {old.strip(): new for old, new in values.items()}
    cells = {
        line: {column: wanted[row[at]]} for line, row in zip(sheet.lines, sheet.rows, strict=True) if row[at] in wanted
    }
    lines = sorted(cells)
    for start in range(0, len(lines), _MOST_EDITS):
        edit_cells(user=user, file_id=file_id, cells={line: cells[line] for line in lines[start : start + _MOST_EDITS]})
    return len(lines)


def check_again(*, user: User, file_id: int) -> MetadataFile:
    """Check a file anew: images may have come, or what is stored may have changed."""
    with transaction.atomic():
        return check_anew(changeable_file(user, file_id, to="check it again"), user)
