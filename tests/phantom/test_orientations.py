"""The same anatomy is on the same side, whatever way a file was written: left is left, front is front, head is head."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from tests.phantom.body import ORIENTATIONS, SIZE, askew, lay, name
from tests.phantom.checks import check_cuts, check_everything, check_metaimage, check_picture, convert
from tests.phantom.writers import WRITERS, ome_tiff, without_place

NAMES = [name(orientation) for orientation in ORIENTATIONS]
# Thick slices are looked at as they were taken, others in the axial plane; and nobody lies straight.
LOOKS = {
    "thick": {"spacing": (0.8, 1.1, 2.4)},
    "thin": {"spacing": (1.3, 0.7, 0.9)},
    "askew": {"spacing": (0.8, 1.1, 2.4), "turned": askew()},
}


def test_all_48_ways_of_laying_a_body_into_a_grid_differ():
    grids = [lay(orientation, size=(34, 34, 34)).voxels.tobytes() for orientation in ORIENTATIONS]
    assert len(set(grids)) == len(set(NAMES)) == 48


@pytest.mark.parametrize("orientation", ORIENTATIONS, ids=NAMES)
@pytest.mark.parametrize("kind", WRITERS)
def test_every_side_is_where_it_belongs(tmp_path, kind, orientation):
    number = ORIENTATIONS.index(orientation)
    # Long enough along one axis for a reduced copy, and another one each time.
    size = list(SIZE)
    size[number % 3] = 136 + number % 3
    # Each kind is seen in every look, and each orientation too: what is behind the readers is the same for all.
    look = list(LOOKS)[(number + list(WRITERS).index(kind)) % len(LOOKS)]
    grid = lay(orientation, size=tuple(size), **LOOKS[look])
    folder = tmp_path / "case"
    folder.mkdir()
    main = WRITERS[kind](folder, grid, number)
    report, made = convert(folder, main, tmp_path / "made")
    assert report["kind"] == "volume"
    check_everything(report, made, grid)


def test_ome_keeps_sizes_and_makes_up_no_place(tmp_path):
    grid = lay(((0, 1, 2), (1, 1, 1)), size=(40, 46, 34))
    folder = tmp_path / "case"
    folder.mkdir()
    report, made = convert(folder, ome_tiff(folder, grid, 0), tmp_path / "made")
    assert report["geometry"]["origin"] is None
    np.testing.assert_allclose(report["spacing"], grid.spacing)
    check_metaimage(made["public"], without_place(grid))


@pytest.mark.parametrize("axis", [0, 1, 2], ids=["left", "front", "head"])
def test_a_body_seen_in_a_mirror_is_noticed_by_every_check(tmp_path, axis):
    """That the checks above can fail."""
    lps = ((0, 1, 2), (1, 1, 1))
    mirrored = ((0, 1, 2), tuple(-1 if each == axis else 1 for each in range(3)))
    right, wrong = lay(lps, size=(136, 28, 32)), lay(mirrored, size=(136, 28, 32))
    folder = tmp_path / "case"
    folder.mkdir()
    # Voxels of the one, and what the header says of the other.
    main = WRITERS["mha"](folder, replace(right, voxels=wrong.voxels), 0)
    report, made = convert(folder, main, tmp_path / "made")
    with pytest.raises(AssertionError):
        check_metaimage(made["public"], right)
    volume = check_metaimage(made["public"], replace(right, voxels=wrong.voxels))
    with pytest.raises(AssertionError):
        check_cuts(volume, right)
    if axis < 2:  # from the feet nobody sees whether they are up or down
        for name_ in ("web", "thumbnail"):
            with pytest.raises(AssertionError):
                check_picture(Image.open(made[name_]), report["geometry"]["plane"], right)
