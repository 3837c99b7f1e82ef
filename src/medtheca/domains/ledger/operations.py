"""Writing events, and sealing them."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django.db import connection, transaction

from medtheca.domains.ledger.models import Event, Seal

_SEALING_LOCK = 0x4D544C31  # one sealer at a time; any constant will do
GENESIS = "0" * 64


def record(
    *,
    actor_id: int | None,
    verb: str,
    subject_type: str,
    subject_id: object,
    cohort_id: int | None = None,
    details: dict[str, Any] | None = None,
) -> None:
    """Write an event in the present transaction. Never put a secret or a private value into `details`."""
    Event.objects.create(
        actor_id=actor_id,
        verb=verb,
        subject_type=subject_type,
        subject_id=str(subject_id),
        cohort_id=cohort_id,
        details=details or {},
    )


def digest_of(event: Event, previous: str) -> str:
    """The chain's digest of an event: SHA-256 of the previous digest and the event as canonical JSON."""
    content = json.dumps(
        [
            event.pk,
            event.at.isoformat(),
            event.actor_id,
            event.verb,
            event.subject_type,
            event.subject_id,
            event.cohort_id,
            event.details,
        ],
        sort_keys=True,
        separators=(",", ":"),
    )
    return hashlib.sha256(f"{previous}\n{content}".encode()).hexdigest()


def seal_events(*, limit: int = 5000) -> int:
    """Add unsealed events to the chain, oldest first; return how many.

    The chain's order is that of sealing: an event whose transaction ended late is sealed late.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_SEALING_LOCK])
        last = Seal.objects.order_by("-sequence").first()
        sequence, digest = (last.sequence, last.digest) if last else (0, GENESIS)
        seals = []
        for event in Event.objects.filter(seal__isnull=True).order_by("pk")[:limit]:
            sequence += 1
            digest = digest_of(event, digest)
            seals.append(Seal(sequence=sequence, event=event, digest=digest))
        Seal.objects.bulk_create(seals)
    return len(seals)
