"""What a query finds, counted out in plain Python: no code of a compiler, no database, one image after the other.

Whatever answers queries is compared with this.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from medtheca.toolkit.querylang import (
    And,
    Everything,
    Not,
    Nothing,
    Or,
    Present,
    Range,
    Subtree,
    Wildcard,
    Words,
)

LICENCE_NAMES = {"CC0-1.0": "CC-0", "CC-BY-4.0": "CC-BY", "CC-BY-NC-4.0": "CC-BY-NC"}
SEES_WITHDRAWN = {"owner", "editor"}


@dataclass
class Person:
    """Somebody who asks. `roles` are by the name of the circle."""

    name: str
    staff: bool = False
    active: bool = True
    roles: dict[str, str] = field(default_factory=dict)


@dataclass
class Picture:
    """An image with all that is known of it. `placed` are circles with whether they are open now.

    Dates are of its taking in; `structured` has full paths under `diagnosis` and `anatom_site`, and numbers as
    Decimal; `facts` has meanings. `look` is the perceptual hash, of which 0 says nothing; equal `pixels` are the same.
    """

    number: int
    created: datetime
    cohort: str
    contributor: str
    licence: str
    attribution: str
    public_id: str | None = None
    width: int = 600
    height: int = 450
    size: int = 1000
    kind: str = "picture"
    format: str = "jpeg"
    depth: int = 1
    spacing: tuple[float, float] | None = None
    structured: dict[str, Any] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    patient: str | None = None
    lesion: str | None = None
    placed: dict[str, bool] = field(default_factory=dict)
    withdrawn: bool = False
    collections: frozenset[str] = frozenset()
    look: int = 0
    pixels: int = 0
    path: str = ""
    notes: dict[str, str] = field(default_factory=dict)


@dataclass
class Archive:
    """All there is. `cohorts` are names by id; `collections` are (name, names of those who see it) by id."""

    pictures: list[Picture]
    cohorts: dict[int, str]
    contributors: dict[str, str]
    collections: dict[int, tuple[str, frozenset[str]]]


def sees(person: Person | None, picture: Picture) -> bool:
    if person is not None and not person.active:
        person = None
    if person is not None and person.staff:
        return True
    for circle, open_now in picture.placed.items():
        if not open_now:
            continue
        if circle == "public" or (circle == "signed_in" and person is not None):
            return True
        role = person.roles.get(circle) if person else None
        if role is not None and (role in SEES_WITHDRAWN or not picture.withdrawn):
            return True
    return False


def knows_cohort(person: Person | None, archive: Archive, cohort: str) -> bool:
    if person is None or not person.active:
        return False
    return person.staff or cohort in person.roles or archive.contributors[cohort] in person.roles


def find(archive: Archive, person: Person | None, tree: Any) -> set[int]:
    """Numbers of the images that the tree says yes of, and that the person sees."""
    return {
        picture.number
        for picture in archive.pictures
        if sees(person, picture) and holds(archive, person, picture, tree)
    }


def holds(archive: Archive, person: Person | None, picture: Picture, tree: Any) -> bool:
    """Whether the tree says yes of the image, for somebody who sees it."""
    match tree:
        case Everything() | Nothing():
            return isinstance(tree, Everything)
        case And(parts) | Or(parts):
            answers = [holds(archive, person, picture, part) for part in parts]
            return all(answers) if isinstance(tree, And) else any(answers)
        case Not(part):
            return not holds(archive, person, picture, part)
    return _leaf_holds(archive, person, picture, tree)


def _leaf_holds(archive: Archive, person: Person | None, picture: Picture, leaf: Any) -> bool:
    if isinstance(leaf, Words):
        return _says_words(archive, person, picture, leaf.text)
    if leaf.field.name == "cohort":
        return _is_in_cohort(archive, person, picture, leaf.value)
    if leaf.field.name == "collection":
        return _is_in_collection(archive, person, picture, leaf.value)
    if leaf.field.name == "duplicate_group":
        return picture.number in group_of(archive, person, leaf.value)
    if leaf.field.name in {"near_duplicates", "exact_duplicates"}:
        return _number_holds(
            leaf, Decimal(len(alike(archive, person, picture, exact=leaf.field.name == "exact_duplicates")))
        )
    return _has(picture, leaf)


def alike(archive: Archive, person: Person | None, picture: Picture, *, exact: bool) -> set[int]:
    """Other pictures that the person sees and that look like one: 6 bits differ at most, or none of the pixels do."""
    return {
        other.number
        for other in archive.pictures
        if other is not picture and sees(person, other) and _are_alike(picture, other, exact=exact)
    }


def _are_alike(one: Picture, other: Picture, *, exact: bool) -> bool:
    if one.pixels == other.pixels:
        return True
    if exact or "document" in {one.kind, other.kind} or 0 in {one.look, other.look}:
        return False
    return (one.look ^ other.look).bit_count() <= 6


def group_of(archive: Archive, person: Person | None, wanted: str) -> set[int]:
    """What is reached from an image over images that the person sees; nothing where that is the image alone."""
    found = [one for one in archive.pictures if one.public_id == wanted.strip() and sees(person, one)]
    reached = {one.number for one in found}
    while found:
        picture = found.pop()
        for number in alike(archive, person, picture, exact=False) - reached:
            reached.add(number)
            found.append(next(one for one in archive.pictures if one.number == number))
    return reached if len(reached) > 1 else set()


def _number_holds(leaf: Any, number: Decimal) -> bool:
    match leaf:
        case Present():
            return True
        case Range():
            return _lies_within(number, leaf)
    return bool(leaf.value == number)


def _has(picture: Picture, leaf: Any) -> bool:
    values = values_of(picture, leaf.field.name)
    match leaf:
        case Present():
            return bool(values)
        case Subtree(item, path):
            return (picture.structured.get(item.name, "") + ":").startswith(path + ":")
        case Range():
            return bool(values) and all(_lies_within(value, leaf) for value in values)
        case Wildcard(item, pieces):
            return any(_is_like(text, list(pieces)) for value in values for text in _names(item.name, value))
    if leaf.field.name == "pixel_spacing":
        return bool(values) and all(value == float(leaf.value) for value in values)
    return leaf.value in values


def values_of(picture: Picture, name: str) -> list[Any]:
    """All values that a picture has in a field. Of spacing, both ways."""
    said: dict[str, Any] = {
        "isic_id": picture.public_id,
        "public": picture.placed.get("public", False),
        "copyright_license": picture.licence,
        "attribution": picture.attribution or None,
        "created": picture.created,
        "pixels_x": Decimal(picture.width),
        "pixels_y": Decimal(picture.height),
        "file_size": Decimal(picture.size),
        "patient_id": picture.patient,
        "lesion_id": picture.lesion,
        "rcm_case_id": None,
        "image_kind": picture.kind,
        "format": picture.format,
        "slices": Decimal(picture.depth),
    }
    if name == "pixel_spacing":
        return list(picture.spacing or ())
    if name == "stain":
        return list(picture.facts.get("stain", ()))
    if name in said:
        return [] if said[name] is None else [said[name]]
    value = picture.structured.get(name, picture.facts.get(name))
    head, _, level = name.rpartition("_")
    if value is None and head in {"diagnosis", "anatom_site"} and level.isdigit():
        terms = picture.structured.get(head, "").split(":")
        value = terms[int(level) - 1] if len(terms) >= int(level) else None
    return [] if value is None or value == "" else [value]


def count_values(archive: Archive, found: set[int], name: str) -> Counter[str]:
    """How many of the images found have each value."""
    counted: Counter[str] = Counter()
    for picture in archive.pictures:
        if picture.number in found:
            values = values_of(picture, name)
            counted.update(_as_text(name, value) for value in values[: 1 if name == "pixel_spacing" else None])
    return counted


def _as_text(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{float(value):g}" if name in {"pixel_spacing", "magnification"} else str(value)


def _names(name: str, value: str) -> list[str]:
    if name == "copyright_license":
        return [value, LICENCE_NAMES[value]]
    return value.split(":") if name in {"diagnosis", "anatom_site"} else [value]


def _is_like(text: str, pieces: list[str]) -> bool:
    """Every way to cut the text is tried."""
    first, *rest = pieces
    if not text.startswith(first):
        return False
    text = text[len(first) :]
    if len(rest) == 1:
        return text.endswith(rest[0])
    return any(_is_like(text[at:], rest) for at in range(len(text) + 1))


def _lies_within(value: Any, wanted: Range) -> bool:
    for bound, sign in ((wanted.low, 1), (wanted.high, -1)):
        if bound is None:
            continue
        limit = float(bound.value) if isinstance(value, float) else bound.value
        if value == limit and not bound.inclusive:
            return False
        if value != limit and (value > limit) != (sign > 0):
            return False
    return True


# What values are called beside their names: a few of the pools in `chance`.
CALLED = {
    "CT": ["Computed Tomography"],
    "MR": ["Magnetic Resonance"],
    "Brain": ["12738006"],
    "Thorax": ["816094009", "chest"],
    "hematoxylin stain": ["12710003"],
    "water soluble eosin stain": ["36879007"],
    "clinical: close-up": ["clinical"],
}


def _says_words(archive: Archive, person: Person | None, picture: Picture, text: str) -> bool:
    lowered = text.casefold()
    if picture.public_id is not None and picture.public_id.casefold().startswith(lowered):
        return True
    if lowered in {(picture.patient or "").casefold(), (picture.lesion or "").casefold()}:
        return True
    paths = [picture.structured.get(name, "") for name in ("diagnosis", "anatom_site")]
    if any(lowered in term.casefold() for path in paths for term in path.split(":")):
        return True
    return any(is_written(text, where) for where in _texts(archive, person, picture))


def _texts(archive: Archive, person: Person | None, picture: Picture) -> list[str]:
    """All that is written of a picture and that the person may know."""
    values = [picture.structured.get(name) for name in ("sex", "image_type")]
    values += [picture.facts.get(name) for name in ("modality", "body_part")] + list(picture.facts.get("stain", ()))
    texts = [name for value in values if value for name in (value, *CALLED.get(value, ()))]
    texts += [picture.attribution, picture.facts.get("manufacturer", ""), picture.facts.get("manufacturer_model", "")]
    texts += [name for name in picture.collections if _is_in_collection(archive, person, picture, name)]
    if knows_cohort(person, archive, picture.cohort):
        texts += [picture.cohort, f"{picture.number}.jpg", picture.path, *picture.notes.values()]
        texts += ["private-1"] if picture.structured else []
    return texts


def is_written(wanted: str, text: str) -> bool:
    """Whether the words stand in the text, one after the other; the last may be the beginning of one."""
    [plain, text] = [
        "".join(
            c if c.isalnum() else " "
            for c in unicodedata.normalize("NFD", said.replace("ß", "ss")).lower()
            if not unicodedata.combining(c)
        )
        for said in (wanted, text)
    ]
    return bool(plain.strip()) and f" {' '.join(plain.split())}" in f" {' '.join(text.split())}"


def _is_in_cohort(archive: Archive, person: Person | None, picture: Picture, wanted: str) -> bool:
    wanted = wanted.strip()
    if not knows_cohort(person, archive, picture.cohort):
        return False
    if wanted.isascii() and wanted.isdigit():
        return archive.cohorts.get(int(wanted)) == picture.cohort
    return picture.cohort.casefold() == wanted.casefold()


def _is_in_collection(archive: Archive, person: Person | None, picture: Picture, wanted: str) -> bool:
    return any(
        name in picture.collections and wanted in {str(key), name}
        for key, (name, seen_by) in archive.collections.items()
        if "everybody" in seen_by or (person is not None and person.active and (person.staff or person.name in seen_by))
    )
