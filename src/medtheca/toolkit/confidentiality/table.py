"""Table E.1-1 of PS3.15 as data, and which of its actions holds for an attribute.

`table_e1_1.csv` has its rows: the tag (x for any digit, `private` for all of odd groups), the action of the basic
profile and those of each option. `types.csv` has, for the attributes whose action depends on it, where an attribute is
of type 1 or 2: the ends of SOP classes for the outermost data set, and what is asked for at most inside of sequences.
"""

import csv
from dataclasses import dataclass
from importlib.resources import files
from typing import Literal

from medtheca.toolkit.images.dicom.codes import STORAGE

Action = Literal["X", "Z", "D", "U", "K", "C"]
COLUMNS = (
    "uids", "device", "institution", "patient", "full_dates", "modified_dates", "descriptors", "structured", "graphics",
)  # fmt: skip
ACTIONS = frozenset(("X", "Z", "D", "U", "K", "C", "X/Z", "X/D", "Z/D", "X/Z/D", "X/Z/U*"))


@dataclass(frozen=True, slots=True)
class Row:
    """One row: `options` holds the columns that are not empty."""

    keyword: str
    basic: str
    options: dict[str, str]


@dataclass(frozen=True, slots=True)
class _Types:
    nested: str
    first: frozenset[str]
    second: frozenset[str]


def _read(name: str) -> list[dict[str, str]]:
    text = files(__package__).joinpath(name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


TABLE: dict[str, Row] = {
    row["tag"]: Row(row["keyword"], row["basic"], {name: row[name] for name in COLUMNS if row[name]})
    for row in _read("table_e1_1.csv")
}
"""By tags of eight hex digits, and three patterns and `private`."""

_SINGLE = {int(tag, 16): row for tag, row in TABLE.items() if "x" not in tag and tag != "private"}
_TYPES = {
    int(row["tag"], 16): _Types(row["nested"], frozenset(row["type_1"].split()), frozenset(row["type_2"].split()))
    for row in _read("types.csv")
}


def look_up(tag: int) -> Row | None:
    """The row of an attribute; curves, overlays and private ones are not asked for here."""
    return _SINGLE.get(tag)


def action_of(tag: int, row: Row, columns: frozenset[str], *, sop_class: str, nested: bool) -> Action:
    """What is to be done with an attribute of the table.

    An option's action stands before that of the basic profile. A choice is decided by the type that the attribute has
    in this object; where that is not known, or 3, it is removed.
    """
    for column in COLUMNS:
        if column in columns and (chosen := row.options.get(column)):
            return "C" if chosen == "C" else "K"
    return resolve(row.basic, _type_of(tag, sop_class, nested=nested))


def _type_of(tag: int, sop_class: str, *, nested: bool) -> int:
    types = _TYPES.get(tag)
    if types is None:
        return 3
    if nested:
        return int(types.nested or 3)
    end = sop_class.removeprefix(STORAGE)
    return 1 if end in types.first else 2 if end in types.second else 3


def resolve(action: str, kind: int) -> Action:
    """One action of several, for an attribute of type 1, 2 or 3.

    >>> resolve("X/Z/D", 1), resolve("X/Z/D", 2), resolve("X/Z/D", 3), resolve("Z/D", 3), resolve("X/D", 2)
    ('D', 'Z', 'X', 'Z', 'D')
    """
    choices = action.rstrip("*").split("/")
    if len(choices) == 1:
        return _one(choices[0])
    if kind == 1:
        return _one(choices[-1])
    if kind == 2:
        return _one("Z" if "Z" in choices else choices[-1])
    return _one(choices[0])


def _one(letter: str) -> Action:
    for known in ("X", "Z", "D", "U", "K", "C"):
        if letter == known:
            return known
    raise ValueError(f"{letter} is no action of the table")
