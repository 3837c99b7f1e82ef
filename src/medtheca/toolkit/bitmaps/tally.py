"""How many of one set are in each of hundreds of others, without a look at each of its members for each of them."""

from __future__ import annotations

from functools import cached_property, lru_cache

from pyroaring import BitMap

_CONTAINER = 1 << 16
_STEP = 8
_MANY = 8_000
"""Members in containers that list them: with fewer, listing them for each set is as fast as anything."""


class Tally:
    """A set that others are counted in. It is to be read, never changed.

    A container of a Roaring bitmap with up to 4,096 members lists them, and an intersection with one looks at each; one
    with more is a mask, of which the processor counts 512 bits in a few steps. A set of many short lists is counted as
    the difference of two masks: what `b` shares with `a | p`, less what it shares with `p - a`, `p` a dense set.

    >>> Tally(BitMap([1, 2, 3])).of(BitMap([2, 9]))
    1
    """

    def __init__(self, among: BitMap) -> None:
        self.among = among

    def __len__(self) -> int:
        return self._size

    @cached_property
    def _size(self) -> int:
        return len(self.among)

    @cached_property
    def _masks(self) -> tuple[BitMap, BitMap | None]:
        among = self.among
        if self._size < _MANY:
            return among, None
        told, reach = among.get_statistics(), among.max() // _CONTAINER + 1
        # Where most containers are empty, masks for all of them would be larger than what is counted.
        if told["n_values_array_containers"] < _MANY or reach > 2 * told["n_containers"]:
            return among, None
        dense = _dense(reach)
        return among | dense, dense - among

    def of(self, other: BitMap) -> int:
        """How many members the other set has in common with this one."""
        those, besides = self._masks
        found = those.intersection_cardinality(other)
        return found - besides.intersection_cardinality(other) if besides is not None else found


@lru_cache(maxsize=4)
def _dense(containers: int) -> BitMap:
    """Every eighth number: enough for every container to be a mask, with or without what is counted."""
    return BitMap(range(0, containers * _CONTAINER, _STEP))
