"""What images cost, before anybody has looked into them: guesses for taking turns, and what each may cost at most.

What is allowed is some ten times what the slowest honest file of its kind and size was seen to take.
"""

import math
from collections.abc import Iterable

from medtheca.toolkit.images.identify import identify

MOST_SECONDS = 3600
"""Processor seconds that decoding one image may take where nothing else is said."""

_MEGABYTE = 1_000_000
# Seconds at least, and for each megabyte. A few bytes of deflate may be a large picture, of a JPEG hardly.
_JPEG = (20, 1)
_OTHER_PHOTOGRAPHS = (40, 2)
# A slide is read at some 15 MB of its file a second; what is compressed well takes longer, however small it is.
_SLIDES = (300, 1)
_VOLUMES = (120, 2)
_SLIDE_FORMATS = {"slide", "tiff", None}
# So that children of the sandbox can serve files of about the same size.
_ROUNDED_TO = 20

_PHOTOGRAPH_SECONDS = 0.01
_PHOTOGRAPH_BYTES_A_SECOND = 50_000_000
_CASE_BYTES_A_SECOND = 15_000_000
_RECEIVED_BYTES_A_SECOND = 50_000_000


def cost_of_photographs(sizes: Iterable[int]) -> int:
    """Seconds for photographs of these many bytes, rounded up.

    >>> cost_of_photographs([200_000] * 128)
    2
    """
    return math.ceil(sum(_PHOTOGRAPH_SECONDS + size / _PHOTOGRAPH_BYTES_A_SECOND for size in sizes))


def cost_of_case(size: int) -> int:
    """Seconds for a volume or slide of this many bytes, rounded up.

    >>> cost_of_case(1_500_000_000)
    101
    """
    return 1 + math.ceil(size / _CASE_BYTES_A_SECOND)


def cost_of_reception(size: int) -> int:
    """Seconds for hashing and unpacking an upload of this many bytes, rounded up.

    >>> cost_of_reception(500_000)
    1
    """
    return math.ceil((1 + size) / _RECEIVED_BYTES_A_SECOND)


def seconds_for_photograph(head: bytes, size: int, *, most: int = MOST_SECONDS) -> int:
    r"""Processor seconds that decoding a photograph may take, by its first bytes (16 are enough) and its size.

    >>> seconds_for_photograph(b"\xff\xd8\xff", 200_000), seconds_for_photograph(b"\x89PNG\r\n\x1a\n", 50_000_000)
    (20, 140)
    """
    least, each = _JPEG if identify(head) == "jpeg" else _OTHER_PHOTOGRAPHS
    return min(most, least + _ROUNDED_TO * int(each * size / _MEGABYTE / _ROUNDED_TO))


def seconds_for_case(kind: str | None, size: int, *, most: int = MOST_SECONDS) -> int:
    """Processor seconds that decoding a volume or slide may take; `kind` as `formats.name_case` says it.

    >>> seconds_for_case("dicom", 500_000), seconds_for_case("slide", 2_000_000_000)
    (121, 2300)
    """
    least, each = _SLIDES if kind in _SLIDE_FORMATS else _VOLUMES
    return min(most, least + int(each * size / _MEGABYTE))
