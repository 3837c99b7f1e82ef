"""Uploads in parts of which nobody told the size before, as Grand Challenge's clients send them.

Each part says its size as it comes, in any order. All lie in the one part file of the upload: where parts are as long
as the first that came, which is what clients do, each has its place by its number, and the file is whole when the last
has come. Others lie behind, and are put in order when the upload is declared whole.

A whole upload is nobody's yet: a workflow takes it (`take_upload`), or the upkeep gives it up after a day.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from django.db import transaction
from django.db.models import F, Max, QuerySet
from django.db.models.functions import Now

from medtheca.base.clock import now
from medtheca.base.errors import Conflict, Invalid, NotFound, Problem
from medtheca.base.steps import step
from medtheca.domains.accounts.models import User
from medtheca.domains.storage.enums import UploadState
from medtheca.domains.storage.models import Upload, UploadPart
from medtheca.domains.storage.multipart import Part
from medtheca.domains.storage.uploads import begin_upload, check_size, part_path, release_upload, require_room

MOST_PARTS = 10_000
MOST_OPEN = 2000
"""Uploads of one person that wait for parts, or for somebody to make something of them."""
_LONGEST_NAME = 255
_CHUNK = 1 << 20
_PATIENCE = 5.0


def begin_open_upload(*, owner: User, filename: str) -> Upload:
    """Make room for a file of any size. Its name may hold folders, which are kept as the path that it had.

    Raises `Invalid` for a name that is none, or where the person has too many begun; `NoSpace`.
    """
    _check_name(filename)
    if uploads_of(owner.pk).filter(state=UploadState.RECEIVING, taken=None).count() >= MOST_OPEN:
        problem = Problem("", "You have created too many uploads. Please try again later.", code="too_many_uploads")
        raise Invalid(problem.message, problems=[problem])
    return begin_upload(owner=owner, filename=filename, size=0, part_size=0, open_ended=True)


def uploads_of(owner_id: int) -> QuerySet[Upload]:
    """A person's own open-ended uploads, whatever became of them."""
    return Upload.objects.filter(owner_id=owner_id, open_ended=True)


def open_upload_of(owner_id: int, upload_id: UUID | str) -> Upload:
    """One of them. Raises `NotFound` for any other."""
    upload = uploads_of(owner_id).filter(pk=upload_id).first()
    if upload is None:
        raise _no_upload()
    return upload


def whole_uploads(*, owner_id: int, upload_ids: Sequence[UUID]) -> list[Upload]:
    """Those of the person's uploads that are whole and of which nothing was made, in this order."""
    waiting = uploads_of(owner_id).filter(state=UploadState.RECEIVING, whole__isnull=False, taken=None)
    found = {upload.pk: upload for upload in waiting.filter(pk__in=upload_ids)}
    return [found[pk] for pk in dict.fromkeys(upload_ids) if pk in found]


def require_open(upload: Upload) -> None:
    """Raise `Conflict` for an upload that takes no more parts."""
    if upload.state != UploadState.RECEIVING or upload.whole is not None:
        raise Conflict("This upload is whole or given up and takes no more parts.", remedy="Begin a new upload.")


def require_room_for_more(upload: Upload) -> None:
    """Raise `TooLarge` where the person's quota is used up, and `NoSpace`: before they send what would be refused."""
    require_room(upload.owner_id, upload.filename, 1)


def reserve_part(*, owner_id: int, upload_id: UUID | str, number: int, size: int) -> Part:
    """Where the bytes of a part go, which from now on counts as on its way.

    Raises `NotFound`, `Conflict` where the upload takes no more parts, `TooLarge` and `NoSpace`.
    """
    if not 1 <= number <= MOST_PARTS:
        raise NotFound(f"Parts have numbers from 1 to {MOST_PARTS:,}.")
    with transaction.atomic():
        # Before the upload, as whoever begins one takes them.
        User.objects.select_for_update(no_key=True).get(pk=owner_id)
        upload = _locked(owner_id, upload_id)
        require_open(upload)
        known = UploadPart.objects.filter(upload=upload, number=number).first()
        more = size - (known.size or 0 if known else 0)
        if more > 0:
            check_size(upload.filename, upload.size + more)
            require_room(owner_id, upload.filename, more)
        offset = _place(upload, number, size, known)
        upload.size += more
        upload.save(update_fields=["size", "part_size", "modified"])
        # What was there is not there any more: its bytes are about to be written over.
        UploadPart.objects.update_or_create(
            upload=upload, number=number, defaults={"etag": "", "offset": offset, "size": size}
        )
    return Part(number, offset, size)


def record_open_part(*, owner_id: int, upload_id: UUID | str, part: Part, etag: str) -> None:
    """Note a part whose bytes are synced. Raises `Conflict` where the upload ended meanwhile."""
    with transaction.atomic():
        upload = _locked(owner_id, upload_id)
        require_open(upload)
        kept = UploadPart.objects.filter(upload=upload, number=part.number, offset=part.offset, size=part.size)
        if not kept.update(etag=etag, received=Now()):
            raise Conflict("A newer request sends this part.", remedy="Send the part again.")
        upload.save(update_fields=["modified"])
    step("upload.part")


def sent_parts(upload: Upload) -> QuerySet[UploadPart]:
    """Parts whose bytes are here, by number."""
    return UploadPart.objects.filter(upload=upload).exclude(etag="").order_by("number")


def complete_open_upload(*, owner_id: int, upload_id: UUID | str, told: Sequence[tuple[int, str]]) -> Upload:
    """Declare an upload whole: the parts that were sent, as number and ETag, one behind the other; none, an empty file.

    Doing it again changes nothing. Raises `NotFound`, `Conflict` where it was given up or is being written to, and
    `Invalid` where the parts are not those that arrived.
    """
    upload = open_upload_of(owner_id, upload_id)
    if upload.whole is not None:
        return _finished(upload)
    require_open(upload)
    with _held(part_path(upload.pk)):
        parts = list(sent_parts(upload))
        _check_told(parts, told)
        ordered = _put_in_order(upload, parts)
        with transaction.atomic():
            upload = _locked(owner_id, upload_id)
            if upload.whole is None:
                require_open(upload)
                at = 0
                for part in parts:
                    UploadPart.objects.filter(pk=part.pk).update(offset=at)
                    at += part.size or 0
                upload.size = upload.offset = at
                upload.whole = now()
                upload.save(update_fields=["size", "offset", "whole", "modified"])
        step("upload.completed")
        if ordered:
            _settle(upload)
    return upload


def abort_open_upload(*, owner_id: int, upload_id: UUID | str) -> Upload:
    """Give an upload up, whole or not, unless something is made of it. Doing it again changes nothing."""
    with transaction.atomic():
        upload = _locked(owner_id, upload_id)
        if upload.state == UploadState.RECEIVING and upload.taken is None:
            release_upload(upload=upload, state=UploadState.CANCELLED)
            joined = _joined(upload.pk)
            transaction.on_commit(lambda: joined.unlink(missing_ok=True))
            upload.state = UploadState.CANCELLED
        elif upload.state != UploadState.CANCELLED:
            raise Conflict("This upload is used already.", code="upload_used")
    return upload


def take_upload(*, owner_id: int, upload_id: UUID | str) -> Upload:
    """Have a whole upload to make something of: from now on the upkeep leaves it alone, and nobody else may take it.

    Call in the transaction that notes what it is for; whoever takes it releases it (`release_upload`) when that is
    done, or will not be. Raises `NotFound`, and `Conflict` where it is not whole (`not_complete`), given up or used
    (`upload_used`).
    """
    upload = _locked(owner_id, upload_id)
    name = upload.filename
    if upload.whole is None and upload.state == UploadState.RECEIVING:
        raise Conflict(f"The upload {name} is not complete.", code="not_complete", remedy="Send its parts first.")
    if upload.taken is not None or upload.state != UploadState.RECEIVING:
        raise Conflict(f"The upload {name} was used or given up.", code="upload_used", remedy="Upload the file again.")
    _settle(upload)
    upload.taken = now()
    upload.save(update_fields=["taken", "modified"])
    return upload


def settle_joined_files(folder: Path) -> None:
    """Finish what a crash interrupted between declaring uploads whole and putting their files in order; upkeep."""
    for path in folder.glob("*.joined") if folder.is_dir() else ():
        upload = Upload.objects.filter(pk=UUID(path.stem)).first()
        if upload is not None and upload.whole is not None and upload.state == UploadState.RECEIVING:
            _settle(upload)
        elif upload is None or upload.state != UploadState.RECEIVING:
            path.unlink(missing_ok=True)


def _finished(upload: Upload) -> Upload:
    if upload.state == UploadState.CANCELLED:
        raise Conflict("This upload was given up.", remedy="Begin a new upload.")
    return upload


def _place(upload: Upload, number: int, size: int, known: UploadPart | None) -> int:
    """Where a part goes in the file; the first that comes says how long parts are."""
    if not upload.part_size:
        upload.part_size = size
    if size <= upload.part_size:
        return (number - 1) * upload.part_size
    if known is not None and known.offset is not None and known.size is not None and size <= known.size:
        return known.offset
    behind = upload.part_size * MOST_PARTS
    others = UploadPart.objects.filter(upload=upload, offset__gte=behind)
    end: int | None = others.aggregate(end=Max(F("offset") + F("size")))["end"]
    return max(behind, end or 0)


def _put_in_order(upload: Upload, parts: Sequence[UploadPart]) -> bool:
    """Whether the parts had to be copied one behind the other, into a file that takes the place of the first."""
    at, is_ordered = 0, True
    for part in parts:
        is_ordered = is_ordered and part.offset == at
        at += part.size or 0
    if is_ordered:
        return False
    require_room(upload.owner_id, upload.filename, 0)
    with part_path(upload.pk).open("rb") as source, _joined(upload.pk).open("wb") as target:
        os.fchmod(target.fileno(), 0o600)
        for part in parts:
            _copy(source, target, part.offset or 0, part.size or 0)
        target.flush()
        os.fsync(target.fileno())
    return True


def _copy(source: BinaryIO, target: BinaryIO, offset: int, size: int) -> None:
    source.seek(offset)
    left = size
    while left:
        piece = source.read(min(left, _CHUNK))
        if not piece:
            raise Conflict("Bytes of this upload are missing.", code="bytes_missing", remedy="Upload the file again.")
        target.write(piece)
        left -= len(piece)


def _settle(upload: Upload) -> None:
    """Put the file in order in its place: once the row says so, since a crash before has to find parts as they lay."""
    joined = _joined(upload.pk)
    with contextlib.suppress(FileNotFoundError):
        joined.replace(part_path(upload.pk))


def _joined(upload_id: UUID) -> Path:
    return part_path(upload_id).with_suffix(".joined")


@contextlib.contextmanager
def _held(path: Path) -> Iterator[None]:
    """The part file for oneself: nobody writes a part meanwhile. Raises `Conflict`."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        raise Conflict("The bytes of this upload are gone.", remedy="Begin a new upload.") from None
    try:
        until = time.monotonic() + _PATIENCE
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > until:
                    raise Conflict(
                        "A part of this upload is still being sent.", code="busy", remedy="Wait for it to end."
                    ) from None
                time.sleep(0.05)
        yield
    finally:
        os.close(handle)


def _check_told(parts: Iterable[UploadPart], told: Sequence[tuple[int, str]]) -> None:
    """Compare the parts that arrived with what the sender says of them. Raises `Invalid`."""
    there = {part.number: part.etag for part in parts}
    said = {number: etag.strip().strip('"').lower() for number, etag in told}
    words = [f"Part {number} has not arrived." for number in sorted(said.keys() - there.keys())]
    words += [f"Part {number} arrived and is not named." for number in sorted(there.keys() - said.keys())]
    words += [
        f"Part {number} has the ETag {there[number]}, not {etag[:40]}."
        for number, etag in sorted(said.items())
        if number in there and there[number] != etag
    ]
    if len(said) < len(told):
        words.append("A part is named twice.")
    if words:
        problems = [Problem("parts", text, code="part_differs") for text in words[:20]]
        raise Invalid("The parts are not those that arrived.", problems=problems)


def _check_name(filename: str) -> None:
    parts = filename.split("/")
    fits = len(filename) <= _LONGEST_NAME and "\\" not in filename
    unstorable = any(unicodedata.category(letter) in {"Cc", "Cs"} for letter in filename)
    if unstorable or not fits or not all(part.strip(" .") for part in parts):
        problem = Problem("filename", f"{filename[:128]!r} is not a valid filename.")
        raise Invalid(problem.message, problems=[problem])


def _locked(owner_id: int, upload_id: UUID | str) -> Upload:
    upload = uploads_of(owner_id).select_for_update().filter(pk=upload_id).first()
    if upload is None:
        raise _no_upload()
    return upload


def _no_upload() -> NotFound:
    return NotFound("There is no such upload of yours.")
