"""Bytes that something has let go of get their tombstone at once, not when the upkeep comes by."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.db.models.functions import Now

from medtheca.domains.storage.enums import BlobState
from medtheca.domains.storage.operations import sweeping_blobs
from medtheca.domains.storage.queries import unreferenced_blobs


def let_go(*, blob_ids: Sequence[int]) -> int:
    """Tombstone those of the blobs to which nothing points any more; return how many.

    Doing it twice is harmless. Raises `Conflict` (code `busy`) while a backup runs.
    """
    with sweeping_blobs(), transaction.atomic():
        free = unreferenced_blobs().filter(pk__in=list(blob_ids)).exclude(state=BlobState.TOMBSTONED)
        return free.update(state=BlobState.TOMBSTONED, tombstoned=Now())
