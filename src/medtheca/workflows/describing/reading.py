"""A metadata file as its sheet, with the cells that were corrected in place."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from medtheca.base.errors import Invalid, Problem
from medtheca.domains.metadata.sheets import edits_of
from medtheca.domains.storage.queries import blob_store
from medtheca.toolkit.schemas import DERMATOLOGY, ColumnUse, Recipe, Sheet, find_recipe, plan_columns, read_sheet

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    sheet = read_bytes(file.blob.sha256)
    edits = edits_of(file)
    return with_edits(sheet, edits) if edits else sheet


def read_bytes(sha256: str) -> Sheet:
    """The sheet as it came. Raises `TableError`."""
    with blob_store().open(sha256) as spreadsheet:
        return read_sheet(spreadsheet.read())


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
