"""Redacted copies: black where boxes are, and every other pixel that of the original, upright."""

import io

import numpy as np
import pytest
from PIL import Image

from medtheca.toolkit.deidentify.png_chunks import parse_png
from medtheca.toolkit.images.examine import choose_reader, examine
from medtheca.toolkit.images.raster import Raster
from medtheca.toolkit.images.readers import DEFAULT_MEMORY
from medtheca.toolkit.images.redact import redact, upright
from medtheca.toolkit.images.reports import find_fault
from medtheca.toolkit.images.tasks import run
from medtheca.toolkit.renditions.colour import to_srgb
from medtheca.toolkit.renditions.pictures import _TURNS
from medtheca.toolkit.renditions.png import encode_png
from tests.generators import images as make

BOXES = [[0, 0, 1, 1], [5, 7, 20, 10], [50, 0, 3, 61], [70, 50, 500, 500]]
SAMPLES = {f"JPEG: {name}": sample for name, sample in make.jpegs().items()}
SAMPLES |= {f"PNG: {name}": sample for name, sample in make.pngs().items()}


def decode(data):
    return choose_reader(memoryview(data)).read(memoryview(data), memory=DEFAULT_MEMORY).raster


def file_of(sample):
    return sample if isinstance(sample, bytes) else sample[0]


@pytest.mark.parametrize("name", SAMPLES)
def test_pixels_outside_the_boxes_are_those_of_the_original(name):
    data = file_of(SAMPLES[name])
    before = upright(decode(data))

    report, parts = redact(memoryview(data), {"redactions": BOXES})

    assert find_fault(report, parts) == ""
    after = decode(parts["public"])
    inside = np.zeros(before.pixels.shape[:2], bool)
    for x, y, width, height in BOXES:
        inside[y : y + height, x : x + width] = True
    assert after.pixels.dtype == before.pixels.dtype
    assert np.array_equal(after.pixels[~inside], before.pixels[~inside])
    colours = after.pixels[inside]
    if after.colour_model.endswith("+alpha"):
        assert (colours[:, -1] == np.iinfo(colours.dtype).max).all()
        colours = colours[:, :-1]
    assert inside.any()
    assert not colours.any()
    assert after.icc == before.icc
    assert after.orientation == 1
    assert {chunk.name for chunk in parse_png(parts["public"]).chunks} <= {b"IHDR", b"iCCP", b"IDAT", b"IEND"}


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["jpeg", "png"])
def test_boxes_are_where_the_picture_shows_them(kind, orientation):
    if kind == "jpeg":
        data = make.insert(make.jpeg(), make.exif_segment(orientation))
    else:
        data = make.with_chunks(make.write_png(make.draw()), make.exif_chunk(orientation))
    stored = decode(data)
    assert stored.orientation == orientation
    turn = _TURNS.get(orientation)
    picture = Image.fromarray(stored.pixels)
    wanted = np.array(picture if turn is None else picture.transpose(turn))
    wanted[7:17, 5:25] = 0

    report, parts = redact(memoryview(data), {"redactions": [[5, 7, 20, 10]]})

    assert np.array_equal(np.asarray(Image.open(io.BytesIO(parts["public"]))), wanted)
    assert (report["width"], report["height"]) == (wanted.shape[1], wanted.shape[0])
    assert (report["upright_width"], report["orientation"]) == (report["width"], 1)


def test_nothing_of_the_camera_remains():
    data = make.insert(make.jpeg(size=(640, 480)), *make.every_secret(6))

    report, parts = redact(memoryview(data), {"redactions": [[0, 0, 10, 10]]})

    for part in parts.values():
        assert make.find_traces(part) == []
    kinds = [item["kind"] for item in report["removed"]]
    assert "comment" in kinds
    assert report["removed"][-1] == {"kind": "redaction", "bytes": 300}


def test_cmyk_becomes_what_is_shown_of_it():
    data = make.jpeg("CMYK", icc_profile=make.cmyk_profile())
    stored = decode(data)
    shown = to_srgb(Image.frombuffer("CMYK", (83, 61), stored.pixels, "raw", "CMYK", 0, 1), stored.icc)

    report, parts = redact(memoryview(data), {"redactions": [[0, 0, 10, 61]]})

    assert (report["colour_space"], report["icc"]) == ("sRGB", None)
    got = np.asarray(Image.open(io.BytesIO(parts["public"])))
    assert np.array_equal(got[:, 10:], np.asarray(shown)[:, 10:])


def test_hashes_and_renditions_are_those_of_the_copy():
    data = make.jpeg(size=(1500, 1100))

    report, parts = redact(memoryview(data), {"redactions": [[0, 0, 700, 1100]]})
    again, renditions = examine(memoryview(parts["public"]), {})

    before, _ = examine(memoryview(data), {})
    for name in ("pixel_hash", "perceptual_hash"):
        assert report[name] == again[name] != before[name]
    assert (parts["thumbnail"], parts["web"]) == (renditions["thumbnail"], renditions["web"])
    with Image.open(io.BytesIO(parts["thumbnail"])) as small:
        assert np.asarray(small)[:, :100].max() < 8
        assert np.asarray(small)[:, 140:].max() > 100


def test_the_task_redacts_only_where_boxes_are_named():
    data = memoryview(make.jpeg())

    assert run(data, {})[0] == examine(data, {})[0]
    assert run(data, {"redactions": [[0, 0, 1, 1]]})[0]["format"] == "png"


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize(("model", "channels"), [("grey", 1), ("grey+alpha", 2), ("rgb", 3), ("rgb+alpha", 4)])
@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (37, 211)])
def test_every_kind_of_pixels_comes_back_from_png(dtype, model, channels, shape):
    chance = np.random.default_rng(7)
    smooth = np.linspace(0, np.iinfo(dtype).max, shape[1])[None, :, None] * np.ones((shape[0], 1, channels))
    noisy = chance.integers(0, np.iinfo(dtype).max, (*shape, channels), endpoint=True)
    for samples in (smooth.astype(dtype), noisy.astype(dtype)):
        raster = Raster(samples, model, samples.dtype.itemsize * 8, 1, None)
        assert np.array_equal(decode(encode_png(raster)).pixels, samples)


def test_large_pictures_go_through_in_bands():
    samples = np.random.default_rng(1).integers(0, 255, (2100, 1700, 3), dtype=np.uint8) // 64
    raster = Raster(samples, "rgb", 8, 1, make.srgb_profile())

    after = decode(encode_png(raster))

    assert np.array_equal(after.pixels, samples)
    assert after.icc == raster.icc
