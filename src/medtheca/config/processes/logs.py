"""Log files of the processes: one each, a few old ones kept."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

_KEEP = 5
_ROTATE_AT_START = 2_000_000  # bytes
_ROTATE_WHILE_RUNNING = 50_000_000


def rotate_at_start(log: Path) -> None:
    """Put a long log aside, before a process opens it."""
    log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > _ROTATE_AT_START:
        _shift(log)
        log.rename(_numbered(log, 1))


def rotate_while_running(log: Path) -> None:
    """Copy a very long log aside and empty it; writers append, so they go on at its new beginning."""
    if log.exists() and log.stat().st_size > _ROTATE_WHILE_RUNNING:
        _shift(log)
        shutil.copyfile(log, _numbered(log, 1))
        os.truncate(log, 0)


def end_of(log: Path, *, characters: int = 1500) -> str:
    """The last words of a log, from the beginning of a line."""
    if not log.exists():
        return "(empty)"
    with log.open("rb") as file:
        file.seek(0, os.SEEK_END)
        size = file.tell()
        file.seek(max(0, size - characters))
        text = file.read().decode(errors="replace")
    if size > characters:
        text = text.partition("\n")[2]
    return text.strip() or "(empty)"


def _shift(log: Path) -> None:
    for number in range(_KEEP, 1, -1):
        older = _numbered(log, number - 1)
        if older.exists():
            older.replace(_numbered(log, number))


def _numbered(log: Path, number: int) -> Path:
    return log.with_name(f"{log.name}.{number}")
