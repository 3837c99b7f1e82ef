"""Restore a backup into an empty archive, and check what came of it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction

from medtheca.base.errors import Conflict, Invalid, NoSpace
from medtheca.domains.ledger.heads import begin_heads_anew
from medtheca.domains.ledger.operations import seal_events
from medtheca.domains.provenance.models import Delivery
from medtheca.domains.provenance.operations import refuse_delivery
from medtheca.domains.storage.enums import UploadState
from medtheca.domains.storage.models import Upload
from medtheca.domains.storage.queries import blob_store, space_is_short
from medtheca.domains.storage.reserve import RESTORING
from medtheca.domains.storage.uploads import part_path, release_upload
from medtheca.workflows.backup.copying import copy_blobs, is_there
from medtheca.workflows.backup.layout import (
    DUMP,
    MANIFEST,
    SECRET,
    UPLOADS,
    Bar,
    NoBar,
    Snapshot,
    alone_in,
    blobs_of,
    find_snapshot,
    fixity_of,
    read_manifest,
    write_synced,
)
from medtheca.workflows.backup.programs import find_program, run_program, server_major
from medtheca.workflows.backup.writing import count_rows
from medtheca.workflows.checking import CheckReport, Look, check_archive


@dataclass(frozen=True, slots=True)
class RestoreReport:
    """What a restore brought back, and what the check of it found."""

    snapshot: str
    blobs: int
    bytes: int
    damaged: tuple[str, ...]
    uploads_lost: int
    check: CheckReport

    @property
    def complete(self) -> bool:
        """Whether everything is there and every invariant holds."""
        return not self.damaged and self.check.clean


def restore_backup(
    *,
    folder: Path,
    snapshot: str | None = None,
    bar: Bar | None = None,
    before_check: Callable[[], None] = lambda: None,
) -> RestoreReport:
    """Restore the newest snapshot, or a named one, into an empty database and data folder, then check the archive.

    People restore by `workflows.restoring`, which before the check erases again who was erased since. One that was
    interrupted while it copied blobs may be repeated. Raises `NotFound` (no such snapshot), `Invalid` (the backup is
    torn or altered), `Conflict` (something is there already) or `NoSpace`; nothing is changed then.
    """
    bar = bar or NoBar()
    path = find_snapshot(folder, snapshot)
    with alone_in(folder):
        summary = _verified(path, bar)
        _require_empty(path)
        absent = sum(blob.stored for blob in read_manifest(path) if not is_there(blob_store(), blob))
        if space_is_short(needed=absent):
            raise NoSpace(f"The archive needs {absent:,} bytes more, and the data folder has less to spare.")
        write_synced(settings.ENVIRONMENT.data / RESTORING, json.dumps({"snapshot": path.name}).encode())
        bar.begin("Restoring blobs", files=summary.blobs, size=summary.blob_bytes)
        # Bytes before rows, as in all of the archive.
        damaged = copy_blobs(read_manifest(path), source=blobs_of(folder), target=blob_store(), verify=True, bar=bar)
        _restore_secret_key(path, summary)
        bar.begin("Restoring the database", files=1, size=0)
        _restore_database(path, summary)
        bar.advance(1, 0)
    lost = _restore_uploads(path, summary)
    before_check()
    begin_heads_anew()
    while seal_events():
        pass
    bar.begin("Checking", files=summary.blobs * 2, size=0)
    check = check_archive(Look(progress=bar.advance))
    (settings.ENVIRONMENT.data / RESTORING).unlink()
    return RestoreReport(path.name, summary.blobs, summary.blob_bytes, tuple(damaged), lost, check)


def _verified(path: Path, bar: Bar) -> Snapshot:
    summary = Snapshot.read(path)
    files = [(path / DUMP, summary.dump), (path / MANIFEST, summary.manifest)]
    files += [(path / UPLOADS / f"{name}.part", fixity) for name, fixity in summary.uploads.items()]
    bar.begin("Verifying the backup", files=len(files), size=sum(fixity.size for _file, fixity in files))
    for file, fixity in files:
        if not file.is_file() or fixity_of(file) != fixity:
            raise Invalid(
                f"{file} is not what was written: its SHA-256 should be {fixity.sha256}.",
                remedy="Choose another snapshot, or another copy of the backup.",
            )
        bar.advance(1, fixity.size)
    return summary


def _require_empty(path: Path) -> None:
    data = settings.ENVIRONMENT.data
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
    if tables:
        raise Conflict(
            f"The database is not empty: it has {len(tables)} tables.",
            remedy="Restore with an empty data folder (--data), or into an empty database (DATABASE_URL).",
        )
    marker = data / RESTORING
    if marker.exists():
        other = json.loads(marker.read_text())["snapshot"]
        if other == path.name:
            return  # An interrupted restore of the same snapshot goes on.
        raise Conflict(f"A restore of snapshot {other} was begun here and not ended.", remedy="Repeat that one.")
    uploads = data / "uploads"
    if next(blob_store().names(), None) or (uploads.is_dir() and any(uploads.iterdir())):
        raise Conflict(
            f"The data folder {data} holds files of an archive already.",
            remedy="Restore into an empty data folder (--data).",
        )


def _restore_secret_key(path: Path, summary: Snapshot) -> None:
    if summary.secret_key and not settings.ENVIRONMENT.secret_key:
        write_synced(settings.ENVIRONMENT.data / SECRET, (path / SECRET).read_bytes())


def _restore_database(path: Path, summary: Snapshot) -> None:
    program = find_program("pg_restore", server=max(server_major(), summary.server))
    name = connection.get_connection_params()["dbname"]
    options = ["--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges"]
    run_program(program, [*options, f"--dbname={name}", str(path / DUMP)])
    counts = count_rows()
    if wrong := {table: rows for table, rows in summary.tables.items() if counts.get(table) != rows}:
        table, rows = next(iter(wrong.items()))
        raise Invalid(
            f"{len(wrong)} restored tables have another number of rows than was counted: "
            f"{table} should have {rows} and has {counts.get(table)}."
        )
    # A backup may be older than the tables that this version needs.
    call_command("migrate", verbosity=0, interactive=False)


def _restore_uploads(path: Path, summary: Snapshot) -> int:
    """Put back the acknowledged bytes of uploads on their way; give up those without. Returns how many those are."""
    lost = 0
    for upload in Upload.objects.filter(state=UploadState.RECEIVING):
        target = part_path(upload.pk)
        target.parent.mkdir(parents=True, exist_ok=True)
        # Of one in parts, rows say that parts are there, and nothing was acknowledged: it is whole, or given up.
        if upload.offset == 0 and upload.part_size is None:
            target.touch(mode=0o600)
        elif str(upload.pk) in summary.uploads:
            _copy_file(path / UPLOADS / f"{upload.pk}.part", target)
        else:
            _give_up(upload)
            lost += 1
    return lost


def _copy_file(source: Path, target: Path) -> None:
    with source.open("rb") as file, target.open("wb") as copy:
        while chunk := file.read(1 << 20):
            copy.write(chunk)
        copy.flush()
        os.fsync(copy.fileno())
    target.chmod(0o600)


def _give_up(upload: Upload) -> None:
    with transaction.atomic():
        release_upload(upload=upload, state=UploadState.CANCELLED)
        if delivery := Delivery.objects.filter(upload=upload).first():
            refuse_delivery(
                delivery=delivery,
                code="not_in_backup",
                words=f"The archive was restored from a backup that does not hold the bytes of {upload.filename}.",
                remedy="Upload it again.",
            )
