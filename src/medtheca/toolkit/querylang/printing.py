"""A tree becomes text, always the same, and that text becomes the same tree."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from medtheca.toolkit.querylang.fields import SearchField, ValueKind
from medtheca.toolkit.querylang.literals import UNQUOTED, escape, quote
from medtheca.toolkit.querylang.parsing import is_bare_word
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
)


def to_text(node: Node) -> str:
    """The query that says what the tree says, in words of ISIC's language wherever that has any.

    >>> from medtheca.toolkit.querylang import parse
    >>> to_text(parse('sex:(male OR female) NOT diagnosis:Nevus created:2024'))
    '(sex:male OR sex:female) AND -diagnosis:Nevus AND created:[2024-01-01 TO 2025-01-01}'
    """
    match node:
        case Everything():
            return ""
        case Nothing():
            return "-*"
        case And(parts):
            return " AND ".join(_within(part) for part in parts)
        case Or(parts):
            # AND binds tighter than OR. More brackets than were written could be too many to be read again.
            return " OR ".join(to_text(part) for part in parts)
        case Not(part):
            return f"-{_within(part)}"
        case _:
            return _leaf(node)


def value_text(field: SearchField, value: str) -> str:
    """A value as it is counted, a path of a hierarchy too, as it stands behind the field's colon.

    >>> from medtheca.toolkit.querylang import FIELDS
    >>> value_text(FIELDS["image_type"], "clinical: overview")
    '"clinical: overview"'
    """
    if field.kind is ValueKind.HIERARCHY:
        return _term(field, value)
    return value if field.kind in {ValueKind.NUMBER, ValueKind.BOOL} else _text(field.names_of(value)[0])


def _within(node: Node) -> str:
    return f"({to_text(node)})" if isinstance(node, And | Or) else to_text(node)


def _leaf(leaf: Leaf) -> str:
    match leaf:
        case Words(text):
            return text if is_bare_word(text) else quote(text)
        case Present(field):
            return f"{field.name}:*"
        case Range(field, low, high):
            return f"{field.name}:{_range(low, high)}"
        case Wildcard(field, pieces):
            return f"{field.name}:{_wildcard(pieces)}"
        case Subtree(field, path):
            return f"{field.name}:{_term(field, path)}"
        case Equals(field):
            return f"{field.name}:{_value(leaf)}"


def _value(leaf: Equals) -> str:
    match leaf.value:
        case bool():
            return "true" if leaf.value else "false"
        case Decimal():
            return _number(leaf.value)
        case text:
            return _text(leaf.field.names_of(text)[0])


def _text(text: str) -> str:
    return text if UNQUOTED.fullmatch(text) and "*" not in text else quote(text)


def _term(field: SearchField, path: str) -> str:
    """A term alone where it says which path is meant."""
    [term] = field.names_of(path)
    assert field.vocabulary is not None
    return _text(term if field.vocabulary.resolve(term) == path else path)


def _wildcard(pieces: tuple[str, ...]) -> str:
    text = "*".join(escape(piece) for piece in pieces)
    return text if UNQUOTED.fullmatch(text) else f'"{text}"'


def _range(low: Bound | None, high: Bound | None) -> str:
    opening = "[" if low is None or low.inclusive else "{"
    closing = "]" if high is None or high.inclusive else "}"
    return f"{opening}{_end(low)} TO {_end(high)}{closing}"


def _end(bound: Bound | None) -> str:
    if bound is None:
        return "*"
    return _moment(bound.value) if isinstance(bound.value, datetime) else _number(bound.value)


def _number(number: Decimal) -> str:
    return f"{number.normalize():f}"


def _moment(moment: datetime) -> str:
    """As short as it can be: a day, or a moment to the second or the microsecond."""
    moment = moment.astimezone(UTC)
    if (moment.hour, moment.minute, moment.second, moment.microsecond) == (0, 0, 0, 0):
        return f"{moment.year:04}-{moment:%m-%d}"
    fraction = f".{moment.microsecond:06}" if moment.microsecond else ""
    return f"{moment.year:04}-{moment:%m-%dT%H:%M:%S}{fraction}Z"
