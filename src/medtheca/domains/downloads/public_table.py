"""The public metadata of all images as one file, made by a job and never while anybody waits.

Changes that triggers have noted are what the file does not have. One that takes an image from the public closes the
door at once: until the file is made anew there is none.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import CharField, Exists, Min
from django.db.models.functions import Cast, Coalesce, Collate, Now

from medtheca.base.clock import now
from medtheca.base.locks import only_one
from medtheca.domains.access.enums import PUBLIC_SCOPE
from medtheca.domains.access.models import Placement
from medtheca.domains.access.queries import ANYBODY, visible_images
from medtheca.domains.downloads.models import PublicTable, PublicTableChange
from medtheca.domains.imaging.enums import FileKind
from medtheca.domains.search.entries import Entry, entries_among
from medtheca.domains.search.headers import FACTS
from medtheca.domains.storage.letting_go import mark_let_go
from medtheca.domains.storage.operations import keeping_blobs, store_blobs
from medtheca.domains.storage.queries import blob_store
from medtheca.domains.storage.stores import Staged
from medtheca.toolkit.publictable.columns import dictionary_csv
from medtheca.toolkit.publictable.parquet import FORMAT, write_table
from medtheca.toolkit.schemas import DERMATOLOGY, public_metadata

OFTEN_ENOUGH = timedelta(minutes=10)
"""How long images that came, and values that were corrected, may wait for the next file."""
_LAYOUT = f"{FORMAT} {hashlib.sha256(dictionary_csv().encode()).hexdigest()[:16]}"
# Whoever holds this advisory lock makes the file.
_LOCK = 0x4D545042
# Whoever holds this one, for a transaction, says which file it is, or that there is none.
_SAYING = 0x4D545043
_TRIES = 3
_CHUNK = 2000


@dataclass(frozen=True, slots=True)
class Published:
    """The file as it may be served: SHA-256 in hexadecimal, bytes, number of images, when it was made."""

    sha256: str
    size: int
    images: int
    made: datetime


@dataclass(frozen=True, slots=True)
class _Made:
    staged: Staged
    images: int
    opens: datetime | None
    changes: list[int]
    moment: datetime


def published_table() -> Published | None:
    """The file, unless there is none, or it may name an image that is not public any more."""
    closed = PublicTableChange.objects.filter(closing=True)
    row = PublicTable.objects.filter(~Exists(closed)).select_related("blob").first()
    return Published(row.blob.sha256, row.blob.size, row.images, row.made) if row else None


def is_table_coming() -> bool:
    """Whether there is or was something public, so that a job makes the file if it is not there."""
    return PublicTable.objects.exists() or PublicTableChange.objects.exists()


def refresh_public_table(*, anew: bool = False) -> str:
    """Make the file if there is reason to; what was done, in a word. May be cut off anywhere, and repeated.

    A file is thrown away that has an image which ceased to be public while it was made: "overtaken", if each one was.
    """
    if not anew and not _is_due():
        return "current"
    with only_one(_LOCK) as alone:
        if not alone:
            return "busy"
        return "made" if any(_keep(_make()) for _ in range(_TRIES)) else "overtaken"


def forget_public_table() -> None:
    """Let go of the file, because an image is erased that is hidden already; the job makes another.

    Call in a transaction, before the bytes are erased to which nothing points.
    """
    _say_alone()
    blobs = list(PublicTable.objects.values_list("blob", flat=True))
    if blobs:
        PublicTable.objects.all().delete()
        PublicTableChange.objects.create(closing=True)
        mark_let_go(blobs)


def _keep(made: _Made) -> bool:
    """Make it the file, unless it may name an image that is not public any more; whether it is."""
    try:
        with keeping_blobs():
            _say_alone()
            if PublicTableChange.objects.filter(closing=True).exclude(pk__in=made.changes).exists():
                # An erasure that has removed its bytes already would not find these.
                blob_store().discard([made.staged])
                return False
            blob = store_blobs([made.staged])[made.staged.sha256]
            before = list(PublicTable.objects.values_list("blob", flat=True))
            PublicTable.objects.update_or_create(
                pk=1,
                defaults={
                    "blob": blob,
                    "images": made.images,
                    "layout": _LAYOUT,
                    "made": made.moment,
                    "opens": made.opens,
                },
            )
            # These were seen by the snapshot of which the file is; later ones stay.
            PublicTableChange.objects.filter(pk__in=made.changes).delete()
            mark_let_go({pk for pk in before if pk != blob.pk})
            return True
    except BaseException:
        blob_store().discard([made.staged])
        raise


def _say_alone() -> None:
    """Until the transaction ends. A row that is not there yet cannot be locked."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_SAYING])


def _is_due() -> bool:
    row = PublicTable.objects.first()
    if row is None:
        return PublicTableChange.objects.exists()
    if row.layout != _LAYOUT or PublicTableChange.objects.filter(closing=True).exists():
        return True
    changed = PublicTableChange.objects.exists() or (row.opens is not None and row.opens <= now())
    return changed and row.made <= now() - OFTEN_ENOUGH


def _make() -> _Made:
    """Write the file from one snapshot of the database."""
    path = blob_store().new_file()
    try:
        with transaction.atomic(durable=True):
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                cursor.execute("SELECT now()")
                moment = cursor.fetchone()[0]
            changes = list(PublicTableChange.objects.values_list("pk", flat=True))
            waiting = Placement.objects.filter(scope=PUBLIC_SCOPE, opens__gt=Now())
            opens = waiting.aggregate(first=Min("opens"))["first"]
            images = write_table(_rows(), path, facts={"title": "Public metadata"})
        return _Made(blob_store().measure(path), images, opens, changes, moment)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _rows() -> Iterator[dict[str, Any]]:
    """Public images in the order of their ids."""
    reference = Collate(Coalesce("public_id", Cast("key", CharField())), "C")
    found = visible_images(ANYBODY).annotate(reference=reference).order_by("reference", "pk")
    chunk: dict[int, datetime] = {}
    for pk, created in found.values_list("pk", "created").iterator(chunk_size=_CHUNK):
        chunk[pk] = created
        if len(chunk) == _CHUNK:
            yield from _shown(chunk)
            chunk = {}
    yield from _shown(chunk)


def _shown(chunk: dict[int, datetime]) -> Iterator[dict[str, Any]]:
    entries = entries_among(visible_images(ANYBODY).filter(pk__in=chunk), asker=None)
    for pk, created in chunk.items():
        yield {"created": created, **_row(entries[pk])}


def _row(entry: Entry) -> dict[str, Any]:
    file = entry.files.get(FileKind.PUBLIC)
    shown = public_metadata(entry.structured, pack=DERMATOLOGY, public_ids=entry.public_ids)
    facts = {name: entry.facts.get(key) for name, key in FACTS.items()}
    return {
        "isic_id": entry.public_id or str(entry.key),
        "copyright_license": entry.licence or None,
        "attribution": entry.attribution or None,
        "image_kind": entry.kind,
        "format": entry.format,
        "pixels_x": entry.width,
        "pixels_y": entry.height,
        "slices": entry.depth,
        "timepoints": entry.timepoints,
        "channels": entry.channels,
        "bits": entry.bits,
        "spacing_x": entry.spacing_x,
        "spacing_y": entry.spacing_y,
        "spacing_z": entry.spacing_z,
        "file_size": file.size if file else None,
        "file_type": file.media_type if file else None,
        "file_sha256": file.sha256 if file else None,
        **shown["acquisition"],
        **shown["clinical"],
        **facts,
        "body_part": (facts["body_part"] or {}).get("meaning"),
        "stain": [str(code["meaning"]) for code in facts["stain"] or ()] or None,
    }
