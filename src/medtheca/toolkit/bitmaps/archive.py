"""All that is known of an archive's images for search, as bitmaps and arrays over their numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar, cast

import numpy as np
from pyroaring import BitMap

from medtheca.toolkit.bitmaps.circles import Circle
from medtheca.toolkit.bitmaps.numbers import NONE, Numbers
from medtheca.toolkit.bitmaps.order import Order
from medtheca.toolkit.bitmaps.packing import FORMAT, Packable, Unreadable, pack, unpack
from medtheca.toolkit.bitmaps.sets import LARGEST
from medtheca.toolkit.bitmaps.terms import Terms, Value
from medtheca.toolkit.querylang import FIELDS, SearchField, ValueKind
from medtheca.toolkit.schemas import DERMATOLOGY

LARGEST_NUMBER = LARGEST
"""The greatest number that an image may have."""
PUBLIC_IDS = "isic_id"
"""Terms of the letters before the underscore of public ids."""
NUMBER_FIELDS = ("pixels_x", "pixels_y", "file_size", "patient_id", "lesion_id")
"""Fields of which each image may have a number of its own; of public ids it is `number_of_id`."""
ALIKE_FIELDS = ("near_duplicates", "exact_duplicates")
"""Fields that count others whom the asker sees; nobody else has such numbers, so that they are not kept."""
_ELSEWHERE = {
    *("public", "created", "collection", "duplicate_group", *ALIKE_FIELDS, *NUMBER_FIELDS),
    *(set(DERMATOLOGY.identifiers) - {*NUMBER_FIELDS}),
}
TERM_FIELDS = tuple(
    name for name, item in FIELDS.items() if name not in _ELSEWHERE and item.kind is not ValueKind.HIERARCHY
)
"""Fields whose values are kept as terms, among them the levels of hierarchies."""
LAYOUT = f"{FORMAT} " + " ".join((*TERM_FIELDS, *NUMBER_FIELDS))
"""What is kept and how; parts of another layout are not read."""
_LONGEST_ID = 18
Thing = TypeVar("Thing")


@dataclass
class Gathered:
    """What was read of some images: `numbers` are all that were asked for, those that are gone among them."""

    numbers: BitMap
    moments: dict[int, int] = field(default_factory=dict)
    terms: dict[str, dict[Value, list[int]]] = field(default_factory=dict)
    values: dict[str, dict[int, int]] = field(default_factory=dict)


@dataclass
class Archive:
    """`images` are all there are; `circles` have the images of scopes by their ids; `withdrawn` are withdrawn ones."""

    images: BitMap = field(default_factory=BitMap)
    order: Order = field(default_factory=Order)
    terms: dict[str, Terms] = field(default_factory=lambda: {name: _terms(name) for name in TERM_FIELDS})
    numbers: dict[str, Numbers] = field(default_factory=lambda: {name: Numbers() for name in NUMBER_FIELDS})
    circles: dict[int, Circle] = field(default_factory=dict)
    withdrawn: BitMap = field(default_factory=BitMap)

    def replace(self, gathered: Gathered) -> None:
        """Forget what these images were, and note what they are; circles and withdrawals stay as they were."""
        numbers = gathered.numbers
        self.images -= numbers
        self.images.update(gathered.moments)
        self.order.replace(list(gathered.moments), list(gathered.moments.values()))
        for name, terms in self.terms.items():
            terms.replace(numbers, gathered.terms.get(name, {}))
        asked = list(numbers)
        for name, kept in self.numbers.items():
            said = gathered.values.get(name, {})
            kept.replace(asked, [said.get(number, NONE) for number in asked])

    def restate(self, numbers: BitMap, terms: Mapping[str, Mapping[Value, Iterable[int]]]) -> None:
        """Note what these images have now in some fields; everything else stays as it was."""
        for name, having in terms.items():
            self.terms[name].replace(numbers, having)

    def place(self, scope: int, numbers: BitMap, placed: BitMap, waiting: Mapping[int, int]) -> None:
        """Note how images hang in a scope now: those of `numbers` that are in neither do not hang there."""
        circle = self.circles.get(scope)
        if circle is None:
            circle = self.circles[scope] = Circle()
        circle.replace(numbers, placed, waiting)
        if not circle.placed and not circle.waiting:
            del self.circles[scope]

    def withdraw(self, numbers: BitMap, withdrawn: BitMap) -> None:
        """Note which of the images are withdrawn now."""
        self.withdrawn -= numbers
        self.withdrawn |= withdrawn

    def parts(self) -> Iterator[tuple[str, bytes]]:
        """Everything as named bytes, one after the other."""
        for name, thing in self._things():
            yield name, pack(thing)

    def _things(self) -> Iterator[tuple[str, Packable]]:
        yield "images", self.images
        yield "order", self.order
        yield "circles", self.circles
        yield "withdrawn", self.withdrawn
        for name, terms in self.terms.items():
            yield f"terms {name}", terms
        for name, numbers in self.numbers.items():
            yield f"numbers {name}", numbers

    @classmethod
    def of_parts(cls, parts: Iterable[tuple[str, bytes]]) -> Archive:
        """The archive of which these are the parts. Raises `Unreadable` where one is missing or of another layout."""
        read = {name: unpack(data) for name, data in parts}
        archive = cls()
        try:
            archive.images = _only(BitMap, read.pop("images"))
            archive.order = _only(Order, read.pop("order"))
            archive.circles = cast("dict[int, Circle]", _only(dict, read.pop("circles")))
            archive.withdrawn = _only(BitMap, read.pop("withdrawn"))
            for name, terms in archive.terms.items():
                terms.take(_only(Terms, read.pop(f"terms {name}")))
            archive.numbers = {name: _only(Numbers, read.pop(f"numbers {name}")) for name in NUMBER_FIELDS}
        except KeyError as error:
            raise Unreadable(f"The part {error} is missing.") from None
        return archive

    def differences(self, other: Archive) -> list[str]:
        """Names of the parts in which the two say something else."""
        mine, theirs = dict(self._things()), dict(other._things())
        return [name for name, thing in mine.items() if not _alike(thing, theirs[name])]


def _terms(name: str) -> Terms:
    return Terms(multiple=FIELDS[name].multiple)


def number_of_id(public_id: str | None) -> int:
    """A public id such as IP_0000042 as a number that nothing else has; `NONE` for none, and for what cannot be one.

    >>> number_of_id("IP_0000042"), number_of_id("IP_00000042"), number_of_id(None)
    (10000042, 100000042, -1)
    """
    digits = (public_id or "").rpartition("_")[2]
    # The leading 1 keeps leading zeros.
    return int("1" + digits) if digits.isascii() and digits.isdigit() and len(digits) < _LONGEST_ID else NONE


def id_of_number(prefix: str, number: int) -> str:
    """The public id of a number.

    >>> id_of_number("IP", 10000042)
    'IP_0000042'
    """
    return f"{prefix}_{str(number)[1:]}"


def levels_of(item: SearchField) -> tuple[str, ...]:
    """The fields of a hierarchy's levels, the highest first."""
    return DERMATOLOGY.by_name[item.name].level_names


def _only(kind: type[Thing], thing: Packable) -> Thing:
    if not isinstance(thing, kind):
        raise Unreadable(f"A part is no {kind.__name__}.")
    return thing


def _alike(mine: Packable, theirs: Packable) -> bool:
    if isinstance(mine, Terms) and isinstance(theirs, Terms):
        return {v: b for v, b in mine.bitmaps.items() if b} == {v: b for v, b in theirs.bitmaps.items() if b}
    if isinstance(mine, Numbers) and isinstance(theirs, Numbers):
        return np.array_equal(np.trim_zeros(mine.values - NONE, "b"), np.trim_zeros(theirs.values - NONE, "b"))
    if isinstance(mine, Order) and isinstance(theirs, Order):
        return True  # Moments of images that are gone may stay; those of others never change.
    if isinstance(mine, dict) and isinstance(theirs, dict):
        return {k: (c.placed, c.waiting) for k, c in mine.items() if c.placed or c.waiting} == {
            k: (c.placed, c.waiting) for k, c in theirs.items() if c.placed or c.waiting
        }
    return mine == theirs
