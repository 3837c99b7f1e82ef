"""Parts of pictures as a decoder child makes them: right, and the same whether it has kept anything or not."""

import io

import numpy as np
import pytest
from PIL import Image

from medtheca.toolkit.errors import Refused
from medtheca.toolkit.images import region_task
from medtheca.toolkit.images.picture_slide import PictureSlide
from medtheca.toolkit.renditions import pyramid
from medtheca.toolkit.tiles.iiif_request import parse_request
from medtheca.toolkit.tiles.index import read_index

WIDTH, HEIGHT = 1111, 807
REQUESTS = [
    "full/max/0/default.jpg",
    "full/300,/0/default.jpg",
    "full/40,/90/gray.png",
    "13,27,256,256/256,256/0/default.jpg",
    "13,27,256,256/256,256/!180/bitonal.png",
    "200,100,700,700/256,/0/default.png",
    "200,100,64,64/^500,/0/default.png",
    "1100,800,11,7/max/0/default.png",
]


@pytest.fixture(scope="module")
def pixels():
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    waves = 60 * np.sin(x / 40) * np.cos(y / 30)
    return np.clip(np.stack([120 + waves, x * 255 / WIDTH, y * 255 / HEIGHT], 2), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def photograph(pixels):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=95)
    return file.getvalue()


@pytest.fixture(scope="module")
def slide(pixels, tmp_path_factory):
    path = tmp_path_factory.mktemp("slide") / "slide.tif"
    with path.open("w+b") as file:
        pyramid.write(PictureSlide(pixels), file)
    with path.open("rb") as file:
        return path.read_bytes(), read_index(file.fileno())


def read(words):
    region, scale, rotation, last = words.split("/")
    quality, form = last.split(".")
    return parse_request((WIDTH, HEIGHT), region=region, scale=scale, rotation=rotation, quality=quality, form=form)


def make_of_photograph(photograph, words, **more):
    options = region_task.options_for_picture("image/jpeg", (WIDTH, HEIGHT), read(words))
    return region_task.run(memoryview(photograph), options | more)[1]["picture"]


def make_of_slide(slide, words, **more):
    data, index = slide
    options, pieces = region_task.options_for_pyramid(index, read(words))
    gathered = b"".join(data[offset : offset + length] for offset, length in pieces)
    return region_task.run(memoryview(gathered), options | more)[1]["picture"]


@pytest.mark.parametrize("words", REQUESTS)
@pytest.mark.parametrize("kind", ["photograph", "slide"])
def test_what_is_kept_changes_no_byte(request, kind, words):
    source = request.getfixturevalue(kind)
    make = make_of_photograph if kind == "photograph" else make_of_slide
    alone = make(source, words)
    keeping = {"source": "abc", "keep": 50_000_000}
    for other in REQUESTS:
        make(source, other, **keeping)
    assert make(source, words, **keeping) == alone
    assert make(source, words, source="abc", keep=200_000) == alone
    assert make(source, words, source="another", keep=0) == alone


@pytest.mark.parametrize("kind", ["photograph", "slide"])
def test_parts_show_what_is_there(request, kind, pixels):
    source = request.getfixturevalue(kind)
    make = make_of_photograph if kind == "photograph" else make_of_slide
    for words, box, size in (
        ("13,27,256,256/256,256/0/default.png", (13, 27, 269, 283), (256, 256)),
        ("200,100,700,700/256,/0/default.png", (200, 100, 900, 800), (256, 256)),
        ("full/300,/0/default.png", (0, 0, WIDTH, HEIGHT), (300, 218)),
        ("200,100,64,64/^500,/0/default.png", (200, 100, 264, 164), (500, 500)),
    ):
        made = np.asarray(Image.open(io.BytesIO(make(source, words)))).astype(float)
        expected = Image.fromarray(pixels).crop(box).resize(size, Image.Resampling.LANCZOS)
        error = np.mean((made - np.asarray(expected, float)) ** 2)
        assert 10 * np.log10(255**2 / error) > 35, (kind, words)


def test_a_photograph_is_decoded_once(photograph, monkeypatch):
    shown = []
    show = region_task.show
    monkeypatch.setattr(region_task, "show", lambda *words: shown.append(1) or show(*words))
    for words in REQUESTS:
        make_of_photograph(photograph, words, source="once", keep=50_000_000)
    assert len(shown) == 1
    # What all of it takes must be granted, halves and all.
    too_little = region_task.bytes_kept_of_picture(WIDTH, HEIGHT) - 1
    for words in REQUESTS:
        make_of_photograph(photograph, words, source="once", keep=too_little)
    assert len(shown) == 1 + len(REQUESTS)


def test_tiles_are_kept_within_what_is_granted(slide):
    tile = 256 * 256 * 3
    make_of_slide(slide, "full/max/0/default.jpg", source="tiles", keep=3 * tile)
    kept = region_task._kept
    # Of 20 tiles, those at the edges being smaller.
    assert 3 <= len(kept._tiles) < 10
    assert sum(found.nbytes for found in kept._tiles.values()) == kept._used <= 3 * tile
    make_of_slide(slide, "full/max/0/default.jpg", source="other", keep=0)
    assert (len(kept._tiles), kept._used) == (0, 0)


def test_a_slide_that_is_cut_off_is_refused(slide):
    data, index = slide
    options, pieces = region_task.options_for_pyramid(index, read("13,27,256,256/256,256/0/default.jpg"))
    gathered = b"".join(data[offset : offset + length] for offset, length in pieces)[:-1]
    with pytest.raises(Refused) as refused:
        region_task.run(memoryview(gathered), options)
    assert refused.value.code == "truncated"
