"""Stored values to real-world values."""

from typing import Any

import numpy as np

from medtheca.toolkit.deidentify.faults import corrupt
from medtheca.toolkit.images.volume import Voxels

_WHOLE_TYPES = ("int16", "uint16", "int32", "uint32", "int64")
_EXACT_IN_FLOAT32 = 1 << 24
_PIECE = 1 << 20


def rescale(voxels: Voxels, slope: float, intercept: float) -> Voxels:
    """Values times `slope` plus `intercept`, both finite.

    Whole numbers stay whole where slope and intercept are, in the stored type or the smallest that holds them. Others
    become float32; float64 and whole numbers that float32 cannot hold become float64.

    Raises:
        Refused: `corrupt` where the values leave the range of their type.
    """
    if slope == 1 and intercept == 0:
        return voxels
    kept = _whole_type(voxels, slope, intercept)
    if kept is not None:
        return _apply(voxels, np.dtype(kept), np.dtype(np.int64), int(slope), int(intercept))
    wide = voxels.dtype.name == "float64" or (voxels.dtype.kind in "iu" and _reach(voxels) > _EXACT_IN_FLOAT32)
    try:
        with np.errstate(over="raise", invalid="ignore"):
            return _apply(voxels, np.dtype("float64" if wide else "float32"), np.dtype(np.float64), slope, intercept)
    except FloatingPointError as error:
        raise corrupt("slope and intercept lead its values out of range") from error


def rescaled_bytes(kind: np.dtype[Any]) -> int:
    """How many bytes a value of the type takes at most once it is rescaled, for planning."""
    return 4 if kind.itemsize < 4 or kind.name == "float32" else 8


def _whole_type(voxels: Voxels, slope: float, intercept: float) -> str | None:
    if voxels.dtype.kind not in "iu" or not (float(slope).is_integer() and float(intercept).is_integer()):
        return None
    ends = [int(value) * int(slope) + int(intercept) for value in (voxels.min(), voxels.max())]
    if int(voxels.max()) > np.iinfo(np.int64).max or max(abs(slope), abs(intercept)) >= 2**63:
        return None
    for name in (voxels.dtype.name, *_WHOLE_TYPES):
        limits = np.iinfo(name)
        if limits.min <= min(ends) and max(ends) <= limits.max:
            return name
    return None


def _reach(voxels: Voxels) -> int:
    return max(abs(int(voxels.min())), abs(int(voxels.max())))


def _apply(voxels: Voxels, kept: np.dtype[Any], between: np.dtype[Any], slope: float, intercept: float) -> Voxels:
    """In pieces, so that the wider type never takes more than some megabytes."""
    out = np.empty(voxels.shape, kept)
    source, target = voxels.reshape(-1), out.reshape(-1)
    for at in range(0, len(source), _PIECE):
        piece = source[at : at + _PIECE].astype(between)
        piece *= slope
        piece += intercept
        target[at : at + _PIECE] = piece
    return out
