"""What lies where in a backup folder, and how its parts prove themselves."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

from medtheca.base.errors import Conflict, Invalid, NotFound
from medtheca.domains.storage.stores import LocalStore

FORMAT = 2
_READABLE = {1, 2}
"""Format 1 had no composed blobs."""

PARTIAL = ".partial"
CHUNK = 1024 * 1024
DUMP, MANIFEST, SUMMARY, SECRET, UPLOADS = (
    "database.dump",
    "manifest.jsonl",
    "snapshot.json",
    "secret.key",
    "uploads",
)


class Bar(Protocol):
    """Where progress is told."""

    def begin(self, description: str, *, files: int, size: int) -> None:
        """A stretch of work begins: how many files and bytes it has."""

    def advance(self, files: int, size: int) -> None:
        """Files and bytes done since the last call."""


class NoBar:
    """Nobody looks."""

    def begin(self, description: str, *, files: int, size: int) -> None:
        """Say nothing."""

    def advance(self, files: int, size: int) -> None:
        """Say nothing."""


@dataclass(frozen=True, slots=True)
class Fixity:
    """A file's SHA-256 and bytes. Of a composed blob also its recipe's SHA-256: it has no file, and takes no room."""

    sha256: str
    size: int
    recipe: str = ""

    @property
    def stored(self) -> int:
        """Bytes that it takes."""
        return 0 if self.recipe else self.size


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What one backup holds; `snapshot.json`."""

    format: int
    medtheca: str
    created: str
    server: int
    dump: Fixity
    manifest: Fixity
    blobs: int
    blob_bytes: int
    tables: dict[str, int]
    uploads: dict[str, Fixity] = field(default_factory=dict)
    secret_key: bool = False
    damaged: list[str] = field(default_factory=list)

    def to_json(self) -> str:
        """As it stands in the file."""
        return json.dumps(asdict(self), indent=1, sort_keys=True) + "\n"

    @classmethod
    def read(cls, folder: Path) -> Snapshot:
        """Read `snapshot.json`. Raises `Invalid` for another format or a file that cannot be read."""
        path = folder / SUMMARY
        try:
            values: dict[str, Any] = json.loads(path.read_text())
            if values["format"] not in _READABLE:
                raise Invalid(
                    f"{path} has format {values['format']}; this Medtheca reads format {FORMAT}.",
                    remedy="Restore with the version that made it, or a newer one.",
                )
            for name in ("dump", "manifest"):
                values[name] = Fixity(**values[name])
            values["uploads"] = {name: Fixity(**value) for name, value in values["uploads"].items()}
            return cls(**values)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise Invalid(f"{path} cannot be read: {error}.", remedy="Choose another snapshot.") from None


def blobs_of(folder: Path) -> LocalStore:
    """The blobs of a backup folder."""
    return LocalStore(folder / "blobs")


def snapshots_in(folder: Path) -> list[Path]:
    """Whole snapshots, oldest first."""
    root = folder / "snapshots"
    return sorted(path for path in root.iterdir() if path.suffix != PARTIAL) if root.is_dir() else []


def find_snapshot(folder: Path, name: str | None = None) -> Path:
    """A snapshot by its name, or the newest whole one. Raises `NotFound` with what is there instead."""
    whole = snapshots_in(folder)
    if not whole:
        torn = list((folder / "snapshots").glob("*" + PARTIAL))
        words = "only a backup that was interrupted" if torn else "no backup of Medtheca"
        raise NotFound(f"{folder} holds {words}.")
    if name is None:
        return whole[-1]
    for path in whole:
        if path.name == name:
            return path
    raise NotFound(f"{folder} holds no snapshot {name}; there are {', '.join(path.name for path in whole)}.")


def read_manifest(snapshot: Path) -> Iterator[Fixity]:
    """Blobs of a snapshot, one by one; those that are composed of others come after them."""
    with (snapshot / MANIFEST).open() as lines:
        for line in lines:
            yield Fixity(**json.loads(line))


def fixity_of(path: Path) -> Fixity:
    """Hash a file, in constant memory."""
    with path.open("rb") as file:
        return Fixity(hashlib.file_digest(file, "sha256").hexdigest(), path.stat().st_size)


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """One backup or restore at a time in a folder. Raises `Conflict`."""
    handle = os.open(folder / "lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Conflict(f"Another backup or restore works in {folder}.", code="busy") from None
        yield
    finally:
        os.close(handle)


def clear_torn(folder: Path) -> None:
    """Remove what interrupted backups left."""
    for path in (folder / "snapshots").glob("*" + PARTIAL):
        shutil.rmtree(path)


def write_synced(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Write a whole file that is on the disk when this returns, under its name or not at all."""
    temporary = path.with_name(f".{path.name}.new")
    handle = os.open(temporary, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, mode)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(handle)
    temporary.replace(path)
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Make names in a folder durable."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
