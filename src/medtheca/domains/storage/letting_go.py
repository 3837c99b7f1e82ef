"""Bytes that something has let go of get their tombstone at once, not when the upkeep comes by."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from medtheca.base.jobs import enqueue
from medtheca.domains.storage.enums import BlobState
from medtheca.domains.storage.models import Blob, Composition
from medtheca.domains.storage.operations import sweeping_blobs
from medtheca.domains.storage.queries import unreferenced_blobs


def mark_let_go(blob_ids: Iterable[int]) -> None:
    """Note that something pointed to these blobs and does no more, and have it looked at.

    By a job, because a backup may hold the store for minutes. Call it in the transaction that lets go.
    """
    if Blob.objects.filter(pk__in=sorted(blob_ids)).update(let_go=Now()):
        enqueue_letting_go()


def enqueue_letting_go() -> None:
    """Have whatever is marked looked at, unless a job waits that will."""
    enqueue("storage.let_go", queueing_lock="storage.let_go")


def let_go() -> int:
    """Tombstone those of the marked blobs to which nothing points any more; return how many.

    Doing it twice is harmless. Raises `Conflict` (code `busy`) while a backup runs.
    """
    with sweeping_blobs(), transaction.atomic():
        marked = list(Blob.objects.filter(let_go__isnull=False).values_list("pk", flat=True))
        recipes = Composition.objects.filter(blob__in=marked).values("recipe")
        free = unreferenced_blobs().filter(Q(pk__in=marked) | Q(pk__in=recipes)).exclude(state=BlobState.TOMBSTONED)
        count = free.update(state=BlobState.TOMBSTONED, tombstoned=Now())
        Blob.objects.filter(pk__in=marked).update(let_go=None)
        return count


def is_waiting(*, since: datetime) -> bool:
    """Whether blobs that were let go of before that moment still wait to be looked at."""
    return Blob.objects.filter(let_go__lt=since).exists()
