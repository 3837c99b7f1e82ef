"""ORCID iDs: sixteen digits in fours, the last of which checks the others (ISO 7064, MOD 11-2) and may be X."""

from __future__ import annotations

import re

_ORCID = re.compile(r"(?:https?://(?:www\.)?orcid\.org/)?(\d{4})[- ]?(\d{4})[- ]?(\d{4})[- ]?(\d{3}[\dXx])/?")


class NotAnOrcid(ValueError):
    """The text is no ORCID iD; the message says why."""


def read_orcid(text: str) -> str:
    """An ORCID iD as it is written down: `0000-0002-1825-0097`. Takes the bare digits and the whole address too.

    >>> read_orcid("https://orcid.org/0000-0002-1825-0097"), read_orcid("000000021694233x")
    ('0000-0002-1825-0097', '0000-0002-1694-233X')

    Raises `NotAnOrcid`.
    """
    match = _ORCID.fullmatch(text.strip())
    if match is None:
        raise NotAnOrcid("An ORCID iD has 16 digits, such as 0000-0002-1825-0097.")
    found = "-".join(match.groups()).upper()
    digits = found.replace("-", "")
    if check_character(digits[:15]) != digits[15]:
        raise NotAnOrcid(f"{found} is no ORCID iD: its last character does not fit the others, so one is mistyped.")
    return found


def check_character(digits: str) -> str:
    """The last character of an ORCID iD from the fifteen digits before it (ISO 7064, MOD 11-2).

    >>> check_character("000000021825009"), check_character("000000021694233")
    ('7', 'X')
    """
    total = 0
    for digit in digits:
        total = (total + int(digit)) * 2
    rest = (12 - total % 11) % 11
    return "X" if rest == 10 else str(rest)
