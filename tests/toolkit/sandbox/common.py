"""What the tests of the sandbox share."""

import time
from pathlib import Path

from medtheca.toolkit.sandbox import CaseLimits, Limits

PROBE = "tests.toolkit.sandbox.probe:run"
CASE_PROBE = "tests.toolkit.sandbox.case_probe:run"
SMALL = Limits(
    memory_bytes=300_000_000,
    # What dies of memory or recursion has to reach that on a slow machine, too.
    cpu_seconds=5,
    wall_seconds=30,
    output_bytes=3_000_000,
    report_bytes=100_000,
)
SMALL_CASE = CaseLimits(
    memory_bytes=300_000_000,
    cpu_seconds=5,
    wall_seconds=30,
    output_bytes=3_000_000,
    report_bytes=100_000,
    open_files=20,
)


def has_gone(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True


def wait_until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)
