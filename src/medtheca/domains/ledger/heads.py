"""Where the hash chain had come to, noted outside of the database.

Whoever may change tables could cut the newest events and seals off, and what is left would still be a chain. So each
sealing also writes its end into a file of the data folder, `ledger/heads`, a line `SEQUENCE DIGEST`: what stands there
must stand in the chain. The line is written after the seals are committed, so that it never promises too much.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path

from django.conf import settings

log = logging.getLogger(__name__)
_LARGEST = 256 * 1024
_KEPT_WHOLE, _KEPT_OF_OLDER = 512, 16


def heads_file() -> Path:
    """Where ends of the chain are noted."""
    return Path(settings.ENVIRONMENT.data) / "ledger" / "heads"


def note_head(sequence: int, digest: str) -> None:
    """Note an end of the chain, durably. A disk that is full must not stop the sealing: the next end says more."""
    try:
        _append(heads_file(), f"{sequence} {digest}\n")
    except OSError as error:
        log.warning("The end of the ledger's chain could not be noted: %s.", error.strerror)


def noted_heads() -> dict[int, str]:
    """Every noted end: digest by sequence. A line that was cut off while it was written says nothing."""
    try:
        lines = heads_file().read_text().splitlines()
    except FileNotFoundError:
        return {}
    parts = [line.split() for line in lines]
    return {int(part[0]): part[1] for part in parts if len(part) == 2 and part[0].isdecimal() and len(part[1]) == 64}


def begin_heads_anew() -> None:
    """Put the noted ends aside: a backup is restored, and what came after it is rightly gone."""
    path = heads_file()
    if path.exists():
        path.replace(path.with_name(f"heads.before-{path.stat().st_mtime_ns}"))
        _sync(path.parent)


def _append(path: Path, line: str) -> None:
    made = not path.parent.exists()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(path, os.O_CREAT | os.O_RDWR | os.O_APPEND, 0o600)
    try:
        size = os.fstat(handle).st_size
        # A line that was cut off must not swallow this one.
        torn = size > 0 and os.pread(handle, 1, size - 1) != b"\n"
        os.write(handle, ("\n" if torn else "").encode() + line.encode())
        os.fsync(handle)
    finally:
        os.close(handle)
    if size == 0:
        _sync(path.parent)
    if made:
        _sync(path.parent.parent)
    if size > _LARGEST:
        _thin(path)


def _thin(path: Path) -> None:
    """Keep the newest ends and some of the older ones, which still hold the chain between them in place."""
    lines = path.read_text().splitlines(keepends=True)
    older, newer = lines[:-_KEPT_WHOLE], lines[-_KEPT_WHOLE:]
    fresh = path.with_name(f".heads.{os.getpid()}")
    with fresh.open("w") as file:
        fresh.chmod(0o600)
        file.writelines(older[::_KEPT_OF_OLDER] + newer)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    _sync(path.parent)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
