"""Slices of a volume as a person expects to see them: the right side of the patient on the left, feet down, to scale.

Directions on screen follow the radiological convention: axial slices are seen from the feet, front up; coronal ones
from the front, head up; sagittal ones from the left, head up, front to the left.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

if TYPE_CHECKING:
    from medtheca.toolkit.images.volume import Geometry, Volume


Plane = Literal["axial", "coronal", "sagittal"]
PLANES: tuple[Plane, ...] = ("axial", "coronal", "sagittal")

# For each plane: the patient axis (0 to the left, 1 to the back, 2 to the head) that a slice stands on, the one that
# runs to the right of the screen and the one that runs down, with their signs.
_SCREEN: dict[Plane, tuple[int, tuple[int, int], tuple[int, int]]] = {
    "axial": (2, (0, 1), (1, 1)),
    "coronal": (1, (0, 1), (2, -1)),
    "sagittal": (0, (1, 1), (2, -1)),
}
# Slices so much further apart than pixels are looked at as they were taken.
_THICK = 1.5
# Whatever a header says, a pixel is shown at most so many times as long as wide.
_LONGEST_PIXEL = 10_000.0
_SAMPLE = 200_000
_FEW = 256


@dataclass(frozen=True, slots=True)
class Orientation:
    """Which index axis (0 columns x, 1 rows y, 2 slices z) follows which patient axis, and whether against it."""

    axes: tuple[int, int, int]
    signs: tuple[int, int, int]


def orientation_of(geometry: Geometry) -> Orientation:
    """The index axis nearest to each patient axis (left, back, head); every index axis is given once.

    >>> from medtheca.toolkit.images.volume import Geometry
    >>> orientation_of(Geometry(direction=(0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, -1.0)))
    Orientation(axes=(1, 0, 2), signs=(1, 1, -1))
    """
    direction = np.asarray(geometry.direction, dtype=float).reshape(3, 3)
    left = np.abs(direction)
    axes = [0, 0, 0]
    for _ in range(3):
        patient, index = np.unravel_index(int(left.argmax()), left.shape)
        axes[patient] = int(index)
        left[patient, :] = -1
        left[:, index] = -1
    signs = [1 if direction[patient, axes[patient]] >= 0 else -1 for patient in range(3)]
    return Orientation((axes[0], axes[1], axes[2]), (signs[0], signs[1], signs[2]))


def natural_plane(volume: Volume) -> Plane:
    """The plane in which the slices were taken where they are thick, otherwise axial."""
    spacing = volume.geometry.spacing or (1.0, 1.0, 1.0)
    thin = volume.depth == 1 or spacing[2] < _THICK * max(spacing[0], spacing[1])
    if thin and volume.depth > 1 and volume.geometry.spacing is not None:
        return "axial"
    stands_on = orientation_of(volume.geometry).axes.index(2)
    return next(plane for plane, (axis, _, _) in _SCREEN.items() if axis == stands_on)


def count_slices(volume: Volume, plane: Plane) -> int:
    """How many slices lie along the axis that a plane stands on."""
    axis = orientation_of(volume.geometry).axes[_SCREEN[plane][0]]
    return (volume.width, volume.height, volume.depth)[axis]


def cut(volume: Volume, plane: Plane, index: int, *, time: int = 0) -> tuple[NDArray[Any], tuple[float, float]]:
    """Values of a slice as it lies on screen, (rows, columns) or (rows, columns, samples), and mm (down, right).

    Slices are counted along the patient's axis: from right to left, front to back, feet to head.
    """
    orientation = orientation_of(volume.geometry)
    stands_on, (right, right_sign), (down, down_sign) = _SCREEN[plane]
    values = volume.voxels[time]
    axis = orientation.axes[stands_on]
    if orientation.signs[stands_on] < 0:
        index = values.shape[2 - axis] - 1 - index
    # The array's axes are z, y, x.
    values = np.take(values, index, axis=2 - axis)
    across, along = orientation.axes[right], orientation.axes[down]
    if along < across:
        # Of the two axes that are left the one with the greater number comes first.
        values = np.swapaxes(values, 0, 1)
    if orientation.signs[down] * down_sign < 0:
        values = values[::-1]
    if orientation.signs[right] * right_sign < 0:
        values = values[:, ::-1]
    spacing = volume.geometry.spacing or (1.0, 1.0, 1.0)
    return values, (spacing[along], spacing[across])


def default_window(volume: Volume) -> tuple[float, float]:
    """Lowest and highest value to show: the file's own first window, or nearly all values that there are."""
    for window in volume.windows:
        low, high = window.centre - window.width / 2, window.centre + window.width / 2
        if high > low:
            return low, high
    values = volume.voxels.reshape(-1)
    if values.dtype == np.uint8 and volume.colour != "grey":
        return 0.0, 255.0
    sample = values[:: max(1, values.size // _SAMPLE)]
    if sample.dtype.kind == "f":
        sample = sample[np.isfinite(sample)]
    if not sample.size:
        return 0.0, 1.0
    low, high = float(sample.min()), float(sample.max())
    if high - low > _FEW:
        below, above = np.percentile(sample, (0.5, 99.5))
        if above > below:
            low, high = float(below), float(above)
    # To a large number 1 adds nothing.
    return (low, high) if high > low else (low, max(low + 1.0, math.nextafter(low, math.inf)))


def to_grey(values: NDArray[Any], window: tuple[float, float], *, inverted: bool = False) -> NDArray[np.uint8]:
    """Values within a window as 0 to 255; what is not a number is black."""
    low, high = window
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = (values.astype(np.float32) - np.float32(low)) * np.float32(255.0 / (high - low))
    shown = np.nan_to_num(scaled, nan=0.0, posinf=255.0, neginf=0.0).clip(0, 255)
    grey: NDArray[np.uint8] = np.rint(shown).astype(np.uint8)
    return np.invert(grey, out=grey) if inverted else grey


def show_slice(volume: Volume, plane: Plane, index: int, *, time: int = 0, longest: int | None = None) -> Image.Image:
    """A slice as a picture of square pixels in mode L or RGB, fitted into `longest` where that is given."""
    values, (down, right) = cut(volume, plane, index, time=time)
    if values.ndim == 3:
        values = values[:, :, 0] if volume.colour == "vector" else values[:, :, :3]
    is_plain = values.dtype == np.uint8 and values.ndim == 3
    inverted = volume.facts.inverted
    shown = values if is_plain else to_grey(values, default_window(volume), inverted=inverted)
    picture = Image.fromarray(np.ascontiguousarray(shown))
    finest = min(down, right)
    width, height = (
        side * min(step / finest, _LONGEST_PIXEL) for side, step in ((picture.width, right), (picture.height, down))
    )
    scale = min(1.0, longest / max(width, height)) if longest else 1.0
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    if size == picture.size:
        return picture
    shrinks = size[0] < picture.width or size[1] < picture.height
    return picture.resize(size, Image.Resampling.BOX if shrinks else Image.Resampling.BICUBIC)


def overview(volume: Volume, longest: int) -> Image.Image:
    """The slice that stands for the whole: the middle one, or where that is empty the one with most in it."""
    plane = natural_plane(volume)
    number = count_slices(volume, plane)
    middle = number // 2
    values, _ = cut(volume, plane, middle)
    if number > 1 and not (values != values.flat[0]).any():
        every = range(0, number, max(1, number // 64))
        with np.errstate(over="ignore", invalid="ignore"):
            middle = max(every, key=lambda index: float(np.std(cut(volume, plane, index)[0].astype(np.float32))))
    return show_slice(volume, plane, middle, longest=longest)
