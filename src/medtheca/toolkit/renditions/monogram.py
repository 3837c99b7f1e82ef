"""A mark for what has no picture of its own: one or two letters of its title on a colour that its name decides."""

from __future__ import annotations

import hashlib
import re
from xml.sax.saxutils import escape

SIDE = 640
_COLOURS = ("#0b6e74", "#8a4b08", "#2459a9", "#7a3b69", "#1f7a4d", "#9a3412", "#4b5563", "#5b4bb5")
"""White letters on each of them have a contrast of 4.5 : 1 and more."""

_WORD = re.compile(r"[^\W_]+")


def initials_of(title: str) -> str:
    """Letters that stand for a title: of its first two words, or the first two of its only one.

    >>> initials_of("Chest CT of adults"), initials_of("fundus"), initials_of("3D"), initials_of("!")
    ('CC', 'FU', '3D', 'A')
    """
    words = _WORD.findall(title)
    letters = words[0][:2] if len(words) == 1 else "".join(word[0] for word in words[:2])
    return letters.upper()[:3] or "A"


def monogram(title: str, *, name: str) -> str:
    """An SVG of 640 by 640, the same for the same title and name."""
    colour = _COLOURS[hashlib.sha256(name.encode()).digest()[0] % len(_COLOURS)]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIDE} {SIDE}" width="{SIDE}" height="{SIDE}">'
        f'<rect width="{SIDE}" height="{SIDE}" fill="{colour}"/><text x="50%" y="50%" dy="0.36em" fill="#fff" '
        'font-family="Inter, Helvetica, Arial, sans-serif" font-size="280" font-weight="600" text-anchor="middle">'
        f"{escape(initials_of(title))}</text></svg>"
    )
