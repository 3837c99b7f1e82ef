"""Exports of what is held about a person: asked for, made by a job, kept for a day, for nobody but them."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet

from medtheca.base.clock import now
from medtheca.base.errors import Conflict
from medtheca.base.jobs import enqueue
from medtheca.domains.accounts.errors import UnknownExport
from medtheca.domains.accounts.models import DataExport, User
from medtheca.domains.ledger.notifying import notify
from medtheca.domains.ledger.operations import record

KEPT_FOR = timedelta(days=1)
MOST_A_DAY = 5
_OVERDUE_AFTER = timedelta(minutes=15)
_GIVEN_UP_AFTER = timedelta(days=2)


def request_export(*, user: User) -> DataExport:
    """Have an export made; one that is being made already is given instead. Raises `Conflict` after five a day."""
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        recent = exports_of(user).filter(requested__gte=now() - timedelta(days=1))
        pending = recent.filter(ready__isnull=True).first()
        if pending is not None:
            return pending
        if recent.count() >= MOST_A_DAY:
            raise Conflict(
                f"You asked for {MOST_A_DAY} exports within a day, and that is the most.",
                remedy="Take the newest, or come back tomorrow.",
            )
        export = DataExport.objects.create(user=user)
        record(actor_id=user.pk, verb="user.export_requested", subject_type="user", subject_id=user.pk)
        enqueue("accounts.export", export_id=str(export.pk))
    return export


def exports_of(user: User) -> QuerySet[DataExport]:
    """A person's exports that are being made or can be taken, newest first, without their bytes."""
    return DataExport.objects.filter(user=user).filter(_alive()).defer("content").order_by("-requested", "-pk")


def export_for(user: User, export_id: UUID) -> DataExport:
    """One export of this person, with its bytes. Raises `UnknownExport` for any other, and after its day."""
    found = DataExport.objects.filter(user=user, pk=export_id, ready__isnull=False).filter(_alive()).first()
    if found is None:
        raise UnknownExport
    return found


def unfinished_export(export_id: UUID) -> DataExport | None:
    """The export that a job is to make; None where it is made, gone, or its user."""
    found = DataExport.objects.filter(pk=export_id, ready__isnull=True, user__deleted__isnull=True)
    return found.select_related("user").first()


def finish_export(*, export: DataExport, content: bytes) -> None:
    """Keep the bytes for a day. Repeating it changes nothing."""
    moment = now()
    with transaction.atomic():
        kept = DataExport.objects.filter(pk=export.pk, ready__isnull=True).update(
            content=content, size=len(content), ready=moment, expires=moment + KEPT_FOR
        )
        if kept:
            notify(
                recipient_ids=[export.user_id],
                kind="account.export",
                words="The copy of your data that you asked for can be downloaded for a day.",
                url="/account/exports/",
                subject_type="export",
                subject_id=export.pk,
            )


def overdue_exports() -> list[UUID]:
    """Exports that should have been made long ago."""
    waiting = DataExport.objects.filter(_alive(), ready__isnull=True, requested__lt=now() - _OVERDUE_AFTER)
    return list(waiting.values_list("pk", flat=True))


def drop_expired_exports() -> int:
    """Delete exports whose day is over, and those that were never made; return how many."""
    gone, _ = DataExport.objects.exclude(_alive()).delete()
    return gone


def _alive() -> Q:
    moment = now()
    being_made = Q(ready__isnull=True, requested__gt=moment - _GIVEN_UP_AFTER)
    return being_made | Q(expires__gt=moment)
