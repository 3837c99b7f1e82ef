"""Makers and models of devices: which words of a header may be shown to everybody.

A header's maker and model are free text, into which sites write names of people, serial numbers and dates. Public is
only what is made of known words and short codes; all else stays with the owners. No library is needed here.
"""

import re
from importlib.resources import files
from typing import TypedDict


def _read() -> dict[str, frozenset[str]]:
    """The words of `devices.txt` by section."""
    words: dict[str, set[str]] = {}
    section = ""
    for line in files(__package__).joinpath("devices.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = line.strip("[]")
            words[section] = set()
        elif line and not line.startswith("#"):
            words[section].update(line.split())
    return {name: frozenset(found) for name, found in words.items()}


_WORDS = _read()
# A few letters, a number, a few letters: as in MR750w, CT660, 7T. Longer ones may be numbers of patients.
_CODE = re.compile(r"[A-Za-z]{0,3}\d{1,3}[A-Za-z]{0,2}")
_HAMAMATSU = re.compile(r"C\d{4,5}(-\d{1,3})?")
_ALLOWED = re.compile(r"[A-Za-z0-9 ._,/+&()-]{1,64}")
_BETWEEN = re.compile(r"[ ,/()&]+")
_FINER = re.compile(r"[._+-]+")
_DATE = re.compile(r"\d[ ._/,-]+\d+[ ._/,-]+\d|(?<![A-Za-z\d])(19\d\d|20(?!00)\d\d)(?![A-Za-z\d])|\d{5}")


def public_maker(text: str | None) -> str | None:
    """The name of a maker as it is written, if nothing in it can be anything else; None otherwise.

    >>> public_maker("SIEMENS"), public_maker("Philips Medical Systems, Inc."), public_maker("Siemens Mary Miller")
    ('SIEMENS', 'Philips Medical Systems, Inc.', None)
    """
    return _known(text, _WORDS["makers"], _WORDS["company"])


def public_model(text: str | None) -> str | None:
    """The name of a model as it is written, if nothing in it can be anything else; None otherwise.

    >>> public_model("DISCOVERY MR750"), public_model("Aquilion ONE"), public_model("Skyra 66075")
    ('DISCOVERY MR750', 'Aquilion ONE', None)
    >>> public_model("Achieva 1947-03-29"), public_model("P1234"), public_model("C13210-01")
    (None, None, 'C13210-01')
    """
    if text and _HAMAMATSU.fullmatch(bare := text.removeprefix("Hamamatsu ").removeprefix("NanoZoomer ").strip()):
        return text if bare else None
    return _known(text, _WORDS["models"], _WORDS["makers"] | _WORDS["beside"], codes=True)


def _known(text: str | None, needed: frozenset[str], beside: frozenset[str], *, codes: bool = False) -> str | None:
    """The text, if one word of it is `needed` and each of the others is that, `beside` it, or a short code."""
    if not text or not _ALLOWED.fullmatch(text) or _DATE.search(text):
        return None
    has_needed = False
    for word in _words(text, needed | beside):
        if word in needed:
            has_needed = True
        elif word not in beside and not (codes and _CODE.fullmatch(word)):
            return None
    return text if has_needed else None


def _words(text: str, known: frozenset[str]) -> list[str]:
    """Words between blanks and commas, and of those that are not known as they stand, their parts."""
    found: list[str] = []
    for word in _BETWEEN.split(text.lower()):
        bare = word.strip("._+-")
        found += [bare] if bare in known else filter(None, _FINER.split(bare))
    return [word for word in found if word]


class DeviceFacts(TypedDict):
    """Those of `facts.Facts` that are of the device."""

    manufacturer: str | None
    model: str | None
    stated: tuple[str, ...]


def device_facts(maker: str | None, model: str | None) -> DeviceFacts:
    """Maker and model that may be public, and what was stated of the others."""
    public = public_maker(maker), public_model(model)
    stated = tuple(text for text, shown in zip((maker, model), public, strict=True) if text and shown is None)
    return DeviceFacts(manufacturer=public[0], model=public[1], stated=stated)
