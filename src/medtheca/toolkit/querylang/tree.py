"""What a query means, as frozen values. Every query of pages, APIs and the command line becomes one such tree.

A tree says yes or no of an image, and never "unknown": a leaf says no of an image that has no value in its field, and
`Not` turns this round. So `-sex:male` is yes for an image of which nobody noted the sex.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from medtheca.toolkit.querylang.fields import SearchField, ValueKind
from medtheca.toolkit.schemas.vocabulary import SEPARATOR

Number = Decimal
"""Numbers are exact, so that 0.8 is what a sheet with 0.80 says."""


@dataclass(frozen=True, slots=True)
class Everything:
    """Yes: the empty query."""


@dataclass(frozen=True, slots=True)
class Nothing:
    """No."""


@dataclass(frozen=True, slots=True)
class And:
    """All of two or more parts, of which none is an `And` itself."""

    parts: tuple[Node, ...]

    def __post_init__(self) -> None:
        if len(self.parts) < 2 or any(isinstance(part, And | Everything | Nothing) for part in self.parts):
            raise ValueError("Join parts by `all_of`.")


@dataclass(frozen=True, slots=True)
class Or:
    """Any of two or more parts, of which none is an `Or` itself."""

    parts: tuple[Node, ...]

    def __post_init__(self) -> None:
        if len(self.parts) < 2 or any(isinstance(part, Or | Everything | Nothing) for part in self.parts):
            raise ValueError("Join parts by `any_of`.")


@dataclass(frozen=True, slots=True)
class Not:
    """Not the part, which is no `Not` itself."""

    part: Node

    def __post_init__(self) -> None:
        negated: type[object] = type(self.part)
        if negated in {Not, Everything, Nothing}:
            raise ValueError("Negate by `none_of`.")


@dataclass(frozen=True, slots=True)
class Equals:
    """The field has this very value; of a field with several values, one of them.

    Text of a keyword is as it is stored where the field has a vocabulary, and as it was written elsewhere. Upper and
    lower case differ. Of a cohort and a collection it is a name or an id.
    """

    field: SearchField
    value: str | bool | Number

    def __post_init__(self) -> None:
        wanted = {ValueKind.KEYWORD: str, ValueKind.BOOL: bool, ValueKind.NUMBER: Decimal}.get(self.field.kind)
        if wanted is None or not isinstance(self.value, wanted):
            raise ValueError(f"{self.field.name} has no value such as {self.value!r}.")


@dataclass(frozen=True, slots=True)
class Wildcard:
    """The field's text is these pieces in this order, with anything or nothing between one and the next.

    `("abc", "")` is `abc*`. There are two pieces or more, and only the first and the last may be empty, not both of
    two. Of a vocabulary's value any name in queries may match (`SearchField.names_of`); of a hierarchy, any term of
    the path.
    """

    field: SearchField
    pieces: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.field.kind not in {ValueKind.KEYWORD, ValueKind.HIERARCHY} or self.field.by_name:
            raise ValueError(f"{self.field.name} takes no wildcards.")
        if len(self.pieces) < 2 or not all(self.pieces[1:-1]) or not any(self.pieces):
            raise ValueError("These are no pieces of a text.")

    def matches(self, text: str) -> bool:
        """Whether a text consists of the pieces; upper and lower case differ."""
        first, *middle, last = self.pieces
        if len(text) < len(first) + len(last) or not text.startswith(first) or not text.endswith(last):
            return False
        at, end = len(first), len(text) - len(last)
        for piece in middle:
            found = text.find(piece, at, end)
            if found < 0:
                return False
            at = found + len(piece)
        return True


@dataclass(frozen=True, slots=True)
class Present:
    """The field has a value, whichever."""

    field: SearchField

    def __post_init__(self) -> None:
        if self.field.by_name:
            raise ValueError(f"{self.field.name} takes an id or a name.")


@dataclass(frozen=True, slots=True)
class Bound:
    """An end of a range: a number, or a moment with its time zone. A moment is included below and excluded above."""

    value: Number | datetime
    inclusive: bool


@dataclass(frozen=True, slots=True)
class Range:
    """The field lies between the bounds, of which None is open; at least one is given. It may be empty."""

    field: SearchField
    low: Bound | None
    high: Bound | None

    def __post_init__(self) -> None:
        wanted = {ValueKind.NUMBER: Decimal, ValueKind.DATE: datetime}.get(self.field.kind)
        bounds = [bound for bound in (self.low, self.high) if bound is not None]
        if wanted is None or not bounds or not all(isinstance(bound.value, wanted) for bound in bounds):
            raise ValueError(f"{self.field.name} has no such range.")
        dates = self.field.kind is ValueKind.DATE
        if dates and ((self.low and not self.low.inclusive) or (self.high and self.high.inclusive)):
            raise ValueError("Ranges of dates begin with a moment and end before one.")


@dataclass(frozen=True, slots=True)
class Subtree:
    """The field, a hierarchy, has this path or one below it. The path is one of the vocabulary's."""

    field: SearchField
    path: str

    def __post_init__(self) -> None:
        if self.field.kind is not ValueKind.HIERARCHY:
            raise ValueError(f"{self.field.name} is no hierarchy.")

    @property
    def level(self) -> int:
        """Of the path's last term, from 1: of `diagnosis` it is stored in `diagnosis_<level>`."""
        return self.path.count(SEPARATOR) + 1

    @property
    def term(self) -> str:
        """The path's last term."""
        return self.path.rsplit(SEPARATOR, 1)[-1]


@dataclass(frozen=True, slots=True)
class Words:
    """A free word or a phrase: an id begins so, a value is called so, or a text says so that the asker may read.

    Upper and lower case are equal. The text is not empty, and begins and ends with no space.
    """

    text: str

    def __post_init__(self) -> None:
        if not self.text or self.text != self.text.strip():
            raise ValueError("There is no word, or space around it.")


Leaf = Equals | Wildcard | Present | Range | Subtree | Words
Node = Everything | Nothing | And | Or | Not | Leaf


def all_of(*parts: Node) -> Node:
    """The parts joined by AND, flat; nothing at all is `Everything`."""
    flat: list[Node] = []
    for part in parts:
        flat.extend(part.parts if isinstance(part, And) else (part,))
    if any(isinstance(part, Nothing) for part in flat):
        return Nothing()
    flat = [part for part in flat if not isinstance(part, Everything)]
    return And(tuple(flat)) if len(flat) > 1 else flat[0] if flat else Everything()


def any_of(*parts: Node) -> Node:
    """The parts joined by OR, flat; nothing at all is `Nothing`."""
    flat: list[Node] = []
    for part in parts:
        flat.extend(part.parts if isinstance(part, Or) else (part,))
    if any(isinstance(part, Everything) for part in flat):
        return Everything()
    flat = [part for part in flat if not isinstance(part, Nothing)]
    return Or(tuple(flat)) if len(flat) > 1 else flat[0] if flat else Nothing()


def none_of(part: Node) -> Node:
    """The part negated."""
    if isinstance(part, Not):
        return part.part
    if isinstance(part, Everything):
        return Nothing()
    return Everything() if isinstance(part, Nothing) else Not(part)


def leaves_of(node: Node) -> Iterator[Leaf]:
    """Every leaf, from left to right."""
    if isinstance(node, And | Or):
        for part in node.parts:
            yield from leaves_of(part)
    elif isinstance(node, Not):
        yield from leaves_of(node.part)
    elif not isinstance(node, Everything | Nothing):
        yield node


def fields_of(node: Node) -> frozenset[SearchField]:
    """The fields that a tree names."""
    return frozenset(leaf.field for leaf in leaves_of(node) if not isinstance(leaf, Words))
