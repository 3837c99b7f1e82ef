"""Which accession a spreadsheet means by a name: with or without folder, extension and leading zeros."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from medtheca.domains.provenance.enums import AccessionState
from medtheca.domains.provenance.models import Accession, Cohort
from medtheca.toolkit.names import casefold_key, name_key
from medtheca.toolkit.suggest import close_matches

_PUBLIC_ID = re.compile(r"[A-Za-z]+_[0-9]{7,}")
_MOST_GUESSED = 100
_MOST_COMPARED = 2_000
_SHOWN = 3


class Matched(StrEnum):
    """By what a name was matched; `chosen` by a person."""

    NAME = "name"
    STEM = "stem"
    ZEROS = "zeros"
    PUBLIC_ID = "public_id"
    CHOSEN = "chosen"


@dataclass(frozen=True, slots=True)
class Match:
    """The accession that is meant, or none; `candidates` are (id, name) of those that could be."""

    accession_id: int | None = None
    how: Matched | None = None
    candidates: tuple[tuple[int, str], ...] = ()


@dataclass(slots=True)
class _Names:
    """The names of a cohort, looked up in every way in which a sheet may write them."""

    by_key: dict[str, int] = field(default_factory=dict)
    by_stem: dict[str, list[int]] = field(default_factory=dict)
    by_number: dict[str, list[int]] = field(default_factory=dict)
    by_fold: dict[str, list[int]] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)

    def add(self, pk: int, key: str) -> None:
        stem = _stem(key)
        self.by_key[key] = pk
        self.names[pk] = key
        self.by_stem.setdefault(stem, []).append(pk)
        self.by_fold.setdefault(casefold_key(stem), []).append(pk)
        if stem.isdecimal():
            self.by_number.setdefault(stem.lstrip("0") or "0", []).append(pk)


def match_names(cohort: Cohort, names: Iterable[str]) -> dict[str, Match]:
    """A match for each name. Refused accessions are not there; what could mean two accessions means none."""
    there = Accession.objects.filter(cohort=cohort).exclude(state=AccessionState.REFUSED)
    known = _Names()
    # Of the whole cohort only names are held; what is said of an accession is read for those that are named.
    for pk, key in there.values_list("pk", "name_key").iterator(chunk_size=5000):
        known.add(pk, key)
    wanted = list(dict.fromkeys(names))
    found = {name: _match(name, known) for name in wanted}
    _match_public_ids(cohort, found)
    _guess(found, known)
    return found


def names_of(cohort: Cohort, accession_ids: Iterable[int]) -> dict[int, str]:
    """The names of accessions, those of other cohorts left out."""
    rows = Accession.objects.filter(cohort=cohort, pk__in=list(accession_ids)).exclude(state=AccessionState.REFUSED)
    return dict(rows.values_list("pk", "name"))


def _match(name: str, known: _Names) -> Match:
    key = name_key(name.replace("\\", "/").rsplit("/", 1)[-1])
    if key in known.by_key:
        return Match(known.by_key[key], Matched.NAME)
    alike = known.by_stem.get(key, [])
    if len(alike) == 1:
        return Match(alike[0], Matched.STEM)
    if alike:
        return Match(candidates=_named(alike, known))
    # Spreadsheet programs take 0042 for a number and drop what they think means nothing.
    digits = key if key.isdecimal() else _stem(key)
    if digits.isdecimal():
        same = known.by_number.get(digits.lstrip("0") or "0", [])
        if key != digits:
            extension = key[len(digits) :]
            same = [pk for pk in same if known.names[pk].endswith(extension)]
        if len(same) == 1:
            return Match(same[0], Matched.ZEROS)
        if same:
            return Match(candidates=_named(same, known))
    return Match()


def _match_public_ids(cohort: Cohort, found: dict[str, Match]) -> None:
    asked = {name.upper(): name for name, match in found.items() if not match.how and _PUBLIC_ID.fullmatch(name)}
    if not asked:
        return
    rows = Accession.objects.filter(cohort=cohort, image__public_id__in=list(asked))
    for pk, public_id in rows.values_list("pk", "image__public_id"):
        found[asked[str(public_id)]] = Match(pk, Matched.PUBLIC_ID)


def _guess(found: dict[str, Match], known: _Names) -> None:
    """Candidates for names that match nothing: another case, or nearly the same where there are few names."""
    missing = [name for name, match in found.items() if match.how is None and not match.candidates]
    stems = tuple(known.by_stem) if len(known.by_stem) <= _MOST_COMPARED else ()
    for name in missing[:_MOST_GUESSED]:
        stem = _stem(name_key(name.replace("\\", "/").rsplit("/", 1)[-1]))
        alike = known.by_fold.get(casefold_key(stem), [])
        if not alike and stems:
            alike = [pk for near in close_matches(stem, stems, limit=_SHOWN, cutoff=0.75) for pk in known.by_stem[near]]
        if alike:
            found[name] = Match(candidates=_named(alike, known))


def _named(ids: list[int], known: _Names) -> tuple[tuple[int, str], ...]:
    return tuple((pk, known.names[pk]) for pk in ids[:_SHOWN])


def _stem(key: str) -> str:
    return key.rpartition(".")[0] or key


def unchosen(matches: Mapping[str, Match], chosen: Mapping[str, int | None]) -> list[str]:
    """Names that match nothing and of which nobody has said that this is right."""
    return [name for name, match in matches.items() if match.accession_id is None and name not in chosen]
