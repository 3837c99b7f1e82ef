"""Slices on screen, where a header says odd things. That sides are right is shown in `tests/phantom`."""

import numpy as np
import pytest

from medtheca.toolkit.images.volume import Geometry, Volume
from medtheca.toolkit.renditions import planes


@pytest.mark.parametrize("spacing", [(1e300, 1.0, 1e-300), (1e-300, 1e300, 1.0), (5e-324, 1.7e308, 5e-324)])
@pytest.mark.parametrize("plane", planes.PLANES)
def test_pixels_of_no_sensible_shape_are_shown_within_bounds(spacing, plane):
    volume = Volume(np.arange(60, dtype=np.int16).reshape(1, 3, 4, 5), Geometry(spacing, (0.0, 0.0, 0.0)))
    picture = planes.show_slice(volume, plane, 0, longest=200)
    assert 1 <= min(picture.size) <= max(picture.size) <= 200
    assert max(planes.overview(volume, 200).size) <= 200


def test_pixels_are_shown_square():
    volume = Volume(np.zeros((1, 4, 5, 6), np.int16), Geometry((1.0, 2.0, 3.5), (0.0, 0.0, 0.0)))
    assert [planes.show_slice(volume, plane, 0).size for plane in planes.PLANES] == [(6, 10), (6, 14), (5, 7)]


@pytest.mark.parametrize("value", [0.0, -1e20, 1e20, 2.0**53, 1.7e308, -1.7e308, 5e-324])
@pytest.mark.parametrize("more", [0.0, 5e-324])
def test_a_volume_of_one_value_is_shown_however_large_that_is(value, more):
    voxels = np.full((1, 3, 4, 5), value)
    voxels[0, 1, 0, 0] += more
    assert planes.overview(Volume(voxels, Geometry()), 100).size == (5, 4)


def test_whole_numbers_of_64_bits_are_shown():
    voxels = np.full((1, 1, 4, 5), 2**62, np.int64)
    assert planes.overview(Volume(voxels, Geometry()), 100).getextrema() == (0, 0)
