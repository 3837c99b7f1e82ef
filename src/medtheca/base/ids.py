"""Identifiers: opaque keys for code, random digits for people."""

from __future__ import annotations

import secrets
import uuid


def new_key() -> uuid.UUID:
    """An opaque internal key. Random, so that it tells nothing of order or number."""
    return uuid.uuid4()


def random_number(prefix: str, width: int) -> str:
    """A public id such as `ISIC_0481516`: the prefix, an underscore and `width` random digits.

    >>> import re
    >>> bool(re.fullmatch(r"ISIC_[0-9]{7}", random_number("ISIC", 7)))
    True
    """
    return f"{prefix}_{secrets.randbelow(10**width):0{width}d}"
