"""Named steps of ingest, so that a crash test can tell where a process was when it was killed.

Without `MEDTHECA_FAULT_STEPS` a step costs one comparison. With it, each thread keeps the name of its present step in a
file `PROCESS.THREAD` of that folder, and obeys the file `orders` there, one a line:
`NUMBER linger STEP SECONDS` stretches a step, once a process; `NUMBER abort STEP COUNT` ends the process where it
passes the step for the COUNTth time, once in all.
"""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from functools import cache
from pathlib import Path

ABORTED = 86
"""The exit code of a process that obeyed an order to abort."""

_FOLDER = os.environ.get("MEDTHECA_FAULT_STEPS", "")
_passed: Counter[str] = Counter()


def step(name: str) -> None:
    """Note that this thread is now in the step `name` (at most 63 characters)."""
    if _FOLDER:
        os.pwrite(_slot(os.getpid(), threading.get_native_id()), name.ljust(63).encode() + b"\n", 0)
        _obey(name)


@cache
def _slot(process: int, thread: int) -> int:
    folder = Path(_FOLDER)
    folder.mkdir(parents=True, exist_ok=True)
    return os.open(folder / f"{process}.{thread}", os.O_CREAT | os.O_WRONLY, 0o600)


def _obey(name: str) -> None:
    try:
        orders = Path(_FOLDER, "orders").read_text().splitlines()
    except FileNotFoundError:
        return
    for number, verb, wanted, amount in (order.split() for order in orders):
        if wanted != name:
            continue
        _passed[number] += 1
        if verb == "linger" and _passed[number] == 1:
            time.sleep(float(amount))
        elif verb == "abort" and _passed[number] == int(amount):
            try:
                Path(_FOLDER, f"aborted-{number}").touch(exist_ok=False)
            except FileExistsError:
                continue  # Another process was first.
            os._exit(ABORTED)
