"""Which values an image has, where they may be labels: few whole numbers. That most have many shows at once."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST_LABELS = 64
"""As many as a segmentation may have; of an image with more nothing is said."""

_WIDEST = 1 << 16


def labels_of(planes: Iterable[NDArray[Any]]) -> list[int] | None:
    """All values of the planes in ascending order; None where one is no whole number, or they are more than 64.

    They lie less than 65,536 apart: a table of what was seen is several times faster than sorting.

    >>> labels_of([np.array([[0, 2], [2, 0]]), np.array([[0.0, 7.0]])]), labels_of([np.array([0.5])])
    ([0, 2, 7], None)
    """
    found: set[int] = set()
    for plane in planes:
        values = plane.ravel()
        lowest, highest = float(values.min()), float(values.max())
        # What is no number fails the comparison, as infinities do.
        if not (highest - lowest < _WIDEST and abs(lowest) < 2**31):
            return None
        if not np.issubdtype(values.dtype, np.integer) and not np.array_equal(values, np.rint(values)):
            return None
        seen = np.zeros(int(highest) - int(lowest) + 1, bool)
        seen[values.astype(np.int64) - int(lowest)] = True
        found.update(int(at) + int(lowest) for at in np.flatnonzero(seen))
        if len(found) > MOST_LABELS:
            return None
    return sorted(found)
