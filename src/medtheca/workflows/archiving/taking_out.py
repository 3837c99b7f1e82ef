"""Files of an archive's items are written into a folder of this machine, each checked by its SHA-256."""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from django.db.models import QuerySet

from medtheca.base.errors import NoSpace
from medtheca.domains.accounts.models import User
from medtheca.domains.archives.access import require_taking_away
from medtheca.domains.archives.models import Archive, Item
from medtheca.domains.archives.taking import FileToTake, files_to_take
from medtheca.domains.storage.opening import chunks_of, open_ranges
from medtheca.toolkit.images.extensions import EXTENSIONS
from medtheca.toolkit.ranges.recipe import Damaged

PART = ".part"
_LONGEST_NAME = 80
Progress = Callable[[int, int], None]
"""Called with files done and bytes done."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A file, and its path in the folder."""

    file: FileToTake
    path: PurePosixPath


@dataclass
class Taken:
    """What came of it: how many files were written, how many were there, and why others are not, by path."""

    written: int = 0
    there: int = 0
    failed: dict[str, str] = field(default_factory=dict)


def require_taking(archive: Archive, user: User) -> None:
    """Raise `NotFound` or `NotAllowed` unless the person may take files and values of the archive away."""
    require_taking_away(user, archive)


def plan_files(archive: Archive, user: User, *, items: QuerySet[Item] | None = None) -> list[Planned]:
    """The files that the person may take away, with a folder for each item. Raises as `require_taking`."""
    require_taking(archive, user)
    return [Planned(file, _path_of(file)) for file in files_to_take(archive, user, items=items)]


def write_files(planned: Sequence[Planned], folder: Path, *, progress: Progress) -> Taken:
    """Write what is not there already. Cut off, a second call goes on with the rest.

    A file that is there counts where its bytes are right. Raises `NoSpace` where the disk is full.
    """
    taken = Taken()
    for one in planned:
        path = folder / one.path
        if _is_right(path, one.file):
            taken.there += 1
            progress(1, one.file.size)
            continue
        try:
            _write(one.file, path, progress)
            taken.written += 1
            progress(1, 0)
        except (FileNotFoundError, Damaged):
            taken.failed[str(one.path)] = "Its bytes are not in the store any more."
        except ValueError as wrong:
            taken.failed[str(one.path)] = str(wrong)
    return taken


def manifest_of(planned: Sequence[Planned]) -> Iterator[tuple[object, ...]]:
    """A line for each file, after one of heads: whose it is, its path, its bytes and its SHA-256."""
    yield ("item", "item_title", "socket", "image", "path", "media_type", "bytes", "sha256")
    for one in planned:
        file = one.file
        of_item = (str(file.item), file.item_title, file.socket, file.image)
        yield (*of_item, str(one.path), file.media_type, file.size, file.sha256)


def _path_of(file: FileToTake) -> PurePosixPath:
    """`00001-P001/generic-medical-image.mha`: unique, since a number is one item's and a socket holds one value."""
    title = _plain(file.item_title)
    folder = f"{file.item_number:05}-{title}" if title else f"{file.item_number:05}"
    ending = EXTENSIONS.get(file.media_type, "") if file.image else _plain("".join(PurePosixPath(file.name).suffixes))
    ending = ending.lstrip(".")
    return PurePosixPath(folder) / (f"{file.socket}.{ending}" if ending else file.socket)


def _plain(text: str) -> str:
    """What every file system keeps as it is: letters, digits, and few signs."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9._-]+", "_", plain).strip("._-")[:_LONGEST_NAME]


def _is_right(path: Path, file: FileToTake) -> bool:
    try:
        if not path.is_file() or path.stat().st_size != file.size:
            return False
        with path.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest() == file.sha256
    except OSError:
        return False


def _write(file: FileToTake, path: Path, progress: Progress) -> None:
    """Write a file whole or not at all. Raises `ValueError` where the store's bytes are others than it says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part, digest = path.with_name(path.name + PART), hashlib.sha256()
    try:
        with closing(open_ranges(file.sha256)) as source, part.open("wb") as target:
            for chunk in chunks_of(source):
                digest.update(chunk)
                target.write(chunk)
                progress(0, len(chunk))
            target.flush()
            os.fsync(target.fileno())
    except FileNotFoundError:
        raise
    except OSError as error:
        raise NoSpace(f"{path} cannot be written: {error.strerror}.", remedy="Make space; the same goes on.") from error
    if digest.hexdigest() != file.sha256:
        part.unlink()
        raise ValueError("Its bytes in the store are damaged; `medtheca scrub` says more.")
    part.replace(path)
