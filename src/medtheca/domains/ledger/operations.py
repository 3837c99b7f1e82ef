"""Writing events, and sealing them."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Container
from functools import partial
from typing import Any

from django.db import connection, transaction

from medtheca.domains.ledger.heads import note_head
from medtheca.domains.ledger.models import Event, Seal

_SEALING_LOCK = 0x4D544C31  # one sealer at a time; any constant will do
GENESIS = "0" * 64
ERASED: dict[str, Any] = {"erased": True}
"""The details of an event that were erased."""


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
    told = details or {}
    salt = secrets.token_hex(16)
    Event.objects.create(
        actor_id=actor_id,
        verb=verb,
        subject_type=subject_type,
        subject_id=str(subject_id),
        cohort_id=cohort_id,
        details=told,
        salt=salt,
        commitment=commitment_of(salt, told),
    )


def commitment_of(salt: str, details: dict[str, Any]) -> str:
    """What the chain seals in the place of details; without the salt it tells nothing of them."""
    return hashlib.sha256(f"{salt}\n{_canonical(details)}".encode()).hexdigest()


def digest_of(event: Event, previous: str) -> str:
    """The chain's digest of an event: SHA-256 of the previous digest and the event as canonical JSON.

    Its details stand in it by their commitment; those of events from before there were commitments, as they are.
    """
    told: object = event.details
    if event.commitment:
        # Made again where that is possible, so that changed details are found.
        told = commitment_of(event.salt, event.details) if event.salt else event.commitment
    return _digest(event, told, previous)


def seal_holds(seal: Seal, previous: str, *, redacted: Container[int]) -> bool:
    """Whether a seal is that of its event; `redacted` are the events whose details were erased on record."""
    event = seal.event
    if seal.digest == digest_of(event, previous):
        return bool(event.salt) or not event.commitment or event.pk in redacted
    if event.details == ERASED and not event.commitment:
        # Sealed with its details, which are gone: only its place in the chain is proven.
        return event.pk in redacted
    # Sealed by a worker of the release before, which knew no commitments.
    return seal.digest == _digest(event, event.details, previous)


def _digest(event: Event, told: object, previous: str) -> str:
    content = _canonical(
        [
            event.pk,
            event.at.isoformat(),
            event.actor_id,
            event.verb,
            event.subject_type,
            event.subject_id,
            event.cohort_id,
            told,
        ]
    )
    return hashlib.sha256(f"{previous}\n{content}".encode()).hexdigest()


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


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
        if seals:
            # Only once the seals are there for good: a noted end that is not in the chain means that it was cut.
            transaction.on_commit(partial(note_head, sequence, digest))
    return len(seals)
