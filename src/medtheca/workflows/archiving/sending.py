"""Files that come with a form, kept as uploads of which `filling` can make something."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from medtheca.base.errors import DomainError
from medtheca.domains.accounts.models import User
from medtheca.domains.archives.access import require_uploader
from medtheca.domains.archives.models import Intake, Item
from medtheca.domains.sockets.models import Socket
from medtheca.domains.storage.open_ended import (
    abort_open_upload,
    begin_open_upload,
    complete_open_upload,
    record_open_part,
    reserve_part,
)
from medtheca.domains.storage.uploads import part_path
from medtheca.toolkit.sockets.kinds import SuperKind
from medtheca.workflows.archiving.filling import Given, fill_item


@dataclass(frozen=True, slots=True)
class SentFile:
    """One file of a form: its name, its bytes in pieces, and how many they are together."""

    name: str
    size: int
    chunks: Iterable[bytes]


def put_sent_files(*, item: Item, user: User, socket: Socket, files: Sequence[SentFile]) -> list[Intake]:
    """`put_uploads` with files that are here already; where they are refused, nothing of them stays."""
    require_uploader(user, item.archive, to="change items")
    kept: list[UUID] = []
    try:
        for file in files:
            kept.append(keep_sent_file(user, file))  # noqa: PERF401 - what was kept before a refusal has to be known
        return put_uploads(item=item, user=user, socket=socket, uploads=kept)
    except DomainError:
        for upload_id in kept:
            abort_open_upload(owner_id=user.pk, upload_id=upload_id)
        raise


def put_uploads(*, item: Item, user: User, socket: Socket, uploads: Sequence[UUID]) -> list[Intake]:
    """Make whole uploads the value of one socket of an item: of one that takes files at once, of images by an intake.

    Raises as `fill_item`.
    """
    if socket.super_kind == SuperKind.IMAGE:
        given = Given(socket=socket.slug, uploads=uploads)
    else:
        given = Given(socket=socket.slug, upload=uploads[0] if len(uploads) == 1 else None)
    return fill_item(item=item, user=user, given=[given])


def keep_sent_file(user: User, file: SentFile) -> UUID:
    """Keep one file as a whole upload of the person's, which nothing was made of yet. Raises as `begin_open_upload`."""
    upload = begin_open_upload(owner=user, filename=file.name)
    try:
        told = []
        if file.size:
            part = reserve_part(owner_id=user.pk, upload_id=upload.pk, number=1, size=file.size)
            # The digest that ETags of parts are, and no secret's.
            digest = hashlib.md5(usedforsecurity=False)
            with part_path(upload.pk).open("r+b") as target:
                target.seek(part.offset)
                for chunk in file.chunks:
                    digest.update(chunk)
                    target.write(chunk)
                target.flush()
                os.fsync(target.fileno())
            record_open_part(owner_id=user.pk, upload_id=upload.pk, part=part, etag=digest.hexdigest())
            told.append((1, digest.hexdigest()))
        complete_open_upload(owner_id=user.pk, upload_id=upload.pk, told=told)
    except DomainError:
        abort_open_upload(owner_id=user.pk, upload_id=upload.pk)
        raise
    return upload.pk
