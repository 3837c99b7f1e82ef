"""Words that name a patient so surely that they may be looked for, and taken out, everywhere."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db import connection

from medtheca.domains.provenance.models import Accession, Cohort, Lesion, Patient
from medtheca.workflows.erase.plans import Plan

GONE = "erased"
_SHORTEST = 6
_CHUNK = 200


@dataclass(frozen=True)
class Marks:
    """Texts, each at least six characters long and not in use for anybody else."""

    texts: tuple[str, ...]

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        longest_first = sorted(self.texts, key=len, reverse=True)
        either = "|".join(re.escape(text) for text in longest_first)
        # Whole words only: PAT-0001 must not eat into PAT-00012.
        return re.compile(rf"(?<![^\W_])(?:{either})(?![^\W_])" if either else r"(?!)")

    def stand_in(self, text: str) -> bool:
        """Whether one of them is in a text."""
        return bool(self._pattern.search(text))

    def without(self, text: str) -> str:
        """The text with each of them replaced."""
        return self._pattern.sub(GONE, text)

    def blotted(self, data: bytes) -> bytes:
        """Bytes of the same length with each of them crossed out."""
        for text in self.texts:
            mark = text.encode()
            data = data.replace(mark, b"x" * len(mark))
        return data

    def scrubbed(self, value: Any) -> Any:
        """A JSON value without them; keys as well as values."""
        return walk(value, self.without)


def walk(value: Any, change: Callable[[str], str]) -> Any:
    """A JSON value with every text in it changed."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [walk(item, change) for item in value]
    if isinstance(value, dict):
        return {change(key): walk(item, change) for key, item in value.items()}
    return value


def marks_of(plan: Plan) -> tuple[Marks, int]:
    """The marks of a patient, and how many texts are left out because others have them too."""
    typed = {plan.private_id, *plan.lesion_private_ids, *plan.names, *plan.paths}
    candidates = {text for text in typed if _is_sure(text)}
    in_use = _in_use(plan, candidates)
    own = {*plan.keys, *plan.blobs, *plan.gone, *plan.public_ids} - set(plan.shared)
    return Marks(tuple(sorted(candidates - in_use | own))), len(in_use) + len(typed - candidates - {""})


def _is_sure(text: str) -> bool:
    """Long enough, and no plain word of the language."""
    return len(text) >= _SHORTEST and (not text.isalpha() or len(text) >= 2 * _SHORTEST)


def _in_use(plan: Plan, texts: Iterable[str]) -> set[str]:
    """Texts that stand in a name, path or private id of somebody or something else."""
    wanted = sorted(texts)
    used: set[str] = set()
    for start in range(0, len(wanted), _CHUNK):
        chunk = wanted[start : start + _CHUNK]
        used |= _found(Accession, ("name", "original_path"), chunk, plan.accessions)
        used |= _found(Patient, ("private_id",), chunk, [plan.patient] if plan.patient else [])
        used |= _found(Lesion, ("private_id",), chunk, plan.lesions)
        used |= _found(Cohort, ("name",), chunk, [])
    return used


def _found(model: type[Any], columns: tuple[str, ...], texts: list[str], without: list[int]) -> set[str]:
    quote = connection.ops.quote_name
    table = quote(model._meta.db_table)
    where = " OR ".join(f"position(t.word IN r.{quote(column)}) > 0" for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT t.word FROM unnest(%s::text[]) AS t (word) WHERE EXISTS ("  # noqa: S608 - our own names
            f"SELECT FROM {table} r WHERE r.id <> ALL(%s::bigint[]) AND ({where}))",
            [texts, without],
        )
        return {row[0] for row in cursor.fetchall()}
