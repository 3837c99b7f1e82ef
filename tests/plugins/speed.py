"""What makes tests fast without making them untrue.

Their folders are in memory where the machine has enough of it: a file system like any other, whose fsync costs
nothing. No test here pulls the plug, so none could tell. TMPDIR, where it is set, is obeyed.

Passwords are hashed with one round of what a running instance also understands, so that users made by a test can log
in to a server in a process of its own.
"""

import os
import re
import shutil
import tempfile
from pathlib import Path

from django.contrib.auth.hashers import PBKDF2PasswordHasher

_MEMORY = Path("/dev/shm")
_ENOUGH = 8 << 30
_AVAILABLE = re.compile(r"^MemAvailable:\s+(\d+) kB$", re.MULTILINE)


def keep_folders_in_memory():
    usable = _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK | os.X_OK)
    if "TMPDIR" not in os.environ and usable and _room() > _ENOUGH:
        # For the processes that tests start, and for this one.
        os.environ["TMPDIR"] = tempfile.tempdir = str(_MEMORY)


def _room():
    available = _AVAILABLE.search(Path("/proc/meminfo").read_text())
    return min(shutil.disk_usage(_MEMORY).free, int(available[1]) << 10 if available else 0)


class OneRound(PBKDF2PasswordHasher):
    iterations = 1


def hash_passwords_cheaply():
    from django.conf import settings

    here = f"{OneRound.__module__}.{OneRound.__qualname__}"
    settings.PASSWORD_HASHERS = [here, *settings.PASSWORD_HASHERS]
