"""What becomes of bytes that nobody needs: tombstone, sweep, strays, erasing.

Order: rows first, and for good, then bytes, all under the lock of `sweeping_blobs`. A crash in between leaves a file
without a row, which the stray sweep finds; never a row without its file.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import TypeVar
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from medtheca.base.clock import now
from medtheca.base.errors import Conflict, NoSpace
from medtheca.base.steps import step
from medtheca.domains.ledger.operations import record
from medtheca.domains.storage.compositions import free_to_go, with_compositions
from medtheca.domains.storage.enums import BlobState, UploadState
from medtheca.domains.storage.layout import sweep_layouts
from medtheca.domains.storage.models import Blob, Composition, Upload
from medtheca.domains.storage.open_ended import settle_joined_files
from medtheca.domains.storage.operations import sweeping_blobs
from medtheca.domains.storage.plain import free_sources
from medtheca.domains.storage.queries import blob_store, unreferenced_blobs
from medtheca.domains.storage.reserve import ensure_reserve
from medtheca.domains.storage.uploads import part_path

TOMBSTONE_GRACE = timedelta(hours=24)
"""An unreferenced blob younger than this may belong to work under way."""
SWEEP_WINDOW = timedelta(days=7)
"""How long a tombstone stands before the bytes go."""
STRAY_GRACE = timedelta(hours=24)
"""A file without a row younger than this may belong to work under way."""
UPLOAD_IDLE = timedelta(days=7)
"""An upload that received nothing for so long has been given up."""
MULTIPART_IDLE = timedelta(days=2)
"""As `UPLOAD_IDLE`, for an upload in parts: its tickets are over before, and nobody can make anything of it."""

UNTAKEN = timedelta(days=1)
"""How long a whole open-ended upload waits for somebody to make something of it."""

_log = logging.getLogger(__name__)
_BATCH = 200
# More strays than this, and more than known files, is not what crashes leave: it is the wrong database.
_MANY_STRAYS = 1000
_Item = TypeVar("_Item")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Swept:
    """What one run of the upkeep did: counts of blobs and files, and bytes freed."""

    tombstoned: int = 0
    revived: int = 0
    blobs: int = 0
    bytes: int = 0
    strays: int = 0
    staged: int = 0
    parts: int = 0
    layouts: int = 0
    freed: int = 0
    postponed: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class ErasureReceipt:
    """Proof for the person who asked: which bytes are gone, since when, and which were not there."""

    at: datetime
    erased: tuple[tuple[str, int], ...]
    absent: tuple[str, ...]


def run_upkeep(
    *,
    tombstone_grace: timedelta = TOMBSTONE_GRACE,
    sweep_window: timedelta = SWEEP_WINDOW,
    stray_grace: timedelta = STRAY_GRACE,
) -> Swept:
    """Do all of the upkeep once. What has to wait for a backup or an ingest is named in `postponed`."""
    laid_out = sweep_layouts(older_than=(now() - stray_grace).timestamp())
    settle_joined_files(settings.ENVIRONMENT.data / "uploads")
    done = Swept(parts=sweep_parts(grace=stray_grace), layouts=laid_out)
    postponed: list[str] = []
    try:
        done = replace(done, revived=revive_referenced())
        done = replace(done, freed=_free_sources())
        done = replace(done, tombstoned=tombstone_unreferenced(grace=tombstone_grace))
        blobs, freed = sweep_tombstones(window=sweep_window)
        done = replace(done, blobs=blobs, bytes=freed)
        strays, staged = sweep_strays(grace=stray_grace)
        done = replace(done, strays=strays, staged=staged)
    except Conflict as reason:
        postponed.append(reason.message)
    ensure_reserve(settings.ENVIRONMENT.data, disk_reserve=settings.ENVIRONMENT.disk_reserve)
    return replace(done, postponed=tuple(postponed))


def tombstone_unreferenced(*, grace: timedelta = TOMBSTONE_GRACE) -> int:
    """Mark blobs to which nothing points and that are older than `grace`; return how many."""
    count = 0
    # The long search runs without the lock; each batch is looked at again under it.
    found = unreferenced_blobs().exclude(state=BlobState.TOMBSTONED).filter(created__lt=Now() - grace)
    for batch in _batches(found.values_list("pk", flat=True).iterator(chunk_size=_BATCH)):
        with sweeping_blobs(), transaction.atomic():
            count += (
                unreferenced_blobs()
                .filter(pk__in=batch)
                .exclude(state=BlobState.TOMBSTONED)
                .update(state=BlobState.TOMBSTONED, tombstoned=Now())
            )
            step("tombstone.rows")
    return count


def revive_referenced() -> int:
    """Take back tombstones of blobs that something points to after all; return how many."""
    return (
        Blob.objects.filter(state=BlobState.TOMBSTONED)
        .exclude(pk__in=unreferenced_blobs().filter(state=BlobState.TOMBSTONED))
        .update(state=BlobState.STORED, tombstoned=None)
    )


def sweep_tombstones(*, window: timedelta = SWEEP_WINDOW) -> tuple[int, int]:
    """Remove rows and bytes of blobs whose tombstone is older than `window`; return how many, and their bytes.

    Raises `Conflict` (code `busy`) while a backup runs.
    """
    count = freed = 0
    found = Blob.objects.filter(state=BlobState.TOMBSTONED, tombstoned__lt=Now() - window)
    # What is composed goes before what it is composed of.
    found = found.order_by(F("composition__recipe").asc(nulls_last=True), "pk")
    for batch in _batches(found.values_list("pk", flat=True).iterator(chunk_size=_BATCH)):
        with sweeping_blobs():
            gone = _remove_rows(unreferenced_blobs().filter(pk__in=batch, state=BlobState.TOMBSTONED))
            _remove_bytes(sha256 for sha256, _size in gone)
        count += len(gone)
        freed += sum(size for _sha256, size in gone)
    return count, freed


def stray_files(*, grace: timedelta = STRAY_GRACE) -> tuple[list[str], int]:
    """Names of files older than `grace` that have no row, and how many such old files there are in all."""
    limit = (now() - grace).timestamp()
    strays: list[str] = []
    files = 0
    names = (name for name, touched in blob_store().names() if touched < limit and _SHA256.fullmatch(name))
    for batch in _batches(names):
        files += len(batch)
        strays += _unknown(batch)
    return strays, files


def sweep_strays(*, grace: timedelta = STRAY_GRACE) -> tuple[int, int]:
    """Remove files without a row, left by crashes, and forgotten temporary files; return how many of each.

    Raises `Conflict`: code `busy` while a backup runs, code `wrong_database` when most files are unknown.
    """
    strays, files = stray_files(grace=grace)
    if len(strays) > max(_MANY_STRAYS, files - len(strays)):
        raise Conflict(
            f"{len(strays)} of {files} files of the store have no row in this database; nothing was removed.",
            code="wrong_database",
            remedy="Check that MEDTHECA_DATA and DATABASE_URL belong together.",
        )
    store = blob_store()
    limit = (now() - grace).timestamp()
    count = 0
    for batch in _batches(iter(strays)):
        with sweeping_blobs():
            # Under the lock nobody is between renaming a file and writing its row.
            gone = _unknown(batch)
            _remove_bytes(gone)
            count += len(gone)
    for name, touched in list(store.quarantined()):
        if touched < limit and not Blob.objects.filter(sha256=name, state=BlobState.QUARANTINED).exists():
            store.drop_quarantined(name)
            count += 1
    return count, store.sweep_staged(older_than=limit)


def idle_uploads(*, idle: timedelta = UPLOAD_IDLE) -> list[UUID]:
    """Uploads, not yet whole, that received nothing for `idle`. Cancelling them is a workflow's.

    Those in parts also where they are whole and nobody made anything of them; what somebody has taken, after `idle`.
    """
    since, since_for_parts = now() - idle, now() - min(idle, MULTIPART_IDLE)
    waiting = Upload.objects.filter(state=UploadState.RECEIVING)
    quiet = waiting.filter(part_size=None, offset__lt=F("size"), modified__lt=since)
    in_parts = Q(part_size__isnull=False, taken=None, modified__lt=since_for_parts)
    untaken = Q(taken=None, whole__lt=now() - min(idle, UNTAKEN))
    forgotten = Q(taken__isnull=False, modified__lt=since)
    found = list(waiting.filter(in_parts | untaken | forgotten).values_list("pk", flat=True))
    for pk in quiet.values_list("pk", flat=True).iterator():
        try:
            # The row is not touched by every part that arrives; the file is.
            last = part_path(pk).stat().st_mtime
        except FileNotFoundError:
            last = 0.0
        if last < since.timestamp():
            found.append(pk)
    return found


def sweep_parts(*, grace: timedelta = STRAY_GRACE) -> int:
    """Remove part files that no open upload needs; return how many."""
    folder = settings.ENVIRONMENT.data / "uploads"
    limit = (now() - grace).timestamp()
    removed = 0
    for path in folder.glob("*.part") if folder.is_dir() else ():
        try:
            upload = Upload.objects.filter(pk=UUID(path.stem)).first()
            # A part may be a moment older than its row; a finished upload's is removed by whoever finishes it.
            needed = upload is not None and upload.state == UploadState.RECEIVING
            settled = upload is not None and upload.state in {UploadState.CANCELLED, UploadState.UNPACKED}
            if not needed and (settled or path.stat().st_ctime < limit):
                path.unlink()
                removed += 1
        except (ValueError, FileNotFoundError):
            continue  # Not named like a part of ours, or gone meanwhile.
    return removed


def erase_blobs(*, sha256s: Sequence[str], actor_id: int | None, reason: str) -> ErasureReceipt:
    """Remove these bytes now, and prove it: a sweep without tombstones or windows, with a ledger event each.

    May be repeated after a crash: bytes whose rows went before are removed and count as erased.
    Raises `Conflict` when something still points to one of them (nothing is erased then), or (code `busy`)
    while a backup runs.
    """
    store = blob_store()
    with sweeping_blobs(patience=10):
        names = sorted(with_compositions(sha256s))
        used = Blob.objects.filter(sha256__in=names).exclude(pk__in=unreferenced_blobs().filter(sha256__in=names))
        if kept := sorted(used.values_list("sha256", flat=True)):
            raise Conflict(
                f"{len(kept)} of {len(names)} blobs are still in use, the first is {kept[0]}; nothing was erased.",
                remedy="Remove what refers to them first.",
            )
        with transaction.atomic():
            sizes = dict(_remove_rows(unreferenced_blobs().filter(sha256__in=names)))
            for sha256, size in sizes.items():
                details = {"size": size, "reason": reason}
                record(actor_id=actor_id, verb="blob.erased", subject_type="blob", subject_id=sha256, details=details)
        for sha256 in names:
            if sha256 not in sizes and store.exists(sha256):
                sizes[sha256] = store.path(sha256).stat().st_size
            store.delete(sha256, durably=True)
            step("erase.unlinked")
    return ErasureReceipt(now(), tuple(sorted(sizes.items())), tuple(name for name in names if name not in sizes))


def _remove_rows(blobs: Iterable[Blob]) -> list[tuple[str, int]]:
    with transaction.atomic():
        doomed = free_to_go(list(blobs))
        composed = set(Composition.objects.filter(blob__in=doomed).values_list("pk", flat=True))
        # Every key that points to a blob protects it, so a reference that the search missed stops the sweep here.
        Blob.objects.filter(pk__in=[blob.pk for blob in doomed]).delete()
    step("sweep.rows")
    return [(blob.sha256, 0 if blob.pk in composed else blob.size) for blob in doomed]


def _remove_bytes(sha256s: Iterable[str]) -> None:
    store = blob_store()
    for sha256 in sha256s:
        store.delete(sha256)
        step("sweep.unlinked")


def _free_sources() -> int:
    try:
        return free_sources()
    except (Conflict, NoSpace) as reason:
        # Nothing is lost by it: the sources stay. A scrub tells of what is damaged.
        _log.warning("Sources of composed blobs could not be let go of: %s", reason.message)
        return 0


def _unknown(names: Sequence[str]) -> list[str]:
    # A composed blob has no file; one that was left under its name by a crash is as stray as any.
    known = set(Blob.objects.filter(sha256__in=names, composition=None).values_list("sha256", flat=True))
    return [name for name in names if name not in known]


def _batches(items: Iterator[_Item]) -> Iterator[list[_Item]]:
    while batch := list(islice(items, _BATCH)):
        yield batch
