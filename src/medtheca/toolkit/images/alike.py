"""Which of many images are near-duplicates, by their hashes: pairs, and groups of what pairs connect.

Two images are near-duplicates where their pixels are the same, or their perceptual hashes differ in at most `NEAR` of
64 bits. Hashes of this kind have as many ones as zeros, so that distances are even and two that have nothing in common
differ in 6 or fewer once in 70 thousand million pairs: of a million images, seven pairs. At 8 it would be fifty times
as many, and groups are chains: one false pair joins two groups. Lists that a person judges one by one may look further
(`domains.imaging.similar`).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

NEAR = 6
"""Bits of 64 that may differ within a group."""

_Numbers = NDArray[np.int64]
_SHIFTS = (0, 16, 32, 48)
# Six bits that differ cannot be two in each of four quarters: one quarter has one at most.
_MASKS = (0, *(1 << bit for bit in range(16)))
_PAIRS_AT_ONCE = 4_000_000


def groups_of(hashes: _Numbers, pixels: _Numbers) -> _Numbers:
    """For each place the first place of its group; places alone are their own.

    `hashes` are perceptual ones, of which 0 says nothing; `pixels` are any numbers that are equal for equal pixels. Not
    every pair is compared: of a million hashes a few hundred million pairs that have a quarter in common but one bit.

    >>> groups_of(np.array([0b1, 0b11, -1, 0, 0]), np.array([1, 2, 3, 4, 4])).tolist()
    [0, 0, 2, 3, 3]
    """
    labels = np.arange(len(hashes))
    for numbers, used in ((pixels, np.ones(len(pixels), bool)), (hashes, hashes != 0)):
        places = np.flatnonzero(used)
        _, first, which = np.unique(numbers[places], return_index=True, return_inverse=True)
        _join(labels, places, places[first[which]])
    _, first = np.unique(hashes, return_index=True)
    # Of equal hashes one is enough.
    distinct = first[hashes[first] != 0]
    for one, other in _near_pairs(hashes[distinct]):
        _join(labels, distinct[one], distinct[other])
    return labels


def count_near(groups: _Numbers, hashes: _Numbers, pixels: _Numbers) -> tuple[_Numbers, _Numbers]:
    """Of images of groups: how many others of its group are near-duplicates of each, and how many have its pixels.

    Images that are alike in all three are compared as one, however often an archive holds the same picture.

    >>> same = np.array([7, 7, 7])
    >>> [found.tolist() for found in count_near(same, np.array([1, 1, 3]), np.array([4, 4, 5]))]
    [[2, 2, 2], [1, 1, 0]]
    """
    rows = np.stack([groups, hashes, pixels], axis=1)
    kinds, which, sizes = np.unique(rows, axis=0, return_inverse=True, return_counts=True)
    which = which.reshape(-1)
    groups, hashes, pixels = kinds[:, 0], kinds[:, 1], kinds[:, 2]
    near, same = sizes - 1, sizes - 1
    ends = np.searchsorted(groups, groups, side="right")
    places, step = np.arange(len(groups)), 0
    while len(places):
        step += 1
        places = places[places + step < ends[places]]
        others = places + step
        equal = pixels[places] == pixels[others]
        alike = equal | _are_near(hashes[places], hashes[others])
        for counted, found in ((near, alike), (same, equal)):
            # In one step no place comes twice on the same side.
            counted[places[found]] += sizes[others[found]]
            counted[others[found]] += sizes[places[found]]
    return near[which], same[which]


def distance(one: int, other: int) -> int:
    """How many bits of two hashes differ; they may be signed.

    >>> distance(-1, -2)
    1
    """
    return ((one ^ other) & 0xFFFF_FFFF_FFFF_FFFF).bit_count()


def _are_near(one: _Numbers, other: _Numbers) -> NDArray[np.bool_]:
    differing = np.bitwise_count((one ^ other).view(np.uint64))
    near: NDArray[np.bool_] = (differing <= NEAR) & (one != 0) & (other != 0)
    return near


def _near_pairs(hashes: _Numbers) -> Iterator[tuple[_Numbers, _Numbers]]:
    """Places of pairs of different hashes that are near; some pairs come more than once."""
    for shift in _SHIFTS:
        quarters = (hashes >> shift) & 0xFFFF
        order = np.argsort(quarters, kind="stable")
        ordered = quarters[order]
        for mask in _MASKS:
            wanted = ordered ^ mask
            begin, end = np.searchsorted(ordered, wanted), np.searchsorted(ordered, wanted, side="right")
            # Each pair once: of equal quarters what comes later, of others from the smaller quarter's side.
            begin = np.where(
                wanted < ordered, end, np.maximum(begin, np.arange(1, len(ordered) + 1)) if not mask else begin
            )
            for first, others in _expanded(begin, np.maximum(end - begin, 0)):
                one, other = order[first], order[others]
                near = _are_near(hashes[one], hashes[other])
                yield one[near], other[near]


def _expanded(begin: _Numbers, numbers: _Numbers) -> Iterator[tuple[_Numbers, _Numbers]]:
    """Each place with the `numbers` places from `begin` on, some million pairs at a time."""
    total = np.cumsum(numbers)
    if not len(total) or not total[-1]:
        return
    cuts = np.searchsorted(total, np.arange(0, total[-1], _PAIRS_AT_ONCE), side="right")
    for low, high in pairwise([*np.unique(cuts).tolist(), len(numbers)]):
        some = numbers[low:high]
        first = np.repeat(np.arange(low, high), some)
        within = np.arange(len(first)) - np.repeat(np.cumsum(some) - some, some)
        yield first, begin[first] + within


def _join(labels: _Numbers, one: _Numbers, other: _Numbers) -> None:
    """Make one group of the groups of each pair: the label of all is the smallest."""
    while True:
        mine, theirs = labels[one], labels[other]
        apart = mine != theirs
        if not apart.any():
            return
        one, other, mine, theirs = one[apart], other[apart], mine[apart], theirs[apart]
        np.minimum.at(labels, np.maximum(mine, theirs), np.minimum(mine, theirs))
        while not np.array_equal(followed := labels[labels], labels):
            labels[:] = followed
