"""One figure of a benchmark: what was measured, the budget, and whether it is kept."""

import os
from typing import Any

QUICK = "BENCH_QUICK"


def is_quick() -> bool:
    """Whether `--quick` was given: fewer inputs, so noisier figures."""
    return os.environ.get(QUICK) == "1"


def figure(
    name: str,
    value: float,
    unit: str,
    *,
    at_least: float | None = None,
    at_most: float | None = None,
    aim: float | None = None,
    **facts: Any,
) -> dict[str, Any]:
    """A figure as a row of results. `facts` say how it came about: the limit beside it, counts, contention."""
    row: dict[str, Any] = {"name": name, "figure": round(value, 4), "unit": unit}
    if at_least is not None:
        row |= {"budget": f">= {at_least:g}", "met": value >= at_least}
    elif at_most is not None:
        row |= {"budget": f"<= {at_most:g}", "met": value <= at_most}
    if aim is not None:
        row["aim"] = aim
    return row | facts


def skipped(name: str, why: str) -> dict[str, Any]:
    """A figure that cannot be had here, and why."""
    return {"name": name, "skipped": why}
