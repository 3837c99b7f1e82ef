"""A whole number of each image, for fields of which nearly every image has another: sizes, moments, ids."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from medtheca.toolkit.bitmaps.sets import bitmap_of_mask, numbers_of

NONE = -1
"""What stands where an image has no number. Nothing that is kept so is negative."""


class Numbers:
    """`values[n]` is the number of image n, or `NONE`."""

    __slots__ = ("values",)

    def __init__(self, values: NDArray[np.int64] | None = None) -> None:
        self.values: NDArray[np.int64] = values if values is not None else np.zeros(0, np.int64)

    def replace(self, numbers: Sequence[int], values: Sequence[int]) -> None:
        """Give images their numbers; `NONE` takes one's away."""
        if not numbers:
            return
        self._reach(max(numbers))
        self.values[np.asarray(numbers, np.int64)] = np.asarray(values, np.int64)

    def present(self) -> BitMap:
        """Images that have a number."""
        return bitmap_of_mask(self.values != NONE)

    def equal(self, value: int) -> BitMap:
        """Images with this very number."""
        return bitmap_of_mask(self.values == value) if value != NONE else BitMap()

    def between(self, low: int | None, high: int | None) -> BitMap:
        """Images whose number lies between the bounds, both included; None is open."""
        mask = self.values != NONE
        if low is not None:
            mask &= self.values >= low
        if high is not None:
            mask &= self.values <= high
        return bitmap_of_mask(mask)

    def of(self, among: BitMap) -> NDArray[np.int64]:
        """The numbers of these images, in their order, those without one left out."""
        places = numbers_of(among)
        found: NDArray[np.int64] = self.values[places[places < len(self.values)]]
        there: NDArray[np.int64] = found[found != NONE]
        return there

    def counts(self, among: BitMap) -> dict[int, int]:
        """How many of the images have each number."""
        values, numbers = np.unique(self.of(among), return_counts=True)
        return dict(zip(values.tolist(), numbers.tolist(), strict=True))

    def _reach(self, number: int) -> None:
        if number >= len(self.values):
            grown = np.full(max(number + 1024, len(self.values) * 5 // 4), NONE, np.int64)
            grown[: len(self.values)] = self.values
            self.values = grown
