"""Volumes of ours read again slice by slice: the same voxels, and nothing that a hostile description could ask for."""

import copy
import io
import json
import resource
import zlib

import numpy as np
import pytest
import SimpleITK

from medtheca.toolkit.errors import Refused
from medtheca.toolkit.images.facts import Facts, Window
from medtheca.toolkit.images.stored import count_slices as count_stored
from medtheca.toolkit.images.stored import (
    find_window,
    is_natural,
    parse_description,
    read_layer,
    read_raw,
    show_stored,
)
from medtheca.toolkit.images.volume import Geometry, Volume
from medtheca.toolkit.renditions import mha
from medtheca.toolkit.renditions.planes import PLANES, count_slices, cut, default_window, show_slice
from tests.generators import volumes


def volume(sizes=(7, 6, 5), kind="int16", *, times=1, channels=1, direction=None, **options):
    voxels = volumes.draw(sizes, kind, times=times, channels=channels)
    matrix = np.eye(3) if direction is None else direction
    geometry = Geometry((0.5, 0.5, 2.0), (1.0, 2.0, 3.0), tuple(float(value) for value in np.ravel(matrix)))
    return Volume(voxels, geometry, **options)


def kept(folder, made):
    path = folder / "volume.mha"
    with path.open("w+b") as file:
        described = mha.write(made, file)
    return path, described


def parse(path, described):
    data = json.dumps(described).encode()
    return parse_description(data, file_size=path.stat().st_size, small_size=None)[0]


@pytest.mark.parametrize("kind", volumes.TYPES)
@pytest.mark.parametrize("times", [1, 3])
def test_voxels_of_every_type_come_back(tmp_path, kind, times):
    made = volume(kind=kind, times=times)
    path, described = kept(tmp_path, made)
    stored = parse(path, described)
    with path.open("rb") as file:
        for time in range(times):
            for axis, number in enumerate((7, 6, 5)):
                for index in range(number):
                    layer = read_layer(file.fileno(), stored, axis, index, time=time)
                    expected = np.take(made.voxels[time], [index], axis=2 - axis)[None]
                    assert layer.dtype == made.voxels.dtype
                    np.testing.assert_array_equal(layer, expected)
            raw = np.frombuffer(read_raw(file.fileno(), stored, 3, time=time), np.dtype(kind).newbyteorder("<"))
            np.testing.assert_array_equal(raw.reshape(6, 7), made.voxels[time, 3])


def test_the_same_voxels_are_read_by_simpleitk(tmp_path):
    path, described = kept(tmp_path, volume(direction=volumes.tilt()))
    stored = parse(path, described)
    image = SimpleITK.ReadImage(str(path))
    with path.open("rb") as file:
        read = np.concatenate([read_layer(file.fileno(), stored, 2, z)[0] for z in range(5)])
    np.testing.assert_array_equal(read, SimpleITK.GetArrayFromImage(image))
    np.testing.assert_allclose(stored.geometry.direction, image.GetDirection())


@pytest.mark.parametrize("seed", range(12))
def test_slices_lie_as_those_of_the_whole_volume(tmp_path, seed):
    dice = np.random.default_rng(seed)
    turned = np.eye(3)[dice.permutation(3)] * dice.choice([-1, 1], 3)
    made = volume(times=2, direction=turned)
    path, described = kept(tmp_path, made)
    stored = parse(path, described)
    window = default_window(made)
    assert sum(is_natural(stored, plane) for plane in PLANES) == 1
    with path.open("rb") as file:
        for plane in PLANES:
            assert count_stored(stored, plane) == count_slices(made, plane)
            for index in range(count_slices(made, plane)):
                drawn = show_stored(file.fileno(), stored, plane, index, window=window, longest=2048, time=1)
                expected = show_slice(made, plane, index, time=1)
                assert np.abs(np.asarray(drawn).astype(int) - np.asarray(expected)).max() <= 1
                assert cut(made, plane, index)[0].shape


@pytest.mark.parametrize(("channels", "colour"), [(3, "rgb"), (4, "rgba"), (5, "vector")])
def test_samples_of_colours_and_vectors(tmp_path, channels, colour):
    made = volume(kind="uint8", channels=channels, colour=colour)
    path, described = kept(tmp_path, made)
    stored = parse(path, described)
    with path.open("rb") as file:
        np.testing.assert_array_equal(read_layer(file.fileno(), stored, 1, 4), made.voxels[:, :, 4:5])
        assert find_window(file.fileno(), stored) == default_window(made)


def test_the_window_is_the_files_own_or_that_of_its_values(tmp_path):
    for made in (
        volume(),
        volume(kind="float32"),
        volume(windows=(Window(40.0, 400.0),)),
        volume(windows=(Window(40.0, 0.0),)),
        volume(facts=Facts(inverted=True)),
    ):
        path, described = kept(tmp_path, made)
        stored = parse(path, described)
        assert stored.inverted == made.facts.inverted
        with path.open("rb") as file:
            assert find_window(file.fileno(), stored) == default_window(made)


HOSTILE = {
    "size": [[7, 6], [7, 6, 0], [7, 6, -5], [2**60, 6, 5], [7.0, 6, 5], [True, 6, 5], None, "765"],
    "timepoints": [0, -1, 2, 2**60, 1.0, None],
    "channels": [0, 3, 2**60, None],
    "value_type": ["int24", "object", "O", "", None, ["int16"]],
    "colour": ["cmyk", "rgb", None, ["grey"], {}],
    "slice_bytes": [0, 83, 2**60, None],
    "spacing": [[0, 1, 1], [-1, 1, 1], [1, 1], [float("nan"), 1, 1], [float("inf"), 1, 1], ["1", 1, 1], 5],
    "origin": [[float("inf"), 0, 0], [1, 2], "x"],
    "direction": [[0] * 9, [1] * 9, [1, 0, 0], None, [float("nan")] * 9],
    "windows": [None, [{"centre": 1}], [{"centre": float("nan"), "width": 1, "name": ""}], [5], {}],
    "slices": [
        [],
        None,
        [[1, 2]] * 4,
        [[1, 2]] * 6,
        [[-5, 10]] * 5,
        [[1, 0]] * 5,
        [[1, 2**62]] * 5,
        [[2**62, 2]] * 5,
        [[1.5, 2]] * 5,
        [5] * 5,
        [[1, 2, 3]] * 5,
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_description_that_cannot_be_true_is_refused(tmp_path, name):
    path, described = kept(tmp_path, volume())
    assert parse(path, described).size == (7, 6, 5)
    for value in HOSTILE[name]:
        with pytest.raises(Refused, match="damaged"):
            parse(path, described | {name: value})
    without = copy.deepcopy(described)
    del without[name]
    with pytest.raises(Refused):
        parse(path, without)


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b"null", b"5", b"\xff\xfe", b"[" * 200_000, b'{"size":' + b"9" * 9000]
)
def test_what_is_no_description_is_refused(data):
    with pytest.raises(Refused, match="damaged"):
        parse_description(data, file_size=10_000, small_size=None)


def test_a_reduced_copy_must_have_the_same_time_points(tmp_path):
    path, described = kept(tmp_path, volume(times=2))
    _, fewer = kept(tmp_path, volume(times=1))
    for small, fits in ((described, True), (fewer, False)):
        data = json.dumps(described | {"small": small}).encode()
        try:
            parse_description(data, file_size=path.stat().st_size * 2, small_size=path.stat().st_size * 2)
        except Refused:
            assert not fits
        else:
            assert fits


def test_a_slice_of_another_size_is_refused_and_never_grows_beyond_its_own(tmp_path):
    path, described = kept(tmp_path, volume())
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = packer.compress(bytes(8_000_000)) + packer.flush(zlib.Z_FULL_FLUSH)
    for packed in (bomb[:3000], b"\xff" * 50, b"\x03\x00", zlib.compress(bytes(84))[2:-4][:-3], b""):
        file = io.BytesIO(path.read_bytes())
        at = file.seek(0, 2)
        file.write(packed or b"\0")
        path.write_bytes(file.getvalue())
        places = [[at, max(1, len(packed))], *described["slices"][1:]]
        stored = parse(path, described | {"slices": places})
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        with path.open("rb") as opened, pytest.raises(Refused):
            read_raw(opened.fileno(), stored, 0)
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000
