"""How a NIfTI file lies in the patient: its quaternion and its matrix, from RAS to LPS."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medtheca.toolkit.deidentify.faults import corrupt, unsupported
from medtheca.toolkit.images.readers.grids import (
    check_origin,
    check_spacing,
    direction_of,
    is_orthonormal,
    split_axes,
)
from medtheca.toolkit.images.readers.nifti_header import NiftiHeader
from medtheca.toolkit.images.volume import IDENTITY, Geometry, Triple

_MILLIMETRES = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 1e-3}
_SCANNER = 1
_TO_LPS = np.array([-1.0, -1.0, 1.0])
_SAME = 1e-3
_UNKNOWN_UNIT = "The unit of its space is not known; millimetres were taken."
_TWO_PLACES = "The file gives two places in space; that of the scanner was taken."
Affine = NDArray[np.float64]


def place(header: NiftiHeader) -> tuple[Geometry, tuple[str, ...]]:
    """The grid in space, and what is to be said of it.

    Files may give two: the matrix (sform) is taken where it is that of the scanner or the only one, else the
    quaternion (qform). So does ITK; the other is often that of an atlas.

    Raises:
        Refused: `corrupt`, or `unsupported_variant` where the axes are not at right angles.
    """
    raw = header.raw
    scale = _MILLIMETRES.get(int(raw["xyzt_units"]) & 7)
    notes: tuple[str, ...] = (
        () if scale is not None else ("The unit of its space is not known; millimetres were taken.",)
    )
    matrix, quaternion = _matrix(raw), _quaternion(raw, header.sizes)
    chosen, more = _choose(matrix, quaternion, matrix_is_scanner=int(raw["sform_code"]) == _SCANNER)
    notes += more
    if chosen is None:
        spacing = tuple(value * (scale or 1.0) for value in _pixdim(raw, header.sizes))
        check_spacing(spacing)
        nothing = "The file does not say how it lies in the patient; its axes were taken as they are."
        return Geometry(_triple(np.array(spacing)), None, IDENTITY), (*notes, nothing)
    lengths, unit = split_axes(chosen[:, :3])
    if chosen is matrix and not _agrees(lengths, raw, header.sizes):
        notes += ("The file gives two spacings; that of its matrix (sform) was taken.",)
    origin = chosen[:, 3] * (scale or 1.0) * _TO_LPS
    lengths = lengths * (scale or 1.0)
    check_spacing([float(value) for value in lengths])
    check_origin([float(value) for value in origin])
    return Geometry(_triple(lengths), _triple(origin), direction_of(unit * _TO_LPS[:, np.newaxis])), notes


def _choose(
    matrix: Affine | None, quaternion: Affine | None, *, matrix_is_scanner: bool
) -> tuple[Affine | None, tuple[str, ...]]:
    if matrix is None:
        return quaternion, ()
    straight = is_orthonormal(split_axes(matrix[:, :3])[1])
    if quaternion is None:
        if not straight:
            raise unsupported(
                "The axes of its grid are not at right angles (a shear in sform).",
                "Resample it to a grid with right angles.",
            )
        return matrix, ()
    notes: tuple[str, ...] = (
        () if _same(matrix, quaternion) else ("The file gives two places in space; that of the scanner was taken.",)
    )
    if straight and matrix_is_scanner:
        return matrix, notes
    if not straight:
        notes = ("Its matrix (sform) is sheared and was left out; its quaternion (qform) was taken.",)
    return quaternion, notes


def _same(one: Affine, other: Affine) -> bool:
    return bool(np.abs(one - other).max() <= _SAME * max(1.0, float(np.abs(one[:, :3]).max())))


def _matrix(raw: Any) -> Affine | None:
    """RAS of the indices by sform, 3 by 4; None where it is not given."""
    if int(raw["sform_code"]) <= 0:
        return None
    with np.errstate(invalid="ignore"):  # a signalling NaN warns when it is made wider
        affine = np.array([raw[name] for name in ("srow_x", "srow_y", "srow_z")], np.float64)
    if not np.isfinite(affine).all():
        raise corrupt("its matrix (sform) has values that are no numbers")
    return affine


def _quaternion(raw: Any, sizes: tuple[int, int, int, int]) -> Affine | None:
    """RAS of the indices by qform, 3 by 4; None where it is not given."""
    if int(raw["qform_code"]) <= 0:
        return None
    b, c, d = (float(raw[f"quatern_{name}"]) for name in "bcd")
    offset = [float(raw[f"qoffset_{name}"]) for name in "xyz"]
    if not all(math.isfinite(value) for value in (b, c, d, *offset)) or max(abs(b), abs(c), abs(d)) > 1 + _SAME:
        raise corrupt("its quaternion (qform) is none")
    rest = 1.0 - (b * b + c * c + d * d)
    if rest < 1e-7:
        # As in nifti_quatern_to_mat44: half a turn, whose rounding errors are taken out.
        length = math.sqrt(b * b + c * c + d * d)
        a, b, c, d = 0.0, b / length, c / length, d / length
    else:
        a = math.sqrt(rest)
    turn = np.array(
        [
            [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
            [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
            [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
        ]
    )
    steps = np.array(_pixdim(raw, sizes))
    if float(raw["pixdim"][0]) < 0:
        steps[2] = -steps[2]
    return np.column_stack([turn * steps, offset])


def _pixdim(raw: Any, sizes: tuple[int, int, int, int]) -> tuple[float, float, float]:
    """Distances along the axes; 1 for an axis of one voxel that has none. Raises `Refused` (`corrupt`)."""
    steps = []
    for size, value in zip(sizes, raw["pixdim"][1:4], strict=False):
        step = abs(float(value))
        if not math.isfinite(step) or (step == 0 and size > 1):
            raise corrupt("a distance between its voxels (pixdim) is zero or no number")
        steps.append(step or 1.0)
    x, y, z = steps
    return x, y, z


def _agrees(lengths: NDArray[np.float64], raw: Any, sizes: tuple[int, int, int, int]) -> bool:
    pairs = zip(lengths, raw["pixdim"][1:4], sizes, strict=False)
    return all(size == 1 or abs(abs(float(said)) - length) <= _SAME * length for length, said, size in pairs)


def _triple(values: NDArray[np.float64]) -> Triple:
    x, y, z = (float(value) + 0.0 for value in values)
    return x, y, z
