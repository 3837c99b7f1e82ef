"""Taking private words out of events: the only change that the database lets through, and never unsaid."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection, transaction

from medtheca.domains.ledger.models import Event
from medtheca.domains.ledger.operations import ERASED, record

_VERB = "ledger.redacted"
_CHUNK = 2000


def redact_events(*, event_ids: Iterable[int], actor_id: int | None) -> int:
    """Erase the details of events, and record which; return how many had any.

    Who, when, what and about what stay, and the chain holds: it seals a commitment to the details, not the details.
    """
    with transaction.atomic():
        rows = Event.objects.filter(pk__in=list(event_ids)).exclude(details={}).exclude(details=ERASED)
        ids = sorted(rows.exclude(verb=_VERB).values_list("pk", flat=True))
        if not ids:
            return 0
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('medtheca.redacting', 'on', true)")
            Event.objects.filter(pk__in=ids).update(details=ERASED, salt="")
            cursor.execute("SELECT set_config('medtheca.redacting', 'off', true)")
        for start in range(0, len(ids), _CHUNK):
            record(
                actor_id=actor_id,
                verb=_VERB,
                subject_type="ledger",
                subject_id="",
                details={"events": ids[start : start + _CHUNK]},
            )
    return len(ids)


def redacted_events() -> set[int]:
    """Events whose details were erased on record."""
    told = Event.objects.filter(verb=_VERB).values_list("details", flat=True)
    return {pk for details in told.iterator() for pk in details.get("events", [])}
