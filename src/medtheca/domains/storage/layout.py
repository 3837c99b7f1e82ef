"""Blobs laid out as files in a folder, for whoever needs names: decoders of images that are several files."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from django.conf import settings

from medtheca.base.clock import now
from medtheca.domains.storage.bundles import Part
from medtheca.domains.storage.opening import recipe_of, write_out
from medtheca.domains.storage.queries import blob_store
from medtheca.toolkit.images.case_folders import FILE_MODE, lay_file, make_folder

_OURS = 0o700


@contextlib.contextmanager
def laid_out(parts: Sequence[Part]) -> Iterator[Path]:
    """A folder with these files under their paths, as hard links where that can be; gone afterwards.

    Paths have been checked by whoever made the parts; one that would leave the folder all the same is a ValueError.
    Raises `FileNotFoundError` where a blob's bytes are missing.
    """
    with _own_folder() as folder:
        for part in parts:
            _lay(part, folder)
        yield folder


def sweep_layouts(*, older_than: float = 0.0) -> int:
    """Remove folders that a crash left; return how many.

    Whoever works in a folder holds its lock, which ends with the process, however that ends. Where the file system
    knows no locks, those go that were last touched before `older_than` (seconds since 1970).
    """
    swept = 0
    above = _folder_of_cases()
    with _locked(above, fcntl.LOCK_EX):
        for folder in above.iterdir():
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                if _is_left(folder, older_than=older_than):
                    shutil.rmtree(folder, ignore_errors=True)
                    swept += 1
    return swept


@contextlib.contextmanager
def _own_folder() -> Iterator[Path]:
    """A new folder that is ours as long as we live, and gone afterwards."""
    above = _folder_of_cases()
    folder = above / secrets.token_hex(8)
    with contextlib.ExitStack() as stack:
        # Nobody sweeps between its making and its lock.
        with _locked(above, fcntl.LOCK_SH):
            make_folder(folder)
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            stack.enter_context(_locked(folder, fcntl.LOCK_EX))
        yield folder


@contextlib.contextmanager
def _locked(folder: Path, how: int) -> Iterator[bool]:
    """Hold the lock of a folder; gives False where its file system knows none. What is executed does not inherit it.

    Raises `BlockingIOError` where another has it and `how` says not to wait.
    """
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(handle, how)
        except BlockingIOError:
            raise
        except OSError:
            yield False
        else:
            yield True
    finally:
        os.close(handle)


def _is_left(folder: Path, *, older_than: float) -> bool:
    try:
        with _locked(folder, fcntl.LOCK_EX | fcntl.LOCK_NB) as known:
            return known or folder.stat().st_ctime < min(older_than, now().timestamp())
    except BlockingIOError:
        return False


def _folder_of_cases() -> Path:
    folder: Path = settings.ENVIRONMENT.data / "cases"
    folder.mkdir(mode=_OURS, parents=True, exist_ok=True)
    return folder


def _lay(part: Part, folder: Path) -> None:
    path = blob_store().path(part.blob.sha256)
    try:
        lay_file(_readable(path), part.path, folder=folder)
    except FileNotFoundError:
        if path.exists() or recipe_of(part.blob.sha256) is None:
            raise
        # Nobody can be given a link to what is put together from ranges.
        with _own_folder() as scratch:
            copy = scratch / "copy"
            write_out(part.blob.sha256, copy)
            copy.chmod(FILE_MODE)
            lay_file(copy, part.path, folder=folder)


def _readable(blob: Path) -> Path:
    """The blob, which as root others must be allowed to read: a hard link has the modes of the file."""
    if os.geteuid() == 0:
        # The store's own folder lets nobody else through.
        store = blob.parent.parent.parent
        if store.stat().st_mode & 0o077:
            store.chmod(_OURS)
        blob.chmod(FILE_MODE)
    return blob
