"""Whether stored bytes still are what their names say."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

from django.db import transaction
from django.db.models import F, QuerySet, Sum
from django.db.models.functions import Now

from medtheca.domains.ledger.operations import record
from medtheca.domains.storage.enums import BlobState
from medtheca.domains.storage.models import Blob
from medtheca.domains.storage.opening import chunks_of, open_composed, recipe_of
from medtheca.domains.storage.queries import blob_store
from medtheca.domains.storage.stores import BlobStore
from medtheca.toolkit.ranges.recipe import Damaged

Progress = Callable[[int, int], None]
"""Told of blobs done (0 or 1) and bytes read since the last call."""

_CHUNK = 1024 * 1024
_NOTE_EVERY = 500


class Condition(StrEnum):
    """What looking at a blob found."""

    INTACT = "intact"
    DIFFERS = "differs"
    MISSING = "missing"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Finding:
    """A blob that is not as it should be, in words."""

    sha256: str
    condition: Condition
    words: str


@dataclass(slots=True)
class ScrubReport:
    """What a scrub saw. `rate` is in bytes a second."""

    blobs: int = 0
    bytes: int = 0
    seconds: float = 0.0
    released: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Whether every blob looked at holds what its name says."""
        return not self.findings

    @property
    def rate(self) -> float:
        """Bytes a second."""
        return self.bytes / self.seconds if self.seconds else 0.0


def hash_of(file: BinaryIO, *, progress: Progress | None = None) -> tuple[str, int]:
    """SHA-256 in hexadecimal and number of bytes of an open file, in constant memory.

    The kernel is asked to forget its copy first, so that the medium is read and not the memory.
    """
    digest = hashlib.sha256()
    size = 0
    buffer = memoryview(bytearray(_CHUNK))
    _forget_cached(file)
    while read := file.readinto(buffer):  # type: ignore[attr-defined]  # BinaryIO lacks what every binary file has
        digest.update(buffer[:read])
        size += read
        if progress:
            progress(0, read)
    return digest.hexdigest(), size


def examine_blob(sha256: str, size: int, *, progress: Progress | None = None) -> Finding | None:
    """Hash a blob's bytes again, also where they are ranges of others; None when they are right."""
    try:
        with blob_store().open(sha256) as file:
            found, length = hash_of(file, progress=progress)
    except FileNotFoundError:
        recipe = recipe_of(sha256)
        if recipe is not None:
            return examine_composed(sha256, size, recipe=recipe, progress=progress)
        return Finding(sha256, Condition.MISSING, f"Blob {sha256} ({size} bytes) has no file.")
    except OSError as error:
        return Finding(sha256, Condition.UNREADABLE, f"Blob {sha256} cannot be read: {error.strerror}.")
    return _judge(sha256, size, found, length)


def examine_composed(
    sha256: str, size: int, *, recipe: str, store: BlobStore | None = None, progress: Progress | None = None
) -> Finding | None:
    """Hash what a blob's recipe gives, of this store or another; None when it is right."""
    digest = hashlib.sha256()
    length = 0
    try:
        with closing(open_composed(recipe, store=store)) as content:
            content.forget()
            for chunk in chunks_of(content):
                digest.update(chunk)
                length += len(chunk)
                if progress:
                    progress(0, len(chunk))
    except FileNotFoundError as error:
        lacking = Path(error.filename).name if error.filename else "a blob"
        words = f"Blob {sha256} ({size} bytes) is composed of others, of which {lacking} has no file."
        return Finding(sha256, Condition.MISSING, words)
    except Damaged as error:
        return Finding(sha256, Condition.DIFFERS, f"Blob {sha256} is composed by {recipe}, and {error}.")
    except OSError as error:
        words = f"Blob {sha256} is composed by {recipe} and cannot be read: {error.strerror}."
        return Finding(sha256, Condition.UNREADABLE, words)
    return _judge(sha256, size, digest.hexdigest(), length, composed=True)


def _judge(sha256: str, size: int, found: str, length: int, *, composed: bool = False) -> Finding | None:
    what = f"Blob {sha256}, composed of others," if composed else f"Blob {sha256}"
    if length != size:
        return Finding(sha256, Condition.DIFFERS, f"{what} should have {size} bytes and has {length}.")
    if found != sha256:
        return Finding(sha256, Condition.DIFFERS, f"{what} holds other bytes: their SHA-256 is {found}.")
    return None


def blobs_to_scrub(*, oldest_first: bool = False, limit: int | None = None) -> QuerySet[Blob]:
    """Blobs in the order of a scrub: as stored, or those longest not verified first; at most `limit`."""
    order = [F("verified").asc(nulls_first=True), "pk"] if oldest_first else ["pk"]
    return Blob.objects.order_by(*order)[:limit]


def scrub_size(*, oldest_first: bool = False, limit: int | None = None) -> tuple[int, int]:
    """How many blobs a scrub will look at, and their bytes."""
    chosen = blobs_to_scrub(oldest_first=oldest_first, limit=limit)
    return chosen.count(), Blob.objects.filter(pk__in=chosen.values("pk")).aggregate(total=Sum("size"))["total"] or 0


def scrub_blobs(
    *, oldest_first: bool = False, limit: int | None = None, progress: Progress | None = None
) -> ScrubReport:
    """Hash stored bytes again. What differs goes into quarantine; what is right again comes out of it."""
    report = ScrubReport()
    begun = time.monotonic()
    right: list[int] = []

    def counted(blobs: int, read: int) -> None:
        report.blobs += blobs
        report.bytes += read
        if progress:
            progress(blobs, read)

    for blob in blobs_to_scrub(oldest_first=oldest_first, limit=limit).iterator(chunk_size=_NOTE_EVERY):
        finding = examine_blob(blob.sha256, blob.size, progress=counted)
        if finding is not None:
            finding = _act_on(blob, finding, report)
        elif blob.state == BlobState.QUARANTINED:
            _release(blob, report)
        if finding is None:
            right.append(blob.pk)
        else:
            report.findings.append(finding)
        counted(1, 0)
        if len(right) >= _NOTE_EVERY:
            _note_verified(right)
    _note_verified(right)
    report.seconds = time.monotonic() - begun
    return report


def _act_on(blob: Blob, finding: Finding, report: ScrubReport) -> Finding | None:
    """Move bytes that differ aside, or fetch them back when they are right after all; None when nothing is wrong."""
    if recipe_of(blob.sha256) is not None and not blob_store().exists(blob.sha256):
        return finding  # The fault is a recipe's or a source's, which a scrub moves aside by itself.
    if finding.condition is Condition.DIFFERS:
        return _move_aside(blob, finding)
    if finding.condition is Condition.MISSING:
        return _look_for(blob, report)
    return finding


def _move_aside(blob: Blob, finding: Finding) -> Finding | None:
    store = blob_store()
    try:
        store.quarantine(blob.sha256)
    except FileNotFoundError:
        return examine_blob(blob.sha256, blob.size)
    # Whoever stores the same content puts good bytes in the place of bad ones at any moment: what was moved
    # need not be what was hashed.
    if _quarantined_is_right(store, blob):
        store.release(blob.sha256)
        return None
    _mark_quarantined(blob, store, finding)
    return finding


def _look_for(blob: Blob, report: ScrubReport) -> Finding | None:
    store = blob_store()
    if _quarantined_is_right(store, blob):
        store.release(blob.sha256)
        _release(blob, report)
        return None
    if not Blob.objects.filter(pk=blob.pk).exists():
        return None  # Swept while we looked.
    if blob.state == BlobState.QUARANTINED:
        return Finding(blob.sha256, Condition.DIFFERS, f"Blob {blob.sha256} is in quarantine: its bytes are lost.")
    return examine_blob(blob.sha256, blob.size)  # Once more: it may have been on its way back.


def _mark_quarantined(blob: Blob, store: BlobStore, finding: Finding) -> None:
    with transaction.atomic():
        row = Blob.objects.select_for_update().filter(pk=blob.pk).first()
        # A file is there again: the same content was stored meanwhile, and its row says so or soon will.
        if row is None or store.exists(blob.sha256):
            return
        Blob.objects.filter(pk=blob.pk).update(state=BlobState.QUARANTINED, tombstoned=None)
        # The SHA-256 knows the file again, so it stands where an erasure can take it out: not in the subject.
        details = {"sha256": blob.sha256, "words": finding.words}
        record(actor_id=None, verb="blob.quarantined", subject_type="blob", subject_id=blob.pk, details=details)


def _release(blob: Blob, report: ScrubReport) -> None:
    with transaction.atomic():
        changed = Blob.objects.filter(pk=blob.pk, state=BlobState.QUARANTINED).update(state=BlobState.STORED)
        if changed:
            details = {"sha256": blob.sha256}
            record(actor_id=None, verb="blob.released", subject_type="blob", subject_id=blob.pk, details=details)
            report.released.append(blob.sha256)


def _quarantined_is_right(store: BlobStore, blob: Blob) -> bool:
    try:
        with store.open_quarantined(blob.sha256) as file:
            return hash_of(file) == (blob.sha256, blob.size)
    except OSError:
        return False


def _note_verified(pks: list[int]) -> None:
    Blob.objects.filter(pk__in=pks).update(verified=Now())
    pks.clear()


def _forget_cached(file: BinaryIO) -> None:
    try:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    except (AttributeError, OSError):
        return  # Not a file of this machine, or a system without the call.
