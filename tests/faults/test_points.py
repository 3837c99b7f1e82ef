"""An ingest that is aborted at a named step goes on in a new process as if nothing had been. All: `make faults`."""

import pytest

from tests.faults.harness.points import Points
from tests.faults.harness.steps import all_steps

pytestmark = pytest.mark.faults
# Each stands between two things that must both happen: bytes and rows, rows and jobs, jobs and ends.
DANGEROUS = [
    "upload.begun",
    "blob.durable",
    "blob.rows",
    "receive.batch",
    "receive.closed",
    "convert.rows",
    "convert.done",
]


def test_an_ingest_survives_an_abort_at_the_dangerous_steps(folder):
    assert set(DANGEROUS) <= set(all_steps())
    with Points(folder) as points:
        for step in DANGEROUS:
            assert points.tell(step) == (True, []), step
