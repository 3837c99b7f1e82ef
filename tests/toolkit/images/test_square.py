"""Squares of pictures: which pixels, in which colours, and what is refused with which words."""

import io

import numpy as np
import pytest
from PIL import Image

from medtheca.toolkit.deidentify.png_chunks import parse_png
from medtheca.toolkit.errors import Refused
from medtheca.toolkit.images.square import (
    LEAST,
    SIDES,
    Square,
    cut_square,
    find_square_fault,
    options_for_square,
)
from medtheca.toolkit.images.tasks import run
from tests.factories.pictures import animated, corners, pixels_of, quarters, saved
from tests.generators import images as make


def cut(data, square=None):
    report, parts = run(memoryview(data), options_for_square(square))
    assert find_square_fault(report, parts) == ""
    return report, {name: pixels_of(part) for name, part in parts.items()}


def refusal(data, square=None):
    with pytest.raises(Refused) as refused:
        cut_square(memoryview(data), options_for_square(square))
    return refused.value


RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def test_the_middle_is_taken_where_nothing_is_said():
    report, made = cut(saved(quarters()))
    assert report == {"width": 1300, "height": 700, "square": [300, 0, 700]}
    assert {name: pixels.shape for name, pixels in made.items()} == {
        name: (side, side, 3) for name, side in SIDES.items()
    }
    for pixels in made.values():
        assert corners(pixels) == [RED, GREEN, BLUE, WHITE]


def test_a_square_of_the_least_size_is_taken_pixel_by_pixel():
    pixels = make.draw(900, 800, seed=3)
    _, made = cut(saved(pixels), Square(101, 57, LEAST))
    assert np.array_equal(made["large"], pixels[57 : 57 + LEAST, 101 : 101 + LEAST])


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_the_square_is_one_of_the_upright_picture(orientation, kind):
    upright = Image.fromarray(quarters())
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }.get(orientation)
    stored = upright if undo is None else upright.transpose(undo)
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = io.BytesIO()
    stored.save(file, kind, exif=exif, **({"quality": 95, "subsampling": 0} if kind == "JPEG" else {}))
    report, made = cut(file.getvalue(), Square(0, 0, 640))
    assert (report["width"], report["height"]) == (1300, 700)
    # All of it lies in the left half, and the lower edge of the red one at 350.
    near = np.array([made["large"][300, 200], made["large"][600, 200]], int)
    assert np.abs(near - np.array([RED, BLUE])).max() < 8


def test_transparent_parts_become_white():
    pixels = np.dstack([quarters(700, 700), np.zeros((700, 700), np.uint8)])
    pixels[:350, :350, 3] = 255
    _, made = cut(saved(pixels))
    assert corners(made["large"]) == [RED, WHITE, WHITE, WHITE]


def test_colours_are_those_of_srgb():
    plain, swapped = (
        cut(saved(quarters(700, 700), icc_profile=profile))[1]["large"]
        for profile in (make.srgb_profile(), make.swapped_profile())
    )
    assert corners(plain) == [RED, GREEN, BLUE, WHITE]
    assert corners(swapped)[0] != RED


def deep(mode):
    picture = quarters(700, 700).astype(np.uint16) * 257
    return make.write_png(picture[:, :, :1] if mode == "grey" else picture, greyscale=mode == "grey", bitdepth=16)


ODD = {
    "16 bits of colour": (deep("rgb"), [RED, GREEN, BLUE, WHITE]),
    "16 bits of grey": (deep("grey"), [WHITE, (0, 0, 0), (0, 0, 0), WHITE]),
    "a palette": (saved(quarters(700, 700), mode="P"), [RED, GREEN, BLUE, WHITE]),
    "two colours": (saved(quarters(700, 700)[:, :, 0], mode="1"), [WHITE, (0, 0, 0), (0, 0, 0), WHITE]),
    "grey JPEG": (saved(quarters(700, 700)[:, :, 0], "JPEG"), [WHITE, (0, 0, 0), (0, 0, 0), WHITE]),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_kinds_are_shown_as_they_look(name):
    data, expected = ODD[name]
    for pixels in cut(data)[1].values():
        assert np.abs(np.array(corners(pixels), int) - np.array(expected)).max() < 4


def test_cmyk_becomes_srgb():
    _, made = cut(saved(quarters(700, 700), "JPEG", mode="CMYK", quality=95, subsampling=0))
    red, *_, white = corners(made["large"])
    assert red[0] > 200
    assert max(red[1:]) < 80
    assert min(white) > 245


def test_nothing_but_pixels_is_kept():
    data = make.insert(saved(quarters(), "JPEG"), *make.every_secret(6))
    assert make.find_traces(data)
    report, parts = cut_square(memoryview(data), options_for_square(None))
    assert (report["width"], report["height"]) == (700, 1300)
    for part in parts.values():
        assert {chunk.name for chunk in parse_png(part).chunks} == {b"IHDR", b"IDAT", b"IEND"}
        assert make.find_traces(part) == []


def test_too_small_is_said_with_both_sizes():
    found = refusal(saved(quarters(2000, 639)))
    assert found.code == "too_small"
    assert "2,000 by 639 pixels; 640" in str(found)
    assert refusal(saved(np.zeros((1, 1, 3), np.uint8))).code == "too_small"


@pytest.mark.parametrize(
    ("square", "words"),
    [
        (Square(700, 0, 640), "left edge is 660 at most"),
        (Square(0, 61, 640), "upper edge 60"),
        (Square(0, 0, 701), "side is 700 at most"),
        (Square(0, 0, 639), "640 pixels are the least"),
        (Square(-1, 0, 640), "does not lie within"),
    ],
)
def test_a_square_lies_within_the_picture(square, words):
    found = refusal(saved(quarters()), square)
    assert found.code == "bad_square"
    assert words in str(found)


HOSTILE = {
    "nothing": (b"", "empty"),
    "a GIF": (saved(quarters(700, 700), "GIF"), "wrong_format"),
    "an SVG": (b'<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>', "wrong_format"),
    "a web page": (b"<!doctype html><script>alert(1)</script>", "wrong_format"),
    "noise": (bytes(range(1, 200)), "wrong_format"),
    "an animation": (animated(), "animated"),
    "a bomb": (make.huge_png(), "too_many_pixels"),
    "half a PNG": (saved(quarters())[:900], "truncated"),
    "half a JPEG": (saved(quarters(), "JPEG")[:9000], "truncated"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_still_picture_is_refused(name):
    data, code = HOSTILE[name]
    found = refusal(data)
    assert found.code == code
    assert found.message.endswith(".")
    assert found.remedy


def test_what_a_decoder_says_is_not_believed():
    report, parts = cut_square(memoryview(saved(quarters())), options_for_square(None))
    assert find_square_fault(report, parts) == ""
    for lie in (
        parts | {"more": b""},
        {"large": parts["large"]},
        parts | {"small": parts["large"]},
        parts | {"large": b"<!doctype html><script>alert(1)</script>"},
        parts | {"large": parts["large"] + bytes(9_000_000)},
    ):
        assert find_square_fault(report, lie)
    for lie in ({}, {"square": "0"}, {"square": [0, True, 640]}, {"square": [0, 0]}):
        assert find_square_fault(lie, parts)


@pytest.mark.parametrize("text", ["", "1,2", "1,2,3,4", "-1,0,640", "a,b,c", "1.5,0,640", "1" * 10 + ",0,1"])
def test_a_square_in_words_has_three_numbers(text):
    with pytest.raises(ValueError, match="as 0,120,640"):
        Square.parse(text)
