"""Writing downloads."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet

from medtheca.base.clock import now
from medtheca.base.jobs import enqueue
from medtheca.domains.accounts.models import User
from medtheca.domains.downloads.enums import DownloadState
from medtheca.domains.downloads.errors import TooManyOpen
from medtheca.domains.downloads.freezing import Ice
from medtheca.domains.downloads.models import Download
from medtheca.domains.downloads.public_table import forget_public_table
from medtheca.domains.downloads.queries import opened
from medtheca.domains.storage.checksums import Unreadable, note_crc32s
from medtheca.domains.storage.letting_go import mark_let_go
from medtheca.domains.storage.operations import keeping_blobs, store_blobs
from medtheca.toolkit.zips.frozen import NotFrozen

KEPT = timedelta(days=1)
"""How long a download may be fetched from when it was asked for last, and its tickets are good."""
MOST_OPEN = 50
"""Downloads of one person at a time."""
_LOCK = 0x4D544C45
_BATCH = 500
# About, for its turns: bytes that are hashed a second.
_BYTES_A_SECOND = 200_000_000


def require_room(owner: User | None) -> None:
    """See that a person may have one more. Raises `TooManyOpen`. Strangers are counted by address, where they ask."""
    if owner is not None and Download.objects.filter(owner=owner, expires__gt=now()).count() >= MOST_OPEN:
        raise TooManyOpen(
            f"You have {MOST_OPEN} downloads already, as many as may be.",
            remedy="Delete one, or wait until one expires.",
        )


def open_download(*, owner: User | None, ice: Ice, name: str) -> Download:
    """Keep a frozen list for somebody. The same list again is the same download, and may be fetched for longer.

    Raises `TooManyOpen`.
    """
    with keeping_blobs():
        with connection.cursor() as cursor:
            # Counted one after the other, which is short.
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_LOCK, owner.pk if owner else 0])
        listing = store_blobs([ice.staged])[ice.staged.sha256]
        mine = Download.objects.filter(owner=owner, expires__gt=now())
        same = mine.filter(listing=listing, name=name).exclude(state=DownloadState.FAILED).first()
        if same is not None:
            Download.objects.filter(pk=same.pk).update(expires=now() + KEPT)
            same.refresh_from_db()
            return same
        require_room(owner)
        return Download.objects.create(
            owner=owner,
            listing=listing,
            name=name,
            images=ice.images,
            bytes=ice.bytes,
            size=ice.size,
            expires=now() + KEPT,
        )


def prepare_download(download_id: UUID, *, seconds: float | None = None) -> bool:
    """Work out the checksums that are missing, for so long at most; whether it is ready. Repeating it does no harm."""
    download = Download.objects.select_related("listing").filter(pk=download_id).first()
    if download is None or download.state != DownloadState.PREPARING:
        return download is not None and download.state == DownloadState.READY
    began = now()
    with opened(download.listing.sha256) as frozen:
        for members in frozen.every(batch=_BATCH, first=frozen.inner):
            left = seconds - (now() - began).total_seconds() if seconds is not None else None
            try:
                done = note_crc32s([member.sha256 for member in members], seconds=left)
            except Unreadable:
                _end(download, DownloadState.FAILED, "The file of an image cannot be read at the moment.")
                raise
            if not done:
                return False
    _end(download, DownloadState.READY)
    return True


def enqueue_preparing(download: Download) -> None:
    """Have a job prepare it."""
    line = f"downloads:{download.owner_id or 'strangers'}"
    cost = 1 + download.bytes // _BYTES_A_SECOND
    enqueue("downloads.prepare", download_id=str(download.pk), turn=line, cost=cost)


def _end(download: Download, state: DownloadState, words: str = "") -> None:
    Download.objects.filter(pk=download.pk, state=DownloadState.PREPARING).update(state=state, words=words)


def delete_download(download: Download) -> None:
    """Let it end before its time."""
    with transaction.atomic():
        _delete(Download.objects.filter(pk=download.pk))


def sweep_downloads() -> int:
    """Forget what has expired; return how many."""
    with transaction.atomic():
        return _delete(Download.objects.filter(expires__lte=now()))


def forget_downloads_with(image_ids: Iterable[int]) -> int:
    """Forget downloads in whose lists an image is, because it is erased; return how many. Call in a transaction.

    The table of public metadata goes too, whether it has the image or not: another one is made soon.
    """
    forget_public_table()
    wanted = set(image_ids)
    holding = []
    for pk, listing in Download.objects.order_by("pk").values_list("pk", "listing__sha256"):
        if _holds(listing, wanted):
            holding.append(pk)
    return _delete(Download.objects.filter(pk__in=holding)) if holding else 0


def _holds(listing: str, image_ids: set[int]) -> bool:
    try:
        with opened(listing) as frozen:
            return any(
                member.subject in image_ids for members in frozen.every(first=frozen.inner) for member in members
            )
    except (OSError, NotFrozen):
        return True  # Nobody can tell, and nothing can be sent of it any more.


def _delete(rows: QuerySet[Download]) -> int:
    found = list(rows.select_for_update().values_list("pk", "listing"))
    number, _ = Download.objects.filter(pk__in=[pk for pk, _ in found]).delete()
    mark_let_go({listing for _, listing in found})
    return number
