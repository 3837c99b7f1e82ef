"""Random fields that the pictures are made of. All are float32 arrays of the picture's height and width.

Only numpy and Pillow: a small random grid enlarged by Pillow is far cheaper than any noise function, and cells are
measured at half size.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Field = NDArray[np.float32]


_COARSE_CELL = 6


def smooth_step(field: Field, low: float, high: float) -> Field:
    """0 below `low`, 1 above `high`, an S between; falling where low > high.

    >>> smooth_step(np.float32([0, 1, 2]), 0, 2).tolist()
    [0.0, 0.5, 1.0]
    """
    t = np.clip((field - np.float32(low)) / np.float32(high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def enlarge(field: Field, shape: tuple[int, int], by: Image.Resampling = Image.Resampling.BICUBIC) -> Field:
    """The field at another height and width."""
    picture = Image.fromarray(np.ascontiguousarray(field, dtype=np.float32))
    return np.asarray(picture.resize((shape[1], shape[0]), by))


def waves(rng: np.random.Generator, shape: tuple[int, int], cell: float) -> Field:
    """Smooth noise of about unit variance whose bumps are `cell` pixels wide."""
    rows, columns = (max(2, round(side / cell) + 1) for side in shape)
    return enlarge(rng.standard_normal((rows, columns), dtype=np.float32) * np.float32(1.3), shape)


def clouds(rng: np.random.Generator, shape: tuple[int, int], cell: float, octaves: int = 3) -> Field:
    """Waves of halving size and strength, added: cloudy, about unit variance."""
    # Where even the finest bumps are wide, a quarter of the pixels tells as much.
    coarse = 2 if cell / 2 ** (octaves - 1) >= _COARSE_CELL else 1
    size = (shape[0] // coarse, shape[1] // coarse)
    total = np.zeros(size, np.float32)
    for octave in range(octaves):
        total += waves(rng, size, cell / coarse / 2**octave) * np.float32(0.55**octave / 1.2)
    return total if coarse == 1 else enlarge(total, shape, Image.Resampling.BILINEAR)


class Cells:
    """Irregular cells on a jittered grid, as the meshes of a pigment network.

    Attributes:
        border: distance to the nearest border between cells, in cells: 0 on it, about 0.7 in the middle.
        centre: distance to the centre, in cells.
        tone: a number from 0 to 1 for each cell, the same over all of it.
    """

    def __init__(self, rng: np.random.Generator, shape: tuple[int, int], cell: float, jitter: float = 0.8) -> None:
        half = (shape[0] // 2, shape[1] // 2)
        rows, columns = int(half[0] * 2 / cell) + 4, int(half[1] * 2 / cell) + 4
        spots = np.float32(0.5) + np.float32(jitter) * (
            rng.random((2, rows, columns), dtype=np.float32) - np.float32(0.5)
        )
        tones = rng.random((rows, columns), dtype=np.float32)
        y = np.arange(half[0], dtype=np.float32)[:, None] * np.float32(2 / cell) + 1
        x = np.arange(half[1], dtype=np.float32)[None, :] * np.float32(2 / cell) + 1
        # Straight rows of cells betray the grid; a gentle warp hides it.
        y = y + waves(rng, half, cell * 2) * np.float32(0.35)
        x = x + waves(rng, half, cell * 2) * np.float32(0.35)
        row = np.clip(y.astype(np.int32), 1, rows - 2)
        column = np.clip(x.astype(np.int32), 1, columns - 2)
        place = row * columns + column
        y -= row
        x -= column
        first = np.full(half, 9, np.float32)
        second = first.copy()
        nearest = np.zeros(half, np.int32)
        for i in (-1, 0, 1):
            for j in (-1, 0, 1):
                neighbour = place + (i * columns + j)
                distance = (spots[0].take(neighbour) + (np.float32(i) - y)) ** 2
                distance += (spots[1].take(neighbour) + (np.float32(j) - x)) ** 2
                second = np.minimum(second, np.maximum(first, distance))
                nearest = np.where(distance < first, neighbour, nearest)
                first = np.minimum(first, distance)
        tone = tones.take(nearest)
        first, second = np.sqrt(first), np.sqrt(second)
        self.border = enlarge(second - first, shape)
        self.centre = enlarge(first, shape)
        self.tone = enlarge(tone, shape)
