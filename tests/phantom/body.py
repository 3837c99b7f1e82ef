"""A body that is like none of its mirror images, laid into a grid in any of the 48 ways, and where its marks are."""

from dataclasses import dataclass
from itertools import permutations, product

import numpy as np

LEFT, FRONT, HEAD = 80, 160, 240
"""Values of the marks; all else is 0. So few values that the window of a rendition is from 0 to 240."""

MARKS = {"left": LEFT, "front": FRONT, "head": HEAD}
SIZE = (24, 28, 32)
"""Voxels from right to left, front to back, feet to head. One axis is to be longer in each test that reduces."""

# Half extents of each mark as shares of the body, and its centre: all of them different.
_CENTRES = {"left": (0.86, 0.5, 0.5), "front": (0.5, 0.11, 0.5), "head": (0.5, 0.5, 0.92)}
_HALVES = {"left": (0.08, 0.12, 0.16), "front": (0.15, 0.09, 0.13), "head": (0.11, 0.17, 0.07)}

ORIENTATIONS = [(axes, signs) for axes in permutations(range(3)) for signs in product((1, -1), repeat=3)]
"""For columns, rows and slices of a file: which patient axis (left, back, head) they follow, or go against (-1)."""


def name(orientation):
    """Such as LPS: where columns, rows and slices go to."""
    axes, signs = orientation
    return "".join(("LR", "PA", "SI")[axis][sign < 0] for axis, sign in zip(axes, signs, strict=True))


def anatomy(size=SIZE):
    """Voxels (left, back, head): index 0 is at the patient's right, front and feet."""
    body = np.zeros(size, np.int16)
    for mark, value in MARKS.items():
        body[_box(mark, size)] = value
    return body


def _box(mark, size):
    """The mark's voxels along each axis; at least three of them."""
    slices = []
    for centre, half, count in zip(_CENTRES[mark], _HALVES[mark], size, strict=True):
        low = max(0, round((centre - half) * count))
        slices.append(slice(low, min(count, max(low + 3, round((centre + half) * count)))))
    return tuple(slices)


@dataclass(frozen=True)
class Grid:
    """The body in one file: voxels (1, z, y, x), and where they are (LPS, mm).

    `direction` has columns as in `Geometry`; `spacing` and `origin` likewise. `turned` is how the patient lies, askew
    to the scanner or not: axes of the body as columns.
    """

    voxels: np.ndarray
    spacing: tuple[float, float, float]
    origin: tuple[float, float, float]
    direction: np.ndarray
    turned: np.ndarray
    size: tuple[int, int, int]
    body_spacing: tuple[float, float, float]

    def shares(self, mark):
        """Where the mark's centre is between right and left, front and back, feet and head: 0 to 1 of the body."""
        return tuple(
            (one.start + one.stop) / 2 / count for one, count in zip(_box(mark, self.size), self.size, strict=True)
        )

    def extent(self, axis):
        """Millimetres of the body along a patient axis."""
        return self.size[axis] * self.body_spacing[axis]

    def place(self, mark):
        """The mark's centre in the scanner's space, mm."""
        return centre_of(self.voxels[0], MARKS[mark], self.spacing, self.origin, self.direction)


def askew():
    """A patient who lies turned by some degrees about two axes; every axis stays nearest to its own."""
    a, b = np.radians(17.0), np.radians(-11.0)
    about_z = [[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]]
    about_x = [[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]]
    return np.array(about_z) @ np.array(about_x)


def lay(orientation, *, spacing=(0.8, 1.1, 2.4), turned=None, size=SIZE, corner=(-61.5, -38.25, 102.75)):
    """The body in a grid whose columns, rows and slices follow the given axes; `spacing` is along these three."""
    axes, signs = orientation
    turned = np.eye(3) if turned is None else turned
    body = anatomy(size)
    body_spacing = tuple(spacing[axes.index(axis)] for axis in range(3))
    flipped = tuple(slice(None, None, signs[axes.index(axis)]) for axis in range(3))
    # The array's axes are z, y, x.
    voxels = np.ascontiguousarray(np.transpose(body[flipped], (axes[2], axes[1], axes[0])))[None]
    direction = np.stack([turned[:, axis] * sign for axis, sign in zip(axes, signs, strict=True)], axis=1)
    first = [(size[axis] - 1) * body_spacing[axis] * (signs[axes.index(axis)] < 0) for axis in range(3)]
    origin = np.array(corner) + turned @ np.array(first)
    return Grid(voxels, spacing, tuple(float(value) for value in origin), direction, turned, size, body_spacing)


def centre_of(voxels, value, spacing, origin, direction):
    """The centre of all voxels (z, y, x) of a value, in the space of that grid."""
    found = np.argwhere(voxels == value)
    assert len(found), f"no voxel has the value {value}"
    index = found.mean(axis=0)[::-1]
    return np.array(origin) + np.reshape(direction, (3, 3)) @ (index * np.array(spacing))
