"""Writing blobs and uploads."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

from django.db import connection, transaction

from medtheca.base.steps import step
from medtheca.domains.storage.enums import BlobState
from medtheca.domains.storage.models import Blob
from medtheca.domains.storage.queries import blob_store
from medtheca.domains.storage.stores import Staged

# Keeping (shared) against sweeping (exclusive): a blob cannot be swept between its rename and its row.
BLOB_LOCK = 0x4D544C32


@contextlib.contextmanager
def keeping_blobs() -> Iterator[None]:
    """A transaction during which no blob is swept. Store and refer to blobs inside it."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [BLOB_LOCK])
        yield


def store_blobs(staged: Sequence[Staged]) -> dict[str, Blob]:
    """Make staged bytes durable, then write their rows; return the rows by SHA-256.

    Call inside `keeping_blobs`. A blob that is there already is revived where it was tombstoned or quarantined.
    """
    if not staged:
        return {}
    once = {item.sha256: item for item in staged}
    store = blob_store()
    store.commit(list(once.values()))
    store.discard(item for item in staged if once[item.sha256] is not item)
    Blob.objects.bulk_create(
        [Blob(sha256=item.sha256, size=item.size) for item in sorted(once.values(), key=lambda item: item.sha256)],
        update_conflicts=True,
        unique_fields=["sha256"],
        update_fields=["state", "tombstoned"],
    )
    step("blob.rows")
    return {blob.sha256: blob for blob in Blob.objects.filter(sha256__in=once)}


def revive_blob(blob: Blob) -> None:
    """Take back a tombstone, because something refers to the blob again. Call inside `keeping_blobs`."""
    Blob.objects.filter(pk=blob.pk, state=BlobState.TOMBSTONED).update(state=BlobState.STORED, tombstoned=None)
