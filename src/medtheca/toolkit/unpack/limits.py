"""How much a ZIP may ask of us."""

from dataclasses import dataclass

_GIB = 1 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds on one ZIP. The first three refuse the whole, the others a single member.

    Attributes:
        max_members: entries in the directory, folders and junk included.
        max_directory_bytes: size of the directory itself, which is read before anything can be counted.
        max_total_bytes: sum of the declared sizes.
        max_member_bytes: declared size of one member.
        max_ratio: inflated ÷ compressed bytes of one member, beyond `ratio_from_bytes`. Photographs reach
            1.1, an empty label volume a thousand; deflate itself ends at 1,032.
        ratio_from_bytes: a small member may compress as well as it likes.
        max_path_length: code points of a stored path.

    There is no limit on depth because there is none: an archive within an archive is refused, never opened.
    """

    max_members: int = 100_000
    max_directory_bytes: int = 64 << 20
    max_total_bytes: int = 200 * _GIB
    max_member_bytes: int = 20 * _GIB
    max_ratio: int = 200
    ratio_from_bytes: int = 1 << 20
    max_path_length: int = 1_024


DEFAULT_LIMITS = Limits()
