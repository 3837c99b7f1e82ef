"""Equal pixels have equal hashes, other pixels others; pictures that look alike have near perceptual hashes."""

import hashlib
import io
import zipfile

import numpy as np
import pytest
from PIL import Image

from medtheca.toolkit.images.hashes import hamming_distance, perceptual_hash, pixel_hash
from medtheca.toolkit.images.raster import Raster
from medtheca.toolkit.images.readers import DEFAULT_MEMORY, find_reader
from tests.generators import images as make
from tests.samples import needs_samples, sample_dir


def read(data):
    return find_reader("png" if data.startswith(b"\x89") else "jpeg").read(data, memory=DEFAULT_MEMORY).raster


def test_anyone_can_compute_the_pixel_hash():
    pixels = make.draw(5, 4)
    expected = hashlib.sha256(b"medtheca-pixels/1 rgb uint8 4x5x3\n" + pixels.tobytes()).digest()
    assert pixel_hash(read(make.write_png(pixels, greyscale=False))) == expected
    deep = np.arange(6, dtype=np.uint16).reshape(2, 3, 1) * 257 + 1
    expected = hashlib.sha256(b"medtheca-pixels/1 grey uint16 2x3x1\n" + deep.astype("<u2").tobytes()).digest()
    assert pixel_hash(read(make.write_png(deep, bitdepth=16))) == expected
    assert pixel_hash(Raster(deep.astype(">u2"), "grey", 16, 1, None)) == expected


def test_the_file_around_the_pixels_does_not_matter():
    pixels = make.draw(20, 10)
    plain = make.write_png(pixels, greyscale=False)
    others = [
        make.write_png(pixels, greyscale=False, interlace=True, compression=1),
        make.with_chunks(plain, *make.text_chunks(), make.exif_chunk(3)),
        make.with_chunks(plain, make.profile_chunk(make.srgb_profile())),
    ]
    assert {pixel_hash(read(data)) for data in others} == {pixel_hash(read(plain))}


def test_a_palette_is_what_its_colours_are():
    indices = np.array([[[0], [1]], [[1], [0]]])
    palette = [(1, 2, 3), (9, 8, 7)]
    colours = np.array(palette, dtype=np.uint8)[indices[:, :, 0]]
    by_palette = read(make.write_png(indices, greyscale=None, bitdepth=1, palette=palette))
    assert pixel_hash(by_palette) == pixel_hash(read(make.write_png(colours, greyscale=False)))


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_the_lowest_bit_of_one_sample_matters(bits, channels):
    samples = np.full((3, 4, channels), 100, np.uint16 if bits == 16 else np.uint8)
    changed = samples.copy()
    changed[2, 3, -1] ^= 1
    one, other = (read(make.write_png(s, bitdepth=bits)) for s in (samples, changed))
    assert pixel_hash(one) != pixel_hash(other)


def test_shape_and_model_matter():
    pixels = np.zeros((2, 6, 1), np.uint8)
    hashes = {
        pixel_hash(Raster(pixels, "grey", 8, 1, None)),
        pixel_hash(Raster(pixels.reshape(6, 2, 1), "grey", 8, 1, None)),
        pixel_hash(Raster(pixels.reshape(2, 2, 3), "rgb", 8, 1, None)),
        pixel_hash(Raster(pixels.reshape(1, 3, 4), "rgb+alpha", 8, 1, None)),
        pixel_hash(Raster(pixels.reshape(1, 3, 4), "cmyk", 8, 1, None)),
        pixel_hash(Raster(np.zeros((2, 3, 1), np.uint16), "grey", 16, 1, None)),
    }
    assert len(hashes) == 6


def draw_blobs(seed):
    """A picture with shapes at several scales."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 256, (7, 9), np.uint8))
    return coarse.resize((256, 192), Image.Resampling.BICUBIC)


def test_perceptual_hash_is_the_documented_one():
    picture = draw_blobs(1)
    small = np.asarray(picture.resize((32, 32), Image.Resampling.BOX), float)
    cosines = np.cos(np.outer(np.arange(1, 9), 2 * np.arange(32) + 1) * np.pi / 64)
    coefficients = (cosines @ small @ cosines.T).ravel()
    bits = coefficients > np.median(coefficients)
    expected = int("".join("01"[int(bit)] for bit in bits), 2)
    assert hamming_distance(perceptual_hash(picture), expected) <= 1  # Rounded cosines may turn a bit at the median.


def test_a_picture_stays_near_when_made_smaller_and_coarser():
    picture = draw_blobs(2)
    file = io.BytesIO()
    picture.resize((100, 75)).save(file, "JPEG", quality=40)
    assert hamming_distance(perceptual_hash(picture), perceptual_hash(Image.open(file))) <= 8


@needs_samples
def test_real_lesions_stay_near_to_themselves_and_far_from_others():
    with zipfile.ZipFile(sample_dir() / "isic2017" / "validation.zip") as archive:
        names = [name for name in archive.namelist() if name.endswith(".jpg")][:40]
        lesions = [Image.open(io.BytesIO(archive.read(name))) for name in names]
    hashes = [perceptual_hash(lesion) for lesion in lesions]
    smaller = [perceptual_hash(lesion.resize((100, 100))) for lesion in lesions]
    assert max(map(hamming_distance, hashes, smaller)) <= 8
    distances = [hamming_distance(a, b) for n, a in enumerate(hashes) for b in hashes[:n]]
    assert np.mean(np.array(distances) <= 8) < 0.01


def test_other_pictures_are_far():
    hashes = [perceptual_hash(draw_blobs(seed)) for seed in range(12)]
    distances = [hamming_distance(a, b) for n, a in enumerate(hashes) for b in hashes[:n]]
    assert min(distances) > 12
    assert max(hashes) < 1 << 64


def test_a_picture_of_one_colour_has_hash_zero():
    assert perceptual_hash(Image.new("L", (50, 40), 90)) == 0
