import itertools

import pytest

from medtheca.toolkit.sandbox import DecoderPool, Level, detect_level
from tests.toolkit.sandbox.common import CASE_PROBE, PROBE, SMALL, SMALL_CASE


@pytest.fixture(scope="session")
def pool():
    if detect_level() is not Level.FULL:
        pytest.skip("this kernel has no whole fence; what happens then is tested with levels set by hand")
    with DecoderPool(PROBE, limits=SMALL) as made:
        yield made


@pytest.fixture(scope="session")
def case_pool(pool):
    with DecoderPool(PROBE, case_task=CASE_PROBE, size=2, limits=SMALL) as made:
        yield made


@pytest.fixture
def case(tmp_path):
    """A folder as callers make it: others may read it and its files, and nobody may look in from above."""
    folder = tmp_path / "case"
    folder.mkdir(mode=0o755)
    (folder / "a").write_text("first")
    (folder / "deeper").mkdir(mode=0o755)
    (folder / "deeper" / "Größe 图像.raw").write_text("second")
    tmp_path.chmod(0o700)
    return folder


@pytest.fixture
def decode(case_pool, case):
    """Has the probe of cases do something in that folder."""

    def obey(order, *, pool=case_pool, limits=SMALL_CASE, **rest):
        return pool.run_case({"order": order}, folder=case, limits=limits, **rest)

    return obey


@pytest.fixture
def order(tmp_path):
    """Writes a file that tells the probe what to do, and gives it back as an item for a pool."""
    numbers = itertools.count()

    def write(text):
        path = tmp_path / f"{next(numbers)}.order"
        path.write_text(text)
        return text, path

    return write
