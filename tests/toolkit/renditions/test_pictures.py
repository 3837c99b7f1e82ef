"""Thumbnails and web pictures look right: upright, in the right colours, of the right size."""

import io

import numpy as np
import pytest
from PIL import Image, ImageOps

from medtheca.toolkit.images.raster import Raster
from medtheca.toolkit.images.readers import DEFAULT_MEMORY, find_reader
from medtheca.toolkit.renditions import pictures, recipes, shrink
from tests.generators import images as make

RED, GREEN, BLUE, WHITE = (200, 30, 30), (30, 160, 30), (30, 30, 200), (255, 255, 255)


def read(data):
    return find_reader("png" if data.startswith(b"\x89") else "jpeg").read(data, memory=DEFAULT_MEMORY).raster


def one_colour(colour, width=40, height=30):
    return np.full((height, width, len(colour)), colour, np.uint8)


def open_rendition(rendition):
    image = Image.open(io.BytesIO(rendition.data))
    assert image.format == "JPEG"
    assert image.size == (rendition.width, rendition.height)
    assert not set(image.info) & {"exif", "icc_profile", "comment"}
    return image


def middle(rendition):
    image = open_rendition(rendition).convert("RGB")
    return image.getpixel((image.width // 2, image.height // 2))


def near(colour, expected, by=6):
    return all(abs(a - b) <= by for a, b in zip(colour, expected, strict=True))


@pytest.mark.parametrize(
    ("size", "small", "large"),
    [
        ((1024, 768), (256, 192), (1024, 768)),
        ((1025, 768), (256, 192), (1024, 767)),
        ((3000, 10), (256, 1), (1024, 3)),
        ((10, 3000), (1, 256), (3, 1024)),
        ((7, 13), (7, 13), (7, 13)),
        ((1, 1), (1, 1), (1, 1)),
    ],
)
def test_sizes(size, small, large):
    raster = Raster(one_colour(RED, *size), "rgb", 8, 1, None)
    assert open_rendition(pictures.thumbnail(raster)).size == small
    assert open_rendition(pictures.web_picture(raster)).size == large
    assert near(middle(pictures.thumbnail(raster)), RED)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("size", [(60, 40), (700, 500)])
def test_upright_as_pillow_turns_it(orientation, size):
    pixels = np.zeros((size[1], size[0], 3), np.uint8)
    half_x, half_y = size[0] // 2, size[1] // 2
    pixels[:half_y, :half_x], pixels[:half_y, half_x:], pixels[half_y:, :half_x] = RED, GREEN, BLUE
    stored = Image.fromarray(pixels)
    exif = Image.Exif()
    exif[0x112] = orientation
    stored.info["exif"] = exif.tobytes()
    stored.getexif()[0x112] = orientation
    expected = ImageOps.exif_transpose(stored)
    shown = open_rendition(pictures.thumbnail(Raster(pixels, "rgb", 8, orientation, None)))
    expected = expected.resize(shown.size, Image.Resampling.BOX)
    for x in (shown.width // 4, 3 * shown.width // 4):
        for y in (shown.height // 4, 3 * shown.height // 4):
            assert near(shown.getpixel((x, y)), expected.getpixel((x, y)))


def test_cmyk_keeps_its_colours():
    file = io.BytesIO()
    Image.fromarray(one_colour(RED)).convert("CMYK").save(file, "JPEG", quality=95)
    assert near(middle(pictures.thumbnail(read(file.getvalue()))), RED)


def test_cmyk_goes_by_its_profile():
    cyan = np.full((20, 20, 4), (255, 0, 0, 0), np.uint8)
    plain = Raster(cyan, "cmyk", 8, 1, None)
    profiled = Raster(cyan, "cmyk", 8, 1, make.cmyk_profile())
    assert near(middle(pictures.thumbnail(plain)), (0, 255, 255))
    red, green, blue = middle(pictures.thumbnail(profiled))
    assert red > 200
    assert max(green, blue) < 60


def test_rgb_goes_by_its_profile():
    pixels = one_colour((255, 0, 0))
    red, green, _ = middle(pictures.thumbnail(Raster(pixels, "rgb", 8, 1, make.swapped_profile())))
    assert green > 240
    assert red < 20
    assert near(middle(pictures.thumbnail(Raster(pixels, "rgb", 8, 1, make.srgb_profile()))), (255, 0, 0))


@pytest.mark.parametrize(
    "profile", [b"", make.CANARY.encode() * 30, make.cmyk_profile(), make.srgb_profile()[:200], b"\xda" * 400]
)
def test_a_profile_that_does_not_fit_is_not_used(profile):
    raster = Raster(one_colour(GREEN), "rgb", 8, 1, profile)
    assert near(middle(pictures.thumbnail(raster)), GREEN)


def test_transparent_parts_are_white():
    pixels = np.concatenate([one_colour(BLUE), np.full((30, 40, 1), 255, np.uint8)], 2)
    assert near(middle(pictures.thumbnail(Raster(pixels, "rgb+alpha", 8, 1, None))), BLUE)
    pixels[:, :, 3] = 0
    assert near(middle(pictures.thumbnail(Raster(pixels, "rgb+alpha", 8, 1, None))), WHITE, by=0)
    pixels[:, :, 3] = 128
    assert near(middle(pictures.thumbnail(Raster(pixels, "rgb+alpha", 8, 1, None))), (142, 142, 227))


@pytest.mark.parametrize(
    ("brightest", "value", "shown"),
    [
        (65535, 65535, 255),
        (65535, 32768, 128),
        (4095, 4095, 255),
        (4095, 2048, 128),
        (1023, 512, 128),
        (20000, 20000, 78),
        (0, 0, 0),
    ],
)
def test_16_bit_grey_is_shown_in_the_range_it_uses(brightest, value, shown):
    pixels = np.full((30, 40, 1), value, np.uint16)
    pixels[0, 0] = brightest
    level = open_rendition(pictures.thumbnail(Raster(pixels, "grey", 16, 1, None))).getpixel((20, 15))
    assert abs(level - shown) <= 2


def test_16_bit_colour_is_scaled_to_8():
    pixels = np.array(RED, np.uint16) * 257 * np.ones((30, 40, 1), np.uint16)
    assert near(middle(pictures.thumbnail(Raster(pixels, "rgb", 16, 1, None))), RED)


@pytest.mark.parametrize("model", ["grey", "rgb", "rgb+alpha", "cmyk"])
@pytest.mark.parametrize("longest", [256, 100, 17])
def test_large_pictures_come_out_the_same_in_bands(monkeypatch, model, longest):
    rng = np.random.default_rng(1)
    channels = {"grey": 1, "rgb": 3, "rgb+alpha": 4, "cmyk": 4}[model]
    raster = Raster(rng.integers(0, 256, (611, 803, channels), np.uint8), model, 8, 1, None)
    whole = np.asarray(shrink.shrink(raster, longest))
    monkeypatch.setattr(shrink, "_BAND_PIXELS", 50_000)
    assert np.array_equal(np.asarray(shrink.shrink(raster, longest)), whole)


def test_a_thumbnail_is_near_to_one_resampled_whole():
    pixels = make.draw(1024, 768)
    shown = np.asarray(shrink.shrink(Raster(pixels, "rgb", 8, 1, None), 256), float)
    whole = np.asarray(Image.fromarray(pixels).resize((256, 192), Image.Resampling.LANCZOS), float)
    error = np.mean((shown - whole) ** 2)
    assert 10 * np.log10(255**2 / error) > 40


def test_recipes_name_what_made_them():
    raster = Raster(one_colour(RED), "rgb", 8, 1, None)
    assert pictures.thumbnail(raster).recipe == recipes.THUMBNAIL
    assert pictures.web_picture(raster).recipe == recipes.WEB
    assert "pillow-" in recipes.WEB
    assert "simplejpeg-" in recipes.WEB
