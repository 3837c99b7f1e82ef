"""The crash test is tested: with a bug put back on purpose it fails, by a word of the checker."""

import pytest

from tests.faults.harness.points import Points

pytestmark = pytest.mark.faults


@pytest.mark.parametrize(
    ("plant", "step", "words"),
    [
        ("row_before_blob", "receive.batch", "no file on disk"),
        ("job_after_commit", "receive.batch", "It still waits though nothing works."),
        ("missing_lock", None, "Twice"),
    ],
)
def test_a_planted_bug_is_found(folder, plant, step, words):
    with Points(folder, MEDTHECA_BLOB_STORE=f"tests.faults.planted.{plant}") as points:
        _aborted, violations = points.tell(step)
    assert any(words in violation["words"] for violation in violations), violations


def test_without_a_plant_the_same_runs_are_clean(folder):
    with Points(folder) as points:
        assert points.tell() == (False, [])
        assert points.tell("receive.batch") == (True, [])
