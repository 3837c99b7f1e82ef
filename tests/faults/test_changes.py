"""What is changed or gathered and aborted at a named step goes on as if nothing had been. All: `make faults`."""

import pytest

from tests.faults.harness.plots import PLOTS
from tests.faults.harness.points import Points
from tests.faults.harness.steps import all_steps

pytestmark = pytest.mark.faults
# Each stands between two things that must both happen, or must not be seen apart.
DANGEROUS = {
    "gather": "case.decoded",
    "replace": "replace.version",
    "redact": "redact.rows",
    "forget": "erase.rows_gone",
    "try_out": "inspect.reported",
}


def test_every_kind_of_change_has_its_dangerous_step():
    assert set(DANGEROUS) == set(PLOTS) - {"ingest"}
    assert set(DANGEROUS.values()) <= set(all_steps())


def test_changes_survive_an_abort(folder):
    with Points(folder) as points:
        for plot, step in DANGEROUS.items():
            assert points.tell(step, plot=plot) == (True, []), plot


def test_planted_bugs_of_changes_are_found(folder):
    with Points(folder, MEDTHECA_BLOB_STORE="tests.faults.planted.changes") as points:
        for plot, words in {
            "redact": "Its public copy shows what its version covers.",
            "replace": "A file version still waits though nothing works.",
            "forget": "A word of it stands in metadata_metadatafile",
        }.items():
            _aborted, violations = points.tell(plot=plot)
            assert any(words in violation["words"] for violation in violations), (plot, violations)


def test_planted_bugs_of_images_of_several_files_are_found(folder):
    with Points(folder, "gather", MEDTHECA_BLOB_STORE="tests.faults.planted.gathering") as points:
        _aborted, violations = points.tell("case.decoded")
    found = " ".join(violation["words"] for violation in violations)
    assert "answers for it and does not hold it." in found
    assert "are held though it is done" in found
    assert "It is left though nothing works and the upkeep has run." in found
