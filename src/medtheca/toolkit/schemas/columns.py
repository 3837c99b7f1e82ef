"""How the columns of a sheet are read: which names the images, which are fields, which are kept or left out."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from medtheca.toolkit.schemas.mapping import FILENAME, How, propose_mapping
from medtheca.toolkit.schemas.problems import Note, Problem, quoted
from medtheca.toolkit.schemas.recipe import Recipe, apply_recipe
from medtheca.toolkit.schemas.registry import RESERVED_COLUMNS, Kind, Pack
from medtheca.toolkit.schemas.table import LONGEST_COLUMN, find_filename_column
from medtheca.toolkit.suggest import did_you_mean

ERROR_COLUMN = "medtheca_errors"
_DECIMAL_COMMA = re.compile(r"([+-]?[0-9]*),([0-9]+)(\s*[A-Za-zµ]{0,3})")
_CONTROL = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
_NUMBERS = {Kind.INTEGER, Kind.DECIMAL}


class Use(StrEnum):
    """What becomes of a column."""

    FILENAME = "filename"
    FIELD = "field"
    UNSTRUCTURED = "unstructured"
    IGNORE = "ignore"
    RECIPE = "recipe"


@dataclass(frozen=True)
class ColumnUse:
    """One column: its use, the field's or the unstructured name, how that was found, and a remark for its owner.

    `suggested` is the field that the column is perhaps meant for: a question, not an answer.
    """

    column: str
    use: Use
    name: str = ""
    how: str = How.UNSTRUCTURED
    remark: str = ""
    suggested: str = ""


@dataclass(frozen=True)
class MappingProblem:
    """Why a column cannot be used as somebody chose."""

    column: str
    code: str
    message: str
    remedy: str = ""


@dataclass(frozen=True)
class ReadRow:
    """A row by field and unstructured name, and by which column each came."""

    cells: dict[str, str]
    columns: dict[str, str]
    problems: list[Problem] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)


def plan_columns(
    columns: Sequence[str], *, pack: Pack, chosen: Mapping[str, Mapping[str, Any]], recipe: Recipe | None = None
) -> list[ColumnUse]:
    """One use a column: what was chosen, else what the recipe says, else what its name says."""
    wanted = recipe.filename_column if recipe else None
    name_column = next((column for column in columns if chosen.get(column, {}).get("field") == FILENAME), None)
    if name_column is None:
        name_column = find_filename_column([column for column in columns if column not in chosen], wanted)
    taken = {choice["field"] for choice in chosen.values() if "field" in choice}
    proposals = {proposal.column: proposal for proposal in propose_mapping(columns, pack=pack)}
    uses = []
    for column in columns:
        if column == name_column:
            uses.append(ColumnUse(column, Use.FILENAME, FILENAME, "chosen" if column in chosen else How.EXACT))
        elif recipe is not None and column in recipe.columns:
            uses.append(ColumnUse(column, Use.RECIPE, recipe.columns[column], Use.RECIPE))
        elif column in chosen:
            uses.append(_chosen(column, chosen[column]))
        else:
            proposal = proposals[column]
            sure = proposal.how in {How.EXACT, How.SYNONYM} and proposal.field != FILENAME
            if column == ERROR_COLUMN or column in RESERVED_COLUMNS:
                uses.append(ColumnUse(column, Use.IGNORE, remark="Not metadata; left out."))
            elif sure and proposal.field not in taken and not _filled(recipe, column):
                uses.append(ColumnUse(column, Use.FIELD, proposal.field or "", proposal.how, proposal.remark))
            else:
                question = proposal.field if proposal.how is How.DID_YOU_MEAN and proposal.field != FILENAME else None
                uses.append(
                    ColumnUse(column, Use.UNSTRUCTURED, column, How.UNSTRUCTURED, proposal.remark, question or "")
                )
    return uses


def check_mapping(columns: Sequence[str], chosen: Mapping[str, Any], *, pack: Pack) -> list[MappingProblem]:
    """Everything that is wrong with a chosen mapping.

    >>> from medtheca.toolkit.schemas.packs.dermatology import DERMATOLOGY
    >>> [problem.message for problem in check_mapping(["a"], {"a": {"field": "sexx"}}, pack=DERMATOLOGY)]
    ["There is no field 'sexx'."]
    """
    problems: list[MappingProblem] = []
    owners: dict[str, str] = {}
    for column, choice in chosen.items():
        if column not in columns:
            hint = did_you_mean(column, list(columns))
            problems.append(MappingProblem(column, "unknown_column", f"No column is called {quoted(column)}.", hint))
            continue
        problem = _check_choice(column, choice, pack)
        if problem is not None:
            problems.append(problem)
            continue
        name = str(choice.get("field") or choice.get("unstructured") or "")
        owner = owners.setdefault(name, column) if name else column
        if owner != column:
            message = f"{quoted(owner)} and {quoted(column)} are both to become {quoted(name)}."
            problems.append(MappingProblem(column, "mapped_twice", message, "Choose one of them."))
    return problems


class RowReader:
    """Reads rows of one sheet by the uses of its columns."""

    def __init__(
        self,
        uses: Sequence[ColumnUse],
        *,
        pack: Pack,
        recipe: Recipe | None = None,
        decimal_comma: bool = False,
    ) -> None:
        self._pack = pack
        self._recipe = recipe
        self._commas = decimal_comma
        self._targets = [(at, use) for at, use in enumerate(uses) if use.use not in {Use.FILENAME, Use.IGNORE}]
        self.filename_at = next((at for at, use in enumerate(uses) if use.use is Use.FILENAME), None)

    def read(self, cells: Sequence[str]) -> ReadRow:
        """One row, cells in the order of the columns."""
        row = ReadRow({}, {})
        raw: dict[str, str] = {}
        for at, use in self._targets:
            if use.use is Use.RECIPE:
                raw[use.column] = cells[at]
                row.columns[use.name] = use.column
                continue
            row.cells[use.name] = self._number(use.name, cells[at], row)
            row.columns[use.name] = use.column
        if self._recipe is not None:
            translation = apply_recipe(self._recipe, raw)
            row.cells.update(translation.cells)
            row.problems.extend(translation.problems)
            row.notes.extend(translation.notes)
        return row

    def _number(self, name: str, cell: str, row: ReadRow) -> str:
        """`0,5` becomes `0.5` in a numeric field of a file whose commas do not separate cells."""
        item = self._pack.by_name.get(name)
        if not self._commas or item is None or item.kind not in _NUMBERS or "," not in cell:
            return cell
        match = _DECIMAL_COMMA.fullmatch(cell)
        if match is None:
            return cell
        row.notes.append(Note(name, f"Commas in {name} were read as decimal points."))
        return f"{match[1]}.{match[2]}{match[3]}"


def _chosen(column: str, choice: Mapping[str, Any]) -> ColumnUse:
    if choice.get("ignore"):
        return ColumnUse(column, Use.IGNORE, how="chosen")
    if "field" in choice:
        return ColumnUse(column, Use.FIELD, str(choice["field"]), "chosen")
    return ColumnUse(column, Use.UNSTRUCTURED, str(choice.get("unstructured") or column), "chosen")


def _filled(recipe: Recipe | None, column: str) -> bool:
    return recipe is not None and column in {*recipe.columns.values(), *recipe.constants}


def _check_choice(column: str, choice: Any, pack: Pack) -> MappingProblem | None:
    kind = next(iter(choice)) if isinstance(choice, Mapping) and len(choice) == 1 else None
    if kind == "field":
        return _check_field(column, str(choice["field"]), pack)
    if kind == "unstructured":
        return _check_name(column, str(choice["unstructured"]).strip(), pack)
    if kind == "ignore" and choice["ignore"] is True:
        return None
    remedy = 'Say {"field": name}, {"unstructured": name} or {"ignore": true}.'
    return MappingProblem(column, "bad_choice", f"What {quoted(column)} is to become is not clear.", remedy)


def _check_field(column: str, name: str, pack: Pack) -> MappingProblem | None:
    fields = _field_names(pack)
    if name in fields:
        return None
    hint = did_you_mean(name, sorted(fields))
    return MappingProblem(column, "unknown_field", f"There is no field {quoted(name)}.", hint)


def _check_name(column: str, name: str, pack: Pack) -> MappingProblem | None:
    if not name or len(name) > LONGEST_COLUMN or _CONTROL.search(name):
        remedy = f"Give 1 to {LONGEST_COLUMN} characters that can be seen."
        return MappingProblem(column, "bad_name", f"{quoted(name)} cannot be a name.", remedy)
    if name in _field_names(pack) or name in RESERVED_COLUMNS:
        message = f"{quoted(name)} is a field, so nothing unstructured can be called so."
        return MappingProblem(column, "name_of_field", message, "Choose the field, or another name.")
    return None


def _field_names(pack: Pack) -> set[str]:
    return {*pack.by_name, *pack.level_columns, FILENAME}
