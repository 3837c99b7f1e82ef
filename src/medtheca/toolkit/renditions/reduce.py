"""Volumes with fewer voxels, for a quick look."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from medtheca.toolkit.images.volume import Geometry, Volume, Voxels


RECIPE = "reduced/1"

# Atlases have some hundred labels with long runs of equal neighbours; grey values have more, or shorter runs.
_SURE_LABELS = 64
_MOST_LABELS = 1024
_EQUAL_NEIGHBOURS = 0.85
# Planes that are enough to tell which of the two it is.
_LOOKED_AT = 24


def reduce(volume: "Volume", longest: int) -> "Volume":
    """The volume with at most `longest` voxels along x, y and z; itself where it has no more.

    Each axis is divided by a whole number. Grey values and colours become the mean of a block (of its finite values),
    labels, which have no mean, the value at its centre. Spacing and origin are those of the new grid.
    """
    sizes = (volume.width, volume.height, volume.depth)
    steps = tuple(-(-size // longest) for size in sizes)
    if max(steps) == 1:
        return volume
    labels = is_label_like(volume)
    voxels = _pick(volume.voxels, steps) if labels else _average(volume.voxels, steps)
    shifts = [(step - 1) // 2 if labels else (step - 1) / 2 for step in steps]
    return replace(volume, voxels=voxels, geometry=_geometry(volume.geometry, steps, shifts))


def is_label_like(volume: "Volume") -> bool:
    """Whether the values are names of things rather than measures: whole numbers, few, or many with long runs."""
    voxels = volume.voxels
    if volume.colour != "grey" or voxels.dtype.kind not in "iu":
        return False
    planes = voxels.reshape(-1, *voxels.shape[2:])
    planes = planes[:: max(1, len(planes) // _LOOKED_AT)]
    found: set[int] = set()
    for plane in planes:
        if len(found) <= _MOST_LABELS:
            found.update(_distinct(plane))
    if len(found) <= _SURE_LABELS:
        return True
    return len(found) <= _MOST_LABELS and _equal_neighbours(planes) >= _EQUAL_NEIGHBOURS


def _distinct(plane: "Voxels") -> list[int]:
    low, high = int(plane.min()), int(plane.max())
    if high - low > 1 << 16:
        return [int(value) for value in np.unique(plane)]
    counts = np.bincount((plane.reshape(-1).astype(np.int64) - low), minlength=1)
    return [int(value) + low for value in np.flatnonzero(counts)]


def _equal_neighbours(planes: "Voxels") -> float:
    """The share of neighbours along x that are equal, without those of the background, which is the first value."""
    equal = pairs = 0
    background = planes.flat[0]
    for plane in planes:
        left, right = plane[:, :-1], plane[:, 1:]
        inside = (left != background) & (right != background)
        pairs += int(np.count_nonzero(inside))
        equal += int(np.count_nonzero(inside & (left == right)))
    return equal / pairs if pairs else 1.0


def _pick(voxels: "Voxels", steps: tuple[int, ...]) -> "Voxels":
    """The centres of blocks; a last block too short to have one gives its last voxel."""
    indices = [
        np.minimum(np.arange(0, size, step) + (step - 1) // 2, size - 1)
        for size, step in zip(voxels.shape[1:4], reversed(steps), strict=True)
    ]
    return np.ascontiguousarray(voxels[np.ix_(np.arange(voxels.shape[0]), *indices)])


def _average(voxels: "Voxels", steps: tuple[int, ...]) -> "Voxels":
    """Means of blocks; whole numbers are rounded. Blocks at the end may be smaller."""
    step_x, step_y, step_z = steps
    depth, height, width = voxels.shape[1:4]
    shape = (voxels.shape[0], -(-depth // step_z), -(-height // step_y), -(-width // step_x), *voxels.shape[4:])
    out = np.empty(shape, voxels.dtype)
    for t, frame in enumerate(voxels):
        for z in range(shape[1]):
            # The sum of values at the end of a type's range is infinite, and no reason to warn.
            with np.errstate(over="ignore", invalid="ignore"):
                out[t, z] = _mean(frame[z * step_z : (z + 1) * step_z], step_y, step_x)
    return out


def _mean(slab: "Voxels", step_y: int, step_x: int) -> "Voxels":
    kind = slab.dtype
    counts = np.outer(_lengths(slab.shape[1], step_y), _lengths(slab.shape[2], step_x)).astype(np.float64)
    counts = counts.reshape(*counts.shape, *(1,) * (slab.ndim - 3))
    if kind.kind == "f":
        finite = np.isfinite(slab)
        total = _sum(np.where(finite, slab, 0), step_y, step_x, np.float64)
        count = _sum(finite, step_y, step_x, np.float64)
        mean = np.full(total.shape, np.nan)
        np.divide(total, count, out=mean, where=count > 0)
        return mean.astype(kind)
    # Sums of short numbers are exact in 64 bits, and no slower.
    total = _sum(slab, step_y, step_x, np.int64 if kind.itemsize <= 4 else np.float64)
    mean = np.rint(total / (counts * len(slab)))
    limits = np.iinfo(kind)
    if kind.itemsize == 8:  # whose greatest values a float64 rounds up
        mean = np.clip(mean, limits.min, np.nextafter(float(limits.max), 0))
    return mean.astype(kind)


def _lengths(size: int, step: int) -> NDArray[np.int64]:
    """Lengths of the blocks along an axis; the last may be shorter."""
    return np.minimum(step, size - np.arange(0, size, step))


def _sum(slab: "Voxels", step_y: int, step_x: int, kind: type[np.int64 | np.float64]) -> NDArray[Any]:
    """Sums of blocks, one voxel of each at a time: several times as fast as `reduceat`."""
    height, width = slab.shape[1:3]
    total = np.zeros((-(-height // step_y), -(-width // step_x), *slab.shape[3:]), kind)
    for y in range(min(step_y, height)):
        for x in range(min(step_x, width)):
            for plane in slab:
                part = plane[y::step_y, x::step_x]
                total[: part.shape[0], : part.shape[1]] += part
    return total


def _geometry(geometry: "Geometry", steps: tuple[int, ...], shifts: list[float]) -> "Geometry":
    """The first block's centre is `shifts` voxels from the first voxel's."""
    if geometry.spacing is None:
        return geometry
    x, y, z = (length * step for length, step in zip(geometry.spacing, steps, strict=True))
    origin = geometry.origin
    if origin is not None:
        move = np.reshape(geometry.direction, (3, 3)) @ (np.array(shifts) * geometry.spacing)
        a, b, c = (float(value) for value in np.array(origin) + move)
        origin = (a, b, c)
    return replace(geometry, spacing=(x, y, z), origin=origin)
