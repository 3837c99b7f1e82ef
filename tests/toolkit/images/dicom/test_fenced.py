"""Behind the fence of the sandbox, where no file can be opened and no thread started, DICOM is read as without it."""

from pathlib import Path

import imagecodecs
import numpy as np
import pydicom
import pytest

from medtheca.toolkit.sandbox import DecoderPool
from tests.generators import dicoms as make
from tests.toolkit.images.dicom import fenced
from tests.toolkit.sandbox.common import PROBE

GREY, BYTES = make.phantom((40, 50)), make.smooth(most=255, dtype=np.uint8)
COLOUR = make.phantom((40, 50, 3), np.uint8)
CHARSETS = sorted((Path(pydicom.__file__).parent / "data" / "charset_files").glob("chr*.dcm"))


def coded(pixels, number, data, **attributes):
    return make.dicom(pixels, syntax=make.jpeg(number), coded=[data], **attributes)


CASES = {
    "big-endian": [make.dicom(GREY, syntax=make.BIG)],
    "deflated": [make.dicom(GREY, syntax=make.DEFLATED)],
    "RLE": [make.dicom(GREY, syntax=make.RLE, coded=[make.rle(GREY)])],
    "JPEG": [coded(BYTES, 50, imagecodecs.jpeg8_encode(BYTES))],
    "JPEG of 12 bits": [coded(make.smooth(), 51, imagecodecs.jpeg8_encode(make.smooth(), bitspersample=12))],
    "lossless JPEG": [coded(GREY, 70, make.lossless_jpeg(GREY, 16))],
    "JPEG-LS": [coded(GREY, 80, imagecodecs.jpegls_encode(GREY))],
    "JPEG 2000": [coded(GREY, 90, imagecodecs.jpeg2k_encode(GREY, level=0, codecformat="J2K"))],
    "HTJ2K": [coded(GREY, 201, imagecodecs.htj2k_encode(GREY, reversible=True))],
    "YBR": [make.write(make.dataset(COLOUR, colour=True, PhotometricInterpretation="YBR_FULL"), pixels=COLOUR)],
    "series": make.series(make.along(range(60))),
    "charsets": [path.read_bytes() for path in CHARSETS[:1]],
}


@pytest.fixture(scope="module")
def decoders():
    with DecoderPool(PROBE, case_task="tests.toolkit.images.dicom.fenced:run") as made:
        yield made


def lay_out(folder, data):
    """A folder that a child of root can read."""
    folder.mkdir(mode=0o755)
    files = make.keep(folder, *data)
    for name in files.names:
        files.path(name).chmod(0o444)
    return {"names": list(files.names)}


@pytest.mark.parametrize("kind", CASES)
def test_dicom_is_read_behind_the_fence(decoders, tmp_path, kind):
    options = lay_out(tmp_path / "case", CASES[kind])
    outcome = decoders.run_case(options, folder=tmp_path / "case")
    assert outcome.refusal is None, outcome.refusal
    assert outcome.report == fenced.run(tmp_path / "case", {}, options, print)


@pytest.mark.parametrize("path", CHARSETS, ids=lambda path: path.stem)
def test_character_sets_are_not_loaded_late(decoders, tmp_path, path):
    data = path.read_bytes()
    options = lay_out(tmp_path / "case", [data])
    outcome = decoders.run_case(options, folder=tmp_path / "case")
    # Some of these hold no pixels, and are refused as truncated.
    assert outcome.refusal is None or outcome.refusal.code == "truncated", outcome.refusal
