"""What volume formats have in common: numbers in headers, grids in space, bytes as voxels."""

import math
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medtheca.toolkit.deidentify.faults import corrupt, truncated, unsupported
from medtheca.toolkit.errors import Refused
from medtheca.toolkit.images.readers.inflating import Octets
from medtheca.toolkit.images.volume import Voxels

_WHOLE = re.compile(r"[+-]?[0-9]{1,19}")
_DECIMAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
_LONGEST_NUMBER = 64
# Headers are written with three or more digits. What is further from a right angle is a shear, and not rounding.
RIGHT_ANGLE = 1e-3
_SMALLEST_SPACING, _LARGEST_SPACING = 1e-9, 1e6
_FURTHEST = 1e9
_MOST_SURPLUS = 4096
_PIECE = 1 << 20


def whole(text: str, what: str) -> int:
    """A whole number. Raises `Refused` (`corrupt`), naming `what`."""
    if not _WHOLE.fullmatch(text):
        raise corrupt(f"its {what} is not a whole number")
    return int(text)


def decimal(text: str, what: str) -> float:
    """A finite number. Raises `Refused` (`corrupt`), naming `what`."""
    if len(text) > _LONGEST_NUMBER or not _DECIMAL.fullmatch(text) or not math.isfinite(value := float(text)):
        raise corrupt(f"its {what} is not a number")
    return value


def check_sizes(sizes: Sequence[int]) -> None:
    """Refuse a grid without voxels (`corrupt`)."""
    if any(size < 1 for size in sizes):
        raise corrupt("its header says that it has no voxels: a size is zero or less")


def check_spacing(spacing: Sequence[float]) -> None:
    """Refuse distances that no scanner has (`corrupt`), zero and negative ones, NaN and infinite ones among them."""
    if not all(_SMALLEST_SPACING <= value <= _LARGEST_SPACING for value in spacing):
        raise corrupt("a distance between its voxels is zero, negative, or beyond all measure")


def check_origin(origin: Sequence[float]) -> None:
    """Refuse places that no patient is at (`corrupt`), NaN and infinite ones among them."""
    if not all(-_FURTHEST <= value <= _FURTHEST for value in origin):
        raise corrupt("the place of its first voxel is beyond all measure")


def is_orthonormal(matrix: NDArray[np.float64]) -> bool:
    """Whether the columns of a 3 by 3 matrix are unit vectors at right angles, as far as headers write them."""
    if not np.isfinite(matrix).all() or np.abs(matrix).max() > 2:
        return False
    return bool(np.abs(matrix.T @ matrix - np.eye(3)).max() <= RIGHT_ANGLE)


def direction_of(matrix: NDArray[np.float64]) -> tuple[float, ...]:
    """The matrix row by row, as it is: never straightened. Raises `Refused` (`unsupported_variant`) for a shear."""
    if not is_orthonormal(matrix):
        raise unsupported(
            "The axes of its grid are not at right angles, or its directions are not unit vectors.",
            "Resample it to a grid with right angles.",
        )
    # Adding zero turns -0.0 into 0.0.
    return tuple(float(value) + 0.0 for value in matrix.ravel())


def split_axes(matrix: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Spacing and unit directions of steps along the axes, which are the columns. Raises `Refused` (`corrupt`)."""
    if not np.isfinite(matrix).all() or np.abs(matrix).max() > _LARGEST_SPACING:
        raise corrupt("the directions of its axes are not numbers, or beyond all measure")
    spacing = np.sqrt((matrix * matrix).sum(axis=0))
    check_spacing([float(value) for value in spacing])
    return spacing, matrix / spacing


def check_cost(sizes: Sequence[int], cost: int, memory: int) -> None:
    """Refuse a volume whose reading would take more than `memory` bytes (`too_many_pixels`)."""
    if cost > memory:
        shape = " by ".join(f"{size:,}" for size in sizes)
        raise Refused(
            "too_many_pixels",
            f"The volume has {shape} voxels, which take {cost / 1e6:,.0f} MB to read; "
            f"at most {memory / 1e6:,.0f} MB are given.",
            "Send it cut into parts, or with voxels of a smaller type.",
        )


def check_surplus(surplus: int, row: int) -> tuple[str, ...]:
    """Padding behind the last voxel is noted. A row of voxels or more is a lie of the header (`corrupt`)."""
    if surplus > spare_bytes(row):
        raise corrupt("more voxels are in it than its header says")
    return (f"{surplus:,} bytes behind its last voxel were left out.",) if surplus else ()


def spare_bytes(row: int) -> int:
    """How many bytes may follow the last voxel, where a row of voxels has `row` bytes."""
    return min(row - 1, _MOST_SURPLUS)


def stored(view: memoryview, start: int, size: int) -> Octets:
    """Bytes of the file, not copied. Raises `Refused` (`truncated`)."""
    if (there := max(len(view) - start, 0)) < size:
        raise truncated(f"its voxels are {size:,} bytes, and {there:,} are there")
    return np.frombuffer(view[start : start + size], np.uint8)


def typed(octets: Octets, stored_type: np.dtype[Any]) -> Voxels:
    """Bytes as values of native byte order, aligned; copied only where they must be and cannot be turned in place."""
    values = octets.view(stored_type)
    kept = stored_type.newbyteorder("=")
    if values.flags.aligned and stored_type.isnative:
        return values
    if values.flags.aligned and values.flags.writeable:
        return values.byteswap(inplace=True).view(kept)
    return values.astype(kept)


def written(text: memoryview, count: int, kind: np.dtype[Any]) -> Voxels:
    """`count` numbers in ASCII, parted by blanks or commas.

    Raises:
        Refused: `truncated` where there are fewer, `corrupt` where there are more, or one is no number of the type.
    """
    if len(text) < 2 * count - 1:
        raise truncated(f"it promises {count:,} numbers, and {len(text):,} characters cannot hold them")
    if not bytes(text[-1:]).isspace():
        raise truncated("its last number does not end")  # 12 may have been 125
    out = np.empty(count, kind)
    done, at, rest = 0, 0, b""
    while at < len(text):
        piece = rest + bytes(text[at : at + _PIECE])
        at += _PIECE
        words = piece.replace(b",", b" ").split()
        rest = words.pop() if words and at < len(text) and not piece[-1:].isspace() else b""
        if len(rest) > _LONGEST_NUMBER or done + len(words) > count:
            raise corrupt("more numbers are in it than its header says, or something that is no number")
        out[done : done + len(words)] = _values(words, kind)
        done += len(words)
    if done < count:
        raise truncated(f"it promises {count:,} numbers, and {done:,} are there")
    return out


def _values(words: list[bytes], kind: np.dtype[Any]) -> Voxels:
    try:
        if b"_" in b" ".join(words):  # which Python would take as a grouping of digits
            raise corrupt("a voxel is not a number")
        if kind.kind == "f":
            with np.errstate(over="raise"):
                return np.array([float(word) for word in words], np.float64).astype(kind)
        numbers = [int(word) for word in words]
    except (ValueError, FloatingPointError) as error:
        raise corrupt("a voxel is not a number of its type") from error
    limits = np.iinfo(kind)
    if numbers and not limits.min <= min(numbers) <= max(numbers) <= limits.max:
        raise corrupt(f"a voxel is outside the range of {kind.name}")
    return np.array(numbers, kind)
