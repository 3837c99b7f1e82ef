"""Where blobs live: a small protocol, and the folder of this machine.

Write order (design decision 5): temporary file → fsync → rename → fsync of the folder → database row. `stage` does the
first step, `commit` the next three for a whole batch; the row is the caller's, afterwards.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from medtheca.base.errors import NoSpace
from medtheca.base.steps import step


@dataclass(frozen=True, slots=True)
class Staged:
    """Bytes in a temporary file of the store, hashed, not yet durable."""

    sha256: str
    size: int
    path: Path


class BlobStore(Protocol):
    """Immutable bytes named by their SHA-256 in hexadecimal."""

    def stage(self, chunks: Iterable[bytes]) -> Staged:
        """Write bytes to a temporary place and hash them. Raises `NoSpace`."""

    def adopt(self, path: Path, sha256: str, size: int) -> Staged:
        """Take a finished file on the same machine as staged, without copying where that is possible."""

    def commit(self, staged: Sequence[Staged]) -> None:
        """Make staged bytes durable under their names. Afterwards they survive a power cut."""

    def discard(self, staged: Iterable[Staged]) -> None:
        """Forget staged bytes that were not committed."""

    def open(self, sha256: str) -> BinaryIO:
        """Open a blob for reading. Raises `FileNotFoundError`."""

    def path(self, sha256: str) -> Path:
        """A path of this machine from which the blob can be read."""

    def exists(self, sha256: str) -> bool:
        """Whether the bytes are there."""

    def delete(self, sha256: str) -> None:
        """Remove the bytes for good; nothing happens where there are none."""

    def quarantine(self, sha256: str) -> None:
        """Move bytes that are not what their name says to where nobody serves them."""

    def names(self) -> Iterator[tuple[str, float]]:
        """Every blob's name and when it was last written (seconds since 1970)."""

    def sweep_staged(self, *, older_than: float) -> int:
        """Delete temporary files last written before `older_than` (seconds since 1970); return how many."""

    def free_bytes(self) -> int:
        """Space that is left."""


class LocalStore:
    """A folder: `sha256/ab/cd/abcd…`, `staging/`, `quarantine/`."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._blobs = root / "sha256"
        self._staging = root / "staging"
        self._quarantine = root / "quarantine"
        for folder in (self._blobs, self._staging, self._quarantine):
            folder.mkdir(parents=True, exist_ok=True)

    def stage(self, chunks: Iterable[bytes]) -> Staged:
        handle, name = tempfile.mkstemp(dir=self._staging)
        digest = hashlib.sha256()
        size = 0
        try:
            with os.fdopen(handle, "wb", buffering=0) as file:
                for chunk in chunks:
                    file.write(chunk)
                    digest.update(chunk)
                    size += len(chunk)
        except OSError as error:
            Path(name).unlink(missing_ok=True)
            raise _no_space(error) or error from None
        step("blob.staged")
        return Staged(digest.hexdigest(), size, Path(name))

    def adopt(self, path: Path, sha256: str, size: int) -> Staged:
        target = self._staging / f"adopted-{sha256[:16]}-{os.getpid()}-{path.name[:40]}"
        try:
            # A hard link, so that the upload's own file stays until its row says that it may go.
            target.unlink(missing_ok=True)
            target.hardlink_to(path)
        except OSError as error:
            if error.errno not in {errno.EXDEV, errno.EPERM, errno.EMLINK}:
                raise _no_space(error) or error from None
            shutil.copyfile(path, target)
        return Staged(sha256, size, target)

    def commit(self, staged: Sequence[Staged]) -> None:
        folders: set[Path] = set()
        for item in staged:
            _sync_file(item.path)
        step("blob.synced")
        for item in staged:
            target = self.path(item.sha256)
            if not target.parent.is_dir():
                target.parent.mkdir(parents=True, exist_ok=True)
                folders |= {target.parent.parent, self._blobs}
            item.path.replace(target)
            folders.add(target.parent)
        step("blob.renamed")
        for folder in folders:
            _sync_folder(folder)
        step("blob.durable")

    def discard(self, staged: Iterable[Staged]) -> None:
        for item in staged:
            item.path.unlink(missing_ok=True)

    def open(self, sha256: str) -> BinaryIO:
        return self.path(sha256).open("rb")

    def path(self, sha256: str) -> Path:
        return self._blobs / sha256[:2] / sha256[2:4] / sha256

    def exists(self, sha256: str) -> bool:
        return self.path(sha256).is_file()

    def delete(self, sha256: str) -> None:
        self.path(sha256).unlink(missing_ok=True)

    def quarantine(self, sha256: str) -> None:
        self.path(sha256).replace(self._quarantine / sha256)
        _sync_folder(self._quarantine)

    def names(self) -> Iterator[tuple[str, float]]:
        for first in sorted(self._blobs.iterdir()):
            for second in sorted(first.iterdir()):
                for entry in os.scandir(second):
                    yield entry.name, entry.stat().st_mtime

    def sweep_staged(self, *, older_than: float) -> int:
        swept = 0
        for entry in os.scandir(self._staging):
            if entry.stat().st_mtime < older_than:
                Path(entry.path).unlink(missing_ok=True)
                swept += 1
        return swept

    def free_bytes(self) -> int:
        return shutil.disk_usage(self._root).free


def _no_space(error: BaseException) -> NoSpace | None:
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return NoSpace("The disk is full.", remedy="Ask the administrator to make space; nothing was stored.")
    return None


def _sync_file(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sync_folder(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
