"""Tomograms of Topcon: voxels against Pillow's own JPEG 2000, geometry by the device's numbers, damage refused."""

import io
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from medtheca.toolkit.errors import Refused
from medtheca.toolkit.images.files import Files
from medtheca.toolkit.images.readers.oct import OctReader
from tests.generators import octs
from tests.plugins.thoroughness import examples
from tests.samples import needs_samples, sample_dir

MEMORY = 100_000_000
VOXELS = np.random.default_rng(7).integers(0, 65536, (3, 20, 12)).astype(np.uint16)


@pytest.fixture
def read(tmp_path):
    def read(data, memory=MEMORY):
        (tmp_path / "scan").write_bytes(data)
        return OctReader().read(Files(tmp_path, ("scan",)), memory=memory)

    return read


@pytest.mark.parametrize("make", [octs.fds, octs.fda])
def test_every_voxel_lies_where_the_device_put_it(read, make):
    volume = read(make(VOXELS, octs.sizes(across=6.0, over=4.5, depth=3.5), octs.captured(0), octs.hardware()))
    np.testing.assert_array_equal(volume.voxels[0], VOXELS)
    assert volume.geometry.spacing == pytest.approx((6.0 / 12, 0.0035, 4.5 / 3))
    assert (volume.facts.laterality, volume.facts.modality, volume.facts.model) == ("R", "OPT", "3DOCT-1000MK2")


def test_slices_of_8_bits_stay_so(read):
    few = (VOXELS >> 8).astype(np.uint8)
    volume = read(octs.fda(few))
    assert volume.voxels.dtype == np.uint8
    np.testing.assert_array_equal(volume.voxels[0], few)


def test_a_scan_that_does_not_say_how_large_it_is_says_so(read):
    volume = read(octs.fds(VOXELS))
    assert volume.geometry.spacing is None
    assert "how large" in volume.notes[0]


@pytest.mark.parametrize("wrong", [0.0, -1.0, float("nan"), float("inf"), 1e9])
def test_sizes_that_no_scan_has_are_not_taken_over(read, wrong):
    assert read(octs.fds(VOXELS, octs.sizes(across=wrong))).geometry.spacing is None


def test_nothing_of_the_patient_is_taken_over(read):
    volume = read(octs.fds(VOXELS, octs.patient("Erika Mustermann"), octs.hardware("x\x1b")))
    assert "Mustermann" not in repr(volume.facts) + repr(volume.notes)
    assert volume.facts.model is None


@needs_samples
def test_the_real_fda_against_pillow():
    path = sample_dir() / "fda/fda_minimized.fda"
    volume = OctReader().read(Files(path.parent, (path.name,)), memory=MEMORY)
    data = path.read_bytes()
    start = data.index(b"@IMG_JPEG") + len(b"@IMG_JPEG") + 4 + 25
    (size,) = struct.unpack_from("<I", data, start)
    with Image.open(io.BytesIO(data[start + 4 : start + 4 + size])) as picture:
        np.testing.assert_array_equal(volume.voxels[0, 0], np.asarray(picture))
    assert volume.facts.laterality == "L"


@needs_samples
def test_the_real_fds_byte_by_byte():
    path = sample_dir() / "fds/fds_minimized.fds"
    volume = OctReader().read(Files(path.parent, (path.name,)), memory=MEMORY)
    data = path.read_bytes()
    start = data.index(b"@IMG_SCAN_03") + len(b"@IMG_SCAN_03") + 4 + 22
    expected = struct.unpack_from("<24H", data, start)
    assert volume.voxels.ravel().tolist() == list(expected)
    assert volume.voxels.shape == (1, 4, 3, 2)


@pytest.mark.parametrize("make", [octs.fds, octs.fda])
def test_a_file_cut_off_anywhere_is_refused(read, make):
    whole = make(VOXELS)
    for length in [*range(120), *range(120, len(whole) - 1, 97), len(whole) - 1]:
        with pytest.raises(Refused) as refusal:
            read(whole[:length])
        assert refusal.value.code in {"truncated", "corrupt", "unsupported_variant"}, length


@pytest.mark.parametrize("number", [2**32 - 1, 2**31, 0])
@pytest.mark.parametrize("place", [1, 5, 13])
def test_a_header_that_lies_about_size_is_refused_before_room_is_made(read, place, number):
    data = bytearray(octs.fds(VOXELS))
    start = data.index(b"@IMG_SCAN_03") + len(b"@IMG_SCAN_03") + 4
    data[start + place : start + place + 4] = struct.pack("<I", number)
    with pytest.raises(Refused) as refusal:
        read(bytes(data))
    assert refusal.value.code in {"too_many_pixels", "corrupt"}


def test_a_slice_that_is_larger_than_the_scan_is_not_decoded(read):
    data = octs.fda(VOXELS)
    large = octs.fda(np.zeros((1, 40, 40), np.uint16))
    start = large.index(b"\xff\x4f\xff\x51")
    coded = large[start:-1]
    at = data.index(b"\xff\x4f\xff\x51")
    (size,) = struct.unpack_from("<I", data, at - 4)
    cut = data[:at] + coded.ljust(size, b"\0")[:size] + data[at + size :]
    with pytest.raises(Refused) as refusal:
        read(cut)
    assert refusal.value.code == "corrupt"


@settings(max_examples=examples(150), deadline=None)
@given(st.data())
def test_flipped_bits_are_read_or_refused(tmp_path_factory, data):
    whole = bytearray(octs.fda(VOXELS[:1], octs.sizes()))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(whole) - 1))
        whole[place] ^= 1 << data.draw(st.integers(0, 7))
    folder = tmp_path_factory.mktemp("oct")
    (folder / "scan").write_bytes(whole)
    try:
        volume = OctReader().read(Files(folder, ("scan",)), memory=MEMORY)
    except Refused:
        return
    assert volume.voxels.nbytes < MEMORY
