"""What came from another archive and is not delivered yet: files in the data folder, so that a cut run goes on."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import shutil
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings

from medtheca.base.clock import now
from medtheca.base.errors import Conflict, NoSpace
from medtheca.domains.provenance.models import Cohort
from medtheca.domains.storage.queries import space_is_short
from medtheca.toolkit.images.extensions import EXTENSIONS
from medtheca.toolkit.isic_records import RemoteImage
from medtheca.workflows.importing.host import Fetched, Host

_SUFFIXES = EXTENSIONS | {"image/jpg": "jpg", "application/dicom": "dcm", "image/x-nrrd": "nrrd"}


@dataclass(frozen=True, slots=True)
class Staged:
    """A file of another archive, here and whole. `time` is when it came, in ISO 8601."""

    image: RemoteImage
    path: Path
    fetched: Fetched
    time: str

    @property
    def extension(self) -> str:
        """With its dot, by what the host says the file is, or else by its address; empty where neither tells."""
        known = _SUFFIXES.get(self.fetched.media_type)
        if known is None:
            tail = self.image.url.partition("?")[0].rpartition("/")[2]
            known = tail.rpartition(".")[2].lower() if "." in tail else ""
        return f".{known}" if known.isalnum() and known.isascii() and len(known) <= 8 else ""


def sweep_staging(*, idle: timedelta) -> int:
    """Take away what runs left behind that nobody has gone on with for `idle`; return how many folders."""
    there: Path = settings.ENVIRONMENT.data / "imports"
    limit, swept = (now() - idle).timestamp(), 0
    for folder in sorted(there.iterdir()) if there.is_dir() else ():
        if folder.suffix == ".lock":
            _drop_lock(folder, limit)
        if not folder.is_dir():
            continue
        with contextlib.suppress(FileNotFoundError, Conflict):
            times = [folder.stat().st_mtime, *(path.stat().st_mtime for path in folder.iterdir())]
            if max(times) < limit:
                with _alone(folder):
                    shutil.rmtree(folder)
                swept += 1
    return swept


def _drop_lock(path: Path, limit: float) -> None:
    """Take away what a run that was killed has left of its lock."""
    with contextlib.suppress(FileNotFoundError, Conflict):
        if path.stat().st_mtime < limit:
            with _alone(path.with_suffix("")):
                pass


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder, a file beside it, so that it may stay while the folder goes. Raises `Conflict`.

    The file goes in the end, while it is held: whoever had it open by then finds that it is not there, and tries anew.
    """
    path = folder.with_suffix(".lock")
    while True:
        with path.open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Conflict(
                    "Another run brings images of this host into this cohort.", remedy="Wait until it has ended."
                ) from None
            if not _is_at(path, lock.fileno()):
                continue
            try:
                yield
            finally:
                path.unlink(missing_ok=True)
            return


def _is_at(path: Path, handle: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(handle))
    except FileNotFoundError:
        return False


class Staging:
    """The folder of one host's images for one cohort. Nobody else works in it meanwhile."""

    def __init__(self, cohort: Cohort, host: Host) -> None:
        where = hashlib.sha256(f"{cohort.pk} {host.name}".encode()).hexdigest()[:24]
        self.folder: Path = settings.ENVIRONMENT.data / "imports" / where

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Keep the folder to oneself, and take it away where nothing is left in it.

        Raises `Conflict` where another run brings images of the host into the cohort.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with _alone(self.folder):
            self.folder.mkdir(exist_ok=True)
            yield
            with contextlib.suppress(OSError):
                self.folder.rmdir()

    def require_space(self, needed: int) -> None:
        """Raises `NoSpace` where the disk has no room for so many bytes, their delivery and their copy as blobs."""
        if space_is_short(needed=3 * needed):
            raise NoSpace(
                f"There is no space for a file of {needed:,} bytes and its copies on the way.",
                remedy="Make space, then run the same command again; it goes on where it was.",
            )

    def find(self, image: RemoteImage) -> Staged | None:
        """The file of an image where it came in an earlier run and the host still says the same of it."""
        try:
            kept = json.loads(self._note(image).read_text())
            fetched, said, time = Fetched(**kept["fetched"]), kept["said"], str(kept["time"])
            whole = self._file(image).stat().st_size == fetched.size
        except (OSError, ValueError, TypeError, KeyError):
            return None
        return Staged(image, self._file(image), fetched, time) if whole and said == image.said else None

    def bring(self, image: RemoteImage, host: Host, *, limit: int, time: str) -> Staged:
        """Fetch the file of an image. Raises `HostError` or `NoSpace`; nothing half stays then."""
        self.require_space(image.size or 0)
        part = self._file(image).with_suffix(".part")
        try:
            with telling_a_full_disk():
                fetched = host.fetch(image.url, into=part, limit=limit, size=image.size, sha256=image.sha256)
                sync(part)
                part.replace(self._file(image))
                note = {"fetched": asdict(fetched), "said": image.said, "time": time}
                # Last: without it the file is fetched again.
                _write(self._note(image), note)
        finally:
            part.unlink(missing_ok=True)
        return Staged(image, self._file(image), fetched, time)

    def pack(self, staged: Sequence[Staged], names: Sequence[str]) -> Path:
        """All of them in one stored ZIP under these names, synced. Raises `NoSpace`."""
        packed = self.folder / "packed.zip"
        with telling_a_full_disk(), zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED, strict_timestamps=False) as made:
            for one, name in zip(staged, names, strict=True):
                made.write(one.path, name)
        sync(packed)
        return packed

    def forget(self, image: RemoteImage) -> None:
        """Take away what is kept of an image: it is delivered."""
        self._note(image).unlink(missing_ok=True)
        self._file(image).unlink(missing_ok=True)

    def clear(self) -> None:
        """Take away whatever is left: of other queries, or of images that were given up."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _file(self, image: RemoteImage) -> Path:
        # Its id is letters, digits, - and _, but two may differ by case alone, which some file systems do not tell.
        return self.folder / f"{hashlib.sha256(image.isic_id.encode()).hexdigest()[:32]}.file"

    def _note(self, image: RemoteImage) -> Path:
        return self._file(image).with_suffix(".json")


@contextlib.contextmanager
def telling_a_full_disk() -> Iterator[None]:
    """Raises `NoSpace` for a disk that is full."""
    try:
        yield
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise
        raise NoSpace("The disk is full.", remedy="Make space, then run the same command again.") from error


def sync(path: Path) -> None:
    """Have a file's bytes on the disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def sync_folder(path: Path) -> None:
    """Have the names in a folder on the disk."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _write(path: Path, value: dict[str, Any]) -> None:
    part = path.with_suffix(".note")
    part.write_text(json.dumps(value))
    sync(part)
    part.replace(path)
