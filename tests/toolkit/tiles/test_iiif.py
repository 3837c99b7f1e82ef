"""IIIF Image API 3: requests understood or refused exactly, answered by a tile as it is or by pixels that are right."""

import io
import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from medtheca.toolkit.errors import Refused
from medtheca.toolkit.images.picture_slide import PictureSlide
from medtheca.toolkit.renditions.pyramid import write
from medtheca.toolkit.tiles import iiif
from medtheca.toolkit.tiles.iiif_request import MOST_AREA, parse_request
from medtheca.toolkit.tiles.index import tile_bytes
from medtheca.toolkit.tiles.render import render_region
from tests.generators import slides as make

SIZE = (700, 530)
PICTURE = make.tissue(*SIZE)


@pytest.fixture(scope="module")
def pyramid(tmp_path_factory):
    path = tmp_path_factory.mktemp("iiif") / "p.tif"
    with path.open("wb") as file:
        made = write(PictureSlide(PICTURE), file)
    descriptor = os.open(path, os.O_RDONLY)
    yield descriptor, made.index
    os.close(descriptor)


def ask(region="full", scale="max", rotation="0", *, quality="default", form="jpg", size=SIZE):
    return parse_request(size, region=region, scale=scale, rotation=rotation, quality=quality, form=form)


def shape(request):
    return request.x, request.y, request.region_width, request.region_height, request.width, request.height


@pytest.mark.parametrize(
    ("region", "scale", "expected"),
    [
        ("full", "max", (0, 0, 700, 530, 700, 530)), ("square", "max", (85, 0, 530, 530, 530, 530)),
        ("10,20,30,40", "max", (10, 20, 30, 40, 30, 40)), ("690,500,100,100", "max", (690, 500, 10, 30, 10, 30)),
        ("pct:10,10,50,50", "max", (70, 53, 350, 265, 350, 265)),
        ("pct:33.3,0,10.5,100", "max", (233, 0, 74, 530, 74, 530)),
        ("full", "350,", (0, 0, 700, 530, 350, 265)), ("full", ",53", (0, 0, 700, 530, 70, 53)),
        ("full", "100,100", (0, 0, 700, 530, 100, 100)), ("full", "!100,100", (0, 0, 700, 530, 100, 76)),
        ("full", "pct:50", (0, 0, 700, 530, 350, 265)), ("full", "^1400,", (0, 0, 700, 530, 1400, 1060)),
        ("0,0,10,10", "^!40,60", (0, 0, 10, 10, 40, 40)), ("0,0,10,10", "!15,60", (0, 0, 10, 10, 10, 10)),
        ("0,0,10,10", "^pct:200", (0, 0, 10, 10, 20, 20)),
    ],
)  # fmt: skip
def test_region_and_size_are_understood(region, scale, expected):
    assert shape(ask(region, scale)) == expected


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ({"region": "700,0,10,10"}, "bad_region"), ({"region": "0,530,10,10"}, "bad_region"),
        ({"region": "0,0,0,10"}, "bad_region"), ({"region": "-1,0,10,10"}, "bad_region"),
        ({"region": "pct:100,0,1,1"}, "bad_region"), ({"region": "0,0,10"}, "bad_region"),
        ({"region": ""}, "bad_region"),
        ({"region": "٣,0,10,10"}, "bad_region"), ({"region": "1.5,0,10,10"}, "bad_region"),
        ({"scale": "701,"}, "bad_size"), ({"scale": "0,"}, "bad_size"), ({"scale": ",0"}, "bad_size"),
        ({"scale": ","}, "bad_size"), ({"scale": "full"}, "bad_size"), ({"scale": "pct:101"}, "bad_size"),
        ({"scale": "pct:0.01"}, "bad_size"), ({"scale": "^9000,"}, "bad_size"), ({"scale": "!10,"}, "bad_size"),
        ({"scale": "10,-1"}, "bad_size"), ({"scale": "^^10,"}, "bad_size"), ({"scale": "!1400,1060"}, "bad_size"),
        ({"rotation": "361"}, "bad_rotation"), ({"rotation": "-90"}, "bad_rotation"),
        ({"rotation": "x"}, "bad_rotation"),
        ({"rotation": "22.5"}, "unsupported_rotation"), ({"quality": "grey"}, "bad_quality"),
        ({"form": "bmp"}, "bad_format"), ({"form": "webp"}, "unsupported_format"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_by_its_name(words, code):
    with pytest.raises(Refused) as refused:
        ask(**words)
    assert refused.value.code == code


@settings(max_examples=500, deadline=None)
@given(words=st.tuples(*[st.text(alphabet="0123456789,.!^pct:maxful-", max_size=14)] * 3))
def test_any_words_are_understood_or_refused(words):
    try:
        request = ask(*words)
    except Refused:
        return
    assert 0 < request.width * request.height <= MOST_AREA
    assert request.x + request.region_width <= SIZE[0]
    assert request.y + request.region_height <= SIZE[1]


def test_largest_size_is_bounded():
    request = ask(size=(100_000, 50_000))
    assert request.width * request.height <= MOST_AREA
    assert request.width / request.height == pytest.approx(2, rel=0.01)


def test_every_tile_of_the_description_is_a_tile_as_it_is(pyramid):
    descriptor, index = pyramid
    told = iiif.describe(index, "https://example.org/iiif/1")
    assert told["profile"] == "level2"
    assert (told["width"], told["height"]) == SIZE
    tile = told["tiles"][0]
    seen = set()
    for factor in tile["scaleFactors"]:
        step = tile["width"] * factor
        for x in range(0, SIZE[0], step):
            for y in range(0, SIZE[1], step):
                across, down = min(step, SIZE[0] - x), min(step, SIZE[1] - y)
                request = ask(f"{x},{y},{across},{down}", f"{-(-across // factor)},{-(-down // factor)}")
                found = iiif.find_whole_tile(index, request)
                picture = Image.open(io.BytesIO(tile_bytes(descriptor, index, *found)))
                assert picture.size == (request.width, request.height)
                seen.add(found)
    assert len(seen) == sum(level.columns * level.rows for level in index.levels[: len(tile["scaleFactors"])])
    for size in told["sizes"]:
        request = ask(scale=f"{size['width']},{size['height']}")
        assert iiif.make_plan(index, request).width == size["width"]


@pytest.mark.parametrize(
    "words",
    [{"rotation": "90"}, {"rotation": "!0"}, {"quality": "gray"}, {"form": "png"}, {"scale": "255,256"}],
)
def test_what_must_be_made_is_no_tile(pyramid, words):
    _, index = pyramid
    assert iiif.find_whole_tile(index, ask(**({"region": "0,0,256,256"} | words))) is None
    assert iiif.find_whole_tile(index, ask("0,0,256,256")) == (0, 0, 0)
    assert iiif.find_whole_tile(index, ask("1,0,256,256")) is None


@pytest.mark.parametrize("scale", ["max", "pct:50", "123,", "pct:13", "^400,"])
@pytest.mark.parametrize("region", ["full", "square", "200,130,301,277", "511,255,189,275", "3,5,40,20"])
def test_pixels_are_those_of_the_picture(pyramid, region, scale):
    descriptor, index = pyramid
    if region == "3,5,40,20" and scale == "123,":
        scale = "^123,"
    elif scale == "^400," and region == "full":
        scale = "400,"
    request = ask(region, scale, form="png")
    made = Image.open(io.BytesIO(render_region(descriptor, index, request)))
    assert made.size == (request.width, request.height)
    box = (request.x, request.y, request.x + request.region_width, request.y + request.region_height)
    expected = Image.fromarray(PICTURE).resize(made.size, Image.Resampling.BICUBIC, box=box)
    assert np.abs(np.asarray(made).astype(int) - np.asarray(expected)).mean() < 5


def test_turned_and_mirrored_as_said(pyramid):
    descriptor, index = pyramid
    for rotation, change in {
        "90": lambda a: np.rot90(a, -1),
        "180": lambda a: np.rot90(a, 2),
        "270": np.rot90,
        "!0": lambda a: a[:, ::-1],
        "!90": lambda a: np.rot90(a[:, ::-1], -1),
    }.items():
        made = np.asarray(Image.open(io.BytesIO(render_region(descriptor, index, ask(rotation=rotation, form="png")))))
        assert np.abs(made.astype(int) - change(PICTURE)).mean() < 4


def test_grey_and_bitonal_have_one_sample(pyramid):
    descriptor, index = pyramid
    grey = Image.open(io.BytesIO(render_region(descriptor, index, ask(quality="gray"))))
    assert (grey.mode, grey.format) == ("L", "JPEG")
    bitonal = Image.open(io.BytesIO(render_region(descriptor, index, ask(quality="bitonal", form="png"))))
    assert set(np.unique(np.asarray(bitonal))) == {0, 255}
