"""What is made of a phantom by the task of the sandbox, and whether the patient's sides are where they belong."""

import json

import numpy as np
import SimpleITK
from PIL import Image

from medtheca.toolkit.images.case_reports import CASE_PARTS, find_case_fault
from medtheca.toolkit.images.case_task import run
from medtheca.toolkit.images.files import Files
from medtheca.toolkit.images.readers.metaimage import MetaImageReader
from medtheca.toolkit.renditions import planes
from tests.phantom.body import MARKS, centre_of

# For each plane: the patient axes that run to the right and down on screen; True where the picture runs against them.
# Patient's right on the viewer's left; head up; seen from the left, the front is on the left.
SCREEN = {"axial": ((0, False), (1, False)), "coronal": ((0, False), (2, True)), "sagittal": ((1, False), (2, True))}
STANDS_ON = {"axial": 2, "coronal": 1, "sagittal": 0}


def convert(folder, main, into):
    """Run the task in this process: the report, and the files it has written, by their part."""
    into.mkdir()
    files = {name: (into / f"{name}.mha").open("w+b") for name in CASE_PARTS}
    report = run(folder, files, {"main": main}, lambda _share: None)
    for file in files.values():
        file.close()
    made = {name: into / f"{name}.mha" for name in report["parts"]}
    heads = {name: path.read_bytes()[:4096] for name, path in made.items()}
    assert not find_case_fault(report, heads)
    return report, made


def check_everything(report, made, grid):
    """All of what the phantom promises, of one converted file."""
    volume = check_metaimage(made["public"], grid)
    assert np.allclose(sorted(report["spacing"]), sorted(grid.spacing), atol=1e-5)
    for name in ("web", "thumbnail"):
        check_picture(Image.open(made[name]), report["geometry"]["plane"], grid)
    check_cuts(volume, grid)
    described = json.loads(made["geometry"].read_bytes())
    assert described["size"] == [volume.width, volume.height, volume.depth]
    assert "small" in made
    check_small(made["small"], grid)


def check_metaimage(path, grid):
    """The marks are where the source has them, for SimpleITK and for our own reader, which gives the volume."""
    image = SimpleITK.ReadImage(str(path))
    voxels = SimpleITK.GetArrayFromImage(image)
    assert np.prod(image.GetSize()) == grid.voxels.size
    for mark, value in MARKS.items():
        index = np.argwhere(voxels == value).mean(axis=0)[::-1]
        place = image.TransformContinuousIndexToPhysicalPoint([float(one) for one in index])
        np.testing.assert_allclose(place, grid.place(mark), atol=1e-3, err_msg=mark)
    volume = MetaImageReader().read(Files(path.parent, (path.name,)), memory=100_000_000)
    geometry = volume.geometry
    for mark, value in MARKS.items():
        place = centre_of(volume.voxels[0], value, geometry.spacing, geometry.origin, geometry.direction)
        np.testing.assert_allclose(place, grid.place(mark), atol=1e-3, err_msg=mark)
    return volume


def check_small(path, grid):
    """In the reduced volume the marks are where they were, to within the voxels it has left."""
    image = SimpleITK.ReadImage(str(path))
    assert max(image.GetSize()) <= 128
    voxels = SimpleITK.GetArrayFromImage(image)
    for mark, value in MARKS.items():
        index = np.argwhere(voxels == value).mean(axis=0)[::-1]
        place = image.TransformContinuousIndexToPhysicalPoint([float(one) for one in index])
        np.testing.assert_allclose(place, grid.place(mark), atol=max(image.GetSpacing()) / 2, err_msg=mark)
    volume = MetaImageReader().read(Files(path.parent, (path.name,)), memory=100_000_000)
    check_cuts(volume, grid, exact=False)


def check_cuts(volume, grid, *, exact=True):
    """In slices of all three planes each mark is on its side; slices are counted from right, front and feet."""
    for plane, ((right, _), (down, up)) in SCREEN.items():
        count = planes.count_slices(volume, plane)
        cuts = [planes.cut(volume, plane, index) for index in range(count)]
        shown = np.stack([values for values, _ in cuts])
        steps = cuts[0][1]
        extent = np.array([grid.extent(axis) for axis in (STANDS_ON[plane], down, right)])
        size = np.array(shown.shape) * (extent[0] / count, *steps)
        np.testing.assert_allclose(size, extent, atol=1e-3 if exact else 3 * max(steps), err_msg=plane)
        for mark, value in MARKS.items():
            shares = grid.shares(mark)
            expected = (shares[STANDS_ON[plane]], 1 - shares[down] if up else shares[down], shares[right])
            found = (np.argwhere(shown == value).mean(axis=0) + 0.5) / shown.shape
            np.testing.assert_allclose(found, expected, atol=1e-6 if exact else 0.04, err_msg=f"{mark}, {plane}")


def check_picture(picture, plane, grid):
    """In a picture of the middle slice both marks that lie in it are on their sides, to scale and of their grey."""
    (right, _), (down, up) = SCREEN[plane]
    wide, high = grid.extent(right), grid.extent(down)
    assert abs(picture.width / picture.height - wide / high) < 1.5 * wide / high / min(picture.size)
    grey = np.asarray(picture.convert("L")).astype(int)
    # A mark at an end of the axis that the slice stands on is not in the middle slice.
    absent = list(MARKS)[STANDS_ON[plane]]
    for mark, value in MARKS.items():
        shares = grid.shares(mark)
        x, y = shares[right], 1 - shares[down] if up else shares[down]
        if mark == absent:
            continue
        # A thumbnail is coarse, and JPEG not exact; marks are 85 apart.
        here = grey[int(y * grey.shape[0]), int(x * grey.shape[1])]
        assert abs(here - value * 255 / max(MARKS.values())) < 30, f"{mark} has {here} in {plane}"
        opposite = grey[int((1 - y) * grey.shape[0]), int((1 - x) * grey.shape[1])]
        assert opposite < 30, f"{mark} is also on the other side in {plane}"
