"""Between bitmaps and arrays, without a Python object a number."""

from __future__ import annotations

from array import array

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

LARGEST = 2**32 - 1
_CONTAINER = 1 << 16
_COOKIE = 12346
_MOST_IN_ARRAY = 4096


def bitmap_of_numbers(numbers: NDArray[np.integer]) -> BitMap:
    """The set of the numbers, of which none is negative or above `LARGEST`."""
    return BitMap(array("I", np.ascontiguousarray(numbers, np.uint32).tobytes()))


def numbers_of(found: BitMap) -> NDArray[np.uint32]:
    """The numbers of a set in ascending order."""
    return np.frombuffer(found.to_array(), np.uint32)


def bitmap_of_mask(mask: NDArray[np.bool_]) -> BitMap:
    """The set of the places where the mask is true, many times faster than number by number.

    Written in the portable format of Roaring bitmaps (RoaringFormatSpec), without runs.

    >>> list(bitmap_of_mask(np.array([False, True, True])))
    [1, 2]
    """
    counts = [int(np.count_nonzero(mask[start : start + _CONTAINER])) for start in range(0, len(mask), _CONTAINER)]
    used = [key for key, count in enumerate(counts) if count]
    parts = [_container(mask[key * _CONTAINER : (key + 1) * _CONTAINER], counts[key]) for key in used]
    keys = np.array([[key, counts[key] - 1] for key in used], "<u2").tobytes()
    start = 8 + 8 * len(used)
    offsets = start + np.cumsum([0, *(len(part) for part in parts[:-1])]) if used else np.array([])
    head = np.array([_COOKIE, len(used)], "<u4").tobytes() + keys + offsets.astype("<u4").tobytes()
    return BitMap.deserialize(head + b"".join(parts))


def _container(mask: NDArray[np.bool_], count: int) -> bytes:
    if count <= _MOST_IN_ARRAY:
        return np.flatnonzero(mask).astype("<u2").tobytes()
    return np.packbits(mask, bitorder="little").tobytes().ljust(_CONTAINER // 8, b"\0")
