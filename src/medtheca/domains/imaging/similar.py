"""Images that look alike, by their perceptual hashes.

Two hashes of 64 bits that differ in at most 11 differ in at most 2 in one of their four quarters (four times 3 would
be 12). So of each quarter the 137 values within 2 bits are looked up by index, and only what is found there is compared
whole: exact up to 11 bits, and a few thousand comparisons among a million images. Up to 7 bits, 17 values are enough.
"""

from __future__ import annotations

from itertools import combinations
from typing import Any

from django.db.models import BigIntegerField, BooleanField, F, Func, IntegerField, Q, QuerySet, TextField, Value
from django.db.models.functions import Cast

from medtheca.domains.imaging.models import Image

NEAR = 10
"""Bits of 64 that may differ between near-duplicates."""

_QUARTERS = (48, 32, 16, 0)
# All patterns of up to two bits of 16.
_MASKS = tuple(sum(1 << bit for bit in bits) for number in range(3) for bits in combinations(range(16), number))
# How many of them have none, up to one, and up to two bits.
_NUMBERS = (1, 17, 137)
_FARTHEST = 11


class _Among(Func):
    """Whether a number is one of a list, which goes as one parameter: 548 of them take longer to write than to find."""

    template = "(%(expressions)s::bigint[]))"
    arg_joiner = " = ANY ("
    output_field = BooleanField()


class _Distance(Func):
    """How many bits of a hash differ from a number."""

    template = "bit_count((%(expressions)s)::bit(64))::integer"
    arg_joiner = " # "
    output_field = IntegerField()


def near(images: QuerySet[Image], perceptual_hash: int, *, within: int = NEAR) -> QuerySet[Image, Any]:
    """Those of `images` whose hash differs in at most `within` bits, each with its `distance`, the nearest first.

    `perceptual_hash` is the signed number that images have. Raises `ValueError` beyond 11 bits.
    """
    if not 0 <= within <= _FARTHEST:
        raise ValueError(f"Alike can be asked for up to {_FARTHEST} bits, not {within}.")
    alike = Q()
    masks = _MASKS[: _NUMBERS[within // len(_QUARTERS)]]
    for shift in _QUARTERS:
        quarter = (perceptual_hash >> shift) & 0xFFFF
        wanted = Value("{" + ",".join(str(quarter ^ mask) for mask in masks) + "}", TextField())
        # Written as in the indexes of `Image`, or they would not be used.
        alike |= Q(_Among(F("perceptual_hash").bitrightshift(shift).bitand(0xFFFF), wanted))
    found = images.filter(alike)
    found = found.annotate(
        distance=_Distance(F("perceptual_hash"), Cast(Value(str(perceptual_hash)), BigIntegerField()))
    )
    return found.filter(distance__lte=within).order_by("distance", "pk")
