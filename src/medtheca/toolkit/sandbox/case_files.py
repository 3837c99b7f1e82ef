"""The owner's side of a case's files: what is in its folder, and the outputs that are opened for its child."""

import contextlib
import errno
import fcntl
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

_MOST_OUTPUTS = 64
_LONGEST_NAME = 200
_LITTLE_SPACE = 16_000_000
_PAGE = 1 << 16  # the largest page of the machines that have a fence
_FOLDER_MODE, _FILE_MODE = 0o005, 0o004  # what others must be allowed


@dataclass(frozen=True, slots=True)
class Survey:
    """What lies in a folder: files, how many of these and of the folders strangers may not read, bytes when mapped."""

    files: int
    closed: int
    mapped_bytes: int


def survey_folder(folder: Path) -> Survey:
    """Count the regular files beneath a folder; links are not followed. OSError."""
    files = mapped = 0
    closed = int(folder.stat().st_mode & _FOLDER_MODE != _FOLDER_MODE)
    waiting = [os.fspath(folder)]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                facts = entry.stat(follow_symlinks=False)
                if stat.S_ISDIR(facts.st_mode):
                    waiting.append(entry.path)
                    closed += facts.st_mode & _FOLDER_MODE != _FOLDER_MODE
                elif stat.S_ISREG(facts.st_mode):
                    files += 1
                    closed += facts.st_mode & _FILE_MODE != _FILE_MODE
                    mapped += -(-facts.st_size // _PAGE) * _PAGE
    return Survey(files, closed, mapped)


@contextlib.contextmanager
def open_outputs(outputs: Mapping[str, Path | int]) -> Iterator[dict[str, int]]:
    """Descriptors of the outputs: those of the caller, and files of paths opened for the time being.

    Raises ValueError for what cannot be an output, OSError for a path that cannot be opened.
    """
    if len(outputs) > _MOST_OUTPUTS or any(len(name) > _LONGEST_NAME for name in outputs):
        raise ValueError(f"a case has at most {_MOST_OUTPUTS} outputs with names of at most {_LONGEST_NAME} characters")
    with contextlib.ExitStack() as stack:
        opened: dict[str, int] = {}
        for name, output in outputs.items():
            if isinstance(output, int):
                descriptor = output
            else:
                flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
                descriptor = os.open(output, flags, 0o600)
                stack.callback(os.close, descriptor)
            _check(name, descriptor)
            opened[name] = descriptor
        facts = [os.fstat(descriptor) for descriptor in opened.values()]
        if len({(each.st_dev, each.st_ino) for each in facts}) < len(facts):
            raise ValueError("two outputs of a case are the same file")
        yield opened


def empty(outputs: Iterable[int]) -> None:
    """Make the outputs files of no bytes, at whose beginning the next write is."""
    for descriptor in outputs:
        os.ftruncate(descriptor, 0)
        os.lseek(descriptor, 0, os.SEEK_SET)


def count_bytes(outputs: Iterable[int]) -> int:
    """How large the outputs are together."""
    return sum(os.fstat(descriptor).st_size for descriptor in outputs)


def is_disk_full(outputs: Iterable[int]) -> bool:
    """Whether the file system of an output has next to no space, or gives this account none."""
    for descriptor in outputs:
        # What is kept for root alone does not count: a child is never root.
        space = os.fstatvfs(descriptor)
        if space.f_bavail * space.f_frsize < min(_LITTLE_SPACE, space.f_blocks * space.f_frsize // 100):
            return True
        if not hasattr(os, "posix_fallocate"):
            continue
        size = os.fstat(descriptor).st_size
        try:
            os.posix_fallocate(descriptor, size, 1_000_000)
        except OSError as error:
            if error.errno in {errno.ENOSPC, errno.EDQUOT}:
                return True
        finally:
            os.ftruncate(descriptor, size)
    return False


def _check(name: str, descriptor: int) -> None:
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        raise ValueError(f"the output {name!r} of a case is not a regular file")
    flags = fcntl.fcntl(descriptor, fcntl.F_GETFL)
    if flags & os.O_ACCMODE not in {os.O_WRONLY, os.O_RDWR} or flags & os.O_APPEND:
        raise ValueError(f"the output {name!r} of a case is not open for writing anywhere in it")
