"""Metadata fields: type, vocabulary, unit and rule, in packs by specialty; spreadsheets; licences.

Owns what a field *is* and what a row means. Does not own stored values, their versions or who may see them.
"""

from medtheca.toolkit.schemas.licences import LICENCES, Licence, find_licence, more_permissive
from medtheca.toolkit.schemas.packs import PACKS, find_pack
from medtheca.toolkit.schemas.packs.dermatology import DERMATOLOGY
from medtheca.toolkit.schemas.problems import BatchProblem, Note, Problem
from medtheca.toolkit.schemas.public import public_metadata
from medtheca.toolkit.schemas.registry import Column, Field, Kind, Pack, Search
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
    "BatchProblem",
    "Column",
    "Field",
    "Kind",
    "Licence",
    "Note",
    "Pack",
    "Problem",
    "RowResult",
    "Search",
    "find_licence",
    "find_pack",
    "merge_row",
    "more_permissive",
    "public_metadata",
    "row_of_values",
    "validate_batch",
    "validate_row",
]
