"""The ISIC Archive's table of challenges: a hundredth of it in a real archive; the whole by `make challenges`."""

import pytest

from tests.challenges.run import look
from tests.challenges.table import COHORTS, COLLECTIONS, DISTINCT, MEMBERSHIPS, TABLE, expected
from tests.plugins.archive import Archive

SCALE = 100


def test_at_full_size_the_fixture_is_the_table():
    table, memberships, images = expected(1)
    assert table == {name: (number, sorted(whose)) for name, (number, whose) in TABLE.items()}
    assert (memberships, images) == (MEMBERSHIPS, DISTINCT)
    assert sum(cohort.number for cohort in COHORTS) == DISTINCT


@pytest.mark.parametrize("scale", [1, SCALE])
def test_contributors_follow_from_the_cohorts(scale):
    for name, parts in COLLECTIONS.items():
        assert sorted({part.cohort.contributor for part in parts}) == expected(scale)[0][name][1]


@pytest.fixture
def archive(tmp_path):
    running = Archive(tmp_path / "data")
    running.start()
    try:
        yield running
    finally:
        running.stop()
        print(running.said())


# Six hundred images go through a whole archive, also on a machine that has much else to do.
@pytest.mark.timeout(1200)
def test_pages_api_and_commands_show_the_table(archive):
    assert look(archive, SCALE) == []
