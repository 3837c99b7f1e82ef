"""Uploads: begun, appended to, whole, taken in as a blob, cancelled.

The bytes of an unfinished upload are a file of their own, `uploads/ID.part` in the data folder. `offset` is raised only
after they are synced, so that what was acknowledged survives a crash; bytes beyond it are written again.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from medtheca.base.errors import Conflict, Invalid, NoSpace, Problem, TooLarge
from medtheca.base.steps import step
from medtheca.domains.accounts.models import User
from medtheca.domains.storage.enums import UploadState
from medtheca.domains.storage.models import Upload
from medtheca.domains.storage.operations import store_blobs
from medtheca.domains.storage.queries import blob_store, bytes_under_way, space_is_short

_CHUNK = 1 << 20
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def part_path(upload_id: UUID | str) -> Path:
    """Where the bytes of an unfinished upload are. The name is ours, never the user's."""
    folder: Path = settings.ENVIRONMENT.data / "uploads"
    return folder / f"{UUID(str(upload_id))}.part"


def begin_upload(
    *,
    owner: User,
    filename: str,
    size: int,
    media_type: str = "",
    sha256: str = "",
    part_size: int | None = None,
    open_ended: bool = False,
) -> Upload:
    """Make room for an upload; with `part_size` for one in numbered parts (`multipart`, `open_ended`).

    Raises:
        Invalid: no name, a negative size or a checksum that is none.
        TooLarge: larger than one upload may be, or over the person's quota.
        NoSpace: it would touch the disk reserve.
    """
    _check_declaration(filename, size, sha256)
    check_size(filename, size)
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=owner.pk)
        require_room(owner.pk, filename, size)
        upload = Upload.objects.create(
            owner=owner,
            filename=filename,
            size=size,
            media_type=_UNSTORABLE.sub("", media_type)[:100],
            declared_sha256=sha256.lower(),
            part_size=part_size,
            open_ended=open_ended,
        )
        path = part_path(upload.pk)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        _sync_folder(path.parent)
    step("upload.begun")
    return upload


def check_size(filename: str, size: int) -> None:
    """Raise `TooLarge` for more bytes than one upload may have."""
    limit = settings.ENVIRONMENT.max_upload
    if size > limit:
        raise TooLarge(
            f"{filename} has {size:,} bytes; one upload may have {limit:,}.", remedy="Split the ZIP into several."
        )


def require_room(owner_id: int, filename: str, size: int) -> None:
    """Raise `TooLarge` over a person's quota and `NoSpace` for what would touch the disk reserve.

    The person's row is locked by then: it is the queue in which their quota is counted.
    """
    quota, under_way = settings.ENVIRONMENT.upload_quota, bytes_under_way(owner_id)
    if under_way + size > quota:
        raise TooLarge(
            f"{filename} has {size:,} bytes, and {under_way:,} of your {quota:,} are under way.",
            code="quota_exceeded",
            remedy="Wait until earlier uploads are unpacked, or cancel one.",
        )
    if space_is_short(needed=size):
        raise NoSpace(f"There is no space for {filename} now.", remedy="Ask the administrator; nothing was stored.")


def _check_declaration(filename: str, size: int, sha256: str) -> None:
    problems = []
    if not filename.strip() or len(filename) > 255:
        problems.append(Problem("filename", "A file name has 1 to 255 characters.", remedy="Name the file."))
    if _UNSTORABLE.search(filename):
        problems.append(
            Problem(
                "filename", "A file name holds text, without NUL and halves of characters.", remedy="Rename the file."
            )
        )
    if size < 0:
        problems.append(Problem("size", "A size is 0 or more."))
    if sha256 and (len(sha256) != 64 or not set(sha256.lower()) <= set("0123456789abcdef")):
        problems.append(Problem("sha256", "A SHA-256 is 64 hexadecimal digits."))
    if problems:
        raise Invalid("The upload cannot begin.", problems=problems)


def record_progress(*, upload_id: UUID | str, begun_at: int, offset: int) -> None:
    """Acknowledge synced bytes: move the offset from `begun_at` forward to `offset`.

    Raises `Conflict` where somebody else moved it meanwhile; compare-and-set, so that two writers cannot both win.
    """
    moved = Upload.objects.filter(pk=upload_id, offset=begun_at, state=UploadState.RECEIVING).update(
        offset=offset, modified=Now()
    )
    if not moved:
        raise Conflict("Another request has continued this upload.", remedy="Ask for its offset and go on from there.")
    step("upload.progress")


def take_in_upload(*, upload: Upload) -> Upload:
    """Hash a whole upload and keep it as a blob. Call inside `keeping_blobs`; doing it twice is harmless.

    Raises `Conflict` where bytes are missing, or are not those whose SHA-256 was declared.
    """
    if upload.state != UploadState.RECEIVING:
        return upload
    path = part_path(upload.pk)
    digest = hashlib.sha256()
    for chunk in _read_chunks(path, upload.size):
        digest.update(chunk)
    sha256 = digest.hexdigest()
    if upload.declared_sha256 and upload.declared_sha256 != sha256:
        raise Conflict(
            f"{upload.filename} arrived with SHA-256 {sha256}; {upload.declared_sha256} was declared.",
            code="checksum_differs",
            remedy="Upload the file again.",
        )
    # Bytes beyond the declared end were never acknowledged, and are no part of what was hashed.
    with path.open("ab") as part:
        part.truncate(upload.size)
    staged = blob_store().adopt(path, sha256, upload.size)
    upload.blob = store_blobs([staged])[sha256]
    upload.state = UploadState.FINISHED
    upload.save(update_fields=["blob", "state", "modified"])
    transaction.on_commit(lambda: path.unlink(missing_ok=True))
    return upload


def release_upload(*, upload: Upload, state: UploadState) -> None:
    """Let go of an upload's own bytes: it was unpacked, or cancelled. The sweep does the rest."""
    Upload.objects.filter(pk=upload.pk).update(state=state, blob=None)
    transaction.on_commit(lambda: part_path(upload.pk).unlink(missing_ok=True))


def _read_chunks(path: Path, size: int) -> Iterator[bytes]:
    remaining = size
    # The file itself may be gone, after a restore for instance: waiting would not bring it back.
    with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
        while remaining and (chunk := file.read(min(_CHUNK, remaining))):
            remaining -= len(chunk)
            yield chunk
    if remaining:
        raise Conflict(
            f"{remaining:,} bytes of the upload are missing.", code="bytes_missing", remedy="Upload it again."
        )


def _sync_folder(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
