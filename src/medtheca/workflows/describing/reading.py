"""A metadata file as its sheet, with the cells that were corrected in place."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from medtheca.base.errors import Invalid, Problem
from medtheca.domains.metadata.sheets import edits_of
from medtheca.domains.storage.queries import blob_store
from medtheca.toolkit.schemas import (
    DERMATOLOGY,
    ColumnUse,
    Recipe,
    Sheet,
    TableError,
    TableLimits,
    TableProblem,
    find_recipe,
    plan_columns,
    read_sheet,
)
from medtheca.toolkit.schemas.workbook import is_workbook
from medtheca.workflows.describing.workbooks import read_workbook_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from medtheca.domains.metadata.models import MetadataFile


def recipe_named(name: str) -> Recipe | None:
    """A recipe, none for no name. Raises `Invalid` for one that nobody knows."""
    if not name:
        return None
    try:
        return find_recipe(name)
    except LookupError as error:
        raise Invalid(str(error), problems=[Problem("recipe", str(error))]) from error


def open_sheet(file: MetadataFile) -> Sheet:
    """The sheet with its corrected cells. Raises `TableError` where the file cannot be read."""
    sheet = read_blob(file.blob.sha256)
    edits = edits_of(file)
    return with_edits(sheet, edits) if edits else sheet


def read_blob(sha256: str) -> Sheet:
    """The sheet as it came. Raises `TableError`."""
    return read_file(blob_store().path(sha256))


def read_file(path: Path, *, limits: TableLimits | None = None) -> Sheet:
    """The sheet of a CSV or a workbook on disk. Raises `TableError`."""
    limits = limits or TableLimits()
    size = path.stat().st_size
    if size > limits.size:
        message = f"The file has {size:,} bytes; {limits.size:,} is the most."
        problem = TableProblem(line=0, code="too_big", message=message, remedy="Split it into several spreadsheets.")
        raise TableError([problem])
    with path.open("rb") as file:
        head = file.read(8)
    if is_workbook(head):
        return read_workbook_file(path, limits=limits)
    return read_sheet(path.read_bytes(), limits=limits)


def with_edits(sheet: Sheet, edits: Mapping[int, Mapping[str, str]]) -> Sheet:
    """The sheet with some cells replaced, line → column → value; its faults of shape in those lines are gone."""
    places = {column: at for at, column in enumerate(sheet.columns)}
    rows = []
    for line, cells in zip(sheet.lines, sheet.rows, strict=True):
        changed = edits.get(line)
        if changed:
            edited = list(cells)
            for column, value in changed.items():
                if column in places:
                    edited[places[column]] = value.strip()
            rows.append(tuple(edited))
        else:
            rows.append(cells)
    left = tuple(problem for problem in sheet.problems if problem.line not in edits)
    return replace(sheet, rows=tuple(rows), problems=left)


def uses_of(file: MetadataFile, sheet: Sheet, recipe: Recipe | None) -> list[ColumnUse]:
    """How each column is read."""
    return plan_columns(sheet.columns, pack=DERMATOLOGY, chosen=file.mapping, recipe=recipe)
