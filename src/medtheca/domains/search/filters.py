"""What can be asked for, as values: read from a query string by pages and APIs, compiled by `queries`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from medtheca.base.errors import Invalid, Problem
from medtheca.toolkit.schemas import DERMATOLOGY, find_licence
from medtheca.toolkit.suggest import as_question

CHOICES = ("sex", "image_type", "fitzpatrick_skin_type", "diagnosis_confirm_type")
_LONGEST_WORDS = 200
_LARGEST_NUMBER = 2**31 - 1
_NO_TEXT = re.compile("[\x00\ud800-\udfff]")
HIERARCHIES = ("diagnosis", "anatom_site")


@dataclass(frozen=True, slots=True)
class Filters:
    """Filters of the gallery. Empty ones ask for nothing; all that are given must hold.

    `diagnosis` and `anatom_site` are paths of any length and mean their subtree; ages are `age_approx`, inclusive.
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

    @property
    def is_empty(self) -> bool:
        """Whether nothing is asked for."""
        return self == Filters()


def read_filters(given: Mapping[str, str]) -> Filters:
    """Read filters from a query string. Raises `Invalid` naming each that cannot be used."""
    problems: list[Problem] = []
    age_from, age_to, cohort = (
        _number(name, given.get(name, ""), problems) for name in ("age_from", "age_to", "cohort")
    )
    filters = Filters(
        words=_words(given.get("words", ""), problems),
        diagnosis=_term("diagnosis", given, problems),
        anatom_site=_term("anatom_site", given, problems),
        sex=_term("sex", given, problems),
        image_type=_term("image_type", given, problems),
        fitzpatrick_skin_type=_term("fitzpatrick_skin_type", given, problems),
        diagnosis_confirm_type=_term("diagnosis_confirm_type", given, problems),
        licence=_licence(given.get("licence", "").strip(), problems),
        age_from=age_from,
        age_to=age_to,
        cohort=cohort,
    )
    if problems:
        raise Invalid("The filters cannot be used.", problems=problems)
    return filters


def _term(name: str, given: Mapping[str, str], problems: list[Problem]) -> str:
    text = given.get(name, "").strip()
    vocabulary = DERMATOLOGY.by_name[name].vocabulary
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
        remedy = f"Write up to {_LONGEST_WORDS} characters of a diagnosis or the beginning of an id."
        problems.append(Problem("words", "These words cannot be searched for.", remedy=remedy))
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
