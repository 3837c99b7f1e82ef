"""Voxels and where they are in space, as a value: what a volume reader gives and what volume renditions are made of."""

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from medtheca.toolkit.images.facts import Facts, Window

Voxels = NDArray[Any]
Triple = tuple[float, float, float]
VolumeColour = Literal["grey", "rgb", "rgba", "vector"]

IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)

VALUE_TYPES = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64")
"""NumPy's names of the types that voxels may have, in native byte order."""


@dataclass(frozen=True, slots=True)
class Geometry:
    """The grid of voxels in the patient's space: millimetres, LPS (x to the left, y to the back, z to the head).

    `spacing` is the distance between voxel centres along columns, rows and slices: (x, y, z), always positive; None
    where the file does not say. `origin` is the centre of the first voxel, None where the file does not say.
    `direction` is 3 by 3, row by row, as in MetaImage of SimpleITK: its columns are the unit vectors along which
    the column, row and slice index grow; it is right- or left-handed as the file has it, and orthonormal.
    """

    spacing: Triple | None = None
    origin: Triple | None = None
    direction: tuple[float, ...] = IDENTITY


@dataclass(frozen=True, slots=True)
class Volume:
    """Voxels with their meaning.

    `voxels` is C-contiguous, native byte order: (t, z, y, x) for one sample a voxel, (t, z, y, x, c) for more; a still
    picture has t = z = 1. Values are real-world values where the file gives slope and intercept (`rescaled`): whole
    numbers stay whole where slope and intercept are whole, others become float32. Values of MONOCHROME1 stay as they
    are: `facts.inverted` says that the lowest is shown brightest. `dimensions` is how many axes the file itself spans
    (2, 3 or 4). `time_step` is in seconds. `notes` are sentences for the uploader about what was found.
    `text_suspected` says why text may be burned into the pixels, so that a person looks before anybody else does.
    """

    voxels: Voxels
    geometry: Geometry
    colour: VolumeColour = "grey"
    dimensions: int = 3
    time_step: float | None = None
    rescaled: bool = False
    windows: tuple[Window, ...] = ()
    facts: Facts = field(default_factory=Facts)
    notes: tuple[str, ...] = ()
    text_suspected: str = ""

    def __post_init__(self) -> None:
        expected = 4 if self.colour == "grey" else 5
        if self.voxels.ndim != expected or not self.voxels.size:
            raise ValueError(f"voxels of shape {self.voxels.shape} are not those of a {self.colour} volume")
        if self.voxels.dtype.name not in VALUE_TYPES or not self.voxels.dtype.isnative:
            raise ValueError(f"voxels of type {self.voxels.dtype} are not kept")
        if not self.voxels.flags.c_contiguous:
            raise ValueError("voxels are not contiguous")

    @property
    def timepoints(self) -> int:
        return int(self.voxels.shape[0])

    @property
    def depth(self) -> int:
        return int(self.voxels.shape[1])

    @property
    def height(self) -> int:
        return int(self.voxels.shape[2])

    @property
    def width(self) -> int:
        return int(self.voxels.shape[3])

    @property
    def channels(self) -> int:
        return int(self.voxels.shape[4]) if self.voxels.ndim == 5 else 1


def native(array: NDArray[Any]) -> Voxels:
    """The array C-contiguous and in native byte order, copied only where it is not."""
    return np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("="))
