"""Metadata fields: type, vocabulary, unit and rule, in packs by specialty; spreadsheets; licences.

Owns what a field *is* and what a row means. Does not own stored values, their versions or who may see them.
"""

from medtheca.toolkit.schemas.documentation import DictionaryEntry, csv_template, data_dictionary
from medtheca.toolkit.schemas.licences import LICENCES, Licence, find_licence, more_permissive
from medtheca.toolkit.schemas.mapping import How, Proposal, propose_mapping, rename_columns
from medtheca.toolkit.schemas.packs import PACKS, find_pack
from medtheca.toolkit.schemas.packs.dermatology import DERMATOLOGY
from medtheca.toolkit.schemas.problems import BatchProblem, Note, Problem
from medtheca.toolkit.schemas.public import public_metadata
from medtheca.toolkit.schemas.recipe import Recipe, Translation, apply_recipe
from medtheca.toolkit.schemas.recipes import RECIPES, find_recipe
from medtheca.toolkit.schemas.registry import Column, Field, Kind, Pack, Search
from medtheca.toolkit.schemas.table import (
    Table,
    TableError,
    TableLimits,
    TableProblem,
    TableRow,
    read_table,
)
from medtheca.toolkit.schemas.validation import (
    RowResult,
    merge_row,
    row_of_values,
    validate_batch,
    validate_row,
)

__all__ = [
    "DERMATOLOGY",
    "LICENCES",
    "PACKS",
    "RECIPES",
    "BatchProblem",
    "Column",
    "DictionaryEntry",
    "Field",
    "How",
    "Kind",
    "Licence",
    "Note",
    "Pack",
    "Problem",
    "Proposal",
    "Recipe",
    "RowResult",
    "Search",
    "Table",
    "TableError",
    "TableLimits",
    "TableProblem",
    "TableRow",
    "Translation",
    "apply_recipe",
    "csv_template",
    "data_dictionary",
    "find_licence",
    "find_pack",
    "find_recipe",
    "merge_row",
    "more_permissive",
    "propose_mapping",
    "public_metadata",
    "read_table",
    "rename_columns",
    "row_of_values",
    "validate_batch",
    "validate_row",
]
