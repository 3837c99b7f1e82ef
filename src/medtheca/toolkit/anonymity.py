"""How many people share what will be known of each: rare combinations of values (k-anonymity, Sweeney 2002)."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

K = 5
"""A combination that fewer people share than this is named before images are published."""

QUASI_IDENTIFIERS = (
    "age_approx",
    "sex",
    "fitzpatrick_skin_type",
    "anatom_site",
    "anatom_site_special",
    "diagnosis",
    "personal_hx_mm",
    "family_hx_mm",
)
"""Public fields by which somebody who knows a person might find them; of hierarchies the most exact term."""

_DEEPEST = 5
_HISTORIES = {"personal_hx_mm": "personal history of melanoma", "family_hx_mm": "family history of melanoma"}


@dataclass(frozen=True, slots=True)
class Person:
    """One image as others will know it. `subject` tells people apart: a patient, or the image where none is named."""

    subject: Hashable
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rare:
    """A combination of values that few people share, and how many people and images have it."""

    values: tuple[str, ...]
    people: int
    images: int

    @property
    def words(self) -> str:
        """The values that are there.

        >>> Rare(("85", "female", "", "Palms or soles", "", "Acral melanoma"), 1, 2).words
        '85, female, Palms or soles, Acral melanoma'
        """
        return ", ".join(value for value in self.values if value)


def identifying_values(structured: Mapping[str, Any]) -> tuple[str, ...]:
    """The quasi-identifiers of stored values, in the order of `QUASI_IDENTIFIERS`, empty where absent.

    >>> identifying_values({"age_approx": 85, "sex": "female", "diagnosis_1": "Malignant", "diagnosis_3": "Melanoma"})
    ('85', 'female', '', '', '', 'Melanoma', '', '')
    >>> identifying_values({"family_hx_mm": True})[-1]
    'family history of melanoma'
    """
    return tuple(_value(structured, name) for name in QUASI_IDENTIFIERS)


def find_rare(asked: Sequence[Person], others: Iterable[Person] = (), *, k: int = K) -> list[Rare]:
    """Combinations among `asked` that fewer than `k` people share, those of `others` counted too; rarest first.

    Images of which nothing is known are nobody's.

    >>> group = [Person(patient, ("40", "male")) for patient in "abcde"]
    >>> [(rare.words, rare.people, rare.images) for rare in find_rare([*group, *2 * [Person("f", ("85", "female"))]])]
    [('85, female', 1, 2)]
    >>> find_rare(group[:1], group[1:]), len(find_rare(group[:4]))
    ([], 1)
    """
    wanted = {person.values for person in asked if any(person.values)}
    people: dict[tuple[str, ...], set[Hashable]] = {values: set() for values in wanted}
    images = dict.fromkeys(wanted, 0)
    for person in chain(asked, others):
        if person.values in wanted:
            people[person.values].add(person.subject)
            images[person.values] += 1
    rare = [Rare(values, len(people[values]), images[values]) for values in wanted if len(people[values]) < k]
    return sorted(rare, key=lambda found: (found.people, found.images, found.values))


def _value(structured: Mapping[str, Any], name: str) -> str:
    if name in {"diagnosis", "anatom_site"}:
        levels = (structured.get(f"{name}_{level}") for level in range(_DEEPEST, 0, -1))
        return next((str(value) for value in levels if value), "")
    value = structured.get(name)
    if name in _HISTORIES:
        return _HISTORIES[name] if value is True else ""
    return "" if value is None else str(value)
