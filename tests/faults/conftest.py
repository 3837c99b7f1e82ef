import shutil
import tempfile
from pathlib import Path

import pytest

from tests.faults.harness.preparing import LEFT_OUT, prepare


@pytest.fixture(scope="session")
def prepared():
    # Not pytest's own folder: the path of the database's socket has to be short.
    folder = Path(tempfile.mkdtemp(prefix="medtheca-faults-"))
    try:
        prepare(folder)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def folder(prepared):
    """A folder of its own with an archive at rest in it."""
    made = Path(tempfile.mkdtemp(prefix="medtheca-faults-"))
    shutil.copytree(prepared, made, symlinks=True, dirs_exist_ok=True, ignore=LEFT_OUT)
    yield made
    shutil.rmtree(made, ignore_errors=True)
