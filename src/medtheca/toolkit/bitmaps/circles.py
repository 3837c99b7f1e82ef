"""A scope's images: those that hang there now, and those under embargo, each with the moment it ends."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from pyroaring import BitMap

from medtheca.toolkit.bitmaps.sets import bitmap_of_numbers


class Circle:
    """`placed` has no embargo; `waiting` maps images to the end of theirs, in microseconds since 1970."""

    __slots__ = ("_ends", "_found", "_ids", "_opened", "placed", "waiting")

    def __init__(self, placed: BitMap | None = None, waiting: Mapping[int, int] | None = None) -> None:
        self.placed = placed if placed is not None else BitMap()
        self.waiting = dict(waiting or {})
        self._opened, self._found = 0, BitMap()
        self._sort()

    def replace(self, numbers: BitMap, placed: BitMap, waiting: Mapping[int, int]) -> None:
        """Forget where these images hung, and note how they hang now."""
        self.placed -= numbers
        self.placed |= placed
        if self.waiting or waiting:
            for number in numbers:
                self.waiting.pop(number, None)
            self.waiting.update(waiting)
            self._sort()

    def at(self, moment: int) -> BitMap:
        """What hangs here for its people at a moment; to be read, never changed.

        >>> circle = Circle(BitMap([1]), {2: 100, 3: 200})
        >>> [list(circle.at(moment)) for moment in (99, 100, 500)]
        [[1], [1, 2], [1, 2, 3]]
        """
        over = int(np.searchsorted(self._ends, moment, "right"))
        if not over:
            return self.placed
        if over != self._opened:
            self._found, self._opened = bitmap_of_numbers(np.sort(self._ids[:over])), over
        return self.placed | self._found

    def all(self) -> BitMap:
        """Everything that hangs here, under embargo or not."""
        return self.placed | BitMap(self.waiting)

    def _sort(self) -> None:
        ends = np.fromiter(self.waiting.values(), np.int64, len(self.waiting))
        ids = np.fromiter(self.waiting, np.int64, len(self.waiting))
        order = np.argsort(ends, kind="stable")
        self._ends, self._ids = ends[order], ids[order]
        self._opened, self._found = 0, BitMap()
