"""The query language: text becomes a tree, and a tree becomes text.

Owns grammar, fields and meaning of queries: ISIC's language, and more. Does not own how a tree is answered.
"""

from medtheca.toolkit.querylang.choosing import (
    Chosen,
    choice_of,
    is_within,
    parts_of,
    range_of,
    toggled,
    with_choice,
    without_part,
    without_range,
)
from medtheca.toolkit.querylang.documentation import fields_table
from medtheca.toolkit.querylang.errors import QueryError
from medtheca.toolkit.querylang.fields import FIELDS, NAME_ALIASES, SearchField, ValueKind, find_field, similar_names
from medtheca.toolkit.querylang.parsing import DEEPEST, LONGEST_QUERY, MOST_TERMS, MOST_WORDS, parse
from medtheca.toolkit.querylang.printing import to_text, value_text
from medtheca.toolkit.querylang.tree import (
    And,
    Bound,
    Equals,
    Everything,
    Leaf,
    Node,
    Not,
    Nothing,
    Or,
    Present,
    Range,
    Subtree,
    Wildcard,
    Words,
    all_of,
    any_of,
    fields_of,
    leaves_of,
    none_of,
)

__all__ = [
    "DEEPEST",
    "FIELDS",
    "LONGEST_QUERY",
    "MOST_TERMS",
    "MOST_WORDS",
    "NAME_ALIASES",
    "And",
    "Bound",
    "Chosen",
    "Equals",
    "Everything",
    "Leaf",
    "Node",
    "Not",
    "Nothing",
    "Or",
    "Present",
    "QueryError",
    "Range",
    "SearchField",
    "Subtree",
    "ValueKind",
    "Wildcard",
    "Words",
    "all_of",
    "any_of",
    "choice_of",
    "fields_of",
    "fields_table",
    "find_field",
    "is_within",
    "leaves_of",
    "none_of",
    "parse",
    "parts_of",
    "range_of",
    "similar_names",
    "to_text",
    "toggled",
    "value_text",
    "with_choice",
    "without_part",
    "without_range",
]
