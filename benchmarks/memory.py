"""Memory of `medtheca up`, all processes: idle, and at the peak of an ingest. PSS, so shared pages count once."""

import time
from collections.abc import Iterator
from typing import Any

from benchmarks import pictures
from benchmarks.figures import figure, is_quick
from benchmarks.instance import Instance
from benchmarks.processes import PeakMemory, memory_mb

_IDLE_SECONDS = 20


def run() -> Iterator[dict[str, Any]]:
    """Idle, then at the peak, then idle again with all that was loaded on the way."""
    path = pictures.photographs(120 if is_quick() else 600)
    with Instance() as instance:
        time.sleep(_IDLE_SECONDS)
        idle = memory_mb(instance.pid)
        yield figure("memory.idle", idle.total(), "MB", at_most=500, by=_rounded(idle))
        cohort = instance.prepare(pictures.photographs(8))
        with PeakMemory(instance.pid) as watch:
            instance.wait(instance.deliver(path, cohort))
        facts = {"by": _rounded(watch.peak), "samples": watch.samples}
        yield figure("memory.peak", watch.peak.total(), "MB", at_most=1500, **facts)
        time.sleep(_IDLE_SECONDS)
        after = memory_mb(instance.pid)
        yield figure("memory.idle_after_ingest", after.total(), "MB", at_most=500, by=_rounded(after))


def _rounded(used: Any) -> dict[str, float]:
    return {name: round(megabytes, 1) for name, megabytes in sorted(used.items())}
