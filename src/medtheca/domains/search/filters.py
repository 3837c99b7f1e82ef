"""What can be asked for, as values: read from a query string by pages and APIs, compiled by `queries`."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from medtheca.base.errors import Invalid, Problem
from medtheca.toolkit.querylang import FIELDS, Bound, Equals, Node, Range, Subtree, Words, all_of
from medtheca.toolkit.schemas import ACQUISITION, DERMATOLOGY, find_licence
from medtheca.toolkit.suggest import as_question

CHOICES = ("sex", "image_type", "fitzpatrick_skin_type", "diagnosis_confirm_type")
_WHOLE = ("age_from", "age_to", "cohort", "slices_from", "slices_to")
_MEASURES = ("magnification", "pixel_spacing_from", "pixel_spacing_to")
_LONGEST_WORDS = 200
_LARGEST_NUMBER = 2**31 - 1
_NO_TEXT = re.compile("[\x00\ud800-\udfff]")
HIERARCHIES = ("diagnosis", "anatom_site")
HEADER_TERMS = ("image_kind", "format", "modality", "body_part", "laterality", "stain")
HEADER_TEXTS = ("manufacturer", "manufacturer_model")
"""What the files say; see `headers`."""
_RANGES = {"age": "age_approx", "slices": "slices", "pixel_spacing": "pixel_spacing"}


@dataclass(frozen=True, slots=True)
class Filters:
    """Filters of the gallery. Empty ones ask for nothing; all that are given must hold.

    `diagnosis` and `anatom_site` are paths of any length and mean their subtree; ages are `age_approx`, inclusive. From
    `image_kind` on it is what the files say (`headers`): parts of the body and stains by their meaning, texts as the
    header has them, spacing in millimetres of columns and of rows, inclusive.
    """

    words: str = ""
    diagnosis: str = ""
    anatom_site: str = ""
    sex: str = ""
    image_type: str = ""
    fitzpatrick_skin_type: str = ""
    diagnosis_confirm_type: str = ""
    licence: str = ""
    age_from: int | None = None
    age_to: int | None = None
    cohort: int | None = None
    image_kind: str = ""
    format: str = ""
    modality: str = ""
    body_part: str = ""
    laterality: str = ""
    stain: str = ""
    manufacturer: str = ""
    manufacturer_model: str = ""
    magnification: float | None = None
    slices_from: int | None = None
    slices_to: int | None = None
    pixel_spacing_from: float | None = None
    pixel_spacing_to: float | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing is asked for."""
        return self == Filters()

    @property
    def tree(self) -> Node:
        """The same as a query."""
        return all_of(*_parts(self))


def _parts(filters: Filters) -> Iterator[Node]:
    texts = {name: getattr(filters, name) for name in (*CHOICES, *HEADER_TERMS, *HEADER_TEXTS)}
    texts["copyright_license"] = filters.licence
    texts["cohort"] = "" if filters.cohort is None else str(filters.cohort)
    yield from (Equals(FIELDS[name], text) for name, text in texts.items() if text)
    yield from (Subtree(FIELDS[name], path) for name in HIERARCHIES if (path := getattr(filters, name)))
    if filters.magnification is not None:
        yield Equals(FIELDS["magnification"], _exact(filters.magnification))
    for name, field in _RANGES.items():
        low, high = getattr(filters, f"{name}_from"), getattr(filters, f"{name}_to")
        if low is not None or high is not None:
            yield Range(FIELDS[field], _bound(low), _bound(high))
    if filters.words.strip():
        yield Words(filters.words.strip())


def _bound(number: float | None) -> Bound | None:
    return None if number is None else Bound(_exact(number), inclusive=True)


def _exact(number: float) -> Decimal:
    # As it is written: 0.7 is seven tenths and not the binary fraction that is nearest.
    return Decimal(str(number))


def read_filters(given: Mapping[str, str]) -> Filters:
    """Read filters from a query string. Raises `Invalid` naming each that cannot be used."""
    problems: list[Problem] = []
    values: dict[str, Any] = {name: _term(name, given, problems) for name in (*HIERARCHIES, *CHOICES, *HEADER_TERMS)}
    values |= {name: _text(name, given.get(name, ""), problems) for name in HEADER_TEXTS}
    values |= {name: _number(name, given.get(name, ""), problems) for name in _WHOLE}
    values |= {name: _measure(name, given.get(name, ""), problems) for name in _MEASURES}
    values["words"] = _words(given.get("words", ""), problems)
    values["licence"] = _licence(given.get("licence", "").strip(), problems)
    filters = Filters(**values)
    if problems:
        raise Invalid("The filters cannot be used.", problems=problems)
    return filters


def _term(name: str, given: Mapping[str, str], problems: list[Problem]) -> str:
    text = given.get(name, "").strip()
    pack = ACQUISITION if name in ACQUISITION.by_name else DERMATOLOGY
    vocabulary = pack.by_name[name].vocabulary
    if not text or vocabulary is None:
        return ""
    resolved = vocabulary.resolve(text)
    if resolved is None:
        remedy = as_question(vocabulary.suggest(text))
        problems.append(Problem(name, f"{text} is no value of {name}.", remedy=remedy))
    return resolved or ""


def _words(text: str, problems: list[Problem]) -> str:
    text = text.strip()
    if len(text) > _LONGEST_WORDS or _NO_TEXT.search(text):
        remedy = f"Write up to {_LONGEST_WORDS} characters of a diagnosis, an attribution or an id."
        problems.append(Problem("words", "These words cannot be searched for.", remedy=remedy))
        return ""
    return text


def _text(name: str, text: str, problems: list[Problem]) -> str:
    text = text.strip()
    if len(text) > _LONGEST_WORDS or _NO_TEXT.search(text):
        problems.append(Problem(name, f"No header has such a {name}.", remedy="Write it as the gallery lists it."))
        return ""
    return text


def _licence(text: str, problems: list[Problem]) -> str:
    if not text:
        return ""
    try:
        return find_licence(text).spdx
    except LookupError as error:
        problems.append(Problem("licence", str(error)))
        return ""


def _number(name: str, text: str, problems: list[Problem]) -> int | None:
    if not text.strip():
        return None
    try:
        number = int(text)
    except ValueError:
        problems.append(Problem(name, f"{text[:40]} is not a whole number.", remedy="Write a number such as 45."))
        return None
    if abs(number) > _LARGEST_NUMBER:
        problems.append(Problem(name, f"{text[:40]} is too large.", remedy="Write a number such as 45."))
        return None
    return number


def _measure(name: str, text: str, problems: list[Problem]) -> float | None:
    if not text.strip():
        return None
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if math.isfinite(number):
        return number
    problems.append(Problem(name, f"{text[:40]} is not a number.", remedy="Write a number such as 0.5."))
    return None
