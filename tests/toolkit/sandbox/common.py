"""What the tests of the sandbox share."""

from medtheca.toolkit.sandbox import Limits

PROBE = "tests.toolkit.sandbox.probe:run"
SMALL = Limits(
    memory_bytes=300_000_000,
    cpu_seconds=1,
    wall_seconds=30,
    output_bytes=3_000_000,
    report_bytes=100_000,
)
