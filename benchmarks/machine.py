"""The machine of a run: its facts, and how busy it is with other things."""

import os
import platform
import time
from pathlib import Path
from typing import Any

QUIET = 1.2
"""A round above this contention says little about time on the clock."""


def contention(seconds: float = 0.06) -> float:
    """Wall time ÷ processor time of a busy loop: 1 on a quiet core, 2 where we get half of one."""
    wall, cpu = time.perf_counter(), time.process_time()
    while time.process_time() - cpu < seconds:
        pass
    return round((time.perf_counter() - wall) / (time.process_time() - cpu), 2)


def facts() -> dict[str, Any]:
    """What a reader needs to judge a figure by."""
    return {
        "cores": len(os.sched_getaffinity(0)),
        "processor": _processor(),
        "python": platform.python_version(),
        "kernel": platform.release(),
        "time": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
