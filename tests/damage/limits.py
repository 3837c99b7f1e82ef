"""What decoding a damaged file may cost: little, so that whatever takes more is found out."""

from medtheca.toolkit.images.case_folders import limits_for
from medtheca.toolkit.sandbox import CaseLimits, Limits

PEAK = "peak"
MEMORY = 150_000_000
"""Bytes that pixels may take, as the task is told; the limits leave it room for copies, as those of the archive do."""

PHOTO = Limits(memory_bytes=500_000_000, cpu_seconds=10, wall_seconds=60, output_bytes=60_000_000)


def case(main, *, wall_seconds):
    """As `case_folders.limits_for` has them, smaller."""
    return CaseLimits(
        memory_bytes=500_000_000,
        cpu_seconds=20,
        wall_seconds=wall_seconds,
        output_bytes=400_000_000,
        threads=limits_for(0, main).threads,
    )
