"""Pages in the order of (moment, number), from any place, whatever their depth."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from medtheca.toolkit.bitmaps.sets import numbers_of

_BLOCK = 1024
_EARLIEST, _LATEST = np.iinfo(np.int64).min, np.iinfo(np.int64).max
_FIRST_STRIDE = 512


class Order:
    """When each image was made, in microseconds since 1970.

    Numbers are given in order and moments nearly so: transactions that run at the same time mix them. So numbers are
    walked in their order, in strides, until no number beyond can belong to the page: for each block of numbers the
    earliest and the latest moment are known, or bounds of them after a change.
    """

    __slots__ = ("_ahead", "_behind", "_earliest", "_latest", "moments")

    def __init__(self, moments: NDArray[np.int64] | None = None) -> None:
        self.moments: NDArray[np.int64] = moments if moments is not None else np.zeros(0, np.int64)
        blocks = -(-len(self.moments) // _BLOCK)
        padded = np.zeros(blocks * _BLOCK, np.int64)
        padded[: len(self.moments)] = self.moments
        table = padded.reshape(blocks, _BLOCK)
        self._earliest = np.where(table == 0, _LATEST, table).min(axis=1, initial=_LATEST)
        self._latest = np.where(table == 0, _EARLIEST, table).max(axis=1, initial=_EARLIEST)
        self._bound()

    def replace(self, numbers: Sequence[int], moments: Sequence[int]) -> None:
        """Note when images were made."""
        if not numbers:
            return
        places, values = np.asarray(numbers, np.int64), np.asarray(moments, np.int64)
        self._reach(int(places.max()))
        self.moments[places] = values
        np.minimum.at(self._earliest, places // _BLOCK, values)
        np.maximum.at(self._latest, places // _BLOCK, values)
        self._bound()

    def page(self, found: BitMap, *, beyond: tuple[int, int] | None, limit: int, descending: bool = False) -> list[int]:
        """The first `limit` of the images in (moment, number) that come after the place `beyond`.

        >>> order = Order(np.array([0, 30, 10, 20]))
        >>> order.page(BitMap([1, 2, 3]), beyond=None, limit=2)
        [2, 3]
        >>> order.page(BitMap([1, 2, 3]), beyond=(20, 3), limit=5, descending=True)
        [2]
        """
        walk = _Backwards(self, found) if descending else _Forwards(self, found)
        return walk.page(beyond, limit)

    def between(self, start: int | None, end: int | None) -> NDArray[np.bool_]:
        """Where moments lie from `start` on and before `end`."""
        mask: NDArray[np.bool_] = self.moments != 0
        if start is not None:
            mask &= self.moments >= start
        if end is not None:
            mask &= self.moments < end
        return mask

    def _reach(self, number: int) -> None:
        if number < len(self.moments):
            return
        size = -(-max(number + 1, len(self.moments) * 5 // 4) // _BLOCK) * _BLOCK
        grown = np.zeros(size, np.int64)
        grown[: len(self.moments)] = self.moments
        self.moments = grown
        more = size // _BLOCK - len(self._earliest)
        self._earliest = np.append(self._earliest, np.full(more, _LATEST))
        self._latest = np.append(self._latest, np.full(more, _EARLIEST))

    def _bound(self) -> None:
        self._ahead = np.minimum.accumulate(self._earliest[::-1])[::-1]
        self._behind = np.maximum.accumulate(self._latest)

    def earliest_from(self, number: int) -> int:
        """No image from this number on is earlier."""
        block = number // _BLOCK
        return int(self._ahead[block]) if block < len(self._ahead) else int(_LATEST)

    def latest_up_to(self, number: int) -> int:
        """No image up to this number is later."""
        return int(self._behind[number // _BLOCK])

    def first_reaching(self, moment: int) -> int:
        """Every image before this number is earlier than the moment."""
        return int(np.searchsorted(self._behind, moment, "left")) * _BLOCK

    def last_reaching(self, moment: int) -> int:
        """Every image from this number on is later than the moment."""
        return int(np.searchsorted(self._ahead, moment, "right")) * _BLOCK


class _Forwards:
    def __init__(self, order: Order, found: BitMap) -> None:
        self.order, self.found = order, found

    def page(self, beyond: tuple[int, int] | None, limit: int) -> list[int]:
        """The page, earliest first."""
        at = 0
        if beyond is not None and (first := self.order.first_reaching(beyond[0])):
            at = self.found.rank(first - 1)
        total, stride = len(self.found), max(_FIRST_STRIDE, 2 * limit)
        numbers, moments = np.zeros(0, np.int64), np.zeros(0, np.int64)
        while at < total:
            more = numbers_of(self.found[at : at + stride]).astype(np.int64)
            at, stride = at + stride, stride * 2
            times = self.order.moments[more]
            if beyond is not None:
                keep = (times > beyond[0]) | ((times == beyond[0]) & (more > beyond[1]))
                more, times = more[keep], times[keep]
            numbers, moments = np.append(numbers, more), np.append(moments, times)
            chosen = np.lexsort((numbers, moments))[:limit]
            numbers, moments = numbers[chosen], moments[chosen]
            # What follows has greater numbers, so that it comes after even where it is of the same moment.
            if len(numbers) == limit and at < total and moments[-1] <= self.order.earliest_from(int(self.found[at])):
                break
        return [int(number) for number in numbers]


class _Backwards:
    def __init__(self, order: Order, found: BitMap) -> None:
        self.order, self.found = order, found

    def page(self, beyond: tuple[int, int] | None, limit: int) -> list[int]:
        """The page, latest first."""
        end = len(self.found)
        if beyond is not None and (last := self.order.last_reaching(beyond[0])):
            end = self.found.rank(last - 1)
        elif beyond is not None:
            end = 0
        stride = max(_FIRST_STRIDE, 2 * limit)
        numbers, moments = np.zeros(0, np.int64), np.zeros(0, np.int64)
        while end > 0:
            start = max(0, end - stride)
            more = numbers_of(self.found[start:end]).astype(np.int64)
            end, stride = start, stride * 2
            times = self.order.moments[more]
            if beyond is not None:
                keep = (times < beyond[0]) | ((times == beyond[0]) & (more < beyond[1]))
                more, times = more[keep], times[keep]
            numbers, moments = np.append(numbers, more), np.append(moments, times)
            chosen = np.lexsort((numbers, moments))[::-1][:limit]
            numbers, moments = numbers[chosen], moments[chosen]
            if len(numbers) == limit and end > 0 and moments[-1] >= self.order.latest_up_to(int(self.found[end - 1])):
                break
        return [int(number) for number in numbers]
