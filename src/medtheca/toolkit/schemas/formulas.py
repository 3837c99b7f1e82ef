"""Cells that a spreadsheet program would run: guarded where we write them, and read back as they were."""

from __future__ import annotations

import re

_DANGEROUS = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"[+-][0-9]*[.,]?[0-9]+")


def guarded(cell: str) -> str:
    """A cell that is text to every spreadsheet program; numbers stay numbers.

    >>> guarded("=HYPERLINK(1)"), guarded("-0.5"), guarded("-1+2"), guarded("a=b")
    ("'=HYPERLINK(1)", '-0.5', "'-1+2", 'a=b')
    """
    return f"'{cell}" if cell.startswith(_DANGEROUS) and not _NUMBER.fullmatch(cell) else cell


def unguarded(cell: str) -> str:
    """What a cell was before it was guarded.

    >>> unguarded("'=HYPERLINK(1)"), unguarded("'s-Gravenhage"), unguarded("'-0.5")
    ('=HYPERLINK(1)', "'s-Gravenhage", "'-0.5")
    """
    return cell[1:] if cell.startswith("'") and guarded(cell[1:]) == cell else cell
