"""Work that should be going on: what waits for longer than any job takes to begin."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.db.models import F, QuerySet

from medtheca.base.clock import now
from medtheca.domains.provenance.enums import AccessionState, DeliveryState, RequestState
from medtheca.domains.provenance.models import Accession, Delivery, PublishRequest

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


def stranded_accessions(*, limit: int) -> list[int]:
    """Accessions that nobody has converted."""
    rows = Accession.objects.filter(state=AccessionState.RECEIVED, modified__lt=now() - PATIENCE)
    return list(rows.order_by("pk").values_list("pk", flat=True)[:limit])


def stranded_requests() -> QuerySet[PublishRequest]:
    """Accepted requests that nobody has published."""
    return PublishRequest.objects.filter(state=RequestState.PUBLISHING, modified__lt=now() - PATIENCE)
