"""Where blobs live: a small protocol, and the folder of this machine.

Write order (design decision 5): temporary file → fsync → rename → fsync of the folder → database row. `stage` does the
first step, `commit` the next three for a whole batch; the row is the caller's, afterwards.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from medtheca.base.errors import NoSpace
from medtheca.base.steps import step
from medtheca.toolkit.ranges.readers import FileRanges, RangeReader

_CHECK_SPACE_EVERY = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class ComposedOf:
    """The recipe of a content, which is what was staged of it, and the SHA-256 of all blobs that it takes ranges of."""

    recipe_sha256: str
    recipe_size: int
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Staged:
    """Bytes in a temporary file of the store, hashed, not yet durable.

    Where they are composed of ranges of other blobs, the file is that of the recipe alone.
    """

    sha256: str
    size: int
    path: Path
    composed: ComposedOf | None = None


class BlobStore(Protocol):
    """Immutable bytes named by their SHA-256 in hexadecimal."""

    def stage(self, chunks: Iterable[bytes]) -> Staged:
        """Write bytes to a temporary place and hash them. Raises `NoSpace`."""

    def adopt(self, path: Path, sha256: str, size: int) -> Staged:
        """Take a finished file on the same machine as staged, without copying where that is possible."""

    def new_file(self) -> Path:
        """An empty temporary file of the store that somebody else will write. Raises `NoSpace`."""

    def measure(self, path: Path) -> Staged:
        """Take what was written to a file of `new_file` as staged."""

    def commit(self, staged: Sequence[Staged]) -> None:
        """Make staged bytes durable under their names. Afterwards they survive a power cut."""

    def discard(self, staged: Iterable[Staged]) -> None:
        """Forget staged bytes that were not committed."""

    def open(self, sha256: str) -> BinaryIO:
        """Open a blob for reading. Raises `FileNotFoundError`."""

    def ranges(self, sha256: str) -> RangeReader:
        """Open a blob for reading single ranges, from any thread. Raises `FileNotFoundError`."""

    def path(self, sha256: str) -> Path:
        """A path of this machine from which the blob can be read."""

    def exists(self, sha256: str) -> bool:
        """Whether the bytes are there."""

    def delete(self, sha256: str, *, durably: bool = False) -> None:
        """Remove the bytes for good, quarantined ones too; nothing happens where there are none.

        Only with `durably` is it sure that they do not come back after a power cut.
        """

    def quarantine(self, sha256: str) -> None:
        """Move bytes that are not what their name says to where nobody serves them. Raises `FileNotFoundError`."""

    def open_quarantined(self, sha256: str) -> BinaryIO:
        """Open quarantined bytes for reading. Raises `FileNotFoundError`."""

    def release(self, sha256: str) -> None:
        """Put quarantined bytes, found right after all, back under their name."""

    def quarantined(self) -> Iterator[tuple[str, float]]:
        """Names in quarantine, and when each was put there (seconds since 1970)."""

    def drop_quarantined(self, sha256: str) -> None:
        """Remove quarantined bytes for good; nothing happens where there are none."""

    def names(self) -> Iterator[tuple[str, float]]:
        """Every blob's name and when it was last put in place or written (seconds since 1970)."""

    def sweep_staged(self, *, older_than: float) -> int:
        """Delete temporary files last touched before `older_than` (seconds since 1970); return how many."""

    def free_bytes(self) -> int:
        """Space that is left."""


class LocalStore:
    """A folder: `sha256/ab/abcd…`, `staging/`, `quarantine/`.

    One level of 256 folders: every folder in which a batch puts a file is synced once, and making folders and syncing
    them costs as much as making files. Ten million blobs are 40,000 in each, which file systems with indexed folders
    do not mind. `reserve` is the free space in bytes that staging leaves untouched.
    """

    def __init__(self, root: Path, *, reserve: int = 0) -> None:
        self._root = root
        self._reserve = reserve
        self._blobs = root / "sha256"
        self._staging = root / "staging"
        self._quarantine = root / "quarantine"
        for folder in (self._blobs, self._staging, self._quarantine):
            folder.mkdir(parents=True, exist_ok=True)
        self._make_folders()

    def stage(self, chunks: Iterable[bytes]) -> Staged:
        name, handle = self._create()
        digest = hashlib.sha256()
        size = unchecked = 0
        try:
            with os.fdopen(handle, "wb") as file:
                for chunk in chunks:
                    unchecked += len(chunk)
                    if unchecked >= _CHECK_SPACE_EVERY:
                        self._spare_reserve(unchecked)
                        unchecked = 0
                    file.write(chunk)
                    digest.update(chunk)
                    size += len(chunk)
        except BaseException as error:  # noqa: BLE001 - whatever stops us, no half file stays; it is raised again
            Path(name).unlink(missing_ok=True)
            raise _no_space(error) or error from None
        step("blob.staged")
        return Staged(digest.hexdigest(), size, Path(name))

    def new_file(self) -> Path:
        name, handle = self._create()
        os.close(handle)
        return Path(name)

    def measure(self, path: Path) -> Staged:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            size = file.tell()
        step("blob.staged")
        return Staged(digest, size, path)

    def adopt(self, path: Path, sha256: str, size: int) -> Staged:
        target = self._staging / f"adopted-{sha256[:16]}-{os.getpid()}-{path.name[:40]}"
        try:
            # A hard link, so that the upload's own file stays until its row says that it may go.
            target.unlink(missing_ok=True)
            target.hardlink_to(path)
        except OSError as error:
            if error.errno not in {errno.EXDEV, errno.EPERM, errno.EMLINK}:
                raise _no_space(error) or error from None
            self._spare_reserve(size)
            try:
                shutil.copyfile(path, target)
            except OSError as copying:
                target.unlink(missing_ok=True)
                raise _no_space(copying) or copying from None
        return Staged(sha256, size, target)

    def commit(self, staged: Sequence[Staged]) -> None:
        try:
            self._commit(staged)
        except OSError as error:
            # A file system may notice only now that it has no room; what is in place already is a stray, no harm.
            raise _no_space(error) or error from None

    def _commit(self, staged: Sequence[Staged]) -> None:
        folders: set[str] = set()
        for item in staged:
            _sync_file(item.path)
        step("blob.synced")
        for item in staged:
            folder = self._folder(item.sha256)
            item.path.replace(f"{folder}/{item.sha256}")
            folders.add(folder)
        step("blob.renamed")
        for folder in folders:
            _sync_folder(folder)
        step("blob.durable")

    def discard(self, staged: Iterable[Staged]) -> None:
        for item in staged:
            item.path.unlink(missing_ok=True)

    def open(self, sha256: str) -> BinaryIO:
        return self.path(sha256).open("rb")

    def ranges(self, sha256: str) -> RangeReader:
        return FileRanges(os.open(f"{self._folder(sha256)}/{sha256}", os.O_RDONLY | os.O_CLOEXEC))

    def path(self, sha256: str) -> Path:
        return Path(f"{self._folder(sha256)}/{sha256}")

    def exists(self, sha256: str) -> bool:
        return self.path(sha256).is_file()

    def delete(self, sha256: str, *, durably: bool = False) -> None:
        path = self.path(sha256)
        path.unlink(missing_ok=True)
        self.drop_quarantined(sha256)
        if durably:
            for folder in (path.parent, self._quarantine):
                if folder.is_dir():
                    _sync_folder(folder)

    def quarantine(self, sha256: str) -> None:
        self.path(sha256).replace(self._quarantine / sha256)
        _sync_folder(self._quarantine)

    def open_quarantined(self, sha256: str) -> BinaryIO:
        return (self._quarantine / sha256).open("rb")

    def release(self, sha256: str) -> None:
        target = self.path(sha256)
        (self._quarantine / sha256).replace(target)
        _sync_folder(target.parent)

    def quarantined(self) -> Iterator[tuple[str, float]]:
        return _files_in(self._quarantine)

    def drop_quarantined(self, sha256: str) -> None:
        (self._quarantine / sha256).unlink(missing_ok=True)

    def names(self) -> Iterator[tuple[str, float]]:
        for folder in sorted(self._blobs.iterdir()):
            yield from _files_in(folder)

    def sweep_staged(self, *, older_than: float) -> int:
        swept = 0
        for name, touched in _files_in(self._staging):
            if touched < older_than:
                (self._staging / name).unlink(missing_ok=True)
                swept += 1
        return swept

    def free_bytes(self) -> int:
        return shutil.disk_usage(self._root).free

    def _create(self) -> tuple[str, int]:
        """A new file in staging, open for writing."""
        self._spare_reserve(0)
        name = f"{self._staging}/{os.urandom(12).hex()}"
        try:
            return name, os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise _no_space(error) or error from None

    def _make_folders(self) -> None:
        """All folders at once, and durable before the first blob: nobody need wonder whose sync they wait for."""
        there = {folder.name for folder in self._blobs.iterdir()}
        for name in (f"{number:02x}" for number in range(256)):
            if name not in there:
                (self._blobs / name).mkdir(exist_ok=True)
        # Even where all are there: whoever is making them beside us may not have come as far as this.
        for folder in (self._blobs, self._root, self._root.parent):
            _sync_folder(folder)

    def _folder(self, sha256: str) -> str:
        # Text and no Path: this is asked several times for every blob.
        return f"{self._blobs}/{sha256[:2]}"

    def _spare_reserve(self, needed: int) -> None:
        if self._reserve and self.free_bytes() - needed < self._reserve:
            raise _full()


def _no_space(error: BaseException) -> NoSpace | None:
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return _full()
    return None


def _full() -> NoSpace:
    return NoSpace("The disk is full.", remedy="Ask the administrator to make space; nothing was stored.")


def _files_in(folder: Path) -> Iterator[tuple[str, float]]:
    """Names, and when each was last written, renamed or linked (seconds since 1970).

    The modification time alone would make an old file that was taken over this moment look old.
    """
    with os.scandir(folder) as entries:
        for entry in entries:
            # Files come and go while we look.
            with contextlib.suppress(FileNotFoundError):
                yield entry.name, entry.stat().st_ctime


def _sync_file(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sync_folder(path: Path | str) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
