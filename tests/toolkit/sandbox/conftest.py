import itertools

import pytest

from medtheca.toolkit.sandbox import DecoderPool, Level, detect_level
from tests.toolkit.sandbox.common import PROBE, SMALL


@pytest.fixture(scope="session")
def pool():
    if detect_level() is not Level.FULL:
        pytest.skip("this kernel has no whole fence; what happens then is tested with levels set by hand")
    with DecoderPool(PROBE, limits=SMALL) as made:
        yield made


@pytest.fixture
def order(tmp_path):
    """Writes a file that tells the probe what to do, and gives it back as an item for a pool."""
    numbers = itertools.count()

    def write(text):
        path = tmp_path / f"{next(numbers)}.order"
        path.write_text(text)
        return text, path

    return write
