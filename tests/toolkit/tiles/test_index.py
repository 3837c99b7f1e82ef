"""The index of a pyramid: every tile whole by one range, and damaged indexes refused."""

import io
import os

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from medtheca.toolkit.errors import Refused
from medtheca.toolkit.images.picture_slide import PictureSlide
from medtheca.toolkit.renditions.pyramid import halve, write
from medtheca.toolkit.tiles import deepzoom
from medtheca.toolkit.tiles.index import pack_index, read_index, tile_bytes, unpack_index
from tests.generators import slides as make
from tests.generators.images import damage
from tests.plugins.thoroughness import examples

PICTURE = make.tissue(700, 530)


@pytest.fixture(scope="module")
def pyramid(tmp_path_factory):
    path = tmp_path_factory.mktemp("tiles") / "p.tif"
    with path.open("wb") as file:
        made = write(PictureSlide(PICTURE), file)
    descriptor = os.open(path, os.O_RDONLY)
    yield descriptor, made.index
    os.close(descriptor)


def test_index_is_found_in_the_file(pyramid):
    descriptor, index = pyramid
    assert read_index(descriptor) == index


def test_tiles_put_together_are_the_picture_at_every_level(pyramid):
    descriptor, index = pyramid
    expected = PICTURE
    for number, level in enumerate(index.levels):
        whole = np.zeros((level.height, level.width, 3), np.uint8)
        for row in range(level.rows):
            for column in range(level.columns):
                tile = Image.open(io.BytesIO(tile_bytes(descriptor, index, number, column, row)))
                assert tile.format == "JPEG"
                assert tile.size == index.tile_size(number, column, row)
                place = (slice(row * 256, row * 256 + tile.height), slice(column * 256, column * 256 + tile.width))
                whole[place] = np.asarray(tile)
        assert np.abs(whole.astype(int) - expected).mean() < 10
        expected = halve(expected)


@pytest.mark.parametrize("place", [(0, 3, 0), (0, 0, 3), (-1, 0, 0), (99, 0, 0), (0, -1, 0)])
def test_tiles_outside_are_not_there(pyramid, place):
    descriptor, index = pyramid
    with pytest.raises(LookupError):
        tile_bytes(descriptor, index, *place)


def test_deep_zoom_numbers_levels_from_one_pixel(pyramid):
    _, index = pyramid
    assert b'TileSize="256"' in deepzoom.describe(index)
    assert b'<Size Width="700" Height="530"/>' in deepzoom.describe(index)
    assert deepzoom.find_tile(index, 10, 2, 1) == (0, 2, 1)
    assert deepzoom.find_tile(index, 0, 0, 0) == (10, 0, 0)
    for outside in ((11, 0, 0), (10, 3, 0), (-1, 0, 0)):
        with pytest.raises(LookupError):
            deepzoom.find_tile(index, *outside)


def test_file_that_is_no_pyramid_of_ours_is_refused(tmp_path):
    for content in (b"", b"II+\0\x08\0\0\0", make.generic(PICTURE)):
        path = tmp_path / "p.tif"
        path.write_bytes(content)
        with path.open("rb") as file, pytest.raises(Refused):
            read_index(file.fileno())


def test_index_that_points_behind_the_file_is_refused(pyramid):
    _, index = pyramid
    with pytest.raises(Refused, match="behind its end"):
        unpack_index(pack_index(index), file_size=1000)


@settings(max_examples=examples(300), deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(
    edits=st.lists(
        st.tuples(st.integers(0, 4000), st.integers(0, 255), st.sampled_from(["set", "cut", "add"])),
        min_size=1,
        max_size=4,
    )
)
def test_damaged_index_is_refused_or_stays_within_the_file(pyramid, edits):
    _, index = pyramid
    try:
        found = unpack_index(damage(pack_index(index), edits), file_size=1_000_000)
    except Refused:
        return
    ends = [at + size for level in found.levels for at, size in zip(level.offsets, level.counts, strict=True)]
    assert max(ends) <= 1_000_000
