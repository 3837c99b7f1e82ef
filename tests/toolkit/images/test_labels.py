"""Values that may be labels, of volumes and masks, as the sandbox reports them."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from medtheca.toolkit.images.examine import examine
from medtheca.toolkit.images.labels import MOST_LABELS, labels_of
from medtheca.toolkit.images.reports import find_fault


@settings(deadline=None)
@given(arrays.arrays(np.int16, (3, 4, 5), elements=st.integers(-5, 90)))
def test_labels_are_what_numpy_finds(voxels):
    found = sorted(set(voxels.ravel().tolist()))
    assert labels_of(voxels) == (found if len(found) <= MOST_LABELS else None)


@pytest.mark.parametrize(
    "values", [[0.5], [np.nan, 1], [np.inf], [-np.inf, np.inf], [0, 70_000], list(range(MOST_LABELS + 1))]
)
def test_what_are_no_labels(values):
    assert labels_of([np.array(values)]) is None


def test_the_whole_range_of_a_type_is_no_overflow():
    assert labels_of([np.array([-32768, 32767], np.int16)]) == [-32768, 32767]
    assert labels_of([np.array([2**63], np.uint64)]) is None


def png(pixels, mode="L"):
    file = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(file, "PNG")
    return file.getvalue()


def test_a_mask_tells_its_labels_and_a_photograph_none():
    mask = np.zeros((20, 30), np.uint8)
    mask[3:9, 4:8] = 2
    report, parts = examine(memoryview(png(mask)), {})
    assert report["geometry"] == {"labels": [0, 2]}
    assert find_fault(report, parts) == ""
    assert "geometry" not in examine(memoryview(png(mask, "RGB")), {})[0]


def test_a_mask_of_one_bit_has_the_labels_0_and_1():
    mask = np.zeros((20, 30), np.uint8)
    mask[3:9, 4:8] = 255
    assert examine(memoryview(png(mask, "1")), {})[0]["geometry"] == {"labels": [0, 1]}


@pytest.mark.parametrize("lie", [{"labels": [-1]}, {"labels": [True]}, {"labels": "0"}, {"labels": [0] * 65}, {"a": 1}])
def test_a_lie_about_labels_is_found(lie):
    report, parts = examine(memoryview(png(np.zeros((20, 30), np.uint8))), {})
    assert find_fault(report | {"geometry": lie}, parts) == "its list of labels is damaged"
