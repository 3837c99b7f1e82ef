"""Write a backup: database and blobs as they were at one moment."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from datetime import UTC
from importlib.metadata import version
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F

from medtheca.base.clock import now
from medtheca.base.errors import Conflict, NoSpace
from medtheca.domains.storage.enums import BlobState, UploadState
from medtheca.domains.storage.models import Blob, Upload
from medtheca.domains.storage.operations import holding_off_sweeps
from medtheca.domains.storage.queries import blob_store
from medtheca.domains.storage.uploads import part_path
from medtheca.workflows.backup.copying import copy_blobs, is_there
from medtheca.workflows.backup.known import note_backup
from medtheca.workflows.backup.layout import (
    CHUNK,
    DUMP,
    FORMAT,
    MANIFEST,
    PARTIAL,
    SECRET,
    SUMMARY,
    UPLOADS,
    Bar,
    Fixity,
    NoBar,
    Snapshot,
    alone_in,
    blobs_of,
    clear_torn,
    fixity_of,
    read_manifest,
    snapshots_in,
    sync_folder,
    write_synced,
)
from medtheca.workflows.backup.lists import FOLDER, share_list
from medtheca.workflows.backup.programs import find_program, run_program, server_major


@dataclass(frozen=True, slots=True)
class BackupReport:
    """What a backup wrote: blobs in the snapshot, blobs copied now, blobs that could not be copied."""

    snapshot: str
    blobs: int
    bytes: int
    copied: int
    copied_bytes: int
    damaged: tuple[str, ...]
    pruned_snapshots: int
    pruned_blobs: int
    secret_key: bool

    @property
    def complete(self) -> bool:
        """Whether every blob is in it."""
        return not self.damaged


@dataclass(frozen=True, slots=True)
class _Moment:
    """The database at the moment of the snapshot."""

    tables: dict[str, int]
    uploads: list[Upload]
    lost: list[str]


def write_backup(
    *, folder: Path, verify: bool = False, keep: int | None = None, bar: Bar | None = None
) -> BackupReport:
    """Write a backup into a new folder, or another snapshot into one that holds backups.

    Args:
        folder: where to; outside the data folder.
        verify: hash again what earlier backups copied.
        keep: afterwards remove all but so many newest snapshots, and blobs that none of them needs.
        bar: told of the progress.

    Raises `Conflict` (folder unfit or in use, `pg_dump` too old or failing) or `NoSpace`; then earlier snapshots are
    as they were. Blobs that are damaged in the archive do not stop it: they are named in the report.
    """
    bar = bar or NoBar()
    folder = _prepared(folder)
    with alone_in(folder), holding_off_sweeps():
        clear_torn(folder)
        created = now().astimezone(UTC)
        name = created.strftime("%Y%m%dT%H%M%S%fZ")
        partial = folder / "snapshots" / (name + PARTIAL)
        partial.mkdir(mode=0o700)
        moment = _record_moment(partial, bar)
        copied, copied_bytes, damaged = _copy(folder, partial, verify=verify, bar=bar)
        blobs, blob_bytes = _totals(partial)
        snapshot = Snapshot(
            format=FORMAT,
            medtheca=version("medtheca"),
            created=created.isoformat(),
            server=server_major(),
            dump=fixity_of(partial / DUMP),
            manifest=fixity_of(partial / MANIFEST),
            blobs=blobs,
            blob_bytes=blob_bytes,
            tables=moment.tables,
            uploads=_copy_parts(partial, moment.uploads),
            secret_key=_copy_secret_key(partial),
            damaged=sorted({*damaged, *moment.lost}),
        )
        write_synced(partial / SUMMARY, snapshot.to_json().encode())
        # Only a whole backup has a name without the suffix.
        partial.rename(folder / "snapshots" / name)
        sync_folder(folder / "snapshots")
        # Whoever restores an older snapshot from here has to know whom to erase again.
        share_list(folder / FOLDER)
        pruned = _prune(folder, keep) if keep else (0, 0)
        note_backup(folder, name, created)
    return BackupReport(
        snapshot=name,
        blobs=snapshot.blobs,
        bytes=snapshot.blob_bytes,
        copied=copied,
        copied_bytes=copied_bytes,
        damaged=tuple(snapshot.damaged),
        pruned_snapshots=pruned[0],
        pruned_blobs=pruned[1],
        secret_key=snapshot.secret_key,
    )


def _prepared(folder: Path) -> Path:
    folder = folder.expanduser().absolute()
    data = settings.ENVIRONMENT.data.resolve()
    if folder.resolve() == data or data in folder.resolve().parents:
        raise Conflict(
            f"{folder} lies in the data folder {data}, and would be lost with it.",
            remedy="Choose a folder on another disk.",
        )
    if folder.is_dir() and any(folder.iterdir()) and not (folder / "snapshots").is_dir():
        raise Conflict(f"{folder} is not empty and holds no backups.", remedy="Choose an empty or a new folder.")
    (folder / "snapshots").mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    return folder


def _record_moment(partial: Path, bar: Bar) -> _Moment:
    """Dump the database, list its blobs and count its rows, all in one snapshot of PostgreSQL."""
    program = find_program("pg_dump", server=server_major())
    bar.begin("Dumping the database", files=1, size=0)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SELECT pg_export_snapshot()")
        options = ["--format=custom", "--no-owner", "--no-privileges", "--lock-wait-timeout=60s"]
        run_program(program, [*options, f"--snapshot={cursor.fetchone()[0]}", f"--file={partial / DUMP}"])
        (partial / DUMP).chmod(0o600)
        lost = _write_manifest(partial / MANIFEST)
        moment = _Moment(count_rows(), list(Upload.objects.filter(state=UploadState.RECEIVING)), lost)
    bar.advance(1, 0)
    return moment


def _write_manifest(path: Path) -> list[str]:
    """Write the list of blobs; return those in quarantine, which have no bytes to copy."""
    lost = []
    with path.open("w") as file:
        rows = Blob.objects.order_by(F("composition").asc(nulls_first=True), "pk")
        columns = rows.values_list("sha256", "size", "state", "composition__recipe__sha256")
        for sha256, size, state, recipe in columns.iterator(chunk_size=2000):
            if state == BlobState.QUARANTINED:
                lost.append(sha256)
            else:
                line = {"sha256": sha256, "size": size} | ({"recipe": recipe} if recipe else {})
                file.write(json.dumps(line) + "\n")
        file.flush()
        os.fsync(file.fileno())
    path.chmod(0o600)
    return lost


def count_rows() -> dict[str, int]:
    """Rows of every table."""
    counts = {}
    with connection.cursor() as cursor:
        for table in sorted(connection.introspection.table_names(cursor)):
            cursor.execute(f"SELECT count(*) FROM {connection.ops.quote_name(table)}")  # noqa: S608 - a quoted name
            counts[table] = cursor.fetchone()[0]
    return counts


def _totals(snapshot: Path) -> tuple[int, int]:
    count = size = 0
    for blob in read_manifest(snapshot):
        count += 1
        size += blob.stored
    return count, size


def _copy(folder: Path, partial: Path, *, verify: bool, bar: Bar) -> tuple[int, int, list[str]]:
    target = blobs_of(folder)
    absent = [blob.size for blob in read_manifest(partial) if not blob.recipe and not is_there(target, blob)]
    if (free := target.free_bytes()) < sum(absent):
        raise NoSpace(f"The backup needs {sum(absent):,} bytes more, and {folder} has {free:,} free.")
    files, size = _totals(partial)
    bar.begin("Copying blobs", files=files, size=size)
    damaged = copy_blobs(read_manifest(partial), source=blob_store(), target=target, verify=verify, bar=bar)
    target.sweep_staged(older_than=now().timestamp())
    return len(absent), sum(absent), damaged


def _copy_parts(partial: Path, uploads: list[Upload]) -> dict[str, Fixity]:
    """Copy the acknowledged bytes of uploads on their way; one that was cancelled meanwhile has none any more."""
    parts = {}
    for upload in uploads:
        target = partial / UPLOADS / f"{upload.pk}.part"
        target.parent.mkdir(mode=0o700, exist_ok=True)
        if upload.offset and _copy_part(upload, target):
            parts[str(upload.pk)] = fixity_of(target)
    if parts:
        sync_folder(partial / UPLOADS)
    return parts


def _copy_part(upload: Upload, target: Path) -> bool:
    source = part_path(upload.pk)
    if not source.exists():
        # Finished since the moment of the snapshot: its bytes are a blob now, which nobody sweeps meanwhile.
        sha256 = Upload.objects.filter(pk=upload.pk).values_list("blob__sha256", flat=True).first()
        if sha256 is None:
            return False
        source = blob_store().path(sha256)
    try:
        with source.open("rb") as file, target.open("wb") as copy:
            left = upload.offset
            while left and (chunk := file.read(min(CHUNK, left))):
                copy.write(chunk)
                left -= len(chunk)
            copy.flush()
            os.fsync(copy.fileno())
    except FileNotFoundError:
        return False
    return left == 0


def _copy_secret_key(partial: Path) -> bool:
    key = settings.ENVIRONMENT.data / SECRET
    # A key from the environment is the operator's to keep.
    if settings.ENVIRONMENT.secret_key or not key.exists():
        return False
    write_synced(partial / SECRET, key.read_bytes())
    return True


def _prune(folder: Path, keep: int) -> tuple[int, int]:
    """Remove old snapshots, then blobs that no snapshot needs."""
    old = snapshots_in(folder)[:-keep]
    for path in old:
        # Renamed first, so that a half-removed one is not taken for a whole one.
        torn = path.with_name(path.name + PARTIAL)
        path.rename(torn)
        shutil.rmtree(torn)
    needed = {bytes.fromhex(blob.sha256) for path in snapshots_in(folder) for blob in read_manifest(path)}
    store = blobs_of(folder)
    unneeded = [name for name, _touched in store.names() if bytes.fromhex(name) not in needed]
    for name in unneeded:
        store.delete(name)
    return len(old), len(unneeded)
