"""Becomes another program, after arranging what only the child itself can arrange. Standard library only.

Run by path as `python -I -S launch.py SPECIFICATION PROGRAM ARGUMENT…`. A program of its own rather than a
function between fork and exec, because code there can hang when the parent has threads.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

_PR_SET_PDEATHSIG = 1


def launch_command(
    command: Sequence[str],
    *,
    folder: Path | None = None,
    user: int | None = None,
    group: int | None = None,
    signal_on_orphaning: int | None = None,
) -> list[str]:
    """The command line that runs `command` in a folder, under an account, and signalled when we die."""
    specification = {
        "parent": os.getpid(),
        "folder": str(folder) if folder else None,
        "user": user,
        "group": group,
        "signal": signal_on_orphaning,
    }
    return [sys.executable, "-I", "-S", __file__, json.dumps(specification), *command]


def _main() -> None:
    specification = json.loads(sys.argv[1])
    command = sys.argv[2:]
    os.umask(0o077)
    if specification["folder"] is not None:
        os.chdir(specification["folder"])
    if specification["user"] is not None:
        os.setgroups([])
        os.setgid(specification["group"])
        os.setuid(specification["user"])
    # After the change of user, because the kernel forgets the wish when the user changes.
    if specification["signal"] is not None and sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, specification["signal"], 0, 0, 0)
        if os.getppid() != specification["parent"]:
            sys.exit("The parent process ended before its child began.")
    try:
        os.execv(command[0], command)  # noqa: S606 - becoming the program is the purpose
    except OSError as error:
        sys.exit(f"{command[0]} cannot be run: {error.strerror}")


if __name__ == "__main__":
    _main()
