"""What is damaged, lies or was made to do harm is refused in words, without the memory that it asks for."""

import resource
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from medtheca.toolkit.errors import Refused
from medtheca.toolkit.images.dicom.headers import read_header
from medtheca.toolkit.images.readers.dicom import DicomReader
from tests.generators import dicoms as make
from tests.generators.images import damage
from tests.plugins.thoroughness import examples

MEMORY = 50_000_000
READER = DicomReader()


def read(folder, data, memory=MEMORY):
    return READER.read(make.keep(folder, data), memory=memory)


def attempt(folder, data):
    try:
        return read(folder, data)
    except Refused as refused:
        return refused


def refusal(folder, data, memory=MEMORY):
    with pytest.raises(Refused) as caught:
        read(folder, data, memory)
    return caught.value


@pytest.mark.parametrize("syntax", [make.IMPLICIT, make.EXPLICIT, make.BIG])
def test_files_without_preamble_and_meta_information(tmp_path, syntax):
    pixels = make.phantom()
    data = make.bare(make.dataset(pixels), syntax=syntax, pixels=pixels)
    assert np.array_equal(read(tmp_path, data).voxels[0, 0], pixels)


def test_file_without_preamble_but_with_meta_information(tmp_path):
    pixels = make.phantom()
    data = make.write(make.dataset(pixels), syntax=make.BIG, pixels=pixels, preamble=False)
    assert np.array_equal(read(tmp_path, data).voxels[0, 0], pixels)


def test_explicit_file_that_is_written_implicitly_is_read(tmp_path):
    pixels = make.phantom()
    data = make.meta(make.EXPLICIT) + make.bare(make.dataset(pixels), syntax=make.IMPLICIT, pixels=pixels)
    assert np.array_equal(read(tmp_path, data).voxels[0, 0], pixels)


@pytest.mark.parametrize("data", [b"", b"DICM", b"not DICOM at all" * 20, b"\x89PNG\r\n\x1a\n" * 30])
def test_what_is_no_dicom_is_said_to_be_none(tmp_path, data):
    assert refusal(tmp_path, data).code == "unsupported_format"


@pytest.mark.parametrize("kind", ["native", "implicit", "rle", "deflated"])
def test_truncated_files_are_refused_wherever_they_end(tmp_path, kind):
    pixels = make.phantom((8, 9))
    if kind == "rle":
        data = make.dicom(pixels, syntax=make.RLE, coded=[make.rle(pixels)])
    else:
        names = {"native": make.EXPLICIT, "implicit": make.IMPLICIT, "deflated": make.DEFLATED}
        data = make.dicom(pixels, syntax=names[kind])
    codes = {refusal(tmp_path, data[:end]).code for end in range(140, len(data) - 2)}
    assert codes <= {"truncated", "corrupt"}
    assert refusal(tmp_path, data[: len(data) - 3]).code == "truncated"


@pytest.mark.parametrize(
    ("lie", "code"),
    [
        ({"Rows": 13}, "truncated"),
        ({"Rows": 11}, "corrupt"),
        ({"Columns": 65535, "Rows": 65535}, "truncated"),
        ({"NumberOfFrames": 2}, "truncated"),
        ({"NumberOfFrames": 0}, "corrupt"),
        ({"NumberOfFrames": 2**31 - 1}, "truncated"),
        ({"Rows": 0}, "corrupt"),
        ({"BitsAllocated": 32, "BitsStored": 32, "HighBit": 31}, "truncated"),
        ({"BitsStored": 17}, "corrupt"),
        ({"HighBit": 16}, "corrupt"),
        ({"HighBit": 3}, "corrupt"),
        ({"SamplesPerPixel": 3}, "corrupt"),
        ({"SamplesPerPixel": 2}, "corrupt"),
        ({"PixelRepresentation": 2}, "corrupt"),
        ({"BitsAllocated": 12, "BitsStored": 12, "HighBit": 11}, "unsupported_variant"),
        ({"PhotometricInterpretation": None}, "unsupported_variant"),
        ({"BitsAllocated": None}, "corrupt"),
        ({"PixelSpacing": [0, 1]}, "corrupt"),
        ({"PixelSpacing": [1, -1]}, "corrupt"),
        ({"PixelSpacing": [1]}, "corrupt"),
        ({"ImageOrientationPatient": [1, 0, 0, 1, 0, 0], "ImagePositionPatient": [0, 0, 0]}, "corrupt"),
        ({"ImageOrientationPatient": [2, 0, 0, 0, 1, 0], "ImagePositionPatient": [0, 0, 0]}, "corrupt"),
        ({"ImagePositionPatient": [0, 0, 1e30]}, "corrupt"),
    ],
)
def test_lying_headers_are_refused(tmp_path, lie, code):
    assert refusal(tmp_path, make.dicom(make.phantom(), **lie)).code == code


@pytest.mark.parametrize("text", [b"nan ", b"inf ", b"abc ", b"1e999 "])
def test_numbers_that_are_none_are_refused_by_name_and_not_by_value(tmp_path, text):
    data = make.dicom(make.phantom(), RescaleSlope="1", RescaleIntercept="7777")
    refused = refusal(
        tmp_path,
        data.replace(b"7777", text[:4]) if len(text) == 4 else data.replace(b"\x04\x007777", b"\x06\x00" + text),
    )
    assert refused.code == "corrupt"
    assert "RescaleIntercept" in refused.message
    assert text.decode().strip() not in refused.message


def test_more_pixels_than_memory_are_refused_before_decoding(tmp_path):
    coded = [imagecodecs.jpegls_encode(make.phantom())]
    data = make.dicom(make.phantom(), syntax=make.jpeg(80), coded=coded, Rows=65535, Columns=65535)
    assert refusal(tmp_path, data).code == "too_many_pixels"


@pytest.mark.parametrize("number", [50, 70, 80, 90, 201])
def test_coded_frame_of_another_size_than_the_header_says(tmp_path, number):
    big = make.phantom((64, 64), np.uint8)
    encode = {50: imagecodecs.jpeg8_encode, 70: lambda one: make.lossless_jpeg(one, 8), 80: imagecodecs.jpegls_encode}
    encode |= {90: lambda one: imagecodecs.jpeg2k_encode(one, codecformat="J2K"), 201: imagecodecs.htj2k_encode}
    data = make.dicom(make.phantom(dtype=np.uint8), syntax=make.jpeg(number), coded=[encode[number](big)])
    refused = refusal(tmp_path, data)
    assert refused.code == "corrupt"
    assert "64 by 64" in refused.message


def test_rle_that_unpacks_to_more_or_less_than_a_frame(tmp_path):
    less = make.rle(make.phantom((3, 3), np.uint8))
    assert (
        refusal(tmp_path, make.dicom(make.phantom(dtype=np.uint8), syntax=make.RLE, coded=[less])).code == "truncated"
    )
    bomb = struct.pack("<16L", 1, 64, *[0] * 14) + b"\x81\x00" * 500_000
    volume_or_refusal = make.dicom(make.phantom(dtype=np.uint8), syntax=make.RLE, coded=[bomb])
    assert refusal(tmp_path, volume_or_refusal).code == "corrupt"


# --- offset tables


def offsets(frames, change):
    """A two-frame file whose basic offset table was changed."""
    coded = [make.rle(frame) for frame in frames]
    data = make.dicom(frames, syntax=make.RLE, coded=coded)
    table = struct.pack("<2L", 0, len(coded[0]) + 8)
    assert data.count(table) == 1
    return data.replace(table, struct.pack("<2L", *change(len(coded[0]) + 8)))


@pytest.mark.parametrize(
    "change",
    [
        lambda second: (0, second + 1),
        lambda _: (0, 0),
        lambda second: (second, 0),
        lambda _: (0, 2**32 - 1),
        lambda second: (4, second),
        lambda second: (second, second),
    ],
)
def test_offset_table_that_points_elsewhere(tmp_path, change):
    refused = refusal(tmp_path, offsets(make.phantom((2, 8, 9)), change))
    assert refused.code == "corrupt"
    assert "offset table" in refused.message


@pytest.mark.parametrize("lie", ["offset", "length", "none", "short"])
def test_extended_offset_table_that_points_elsewhere(tmp_path, lie):
    frames = make.phantom((2, 8, 9))
    made = make.dataset(frames)
    data = make.write(made, syntax=make.RLE, coded=[make.rle(frame) for frame in frames], extended=True)
    first = np.frombuffer(made.ExtendedOffsetTable, "<u8")
    sizes = made.ExtendedOffsetTableLengths
    if lie == "offset":
        data = data.replace(made.ExtendedOffsetTable, np.array([0, 2**60], "<u8").tobytes())
    elif lie == "length":
        data = data.replace(sizes, np.array([2**60, 5], "<u8").tobytes())
    elif lie == "none":
        data = data.replace(struct.pack("<HH", 0x7FE0, 2) + b"OV", struct.pack("<HH", 0x7FE0, 3) + b"OV")
    else:
        data = data.replace(first.tobytes(), first[::-1].tobytes())
    assert refusal(tmp_path, data).code == "corrupt"


def test_fragments_that_are_fewer_than_frames(tmp_path):
    frames = make.phantom((3, 8, 9))
    data = make.dicom(frames, syntax=make.jpeg(80), coded=[imagecodecs.jpegls_encode(frames[0])] * 2, table=False)
    assert refusal(tmp_path, data).code == "corrupt"


# --- bombs

_CHILD = """
import resource, sys, pathlib
from medtheca.toolkit.errors import Refused
from medtheca.toolkit.images.files import Files
from medtheca.toolkit.images.grouping import describe_file
from medtheca.toolkit.images.readers.dicom import DicomReader
used = int(pathlib.Path("/proc/self/statm").read_text().split()[0]) * 4096
resource.setrlimit(resource.RLIMIT_AS, (used + int(sys.argv[2]),) * 2)
path = pathlib.Path(sys.argv[1])
try:
    DicomReader().read(Files(path.parent, (path.name,)), memory=50_000_000)
except Refused as refused:
    print(refused.code)
"""


def test_deflate_bomb_is_refused_within_little_memory(tmp_path):
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    zeros = bytes(1 << 24)
    head = make.element(8, 0x16, b"UI", b"1.2 ") + struct.pack("<HH2sHL", 0x0009, 0x1001, b"OB", 0, 2**31)
    packed = packer.compress(head) + b"".join(packer.compress(zeros) for _ in range(128)) + packer.flush()
    assert len(packed) < 3_000_000
    path = tmp_path / "bomb.dcm"
    path.write_bytes(make.meta(make.DEFLATED) + packed)
    child = subprocess.run(
        [sys.executable, "-c", _CHILD, str(path), "200000000"], capture_output=True, text=True, check=False, timeout=120
    )
    assert child.stdout.strip() == "too_many_pixels", child.stderr


def test_sequences_nested_a_thousand_deep_are_refused(tmp_path):
    refused = refusal(tmp_path, make.nested(1000))
    assert refused.code == "corrupt"
    assert "nested" in refused.message


def test_a_reasonable_depth_is_read():
    header, _ = read_header(make.nested(20), memory=MEMORY)
    depth, item = 0, header
    while (item := item.item("ReferencedImageSequence")) is not None:
        depth += 1
    assert depth == 20


def test_too_many_elements_are_refused(tmp_path):
    item = struct.pack("<HHL", 0xFFFE, 0xE000, 0)
    sequence = item * 400_001
    refused = refusal(tmp_path, make.meta() + make.element(8, 0x1140, b"SQ", sequence))
    assert refused.code == "corrupt"
    assert "400,000" in refused.message


@pytest.mark.parametrize(
    "tail",
    [
        struct.pack("<HH2sHL", 0x0009, 0x1001, b"OB", 0, 2**31),
        struct.pack("<HH2sHL", 0x7FE0, 0x10, b"OW", 0, 2**32 - 2),
        struct.pack("<HH2sHL", 0x7FE0, 0x10, b"OB", 0, 2**32 - 1),
        struct.pack("<HH2sHL", 0x0009, 0x1001, b"OB", 0, 2**32 - 1),
        struct.pack("<HH2sHL", 0x0008, 0x1140, b"SQ", 0, 16) + struct.pack("<HHL", 0xFFFE, 0xE000, 2**31) + bytes(8),
        struct.pack("<HHL", 0xFFFE, 0xE00D, 0),
        struct.pack("<HH2sH", 0x0010, 0x10, b"??", 0),
    ],
)
def test_lengths_that_lead_outside_are_refused(tmp_path, tail):
    data = make.meta() + make.element(8, 0x16, b"UI", b"1.2 ") + tail
    assert refusal(tmp_path, data).code in {"truncated", "corrupt"}


SMALL, BYTES, GREYS = make.phantom((6, 7)), make.smooth(most=255, dtype=np.uint8), make.phantom((8, 9))
AXIAL = {"ImageOrientationPatient": [1, 0, 0, 0, 1, 0]}


def coded(pixels, number, data):
    return make.dicom(pixels, syntax=make.jpeg(number), coded=[data])


_SEEDS = {
    "native": make.dicom(SMALL.view(np.int16), PixelSpacing=[1, 2], RescaleSlope="2", RescaleIntercept="-5"),
    "big": make.dicom(make.phantom((6, 7), np.uint8), syntax=make.BIG),
    "rle": make.dicom(np.stack([SMALL, SMALL]), syntax=make.RLE, coded=[make.rle(SMALL), make.rle(SMALL)]),
    "jpeg": coded(BYTES, 50, imagecodecs.jpeg8_encode(BYTES)),
    "lossless": coded(SMALL, 70, make.lossless_jpeg(SMALL, 16)),
    "jpegls": coded(SMALL, 80, imagecodecs.jpegls_encode(SMALL)),
    "jpeg2000": coded(GREYS, 90, imagecodecs.jpeg2k_encode(GREYS, codecformat="J2K")),
    "enhanced": make.enhanced(
        np.stack([SMALL, SMALL]),
        [make.group(PlanePositionSequence={"ImagePositionPatient": [0, 0, z]}) for z in (0, 1)],
        shared=make.group(PlaneOrientationSequence=AXIAL, PixelMeasuresSequence={"PixelSpacing": [1, 1]}),
    ),
    "deflated": make.dicom(SMALL, syntax=make.DEFLATED),
}

_EDITS = st.lists(
    st.tuples(st.integers(0, 4000), st.integers(0, 255), st.sampled_from(["set", "set", "cut", "add"])),
    min_size=1,
    max_size=6,
)


@pytest.mark.parametrize("kind", _SEEDS)
@settings(max_examples=examples(150), deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(edits=_EDITS)
@example(edits=[(140, 255, "set")])
@example(edits=[(3999, 0, "cut")])
def test_flipped_bits_give_an_image_or_a_refusal(tmp_path, kind, edits):
    data = damage(_SEEDS[kind], edits)
    outcome = attempt(tmp_path, data)
    if isinstance(outcome, Refused):
        assert outcome.message
        assert outcome.remedy
        assert "Canary" not in str(outcome)
    elif hasattr(outcome, "voxels"):
        assert outcome.voxels.nbytes < MEMORY


def test_refusals_say_nothing_of_the_patient(tmp_path):
    data = make.dicom(make.phantom(), Rows=99)
    assert b"Canary" in data
    assert "Canary" not in str(refusal(tmp_path, data))


def test_nothing_of_a_header_is_logged(tmp_path, caplog, capfd):
    wrong = {"SOPClassUID": "1.2.Canary", "Manufacturer": "Canary" * 40, "Modality": "canary!"}
    data = make.dicom(make.phantom(), ImageType=["canary", "canary"], RescaleSlope="1", **wrong)
    caplog.clear()  # of what pydicom said when it wrote
    capfd.readouterr()
    read(tmp_path / "one", data)
    refusal(tmp_path / "two", data.replace(b"DS\x02\x001 ", b"DS\x02\x00Ca"))
    assert "anary" not in caplog.text
    assert "anary" not in "".join(capfd.readouterr())


def test_open_files_stay_few_for_a_long_series(tmp_path):
    positions = make.along(range(60))
    files = make.keep(tmp_path, *make.series(positions, pixels=[make.phantom((4, 5))] * 60))
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = max(int(path.name) for path in Path("/proc/self/fd").iterdir())
    resource.setrlimit(resource.RLIMIT_NOFILE, (used + 8, limits[1]))
    try:
        assert READER.read(files, memory=MEMORY).depth == 60
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


# --- frames that end early within a file that is whole

_CODED = {
    "jpeg": (BYTES, 50, imagecodecs.jpeg8_encode(BYTES, level=95)),
    "jpeg of 12 bits": (make.smooth(), 51, imagecodecs.jpeg8_encode(make.smooth(), level=95, bitspersample=12)),
    "lossless": (GREYS, 70, make.lossless_jpeg(GREYS, 16)),
    "jpegls": (GREYS, 80, imagecodecs.jpegls_encode(GREYS)),
    "jpeg2000": (GREYS, 90, imagecodecs.jpeg2k_encode(GREYS, level=0, codecformat="J2K")),
    "htj2k": (make.phantom((64, 64)), 201, imagecodecs.htj2k_encode(make.phantom((64, 64)), reversible=True)),
}


@pytest.mark.parametrize("kind", _CODED)
@pytest.mark.parametrize("padding", [b"", b"\0" * 100])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.97])
def test_coded_frame_that_ends_early_is_refused(tmp_path, kind, share, padding):
    pixels, number, data = _CODED[kind]
    assert read(tmp_path / "whole", coded(pixels, number, data)).voxels.size == pixels.size
    short = data[: int(len(data) * share)] + padding
    assert refusal(tmp_path / "short", coded(pixels, number, short)).code in {"truncated", "corrupt"}


@pytest.mark.parametrize("kind", ["jpeg", "jpegls", "jpeg2000", "htj2k"])
def test_coded_frame_that_lost_its_middle_is_refused(tmp_path, kind):
    pixels, number, data = _CODED[kind]
    holed = data[: int(len(data) * 0.6)] + data[-2:]
    assert refusal(tmp_path, coded(pixels, number, holed)).code in {"truncated", "corrupt"}
