"""TIFF that is damaged or lies: refused with a reason, in little memory, by no crash."""

import struct
import tracemalloc
from contextlib import contextmanager

import imagecodecs
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from medtheca.toolkit.errors import Refused
from medtheca.toolkit.images.volume import Volume
from tests.generators import slides as make
from tests.generators.images import damage
from tests.plugins.thoroughness import examples
from tests.toolkit.images.tiff_common import PICTURE, read, refuse, write


@contextmanager
def memory_below(most):
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < most
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("photometric", [8, 9, 32803, 32844])
def test_colours_that_are_not_understood_are_refused(tmp_path, photometric):
    path = write(tmp_path / "a.tif", PICTURE, photometric="rgb")
    data = bytearray(path.read_bytes())
    at = data.index(struct.pack("<HHI", 262, 3, 1))
    data[at + 8 : at + 10] = struct.pack("<H", photometric)
    path.write_bytes(data)
    assert refuse(path) == "unsupported_variant"


def _with(number, values, *, big=False):
    tags, pieces = make.page(PICTURE, tiled=False, coding="raw")
    tags[number] = values
    return make.tiff([(tags, pieces)], big=big)


@pytest.mark.parametrize(
    ("number", "value", "code"),
    [
        (256, 1 << 31, "corrupt"), (257, 1 << 31, "corrupt"), (256, (1 << 24) - 1, "too_many_pixels"),
        (277, 60000, "unsupported_variant"),
        (256, 0, "corrupt"), (257, 4000, "corrupt"), (278, 0, None), (259, 99, "unsupported_variant"),
    ],
)  # fmt: skip
def test_headers_that_lie_about_size_are_refused_without_memory(tmp_path, number, value, code):
    path = tmp_path / "a.tif"
    path.write_bytes(_with(number, (make.LONG, value)))
    with memory_below(10_000_000):
        if code is None:
            assert np.array_equal(read(path).voxels[0, 0], PICTURE)
        else:
            assert refuse(path) == code


def test_counts_up_to_2_to_the_60_and_offsets_outside_are_refused(tmp_path):
    whole = _with(256, (make.LONG, 150), big=True)
    path = tmp_path / "a.tif"
    first = struct.unpack_from("<Q", whole, 8)[0]
    for at in (first, first + 8 + 20 * 2 + 4, first + 8 + 20 * 3 + 4, first + 8 + 20 * 3 + 12):
        for value in (1 << 60, (1 << 64) - 1, len(whole)):
            data = bytearray(whole)
            struct.pack_into("<Q", data, at, value)
            path.write_bytes(data)
            assert refuse(path) in {"truncated", "corrupt", "unsupported_variant"}


def test_directories_in_a_circle_are_refused(tmp_path):
    data = bytearray(_with(256, (make.LONG, 150)))
    first = struct.unpack_from("<I", data, 4)[0]
    entries = struct.unpack_from("<H", data, first)[0]
    struct.pack_into("<I", data, first + 2 + 12 * entries, first)
    (tmp_path / "a.tif").write_bytes(data)
    assert refuse(tmp_path / "a.tif") == "corrupt"


@pytest.mark.parametrize(
    ("code", "pack"),
    [
        (8, imagecodecs.zlib_encode),
        (50000, imagecodecs.zstd_encode),
        (5, imagecodecs.lzw_encode),
        (34925, imagecodecs.lzma_encode),
    ],
)
def test_strip_that_swells_is_never_unpacked_whole(tmp_path, code, pack):
    tags, _ = make.page(PICTURE, tiled=False, coding="raw")
    tags[259] = (make.SHORT, code)
    path = tmp_path / "a.tif"
    path.write_bytes(make.tiff([(tags, [pack(bytes(80_000_000))])]))
    with memory_below(10_000_000):
        if code in {5, 34925}:
            # These codecs stop where enough has come out: the picture is black, as its strip says.
            assert not read(path).voxels.any()
        else:
            assert refuse(path) == "corrupt"


def test_jpeg_that_breaks_off_is_refused(tmp_path):
    tags, (coded,) = make.page(PICTURE, tiled=False)
    (tmp_path / "a.tif").write_bytes(make.tiff([(tags, [coded[: len(coded) // 2]])]))
    assert refuse(tmp_path / "a.tif") == "corrupt"


WHOLE = [
    make.tiff([make.page(PICTURE)]),
    make.tiff([make.page(PICTURE, tiled=False, coding="raw")], big=True),
    make.generic(PICTURE, levels=2),
    make.aperio(make.tissue(128, 128)),
]
EDITS = st.lists(
    st.tuples(st.integers(0, 1 << 20), st.integers(0, 255), st.sampled_from(["set", "cut", "add"])),
    min_size=1,
    max_size=6,
)


@settings(max_examples=examples(250), deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(
    which=st.integers(0, len(WHOLE) - 1),
    edits=EDITS,
    cut=st.one_of(st.none(), st.integers(0, 60_000)),
    tail=st.booleans(),
)
def test_damaged_files_are_read_or_refused_and_nothing_else(tmp_path_factory, which, edits, cut, tail):
    data = WHOLE[which]
    # Directories lie at the end: half of the damage goes there.
    edits = [(len(data) - 1 - place % 900 if tail else place, value, how) for place, value, how in edits]
    data = damage(data, edits)
    path = tmp_path_factory.getbasetemp() / "damaged.tif"
    path.write_bytes(data if cut is None else data[:cut])
    codes = set()
    try:
        content = read(path, memory=50_000_000)
        if not isinstance(content, Volume):
            content.region(0, 0, 0, 64, 64)
            content.close()
    except Refused as refusal:
        codes.add(refusal.code)
    assert codes <= {"truncated", "corrupt", "unsupported_variant", "too_many_pixels"}
