"""The page of formats says what opening the sample files says now."""

import subprocess
import sys
from pathlib import Path

from medtheca.toolkit.images.case_readers import CASE_READERS
from medtheca.toolkit.images.readers import READERS
from medtheca.toolkit.inspection.format_page import format_page
from medtheca.toolkit.inspection.format_table import TABLE
from tests.samples import needs_samples, sample_dir

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "formats.md"


@needs_samples
def test_the_page_of_formats_is_what_the_samples_give():
    made = format_page(sample_dir())
    assert PAGE.read_text() == made, (
        "run: python -m medtheca.toolkit.inspection.format_page FOLDER > docs/reference/formats.md, "
        "where FOLDER has the samples"
    )
    # Each row's samples were found, and half of a file is never taken for the whole.
    assert "generated files only" not in made
    halves = [line for line in made.splitlines() if line.startswith("- **Half of a sample:**")]
    assert len(halves) >= len(TABLE) - 2
    assert all("(`truncated`)" in line or "(`unsupported_variant`)" in line for line in halves)


def test_every_reader_has_a_row_and_every_row_is_on_the_page():
    extensions = " ".join(kind.extensions for kind in TABLE)
    of_reader = {
        "jpeg": ".jpg", "png": ".png", "dicom": ".dcm", "mha": ".mha", "nifti": ".nii", "nrrd": ".nrrd",
        "oct": ".fda", "slide": ".svs", "tiff": ".tif",
    }  # fmt: skip
    assert {reader.format for reader in (*READERS, *CASE_READERS)} == set(of_reader)
    assert all(extension in extensions for extension in of_reader.values())
    page = PAGE.read_text()
    assert [line.removeprefix("## ") for line in page.splitlines() if line.startswith("## ")] == [
        kind.name for kind in TABLE
    ]


def test_the_command_says_what_it_wants():
    command = [sys.executable, "-m", "medtheca.toolkit.inspection.format_page", "no such folder"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Say where the samples are" in done.stderr
