"""Metadata fields: type, vocabulary, unit and rule, in packs by specialty; spreadsheets; licences.

Owns what a field *is* and what a row means. Does not own stored values, their versions or who may see them.
"""

from medtheca.toolkit.schemas.changes import (
    Changes,
    compare_values,
    field_values,
    kind_of_change,
    lay_on,
    public_changes,
    restore,
    same,
)
from medtheca.toolkit.schemas.columns import (
    ERROR_COLUMN,
    ColumnUse,
    MappingProblem,
    ReadRow,
    RowReader,
    Use,
    check_mapping,
    plan_columns,
)
from medtheca.toolkit.schemas.documentation import DictionaryEntry, csv_template, data_dictionary, fields_table
from medtheca.toolkit.schemas.grouping import ProblemGroups
from medtheca.toolkit.schemas.licences import LICENCES, Licence, find_licence, more_permissive
from medtheca.toolkit.schemas.mapping import How, Proposal, propose_mapping, rename_columns
from medtheca.toolkit.schemas.packs import PACKS, find_pack
from medtheca.toolkit.schemas.packs.acquisition import ACQUISITION
from medtheca.toolkit.schemas.packs.dermatology import DERMATOLOGY
from medtheca.toolkit.schemas.problems import BatchProblem, Note, Problem
from medtheca.toolkit.schemas.public import public_metadata
from medtheca.toolkit.schemas.recipe import Recipe, Translation, apply_recipe
from medtheca.toolkit.schemas.recipes import RECIPES, find_recipe
from medtheca.toolkit.schemas.registry import Column, Field, Kind, Pack, Search
from medtheca.toolkit.schemas.sheet import Sheet, read_sheet
from medtheca.toolkit.schemas.table import (
    Table,
    TableError,
    TableLimits,
    TableProblem,
    TableRow,
    read_table,
)
from medtheca.toolkit.schemas.validation import (
    CLEAR,
    RowResult,
    check_unstructured,
    merge_row,
    row_of_values,
    validate_batch,
    validate_row,
)

__all__ = [
    "ACQUISITION",
    "CLEAR",
    "DERMATOLOGY",
    "ERROR_COLUMN",
    "LICENCES",
    "PACKS",
    "RECIPES",
    "BatchProblem",
    "Changes",
    "Column",
    "ColumnUse",
    "DictionaryEntry",
    "Field",
    "How",
    "Kind",
    "Licence",
    "MappingProblem",
    "Note",
    "Pack",
    "Problem",
    "ProblemGroups",
    "Proposal",
    "ReadRow",
    "Recipe",
    "RowReader",
    "RowResult",
    "Search",
    "Sheet",
    "Table",
    "TableError",
    "TableLimits",
    "TableProblem",
    "TableRow",
    "Translation",
    "Use",
    "apply_recipe",
    "check_mapping",
    "check_unstructured",
    "compare_values",
    "csv_template",
    "data_dictionary",
    "field_values",
    "fields_table",
    "find_licence",
    "find_pack",
    "find_recipe",
    "kind_of_change",
    "lay_on",
    "merge_row",
    "more_permissive",
    "plan_columns",
    "propose_mapping",
    "public_changes",
    "public_metadata",
    "read_sheet",
    "read_table",
    "rename_columns",
    "restore",
    "row_of_values",
    "same",
    "validate_batch",
    "validate_row",
]
