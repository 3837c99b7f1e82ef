"""Countries by their two-letter codes (ISO 3166-1), with short names; from the time zone database, public domain."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def countries() -> dict[str, str]:
    """Code → name, by name.

    >>> countries()["CH"], len(countries()) > 240
    ('Switzerland', True)
    """
    text = files("medtheca.toolkit").joinpath("countries.txt").read_text(encoding="utf-8")
    pairs = [(line[:2], line[3:]) for line in text.splitlines() if line]
    return dict(sorted(pairs, key=lambda pair: pair[1]))
