"""Errands: batches of accessions that wait for a job. Each stands in a row, so that one whose job is lost is found."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from django.db import transaction
from django.db.models import QuerySet

from medtheca.base.clock import now
from medtheca.base.jobs import enqueue
from medtheca.domains.accounts.models import User
from medtheca.domains.provenance.enums import ErrandKind
from medtheca.domains.provenance.models import Errand, ErrandItem
from medtheca.domains.provenance.stranded import PATIENCE


def send_errand(*, kind: ErrandKind, accession_ids: Sequence[int], creator: User, reason: str = "") -> Errand:
    """Write an errand down and set its job going; who may is asked by the caller."""
    with transaction.atomic():
        errand = Errand.objects.create(kind=kind, creator=creator, reason=reason)
        ErrandItem.objects.bulk_create([ErrandItem(errand=errand, accession_id=pk) for pk in accession_ids])
        enqueue_errand(errand)
    return errand


def enqueue_errand(errand: Errand) -> None:
    """Set an errand going, or going again; one that waits in the queue already is left there."""
    lock = f"errand:{errand.pk}"
    if errand.kind == ErrandKind.RECONVERT:
        # One line for all of them: what people bring in need not wait until a million images are made again.
        enqueue("convert.again", errand_id=errand.pk, queueing_lock=lock, turn="reconversion")
    else:
        # Before conversions: what is taken back must be gone from every door within a minute.
        enqueue("publish.take_back", errand_id=errand.pk, queueing_lock=lock, priority=20)


def errand_to_do(errand_id: int) -> Errand | None:
    """The errand, where it is not done yet."""
    return Errand.objects.filter(pk=errand_id).first()


def accessions_of(errand: Errand) -> list[int]:
    """Ids of those of its accessions that are still there."""
    return list(ErrandItem.objects.filter(errand=errand).order_by("accession").values_list("accession", flat=True))


def end_errand(errand: Errand) -> bool:
    """Note that it is done, in the transaction that does it; False where another run of its job was faster.

    Call it before the work: of two runs the second then waits here, and finds nothing to do.
    """
    if not Errand.objects.select_for_update().filter(pk=errand.pk).exists():
        return False
    Errand.objects.filter(pk=errand.pk).delete()
    return True


def stranded_errands(*, patience: timedelta = PATIENCE) -> QuerySet[Errand]:
    """Errands that wait for longer than any job takes to begin."""
    return Errand.objects.filter(created__lt=now() - patience).order_by("pk")
