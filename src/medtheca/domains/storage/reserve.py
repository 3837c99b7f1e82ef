"""Ballast on the disk: a file given up when the disk is full, so that PostgreSQL starts and deletions can happen.

Knows no Django, because the supervisor needs it before there is a database.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from pathlib import Path

_NAME = "reserve"
# A file of the data folder while a restore into it is under way; nothing may start on what is half there.
RESTORING = "restoring.json"
# What PostgreSQL needs to start and recover on a full disk: a few segments of its log.
STARTING_NEEDS = 64 * 1024 * 1024


def reserve_size(disk_reserve: int) -> int:
    """Bytes of the ballast file: half of the setting MEDTHECA_DISK_RESERVE. The other half stays plain free space."""
    return disk_reserve // 2


def ensure_reserve(folder: Path, *, disk_reserve: int) -> bool:
    """Make the ballast file in the data folder where it is absent or short; return whether it is whole now.

    It is not made while the free space after it would lie below `disk_reserve`: a disk that is nearly full
    keeps what it has for deletions. Call it at the start and from time to time.
    """
    path = folder / _NAME
    wanted = reserve_size(disk_reserve)
    present = path.stat().st_size if path.exists() else 0
    if present == wanted:
        return True
    if present > wanted:
        os.truncate(path, wanted)
        return True
    if shutil.disk_usage(folder).free - (wanted - present) < disk_reserve:
        return False
    handle = os.open(path, os.O_CREAT | os.O_WRONLY, 0o600)
    try:
        # Blocks that are really there, unlike those of a sparse file.
        os.posix_fallocate(handle, 0, wanted)
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT, errno.EOPNOTSUPP, errno.EINVAL}:
            raise
        with contextlib.suppress(OSError):
            path.unlink()
        return False
    finally:
        os.close(handle)
    return True


def release_reserve(folder: Path) -> int:
    """Give the ballast up; return how many bytes that freed. `ensure_reserve` makes it again once there is room."""
    path = folder / _NAME
    if not path.exists():
        return 0
    size = path.stat().st_blocks * 512
    path.unlink()
    return size


def release_reserve_when_full(folder: Path, *, needed: int = STARTING_NEEDS) -> int:
    """Give the ballast up only when fewer than `needed` bytes are free; return how many bytes that freed."""
    if shutil.disk_usage(folder).free >= needed:
        return 0
    return release_reserve(folder)
