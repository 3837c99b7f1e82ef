"""Volumes as `mha` wrote them, read again slice by slice: without a decoder of anybody else's formats.

The description was made in the sandbox from a stranger's file, so it is checked as if the stranger had written it; what
a slice inflates to is bounded by what its size says.
"""

import json
import math
import zlib
from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from medtheca.toolkit.deidentify.faults import corrupt
from medtheca.toolkit.images.facts import Facts, Window
from medtheca.toolkit.images.volume import VALUE_TYPES, Geometry, Triple, Volume, VolumeColour, Voxels
from medtheca.toolkit.renditions.mha import SLICE_END
from medtheca.toolkit.renditions.planes import Plane, default_window, orientation_of, show_slice
from medtheca.toolkit.tiles.index import read_range

MOST_DESCRIPTION = 32_000_000
"""Bytes of a description: that of half a million slices."""

_MOST_SIDE = 2**31 - 1
_MOST_SLICES = 1_000_000
_MOST_WINDOWS = 1000
# Slices looked at for what to show of all of them.
_SAMPLED, _MOST_SAMPLED = 24, 64_000_000
# The patient's axis (0 to the left, 1 to the back, 2 to the head) that slices of a plane follow.
_STANDS_ON: dict[Plane, int] = {"axial": 2, "coronal": 1, "sagittal": 0}
_COLOURS: dict[str, tuple[VolumeColour, range]] = {
    "grey": ("grey", range(1, 2)),
    "rgb": ("rgb", range(3, 4)),
    "rgba": ("rgba", range(4, 5)),
    "vector": ("vector", range(2, 4097)),
}
_TOLERANCE = 1e-2


@dataclass(frozen=True, slots=True)
class StoredVolume:
    """What a volume's file holds and where. `size` counts voxels along x, y, z; `slice_bytes` is one slice inflated."""

    size: tuple[int, int, int]
    timepoints: int
    channels: int
    value_type: str
    colour: VolumeColour
    inverted: bool
    geometry: Geometry
    windows: tuple[Window, ...]
    slice_bytes: int
    offsets: "array[int]"
    counts: "array[int]"

    @property
    def volume_bytes(self) -> int:
        """All voxels of one time point, inflated."""
        return self.slice_bytes * self.size[2]

    def with_voxels(self, voxels: Voxels, windows: tuple[Window, ...] | None = None) -> Volume:
        """Some of its voxels, (t, z, y, x) or (t, z, y, x, c), as a volume that lies in space as this one does."""
        facts = Facts(inverted=self.inverted)
        shown = self.windows if windows is None else windows
        return Volume(np.ascontiguousarray(voxels), self.geometry, self.colour, windows=shown, facts=facts)


def parse_description(
    data: bytes, *, file_size: int, small_size: int | None
) -> tuple[StoredVolume, StoredVolume | None]:
    """What `mha.write` said of a volume and, under `small`, of its reduced copy; sizes are those of the two files.

    Raises:
        Refused: `corrupt` for whatever cannot be true.
    """
    try:
        said = json.loads(data, parse_constant=_refuse_constant)
        small = said.pop("small", None) if isinstance(said, dict) else None
        whole = _parse(said, file_size)
        reduced = None if small is None or small_size is None else _parse(small, small_size)
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise corrupt("its description is damaged") from error
    if reduced is not None and reduced.timepoints != whole.timepoints:
        raise corrupt("its reduced copy is damaged")
    return whole, reduced


def _refuse_constant(name: str) -> float:
    raise ValueError(name)


def _parse(said: dict[str, Any], file_size: int) -> StoredVolume:
    size = tuple(_whole(side, 1, _MOST_SIDE) for side in _list(said["size"], 3))
    timepoints = _whole(said["timepoints"], 1, _MOST_SLICES)
    colour, allowed = _COLOURS[said["colour"]]
    channels = _whole(said["channels"], allowed.start, allowed.stop - 1)
    value_type = said["value_type"]
    if value_type not in VALUE_TYPES:
        raise ValueError("value_type")
    slice_bytes = size[0] * size[1] * channels * np.dtype(value_type).itemsize
    if said["slice_bytes"] != slice_bytes:
        raise ValueError("slice_bytes")
    number = size[2] * timepoints
    if number > _MOST_SLICES:
        raise ValueError("slices")
    # What deflate makes of bytes that cannot be packed is hardly longer than they are.
    most = slice_bytes + slice_bytes // 100 + 4096
    offsets, counts = array("Q"), array("Q")
    for place in _list(said["slices"], number):
        offset, count = (_whole(part, 1, file_size) for part in _list(place, 2))
        if offset + count > file_size or count > most:
            raise ValueError("slices")
        offsets.append(offset)
        counts.append(count)
    return StoredVolume(
        (size[0], size[1], size[2]),
        timepoints,
        channels,
        value_type,
        colour,
        said["inverted"] is True,
        _parse_geometry(said),
        tuple(_parse_windows(said["windows"])),
        slice_bytes,
        offsets,
        counts,
    )


def _parse_geometry(said: dict[str, Any]) -> Geometry:
    direction = tuple(_number(value) for value in _list(said["direction"], 9))
    matrix = np.reshape(direction, (3, 3))
    if not np.allclose(matrix.T @ matrix, np.eye(3), atol=_TOLERANCE):
        raise ValueError("direction")
    spacing = _triple(said["spacing"])
    if spacing is not None and min(spacing) <= 0:
        raise ValueError("spacing")
    return Geometry(spacing, _triple(said["origin"]), direction)


def _parse_windows(said: object) -> Iterable[Window]:
    if not isinstance(said, list) or len(said) > _MOST_WINDOWS:
        raise ValueError("windows")
    for window in said:
        yield Window(_number(window["centre"]), _number(window["width"]), str(window["name"])[:80])


def _triple(said: object) -> Triple | None:
    if said is None:
        return None
    x, y, z = (_number(value) for value in _list(said, 3))
    return x, y, z


def _list(said: object, length: int) -> list[Any]:
    if not isinstance(said, list) or len(said) != length:
        raise ValueError("length")
    return said


def _whole(said: object, least: int, most: int) -> int:
    if not isinstance(said, int) or isinstance(said, bool) or not least <= said <= most:
        raise ValueError("whole")
    return said


def _number(said: object) -> float:
    if not isinstance(said, int | float) or isinstance(said, bool) or not math.isfinite(said):
        raise ValueError("number")
    return float(said)


def read_raw(descriptor: int, stored: StoredVolume, z: int, *, time: int = 0) -> bytes:
    """A slice's voxels as stored: rows of y, x, channel, the low byte first. Raises `Refused` (`corrupt`, `truncated`).

    `z` and `time` count as in the file; they are the caller's to keep within it.
    """
    at = time * stored.size[2] + z
    packed = read_range(descriptor, stored.offsets[at], stored.counts[at])
    inflating = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        raw = inflating.decompress(packed + SLICE_END, stored.slice_bytes + 1)
    except zlib.error as error:
        raise corrupt("a slice cannot be inflated") from error
    if len(raw) != stored.slice_bytes or not inflating.eof:
        raise corrupt("a slice has another size than its volume says")
    return raw


def read_layer(descriptor: int, stored: StoredVolume, axis: int, index: int, *, time: int = 0) -> Voxels:
    """One layer of voxels across an index axis (0 x, 1 y, 2 z), (t, z, y, x) or (t, z, y, x, c), t and that axis 1.

    Memory is that of one slice and of the layer; across x and y every slice is read. Raises as `read_raw`.
    """
    if axis == 2:
        return _read_slice(descriptor, stored, index, time)[None, None]
    layers = []
    for z in range(stored.size[2]):
        voxels = _read_slice(descriptor, stored, z, time)
        # Copied, so that the rest of the slice can go.
        layers.append((voxels[:, index : index + 1] if axis == 0 else voxels[index : index + 1]).copy())
    return np.stack(layers)[None]


def _read_slice(descriptor: int, stored: StoredVolume, z: int, time: int) -> Voxels:
    kind = np.dtype(stored.value_type).newbyteorder("<")
    values = np.frombuffer(read_raw(descriptor, stored, z, time=time), kind).astype(stored.value_type, copy=False)
    samples = () if stored.colour == "grey" else (stored.channels,)
    return values.reshape(stored.size[1], stored.size[0], *samples)


def find_window(descriptor: int, stored: StoredVolume) -> tuple[float, float]:
    """Lowest and highest value to show, the same for all slices: see `planes.default_window`; from some of them."""
    stated = any(window.width > 0 for window in stored.windows)
    most = 1 if stated else min(_SAMPLED, max(1, _MOST_SAMPLED // stored.slice_bytes))
    number, depth = len(stored.offsets), stored.size[2]
    chosen = range(0, number, -(-number // most))
    slices = [_read_slice(descriptor, stored, at % depth, at // depth) for at in chosen]
    return default_window(stored.with_voxels(np.stack(slices)[None]))


def count_slices(stored: StoredVolume, plane: Plane) -> int:
    """How many slices a plane has."""
    return stored.size[_axis_of(stored, plane)]


def is_natural(stored: StoredVolume, plane: Plane) -> bool:
    """Whether the plane's slices are those of the file, so that one of them is read alone."""
    return _axis_of(stored, plane) == 2


def show_stored(
    descriptor: int,
    stored: StoredVolume,
    plane: Plane,
    index: int,
    *,
    window: tuple[float, float],
    longest: int,
    time: int = 0,
) -> Image.Image:
    """A slice as `planes.show_slice` gives it; `window` is the lowest and highest value to show."""
    axis = _axis_of(stored, plane)
    against = orientation_of(stored.geometry).signs[_STANDS_ON[plane]] < 0
    layer = read_layer(descriptor, stored, axis, stored.size[axis] - 1 - index if against else index, time=time)
    low, high = window
    shown = stored.with_voxels(layer, windows=(Window((low + high) / 2, high - low),))
    return show_slice(shown, plane, 0, longest=longest)


def _axis_of(stored: StoredVolume, plane: Plane) -> int:
    return orientation_of(stored.geometry).axes[_STANDS_ON[plane]]
