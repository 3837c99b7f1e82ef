"""Reading events, and checking their chain."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet

from medtheca.domains.ledger.models import Event, Seal


def events_of(subject_type: str, subject_id: object) -> QuerySet[Event]:
    """Events of one subject, newest first."""
    return Event.objects.filter(subject_type=subject_type, subject_id=str(subject_id)).order_by("-pk")


def sealed_events() -> Iterator[Seal]:
    """The whole chain in order, with its events, in bounded memory."""
    return Seal.objects.select_related("event").order_by("sequence").iterator(chunk_size=2000)


def latest_events(subject_type: str, verb: str, *, limit: int) -> list[Event]:
    """The newest events of one verb about one type of subject, newest first."""
    return list(Event.objects.filter(subject_type=subject_type, verb=verb).order_by("-pk")[:limit])


def last_event_id() -> int:
    """The number of the newest event; 0 before there is one."""
    return Event.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def details_after(event_id: int, *, verb: str, actor_id: int) -> list[dict[str, Any]]:
    """Details of the events of one verb that one person brought about after another event, oldest first."""
    rows = Event.objects.filter(pk__gt=event_id, verb=verb, actor_id=actor_id).order_by("pk")
    return list(rows.values_list("details", flat=True))
