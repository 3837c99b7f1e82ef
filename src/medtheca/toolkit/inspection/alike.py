"""Which pictures of a trial look nearly the same."""

from collections.abc import Sequence

import numpy as np

NEAR = 8
"""Bits of 64 in which perceptual hashes may differ; see `images.hashes.perceptual_hash`."""
_MOST = 20_000
_TOLD = 5


def find_alike(hashes: Sequence[int], *, near: int = NEAR) -> dict[int, list[int]]:
    """For each place in `hashes`, the nearest few other places within `near` bits; those of none are left out.

    Plain pictures, whose hash is 0, are like nothing. Of more than 20,000 hashes only the first are compared.

    >>> find_alike([0b1111, 0b1110, 1 << 40 | 0xFFFF_0000_0000, 0])
    {0: [1], 1: [0]}
    """
    values = np.asarray(hashes[:_MOST], dtype=np.uint64)
    found: dict[int, list[int]] = {}
    for place, value in enumerate(values):
        if not value:
            continue
        distances = np.bitwise_count(values ^ value)
        close = np.flatnonzero((distances <= near) & (values != 0))
        others = [int(other) for other in close[np.argsort(distances[close], kind="stable")] if other != place]
        if others:
            found[place] = others[:_TOLD]
    return found
