"""Work that should be going on: what waits for longer than any job takes to begin."""

from __future__ import annotations

from collections.abc import Container
from datetime import timedelta
from itertools import islice
from uuid import UUID

from django.db.models import F, QuerySet

from medtheca.base.clock import now
from medtheca.domains.provenance.enums import (
    AccessionState,
    DeliveryState,
    RequestState,
    VersionKind,
    VersionState,
)
from medtheca.domains.provenance.models import Accession, Delivery, FileVersion, PublishRequest

PATIENCE = timedelta(minutes=10)


def stranded_deliveries() -> list[UUID]:
    """Whole uploads that nobody has unpacked."""
    rows = Delivery.objects.filter(
        state__in=[DeliveryState.ARRIVING, DeliveryState.UNPACKING],
        upload__offset=F("upload__size"),
        upload__modified__lt=now() - PATIENCE,
        modified__lt=now() - PATIENCE,
    )
    return list(rows.values_list("upload_id", flat=True))


def stranded_accessions(*, limit: int, cared_for: Container[int] = ()) -> dict[tuple[int, int], list[int]]:
    """Ids of accessions that nobody has converted, by cohort and who brought them.

    Without those `cared_for`, which only have to wait.
    """
    rows = Accession.objects.filter(state=AccessionState.RECEIVED, modified__lt=now() - PATIENCE).order_by("pk")
    lying = (row for row in rows.values_list("cohort", "creator", "pk").iterator() if row[2] not in cared_for)
    found: dict[tuple[int, int], list[int]] = {}
    for cohort_id, creator_id, pk in islice(lying, limit):
        found.setdefault((cohort_id, creator_id), []).append(pk)
    return found


def stranded_requests() -> QuerySet[PublishRequest]:
    """Accepted requests that nobody has published."""
    return PublishRequest.objects.filter(state=RequestState.PUBLISHING, modified__lt=now() - PATIENCE)


def stranded_redactions() -> list[int]:
    """Redactions that nobody has made."""
    waiting = FileVersion.objects.filter(kind=VersionKind.REDACTION, state=VersionState.WAITING)
    return list(waiting.filter(created__lt=now() - PATIENCE).order_by("pk").values_list("pk", flat=True))
