"""Writing blobs and uploads."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction

from medtheca.base.errors import Conflict
from medtheca.base.steps import step
from medtheca.domains.storage.compositions import forget_compositions, recipes_to_store, write_compositions
from medtheca.domains.storage.enums import BlobState
from medtheca.domains.storage.models import Blob
from medtheca.domains.storage.queries import blob_store
from medtheca.domains.storage.stores import Staged

# Keeping (shared) against sweeping (exclusive): a blob cannot be swept between its rename and its row.
BLOB_LOCK = 0x4D544C32
_LOCK_NOT_AVAILABLE = "55P03"


@contextlib.contextmanager
def keeping_blobs() -> Iterator[None]:
    """A transaction during which no blob is swept. Store and refer to blobs inside it."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [BLOB_LOCK])
        yield


@contextlib.contextmanager
def sweeping_blobs(*, patience: float = 3.0) -> Iterator[None]:
    """Nobody keeps blobs meanwhile, across the transactions inside. Raises `Conflict` (code `busy`).

    The lock is the session's, not a transaction's: rows must be gone for good before their bytes go, and
    nobody may put the same bytes there in between. A waiting sweeper holds up new keepers, hence `patience` (seconds).
    """
    if connection.in_atomic_block:
        raise RuntimeError("sweeping_blobs ends transactions of its own; call it outside of one")
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{int(patience * 1000)}ms"])
            cursor.execute("SELECT pg_advisory_lock(%s)", [BLOB_LOCK])
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
            raise
        raise Conflict(
            "Blobs are being stored or backed up, so none can be removed now.",
            code="busy",
            remedy="Try again when the backup or the ingest has ended.",
        ) from None
    try:
        yield
    finally:
        _unlock("pg_advisory_unlock")


@contextlib.contextmanager
def holding_off_sweeps() -> Iterator[None]:
    """Nothing is swept meanwhile, across any number of transactions; blobs may be stored. For backups."""
    if connection.in_atomic_block:
        raise RuntimeError("holding_off_sweeps outlives transactions; call it outside of one")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock_shared(%s)", [BLOB_LOCK])
    try:
        yield
    finally:
        _unlock("pg_advisory_unlock_shared")


def _unlock(function: str) -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {function}(%s)", [BLOB_LOCK])
    except (DatabaseError, InterfaceError):
        # The connection is lost, and the lock with it.
        connection.close()


def store_blobs(staged: Sequence[Staged]) -> dict[str, Blob]:
    """Make staged bytes durable, then write their rows; return the rows by SHA-256.

    Call inside `keeping_blobs`. A blob that is there already is revived where it was tombstoned or quarantined. Of
    composed ones the recipe is made durable; where a source has gone for good meanwhile, the row is absent.
    """
    if not staged:
        return {}
    # Of the same content twice, a file of its own is as good as any recipe.
    once = {item.sha256: item for item in sorted(staged, key=lambda item: item.composed is None)}
    composed = {name: item for name, item in once.items() if item.composed}
    plain = {name: item for name, item in once.items() if not item.composed}
    files = recipes_to_store(composed) | plain
    store = blob_store()
    store.commit(list(files.values()))
    kept = {item.path for item in files.values()}
    store.discard(item for item in staged if item.path not in kept)
    Blob.objects.bulk_create(
        [Blob(sha256=item.sha256, size=item.size) for item in sorted(files.values(), key=lambda item: item.sha256)],
        update_conflicts=True,
        unique_fields=["sha256"],
        update_fields=["state", "tombstoned"],
    )
    forget_compositions(files)
    if composed:
        write_compositions(composed, files)
    step("blob.rows")
    return {blob.sha256: blob for blob in Blob.objects.filter(sha256__in=once)}


def revive_blob(blob: Blob) -> None:
    """Take back a tombstone, because something refers to the blob again. Call inside `keeping_blobs`."""
    Blob.objects.filter(pk=blob.pk, state=BlobState.TOMBSTONED).update(state=BlobState.STORED, tombstoned=None)
