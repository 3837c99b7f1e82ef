"""What the names in a query stand for: cohorts, collections, and free words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from django.contrib.auth.models import AnonymousUser

from medtheca.domains.accounts.models import User
from medtheca.domains.provenance.access import names_of_cohorts, visible_cohorts
from medtheca.toolkit.querylang import FIELDS, Equals
from medtheca.toolkit.querylang.words import says, words_in
from medtheca.toolkit.schemas import DERMATOLOGY
from medtheca.toolkit.schemas.vocabulary import Coded

Asker = User | AnonymousUser | None


@dataclass(frozen=True, slots=True)
class Listings:
    """Keys of the scopes in which the images of collections hang, of those that the asker sees and no others.

    `named` are those that a text names, `saying` those whose names have the words. Collections are a subject above this
    one, so that whoever finds hands it down.
    """

    named: Callable[[Asker, str], Sequence[int]]
    saying: Callable[[Asker, tuple[str, ...]], Sequence[int]]


_LARGEST_KEY = 2**63 - 1
_CALLED = ("sex", "image_type", "dermoscopic_type", "diagnosis_confirm_type", "modality", "body_part", "stain")
"""Fields whose values are words that people search for; those of others, such as I and II, would get in the way."""
_SUBJECT = re.compile("I([PL])_[0-9]{7,17}")
_LEVELS = {name: field.level_names for name, field in DERMATOLOGY.by_name.items() if field.level_names}


def cohorts_named(asker: Asker, text: str) -> list[int]:
    """Keys of the asker's cohorts that a text names: by id, or by the whole name in any case.

    Cohorts are private: one that the asker may not see is named by nothing, as one that there is not.
    """
    wanted = text.strip()
    mine = visible_cohorts(asker if isinstance(asker, User) else None).distinct()
    if wanted.isascii() and wanted.isdecimal():
        number = int(wanted[:20])
        return list(mine.filter(pk=number).values_list("pk", flat=True)) if number <= _LARGEST_KEY else []
    return list(mine.filter(name__iexact=wanted).order_by("pk").values_list("pk", flat=True))


@dataclass
class Acquaintance:
    """What the asker knows of by name, each asked of the database once: for the free words of one query."""

    asker: Asker
    listings: Listings | None

    @cached_property
    def cohorts(self) -> dict[int, str]:
        """Names of the asker's cohorts by their keys: of their images they may know names of files and private ids."""
        return names_of_cohorts(self.asker if isinstance(self.asker, User) else None)

    def cohorts_saying(self, words: tuple[str, ...]) -> list[int]:
        """Keys of the asker's cohorts whose names have the words."""
        return [pk for pk, name in self.cohorts.items() if says(name, words)]

    def listings_saying(self, words: tuple[str, ...]) -> Sequence[int]:
        """Keys of the scopes of collections that the asker sees and whose names have the words."""
        return self.listings.saying(self.asker, words) if self.listings and words else ()


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a free word is found in.

    Public ids that begin with `prefix`, `terms` by the field that stores them, a patient or lesion by its public id,
    and texts that say `words`.
    """

    prefix: str
    terms: Mapping[str, tuple[str, ...]]
    subject: Equals | None
    words: tuple[str, ...]


@lru_cache(maxsize=512)
def meaning_of(text: str) -> Meaning:
    """Where a word or a phrase is found. `prefix` is empty where no id can begin so."""
    lowered, words = text.casefold(), words_in(text)
    terms: dict[str, list[str]] = {}
    for name, columns in _LEVELS.items():
        vocabulary = DERMATOLOGY.by_name[name].vocabulary
        for path in vocabulary.values if vocabulary else ():
            levels = path.split(":")
            if lowered in levels[-1].casefold():
                terms.setdefault(columns[len(levels) - 1], []).append(levels[-1])
    for name in _CALLED:
        if found := [value for value, names in _names(name) if any(says(one, words) for one in names)]:
            terms[name] = found
    # Ids are capitals, digits and the line between them.
    prefix = text.upper() if text.isascii() and text.replace("_", "").isalnum() else ""
    return Meaning(prefix, {column: tuple(found) for column, found in terms.items()}, _subject(prefix), words)


def _names(name: str) -> Iterator[tuple[str, list[str]]]:
    """Every value of a field with all that it is called: other spellings, codes and meanings."""
    field = FIELDS[name]
    called: dict[str, list[str]] = {}
    if field.vocabulary is not None:
        called = {value: [value, *field.names_of(value)] for value in field.vocabulary.values}
        if isinstance(field.vocabulary, Coded):
            for other, value in field.vocabulary.names.items():
                called[value].append(other)
    for other, value in field.aliases.items():
        called.setdefault(value, []).append(other)
    yield from called.items()


def _subject(text: str) -> Equals | None:
    found = _SUBJECT.fullmatch(text)
    return Equals(FIELDS["patient_id" if found[1] == "P" else "lesion_id"], text) if found else None
