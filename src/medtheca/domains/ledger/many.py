"""Writing an event for each of many subjects at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from medtheca.domains.ledger.models import Event

_CHUNK = 1000


@dataclass(frozen=True, slots=True)
class Happening:
    """What happened to one subject. Never put a secret or a private value into `details`."""

    subject_id: object
    cohort_id: int | None = None
    details: dict[str, Any] = field(default_factory=dict)


def record_each(*, actor_id: int | None, verb: str, subject_type: str, happenings: Iterable[Happening]) -> None:
    """Write an event for each subject in the present transaction, many rows a statement."""
    rows = iter(happenings)
    while chunk := list(islice(rows, _CHUNK)):
        Event.objects.bulk_create(
            Event(
                actor_id=actor_id,
                verb=verb,
                subject_type=subject_type,
                subject_id=str(each.subject_id),
                cohort_id=each.cohort_id,
                details=each.details,
            )
            for each in chunk
        )
