"""How a published spreadsheet of another make is read: data, applied only when asked for by name."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from medtheca.toolkit.schemas.mapping import FILENAME
from medtheca.toolkit.schemas.problems import Note, Problem, quoted


@dataclass(frozen=True, eq=False, kw_only=True)
class Recipe:
    """`columns`: column → field. `values`: column → its cell → the field's value; other cells are refused.

    `absent_words` mean "not known" in any mapped column and become blank. `keep` are columns whose own cell stays
    beside the translation, as unstructured, because the translation says less or more than the cell did.
    `constants` hold for every row. `pack` is the pack whose fields are meant.
    """

    name: str
    title: str
    description: str
    source: str
    pack: str
    columns: Mapping[str, str]
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    absent_words: frozenset[str] = frozenset()
    keep: frozenset[str] = frozenset()
    constants: Mapping[str, str] = field(default_factory=dict)

    @property
    def filename_column(self) -> str | None:
        """The column that names the image, for `read_table`."""
        return next((column for column, name in self.columns.items() if name == FILENAME), None)


@dataclass(frozen=True)
class Translation:
    """A row for `validate_row`, with what was changed and what could not be translated."""

    cells: dict[str, str]
    notes: list[Note] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def apply_recipe(recipe: Recipe, cells: Mapping[str, str]) -> Translation:
    """Translate one row, column → cell. Columns that the recipe does not know pass unchanged."""
    result = Translation(dict(recipe.constants))
    for column, raw in cells.items():
        cell = raw.strip()
        name = recipe.columns.get(column)
        if name is None:
            _pass_on(recipe, column, raw, result)
            continue
        if column in recipe.keep and cell:
            result.cells[column] = cell
        if cell.casefold() in recipe.absent_words:
            result.notes.append(Note(name, f"{column} {quoted(cell)} counts as not given."))
            continue
        result.cells[name] = _translate(recipe, column, cell, result)
    return result


def _pass_on(recipe: Recipe, column: str, cell: str, result: Translation) -> None:
    """Keep a column that the recipe does not know, unless it claims a field that the recipe fills."""
    if column not in {*recipe.columns.values(), *recipe.constants}:
        result.cells[column] = cell
        return
    message = f"{column} is filled by the recipe {recipe.name} and cannot be a column beside it."
    remedy = "Leave the column out, or do without the recipe."
    problem = Problem(field=column, value=cell, code="filled_by_recipe", message=message, remedy=remedy)
    result.problems.append(problem)


def _translate(recipe: Recipe, column: str, cell: str, result: Translation) -> str:
    words = recipe.values.get(column)
    if words is None or not cell:
        return cell
    if cell in words:
        return words[cell]
    message = f"{column} {quoted(cell)} is not a value that the recipe {recipe.name} knows."
    result.problems.append(
        Problem(
            field=recipe.columns[column],
            value=cell,
            code="unknown_value",
            message=message,
            remedy=f"Use one of: {', '.join(words)}.",
        )
    )
    return ""
