"""Where the real sample files are: the folder MEDTHECA_SAMPLES, by default `shared/data` beside the repository."""

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent


def sample_dir() -> Path:
    return Path(os.environ.get("MEDTHECA_SAMPLES") or REPOSITORY.parent / "shared" / "data")


def needs_samples(test):
    """Skip a test where there are no sample files, and say so."""
    reason = f"no sample files in {sample_dir()}: set MEDTHECA_SAMPLES to a folder that has them"
    return pytest.mark.samples(pytest.mark.skipif(not sample_dir().is_dir(), reason=reason)(test))
