"""Readers give the pixels that were written, all bits of them, or refuse."""

import io

import numpy as np
import pytest
from PIL import Image, JpegImagePlugin

from medtheca.toolkit.errors import Refused
from medtheca.toolkit.images.readers import DEFAULT_MEMORY, READERS, find_reader
from tests.generators import images as make

JPEGS = make.jpegs()
PNGS = make.pngs()


def read(data, memory=DEFAULT_MEMORY):
    reader = find_reader("png" if data.startswith(b"\x89PNG") else "jpeg")
    return reader.read(data, memory=memory)


def test_readers_have_formats_of_their_own():
    assert [reader.format for reader in READERS] == ["jpeg", "png"]
    assert find_reader("dicom") is None


@pytest.mark.parametrize("kind", JPEGS)
def test_jpeg_pixels_are_those_of_pillow(kind):
    raster = read(JPEGS[kind]).raster
    with JpegImagePlugin.JpegImageFile(io.BytesIO(JPEGS[kind])) as image:
        expected = np.asarray(image)
    assert np.array_equal(raster.pixels, expected.reshape(raster.pixels.shape))
    assert raster.colour_model == {"L": "grey", "RGB": "rgb", "CMYK": "cmyk"}[image.mode]


@pytest.mark.parametrize("kind", PNGS)
def test_png_pixels_are_those_written(kind):
    data, expected = PNGS[kind]
    raster = read(data).raster
    assert raster.pixels.dtype == expected.dtype
    assert np.array_equal(raster.pixels, expected)
    assert raster.pixels.flags.c_contiguous


def test_cmyk_without_adobe_marker_is_read_like_one_with_it():
    data = make.jpeg("CMYK")
    at = data.index(b"Adobe") - 4
    bare = data[:at] + data[at + 16 :]
    assert np.array_equal(read(bare).raster.pixels, read(data).raster.pixels)


def test_scan_parameters_left_zero_by_a_camera_do_not_matter():
    data = bytearray(make.jpeg())
    at = data.index(b"\xff\xda") + 5 + 2 * 3
    assert data[at : at + 3] == bytes((0, 63, 0))
    data[at : at + 3] = bytes(3)
    reading = read(bytes(data))
    assert np.array_equal(reading.raster.pixels, read(make.jpeg()).raster.pixels)
    assert bytes(reading.public.data) == bytes(data)


def test_orientation_and_profile_are_reported_and_not_applied():
    profile = make.srgb_profile()
    data = make.insert(make.jpeg(), make.exif_segment(6), *make.icc_chunks(profile))
    raster = read(data).raster
    assert (raster.orientation, raster.icc) == (6, profile)
    assert (raster.width, raster.height, raster.upright_size) == (83, 61, (61, 83))


@pytest.mark.parametrize("process", ["baseline 4:2:0", "progressive", "CMYK", "restart markers"])
@pytest.mark.parametrize("share", [0.5, 0.8, 0.99])
def test_a_jpeg_cut_and_closed_again_is_refused(process, share):
    data = bytes(read(JPEGS[process]).public.data)
    scan = data.index(b"\xff\xda")
    cut = data[: scan + int((len(data) - scan) * share)].rstrip(b"\xff") + b"\xff\xd9"
    with pytest.raises(Refused) as refusal:
        read(cut)
    assert refusal.value.code in {"truncated", "corrupt"}


def test_jpeg_with_more_coded_data_than_pixels_is_refused():
    data = make.jpeg()
    with pytest.raises(Refused, match="extraneous"):
        read(data[:-2] + make.CANARY.encode() + data[-2:])


def test_jpeg_with_a_wrong_height_is_refused():
    data = bytearray(make.jpeg())
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 2] = (6100).to_bytes(2, "big")
    with pytest.raises(Refused):
        read(bytes(data))


def test_palette_index_without_a_colour_is_refused():
    indices = np.array([[[0], [3]]])
    data = make.write_png(indices, bitdepth=2, greyscale=None, palette=[(1, 2, 3)] * 4)
    whole = make.chunk(b"PLTE", bytes((1, 2, 3)) * 4)
    with pytest.raises(Refused, match="colour 3 of a palette of 3"):
        read(data.replace(whole, make.chunk(b"PLTE", bytes((1, 2, 3)) * 3)))


def test_a_flood_of_pixels_is_refused_by_its_header():
    data = make.huge_png()
    assert len(data) < 160_000
    with pytest.raises(Refused, match="40,000 by 30,000 = 1,200 million") as refusal:
        read(data)
    assert refusal.value.code == "too_many_pixels"
    jpeg = bytearray(make.jpeg())
    at = jpeg.index(b"\xff\xc0") + 5
    jpeg[at : at + 4] = b"\xff\xff\xff\xff"
    with pytest.raises(Refused, match="65,535 by 65,535"):
        read(bytes(jpeg))


def test_the_allowance_is_the_callers():
    data = make.jpeg(size=(100, 100))
    assert read(data, memory=40_000).raster.width == 100
    with pytest.raises(Refused, match="million pixels"):
        read(data, memory=39_999)


def test_a_picture_beyond_pillows_own_limit_is_read_without_warning():
    file = io.BytesIO()
    Image.new("1", (14_000, 13_000)).save(file, "PNG")  # 182 million pixels, one bit each
    assert read(file.getvalue()).raster.pixels.shape == (13_000, 14_000, 1)
