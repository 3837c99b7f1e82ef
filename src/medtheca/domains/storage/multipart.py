"""Uploads in numbered parts, as clients of S3 send them: begun, filled in any order, declared whole.

All parts are ranges of the one part file of the upload. Its `offset` stays 0 until it is declared whole, and is its
size from then on: an upload in parts has no beginning that would be worth more than the rest.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now

from medtheca.base.errors import Conflict, Invalid, NotFound, Problem, TooLarge
from medtheca.base.steps import step
from medtheca.domains.accounts.models import User
from medtheca.domains.storage.enums import UploadState
from medtheca.domains.storage.models import Upload, UploadPart
from medtheca.domains.storage.queries import upload_of
from medtheca.domains.storage.uploads import begin_upload

PART_SIZE = 8 << 20
"""Bytes of a part: few enough that a client that waits five seconds for an answer gets it on a slow line."""
MOST_BYTES = 1 << 30
"""Of one upload. What is larger goes on where it stopped, by tus."""


@dataclass(frozen=True, slots=True)
class Part:
    """Where a part lies in its upload; `number` is from 1 on."""

    number: int
    offset: int
    size: int


def begin_multipart(*, owner: User, filename: str, size: int, media_type: str = "") -> Upload:
    """Make room for an upload in parts. Raises as `begin_upload`; an empty file is `Invalid`."""
    if size == 0:
        problem = Problem("file_size", "The file is empty.", code="empty_file", remedy="Choose another file.")
        raise Invalid("The file is empty.", problems=[problem])
    if size > MOST_BYTES:
        raise TooLarge(
            f"{filename} has {size:,} bytes; an upload in parts may have {MOST_BYTES:,}.",
            remedy="Upload it by tus at /uploads/tus/, or on the upload page.",
        )
    return begin_upload(owner=owner, filename=filename, size=size, media_type=media_type, part_size=PART_SIZE)


def parts_of_upload(upload: Upload) -> list[Part]:
    """The parts that an upload has, whether their bytes are there or not."""
    length = upload.part_size or upload.size
    starts = range(0, upload.size, length)
    return [Part(number, at, min(length, upload.size - at)) for number, at in enumerate(starts, 1)]


def multipart_of(owner_id: int, upload_id: UUID | str) -> Upload:
    """A person's own upload in parts. Raises `NotFound` for any other."""
    upload = upload_of(owner_id, upload_id)
    if upload.part_size is None or upload.open_ended:
        raise NotFound("There is no such upload of yours.")
    return upload


def part_to_receive(owner_id: int, upload_id: UUID | str, number: int) -> Part:
    """Where the bytes of a part go. Raises `NotFound`, and `Conflict` where the upload takes no more."""
    upload = multipart_of(owner_id, upload_id)
    if not _is_open(upload):
        raise Conflict("This upload is whole or given up and takes no more parts.", remedy="Begin a new upload.")
    parts = parts_of_upload(upload)
    if not 1 <= number <= len(parts):
        raise NotFound(f"The upload has {len(parts)} parts.")
    return parts[number - 1]


def record_part(*, upload_id: UUID | str, number: int, etag: str) -> None:
    """Note a part whose bytes are synced."""
    # The upload's own row is touched too: from it the upkeep sees that somebody is still sending.
    with transaction.atomic():
        Upload.objects.filter(pk=upload_id).update(modified=Now())
        UploadPart.objects.update_or_create(upload_id=upload_id, number=number, defaults={"etag": etag})
    step("upload.part")


def check_parts(upload: Upload, told: Iterable[tuple[int, int, str]]) -> None:
    """Compare the parts with what the sender says of them: number, size, ETag. Raises `Invalid`."""
    there = dict(UploadPart.objects.filter(upload=upload).values_list("number", "etag"))
    said = {number: (size, etag.strip().strip('"').lower()) for number, size, etag in told}
    parts = parts_of_upload(upload)
    problems = [
        Problem("parts", f"Part {part.number} {words}", code="part_differs", remedy="Send this part again.")
        for part in parts
        if (words := _difference(part, there.get(part.number), said.get(part.number)))
    ]
    problems += [
        Problem("parts", f"There is no part {number}; the upload has {len(parts)}.", code="unknown_part")
        for number in sorted(said.keys() - {part.number for part in parts})[:1]
    ]
    if problems:
        raise Invalid("The parts are not those that arrived.", problems=problems)


def complete_multipart(*, owner_id: int, upload_id: UUID | str) -> Upload:
    """Declare an upload whole; doing it again changes nothing. Raises `NotFound`, `Conflict` where parts miss.

    Nobody may be writing to its file, which the caller has to hold for that.
    """
    with transaction.atomic():
        upload = multipart_of(owner_id, upload_id)
        upload = Upload.objects.select_for_update().get(pk=upload.pk)
        if upload.state == UploadState.CANCELLED:
            raise Conflict("This upload was given up.", remedy="Begin a new upload.")
        if upload.offset == upload.size:
            return upload
        missing = len(parts_of_upload(upload)) - UploadPart.objects.filter(upload=upload).count()
        if missing:
            raise Conflict(f"{missing} parts of the upload are missing.", remedy="Send them, then complete it.")
        upload.offset = upload.size
        upload.save(update_fields=["offset", "modified"])
    step("upload.completed")
    return upload


def is_whole(upload: Upload) -> bool:
    """Whether all bytes are here and nothing was made of them yet."""
    return upload.state == UploadState.RECEIVING and upload.offset == upload.size


def _is_open(upload: Upload) -> bool:
    return upload.state == UploadState.RECEIVING and upload.offset < upload.size


def _difference(part: Part, there: str | None, said: tuple[int, str] | None) -> str:
    if there is None:
        return "has not arrived."
    if said is None:
        return "arrived and is not named."
    size, etag = said
    if size != part.size:
        return f"has {part.size:,} bytes, not {size:,}."
    return "" if etag == there else f"has the ETag {there}, not {etag[:40]}."
