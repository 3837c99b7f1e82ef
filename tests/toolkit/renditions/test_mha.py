"""A volume written as MetaImage is the same for every reader, slice by slice, and smaller for a quick look."""

import io
import json
import subprocess
import sys
import zlib
from dataclasses import replace

import numpy as np
import pytest
import SimpleITK

from medtheca.toolkit.images.facts import Facts, Window
from medtheca.toolkit.images.readers.metaimage import MetaImageReader
from medtheca.toolkit.images.volume import Geometry, Volume
from medtheca.toolkit.renditions import mha
from medtheca.toolkit.renditions.reduce import is_label_like
from tests.generators import volumes as make
from tests.samples import needs_samples, sample_dir


def volume_of(voxels, *, tilt=None, dimensions=3, colour=None, **more):
    direction = tuple(float(value) for value in np.ravel(np.eye(3) if tilt is None else tilt))
    geometry = Geometry((0.667, 0.7, 1.5), (-10.1, 20.2, 0.0 if dimensions == 2 else 30.3), direction)
    return Volume(voxels, geometry, colour or ("grey" if voxels.ndim == 4 else "vector"), dimensions, **more)


def write(path, volume):
    with path.open("wb") as file:
        return mha.write(volume, file)


def check(folder, volume):
    """Written, read by SimpleITK and by ourselves, and each slice by its range alone."""
    path = folder / "a.mha"
    path.unlink(missing_ok=True)
    described = json.loads(json.dumps(write(path, volume), allow_nan=False))
    make.assert_same(volume, path)
    again = MetaImageReader().read(make.Files(folder, ("a.mha",)), memory=10**8)
    assert again.voxels.tobytes() == volume.voxels.tobytes()
    assert again.geometry == volume.geometry
    data = path.read_bytes()
    planes = volume.voxels.reshape(-1, *volume.voxels.shape[2:])
    assert len(described["slices"]) == len(planes)
    for (offset, length), plane in zip(described["slices"], planes, strict=True):
        inflated = zlib.decompress(data[offset : offset + length] + mha.SLICE_END, -zlib.MAX_WBITS)
        assert inflated == plane.tobytes()
        assert len(inflated) == described["slice_bytes"]
    return described, data


@pytest.mark.parametrize("kind", make.TYPES)
def test_every_type_of_voxel(tmp_path, kind):
    voxels = make.draw((40, 30, 5), kind=kind)
    described, _ = check(tmp_path, volume_of(voxels))
    assert described["value_type"] == kind
    assert described["range"] == [voxels.min().item(), voxels.max().item()]


@pytest.mark.parametrize("left_handed", [False, True])
@pytest.mark.parametrize("seed", range(6))
def test_oblique_directions_and_their_letters_are_those_of_itk(tmp_path, seed, left_handed):
    _, data = check(tmp_path, volume_of(make.draw(), tilt=make.tilt(seed, left_handed=left_handed)))
    SimpleITK.WriteImage(SimpleITK.ReadImage(str(tmp_path / "a.mha")), str(tmp_path / "b.mha"), useCompression=True)

    def fields(text):
        lines = text[: text.index(b"ElementDataFile")].decode().splitlines()
        return {name.strip(): value.split() for name, _, value in (line.partition("=") for line in lines)}

    ours, theirs = fields(data), fields((tmp_path / "b.mha").read_bytes())
    assert ours["AnatomicalOrientation"] == theirs["AnatomicalOrientation"]
    assert set(ours) == {name for name in theirs if not name.startswith("ITK_")}
    for name in ("TransformMatrix", "Offset", "ElementSpacing"):
        assert list(map(float, ours[name])) == list(map(float, theirs[name]))


@pytest.mark.parametrize(("channels", "colour"), [(2, "vector"), (3, "rgb"), (4, "rgba")])
def test_colours(tmp_path, channels, colour):
    voxels = make.draw((9, 8, 3), kind="uint8", channels=channels)
    described, _ = check(tmp_path, volume_of(voxels, colour=colour))
    assert (described["channels"], described["colour"]) == (channels, colour)


def test_time(tmp_path):
    described, _ = check(tmp_path, volume_of(make.draw(times=4), dimensions=4, time_step=0.75, tilt=make.tilt()))
    assert (described["timepoints"], described["time_step"], len(described["slices"])) == (4, 0.75, 12)
    assert SimpleITK.ReadImage(str(tmp_path / "a.mha")).GetSpacing()[3] == 0.75


def test_pictures_have_two_dimensions_where_that_loses_nothing(tmp_path):
    flat = volume_of(make.draw((9, 8, 1)), dimensions=2)
    path = tmp_path / "a.mha"
    write(path, replace(flat, geometry=replace(flat.geometry, spacing=(0.5, 0.6, 1.0))))
    assert SimpleITK.ReadImage(str(path)).GetDimension() == 2
    slanted = replace(flat, geometry=replace(flat.geometry, direction=tuple(map(float, make.tilt().ravel()))))
    lifted = replace(flat, geometry=replace(flat.geometry, origin=(0.0, 0.0, 7.0)))
    for volume in (slanted, lifted):
        write(path, volume)
        image = SimpleITK.ReadImage(str(path))
        assert image.GetDimension() == 3
        assert image.GetOrigin() == volume.geometry.origin


def test_what_is_not_known_is_null_and_a_reader_takes_one_and_zero(tmp_path):
    path = tmp_path / "a.mha"
    described = write(path, Volume(make.draw(), Geometry()))
    assert (described["spacing"], described["origin"]) == (None, None)
    image = SimpleITK.ReadImage(str(path))
    assert (image.GetSpacing(), image.GetOrigin()) == ((1, 1, 1), (0, 0, 0))


def test_values_that_are_no_numbers_are_kept_and_not_described(tmp_path):
    voxels = make.draw(kind="float32")
    voxels[0, 0], voxels[0, 1, 0, 0] = np.nan, np.inf
    described, _ = check(tmp_path, volume_of(voxels))
    finite = voxels[np.isfinite(voxels)]
    assert described["range"] == [finite.min().item(), finite.max().item()]
    assert write(tmp_path / "b.mha", volume_of(np.full((1, 2, 2, 2), np.nan)))["range"] is None


def test_the_header_has_fixed_fields_alone(tmp_path):
    facts = Facts(modality="CT", manufacturer=make.CANARY, model=make.CANARY, inverted=True)
    windows = (Window(40, 400, "soft tissue"),)
    volume = volume_of(make.draw(), facts=facts, windows=windows, notes=(make.CANARY,), rescaled=True)
    described, data = check(tmp_path, volume)
    header = data[: data.index(b"LOCAL\n")].decode()
    assert [line.partition(" = ")[0] for line in header.splitlines()] == [
        "ObjectType",
        "NDims",
        "BinaryData",
        "BinaryDataByteOrderMSB",
        "CompressedData",
        "CompressedDataSize",
        "TransformMatrix",
        "Offset",
        "CenterOfRotation",
        "AnatomicalOrientation",
        "ElementSpacing",
        "DimSize",
        "ElementType",
        "ElementDataFile",
    ]
    assert "Canary" not in json.dumps(described)
    assert described["windows"] == [{"centre": 40, "width": 400, "name": "soft tissue"}]
    assert (described["inverted"], described["rescaled"]) == (True, True)


def test_the_same_volume_gives_the_same_bytes():
    files = [io.BytesIO(), io.BytesIO()]
    for file in files:
        mha.write(volume_of(make.draw()), file)
    assert files[0].getvalue() == files[1].getvalue()


_BIG = """
import resource, sys
import numpy as np
from medtheca.toolkit.images.volume import Geometry, Volume
from medtheca.toolkit.renditions import mha
voxels = np.empty((1, 400, 512, 512), np.int16)
voxels[:] = np.arange(1 << 18).reshape(512, 512) % 4099
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with open(sys.argv[1], "wb") as file:
    mha.write(Volume(voxels, Geometry()), file)
small = mha.reduce(Volume(voxels, Geometry()), 128)
print(voxels.nbytes // 1024, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_memory_stays_flat(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", _BIG, str(tmp_path / "a.mha")], capture_output=True, text=True, check=True
    )
    whole, taken = map(int, done.stdout.split())
    assert whole > 200_000
    assert taken < 40_000, "kilobytes beyond the voxels themselves"


# --- reduced


def test_grey_values_become_means_at_the_right_place(tmp_path):
    x = np.arange(40) * 10.0
    voxels = np.broadcast_to(x + 1000 * np.arange(30)[:, None] + 40_000 * np.arange(20)[:, None, None], (1, 20, 30, 40))
    volume = volume_of(np.ascontiguousarray(voxels, dtype=np.float64), tilt=make.tilt())
    small = mha.reduce(volume, 10)
    assert small.voxels.shape == (1, 10, 10, 10)
    assert small.geometry.spacing == pytest.approx((0.667 * 4, 0.7 * 3, 1.5 * 2))
    # A slope has the same value at the same place, whatever the grid: SimpleITK looks it up.
    image, reduced = (SimpleITK.GetImageFromArray(one.voxels[0]) for one in (volume, small))
    for one, target in ((volume, image), (small, reduced)):
        target.SetSpacing(one.geometry.spacing)
        target.SetOrigin(one.geometry.origin)
        target.SetDirection(one.geometry.direction)
    for index in [(0, 0, 0), (9, 9, 9), (3, 5, 7)]:
        place = reduced.TransformIndexToPhysicalPoint(index)
        found = image.TransformPhysicalPointToContinuousIndex(place)
        assert reduced[index] == pytest.approx(np.dot(found, (10, 1000, 40_000)))


def test_last_blocks_may_be_smaller():
    voxels = make.draw((7, 5, 3), kind="int32") // 4
    small = mha.reduce(volume_of(voxels), 3)
    assert small.voxels.shape == (1, 3, 3, 3)
    assert small.voxels[0, 0, 0, 0] == round(voxels[0, 0, 0:2, 0:3].mean())
    assert small.voxels[0, 2, 2, 2] == voxels[0, 2, 4, 6]


@pytest.mark.parametrize("kind", make.TYPES)
def test_every_type_is_reduced_within_its_range(kind):
    voxels = make.draw((50, 40, 30), kind=kind)
    if voxels.dtype.kind in "iu":
        voxels[:, :4, :4, :4] = np.iinfo(kind).max
    small = mha.reduce(volume_of(voxels), 25)
    assert small.voxels.dtype == voxels.dtype
    block = voxels[0, 6:8, 4:6, 8:10].astype(np.float64).mean()
    assert float(small.voxels[0, 3, 2, 4]) == pytest.approx(block, rel=1e-6, abs=0.5)
    if voxels.dtype.itemsize < 8 and voxels.dtype.kind in "iu":
        assert small.voxels[0, 0, 0, 0] == np.iinfo(kind).max


def test_values_that_are_no_numbers_do_not_spread():
    voxels = np.ones((1, 4, 4, 4), np.float32)
    voxels[0, 0, 0, 0], voxels[0, 2:, 2:, 2:] = np.nan, np.inf
    small = mha.reduce(volume_of(voxels), 2).voxels[0]
    assert small[0, 0, 0] == 1
    assert np.isnan(small[1, 1, 1])


def test_labels_stay_labels():
    labels = np.zeros((1, 30, 40, 50), np.int16)
    labels[:, 10:20, 10:30, 10:40] = 7
    labels[:, 20:25, 10:30, 10:40] = 1001
    small = mha.reduce(volume_of(labels), 13)
    assert set(np.unique(small.voxels)) == {0, 7, 1001}
    z, y, x = (1, 4, 2)
    steps, (sx, sy, sz) = (4, 4, 3), (0.667, 0.7, 1.5)
    assert small.geometry.spacing == pytest.approx((sx * steps[0], sy * steps[1], sz * steps[2]))
    assert small.geometry.origin == pytest.approx((-10.1 + sx * 1, 20.2 + sy * 1, 30.3 + sz * 1))
    assert small.voxels[0, z, y, x] == labels[0, 1 + z * 3, 1 + y * 4, 1 + x * 4]


def test_atlases_are_labels_and_pictures_are_not():
    rng = np.random.default_rng(0)
    atlas = np.repeat(np.repeat(rng.integers(0, 300, (1, 10, 10, 10)), 10, axis=3), 10, axis=2).astype(np.int16)
    assert is_label_like(volume_of(atlas))
    grey = rng.normal(100, 30, (1, 10, 50, 50)).astype(np.int16)
    assert not is_label_like(volume_of(grey))
    assert not is_label_like(volume_of(atlas.astype(np.float32)))


def test_small_volumes_stay_as_they_are():
    volume = volume_of(make.draw())
    assert mha.reduce(volume, 5) is volume


def test_colours_and_time_are_reduced_plane_by_plane():
    voxels = make.draw((8, 8, 2), kind="uint8", channels=3, times=2)
    small = mha.reduce(volume_of(voxels, colour="rgb", dimensions=4), 4)
    assert small.voxels.shape == (2, 2, 4, 4, 3)
    assert small.voxels[1, 1, 0, 0, 2] == np.rint(voxels[1, 1, 0:2, 0:2, 2].mean())


@needs_samples
def test_a_real_series_is_written_and_reduced(tmp_path):
    reader = MetaImageReader()
    volume = reader.read(make.Files(sample_dir() / "mha", ("niivue.mha",)), memory=10**8)
    described, data = check(tmp_path, volume)
    assert described["size"] == [64, 64, 37]
    assert len(data) < 1.1 * (sample_dir() / "mha" / "niivue.mha").stat().st_size
    assert mha.reduce(volume, 32).voxels.shape == (1, 19, 32, 32)
