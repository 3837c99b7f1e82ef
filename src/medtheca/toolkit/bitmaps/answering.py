"""Query trees over an archive's bitmaps: what is found, and how many have each value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

from pyroaring import BitMap

from medtheca.toolkit.bitmaps.archive import (
    ALIKE_FIELDS,
    NUMBER_FIELDS,
    PUBLIC_IDS,
    Archive,
    levels_of,
    number_of_id,
)
from medtheca.toolkit.bitmaps.numbers import NONE
from medtheca.toolkit.bitmaps.sets import bitmap_of_mask
from medtheca.toolkit.bitmaps.tally import Tally
from medtheca.toolkit.bitmaps.terms import Terms, Value
from medtheca.toolkit.querylang import (
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
    SearchField,
    Subtree,
    ValueKind,
    Wildcard,
    Words,
)

_SUBJECTS = {"patient_id": "IP_", "lesion_id": "IL_"}
_NAMED = {"cohort", "collection", "duplicate_group"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WIDE = 2**62


@dataclass(frozen=True)
class Sight:
    """What somebody sees: `visible` images, of them the `public` ones, and leaves that the archive cannot answer."""

    visible: BitMap
    public: BitMap
    known: Mapping[Leaf, BitMap] = field(default_factory=dict)


class NotKnown(Exception):
    """A leaf that neither the archive nor the sight answers."""


def is_known(leaf: Leaf) -> bool:
    """Whether the archive answers a leaf by itself."""
    if isinstance(leaf, Words):
        return False
    name = leaf.field.name
    if name in ALIKE_FIELDS:
        return False
    if isinstance(leaf, Present):
        return name not in {"collection", "rcm_case_id"}
    if isinstance(leaf, Equals):
        return name not in {PUBLIC_IDS, "rcm_case_id", *_NAMED}
    if isinstance(leaf, Wildcard):
        return name not in {PUBLIC_IDS, "rcm_case_id", *_NAMED, *_SUBJECTS}
    return True


def find(node: Node, archive: Archive, sight: Sight) -> BitMap:
    """Images that are seen and for which the tree says yes. The set may be the sight's own: read it, never change it.

    Raises `NotKnown` for a leaf for which somebody else has to be asked.
    """
    if isinstance(node, Everything):
        return sight.visible
    if isinstance(node, Nothing):
        return BitMap()
    if isinstance(node, Not):
        return sight.visible - find(node.part, archive, sight)
    if isinstance(node, And):
        found = sight.visible
        for part in node.parts:
            wanted = _any(part.part if isinstance(part, Not) else part, archive, sight)
            found = found - wanted if isinstance(part, Not) else found & wanted
        return found
    return sight.visible & _any(node, archive, sight)


def _any(node: Node, archive: Archive, sight: Sight) -> BitMap:
    """As `find`, with or without what is not seen."""
    if isinstance(node, Or):
        return BitMap.union(*(_any(part, archive, sight) for part in node.parts))
    if isinstance(node, And | Not | Everything | Nothing):
        return find(node, archive, sight)
    if node in sight.known:
        return sight.known[node]
    if isinstance(node, Words) or not is_known(node):
        raise NotKnown(node)
    return _leaf(node, archive, sight)


def _leaf(leaf: Equals | Wildcard | Present | Range | Subtree, archive: Archive, sight: Sight) -> BitMap:
    if isinstance(leaf, Subtree):
        return archive.terms[levels_of(leaf.field)[leaf.level - 1]].having(leaf.term)
    if isinstance(leaf, Present):
        return _present(leaf.field, archive)
    if isinstance(leaf, Range):
        return _range(leaf, archive)
    if isinstance(leaf, Wildcard):
        return _wildcard(leaf, archive)
    return _equals(leaf, archive, sight)


def _present(item: SearchField, archive: Archive) -> BitMap:
    if item.kind is ValueKind.HIERARCHY:
        return archive.terms[levels_of(item)[0]].present
    if item.name in NUMBER_FIELDS:
        return archive.numbers[item.name].present()
    return archive.terms[item.name].present if item.name in archive.terms else archive.images


def _range(leaf: Range, archive: Archive) -> BitMap:
    name = leaf.field.name
    if leaf.field.kind is ValueKind.DATE:
        start, end = (microseconds(bound.value) if bound else None for bound in (leaf.low, leaf.high))
        return bitmap_of_mask(archive.order.between(start, end)) & archive.images
    if name in NUMBER_FIELDS:
        return archive.numbers[name].between(_whole(leaf.low, up=True), _whole(leaf.high, up=False))
    if name == "pixel_spacing":
        # A pixel that is fine one way and coarse the other is not fine.
        return archive.terms[name].where(lambda pair: isinstance(pair, tuple) and all(_within(leaf, n) for n in pair))
    return archive.terms[name].where(lambda value: _within(leaf, _exact(value)))


def _within(leaf: Range, number: Decimal | float) -> bool:
    """Whether a number lies between the bounds: compared as it is kept, exactly or as the nearest binary fraction."""
    return _reaches(leaf.low, number, 1) and _reaches(leaf.high, number, -1)


def _reaches(bound: Bound | None, number: Decimal | float, side: int) -> bool:
    if bound is None:
        return True
    limit: Any = float(_number(bound)) if isinstance(number, float) else _number(bound)
    return bound.inclusive if number == limit else (number > limit) == (side > 0)


def _number(bound: Bound) -> Decimal:
    if not isinstance(bound.value, Decimal):
        raise TypeError("A moment is no number.")
    return bound.value


def _exact(value: Value) -> Decimal:
    """A number as it was written: 0.8 is eight tenths."""
    return Decimal(repr(value))


def whole_bounds(leaf: Equals | Range) -> tuple[int | None, int | None] | None:
    """The smallest and the greatest whole number that a leaf about numbers says yes of; None where there is none."""
    if isinstance(leaf, Range):
        return _whole(leaf.low, up=True), _whole(leaf.high, up=False)
    value = leaf.value
    if not isinstance(value, Decimal) or value != value.to_integral_value() or abs(value) >= _WIDE:
        return None
    return int(value), int(value)


def _whole(bound: Bound | None, *, up: bool) -> int | None:
    """The first whole number within a bound, as far as numbers go."""
    if bound is None:
        return None
    number = int(_number(bound).to_integral_value(ROUND_CEILING if up else ROUND_FLOOR))
    if number == bound.value and not bound.inclusive:
        number += 1 if up else -1
    return max(-_WIDE, min(_WIDE, number))


def microseconds(moment: Decimal | datetime) -> int:
    """A moment in microseconds since 1970, exactly."""
    if not isinstance(moment, datetime):
        raise TypeError("A number is no moment.")
    gone = moment - _EPOCH
    return (gone.days * 86_400 + gone.seconds) * 1_000_000 + gone.microseconds


def _wildcard(leaf: Wildcard, archive: Archive) -> BitMap:
    item = leaf.field
    if item.kind is ValueKind.HIERARCHY:
        return BitMap.union(*(archive.terms[level].where(_texts(leaf.matches)) for level in levels_of(item)))
    return archive.terms[item.name].where(lambda value: any(map(leaf.matches, item.names_of(str(value)))))


def _texts(matches: Callable[[str], bool]) -> Callable[[Value], bool]:
    return lambda value: isinstance(value, str) and matches(value)


def _equals(leaf: Equals, archive: Archive, sight: Sight) -> BitMap:
    name, value = leaf.field.name, leaf.value
    if name == "public":
        return sight.public if value else archive.images - sight.public
    if name in _SUBJECTS:
        text = str(value)
        number = number_of_id(text) if text.startswith(_SUBJECTS[name]) else NONE
        return archive.numbers[name].equal(number)
    if name in NUMBER_FIELDS:
        whole = isinstance(value, Decimal) and abs(value) < _WIDE and value == value.to_integral_value()
        return archive.numbers[name].equal(int(value)) if whole else BitMap()
    terms = archive.terms[name]
    if not isinstance(value, Decimal):
        return terms.having(value)
    nearest = float(value)
    if name == "pixel_spacing":
        return terms.having((nearest, nearest))
    return terms.having(nearest) if _exact(nearest) == value else BitMap()


@dataclass(frozen=True)
class Counts:
    """How many of `total` images have each value of a field; `present` have any. Values that none has are left out."""

    values: Mapping[Value, int]
    present: int
    total: int

    @property
    def missing(self) -> int:
        """How many have none."""
        return self.total - self.present


def count_values(item: SearchField, archive: Archive, found: Tally, sight: Sight) -> Counts:
    """How many of the images have each value of a field; of a hierarchy, of each path, those below it included.

    Values of patients and lesions are numbers of their public ids (`number_of_id`). Raises `NotKnown` for fields that
    the archive does not count.
    """
    if item.name == "public":
        public = found.of(sight.public)
        values: dict[Value, int] = {True: public, False: len(found) - public}
        return Counts({value: number for value, number in values.items() if number}, len(found), len(found))
    if item.kind is ValueKind.HIERARCHY:
        return _count_paths(item, archive, found)
    if item.name in NUMBER_FIELDS:
        counted = archive.numbers[item.name].counts(found.among)
        return Counts({float(n): c for n, c in counted.items()}, sum(counted.values()), len(found))
    terms = archive.terms.get(item.name)
    if terms is None or item.name == PUBLIC_IDS:
        raise NotKnown(item)
    return Counts(terms.counts(found), _present_among(terms, found), len(found))


def _count_paths(item: SearchField, archive: Archive, found: Tally) -> Counts:
    levels = levels_of(item)
    counted: dict[Value, int] = {}
    for path in item.vocabulary.values if item.vocabulary else ():
        level = path.count(":")
        bitmap = archive.terms[levels[level]].bitmaps.get(path.rsplit(":", 1)[-1])
        if bitmap is not None and (number := found.of(bitmap)):
            counted[path] = number
    return Counts(counted, _present_among(archive.terms[levels[0]], found), len(found))


def _present_among(terms: Terms, found: Tally) -> int:
    return found.of(terms.present)
