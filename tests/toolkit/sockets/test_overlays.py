"""Overlays and look-up tables: what labels mean, which images are overlays, in which colours numbers are shown."""

from dataclasses import replace

import pytest

from medtheca.toolkit.errors import Refused
from medtheca.toolkit.sockets.look_up_tables import check_table, parse_colours
from medtheca.toolkit.sockets.overlays import (
    MOST_SEGMENTS,
    ImageFacts,
    check_extension,
    check_image,
    check_segments,
)

LUNG = {"name": "Lung", "visible": True, "voxel_value": 1}
NODULE = {"name": "Nodule", "visible": False, "voxel_value": 2}
VOLUME = ImageFacts("volume", "mha", 1, False, 30, 1, (0, 1))


def segments(*values):
    return [{"name": f"Label {value}", "visible": True, "voxel_value": value} for value in values]


@pytest.mark.parametrize(
    "good", [[], [LUNG], [LUNG, NODULE], segments(0, 1, 2), segments(-1, 1), segments(*range(1, 65))]
)
def test_segments_that_can_be_used(good):
    assert check_segments(good) == good


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        {},
        ["Lung"],
        [{**LUNG, "colour": "red"}],
        [{"name": "Lung", "voxel_value": 1}],
        [{**LUNG, "voxel_value": True}],
        [{**LUNG, "voxel_value": 1.0}],
        [{**LUNG, "voxel_value": 2**40}],
        [{**LUNG, "visible": 1}],
        [{**LUNG, "name": ""}],
        [{**LUNG, "name": "a\0"}],
        [LUNG, {**NODULE, "voxel_value": 1}],
        [NODULE],
        segments(1, 3),
        segments(*range(1, MOST_SEGMENTS + 2)),
    ],
)
def test_segments_that_cannot(wrong):
    with pytest.raises(Refused) as refused:
        check_segments(wrong)
    assert refused.value.code == "invalid_segments"


def test_a_gap_is_named():
    with pytest.raises(Refused, match="2, 3 would be next"):
        check_segments(segments(1, 4))


def test_segments_are_extended_only():
    check_extension([LUNG], [{**LUNG, "visible": False}, NODULE])
    for less in ([], [NODULE], [{**LUNG, "name": "Liver"}]):
        with pytest.raises(Refused, match="1 means Lung"):
            check_extension([LUNG], less)


@pytest.mark.parametrize(
    ("kind", "change", "words"),
    [
        ("IMG", {"kind": "document"}, "it is a document"),
        ("DCMIS", {}, "uploaded as mha"),
        ("SEG", {"colour": True, "channels": 3}, "3 channels"),
        ("HMAP", {"channels": 3}, "3 channels"),
        ("SEG", {"segments": None}, "are not labels"),
        ("SEG", {"segments": (0, 2, 5)}, "values 2, 5, which"),
        ("DSPF", {}, "1 numbers a voxel and 1 volumes"),
        ("DSPF", {"timepoints": 4}, "4 volumes"),
        ("DSPF", {"channels": 3, "colour": True}, "3 numbers"),
        ("DSPF", {"kind": "picture", "channels": 3}, "3 numbers"),
        ("DSPF", {"channels": 3, "timepoints": 3}, "3 volumes"),
    ],
)
def test_images_that_do_not_fit(kind, change, words):
    with pytest.raises(Refused, match=words):
        check_image(kind, replace(VOLUME, **change), segments=[LUNG])


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("IMG", {"format": "dicom"}),
        ("IMG", {"kind": "slide", "colour": True, "channels": 3}),
        ("DCMIS", {"format": "dicom"}),
        ("SEG", {}),
        ("SEG", {"segments": ()}),
        ("SEG", {"kind": "picture"}),
        ("HMAP", {"segments": None}),
        ("DSPF", {"timepoints": 3}),
        ("DSPF", {"channels": 3}),
    ],
)
def test_images_that_fit(kind, change):
    check_image(kind, replace(VOLUME, **change), segments=[LUNG])


def test_look_up_tables():
    check_table("[0 0 0 0, 255 128.5 0 .5,]", "[0 0, 1 .5]")
    assert parse_colours(" [ 1 2 3 -4 , 5 6 7 1e3 ] ") == [(1, 2, 3, -4), (5, 6, 7, 1000)]


@pytest.mark.parametrize(
    ("color", "alpha"),
    [
        ("", "[0 0, 1 1]"),
        ("[0 0 0 0]", "[0 0]"),
        ("[0 0 0 0, 1 1 1]", "[0 0, 1 1]"),
        ("[0 0 0 0, 1 1 1 1, 2 2 2 2]", "[0 0, 1 1]"),
        ("[0 0 0 1, 1 1 1 0]", "[0 0, 1 1]"),
        ("[0 0 0 0, 256 1 1 1]", "[0 0, 1 1]"),
        ("[0 0 0 0, 1 1 1 1]", "[0 0, 2 1]"),
        ("[0 0 0 0, 1 1 1 nan]", "[0 0, 1 1]"),
        ("[0 0 0 0; 1 1 1 1]", "[0 0, 1 1]"),
    ],
)
def test_look_up_tables_that_cannot_be_read(color, alpha):
    with pytest.raises(Refused) as refused:
        check_table(color, alpha)
    assert refused.value.code == "invalid_table"
