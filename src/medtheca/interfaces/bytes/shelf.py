"""What was worked out from blobs and may be needed again. Blobs never change, so it never grows old; it only goes."""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

_T = TypeVar("_T")


class Shelf(Generic[_T]):
    """Values by name, of which the longest unused go first: all together cost `limit` at most. For the event loop."""

    def __init__(self, *, limit: int) -> None:
        self._limit = limit
        self._kept: OrderedDict[str, tuple[_T, int]] = OrderedDict()
        self._cost = 0

    def get(self, name: str) -> _T | None:
        """What is kept under a name."""
        found = self._kept.get(name)
        if found is None:
            return None
        self._kept.move_to_end(name)
        return found[0]

    def put(self, name: str, value: _T, cost: int) -> None:
        """Keep a value, unless it alone costs more than there is."""
        self._drop(name)
        if cost > self._limit:
            return
        self._kept[name] = (value, cost)
        self._cost += cost
        while self._cost > self._limit:
            self._drop(next(iter(self._kept)))

    def _drop(self, name: str) -> None:
        if (found := self._kept.pop(name, None)) is not None:
            self._cost -= found[1]
