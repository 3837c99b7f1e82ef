"""Licences for images, by their SPDX names, with what the ISIC API calls them."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from medtheca.toolkit.suggest import did_you_mean


@dataclass(frozen=True)
class Licence:
    """`rank` orders by permissiveness: 0 asks for nothing."""

    spdx: str
    isic_code: str
    title: str
    uri: str
    rank: int


LICENCES: tuple[Licence, ...] = (
    Licence("CC0-1.0", "CC-0", "CC0 1.0 Universal", "https://creativecommons.org/publicdomain/zero/1.0/", 0),
    Licence(
        "CC-BY-4.0",
        "CC-BY",
        "Attribution 4.0 International",
        "https://creativecommons.org/licenses/by/4.0/",
        1,
    ),
    Licence(
        "CC-BY-NC-4.0",
        "CC-BY-NC",
        "Attribution-NonCommercial 4.0 International",
        "https://creativecommons.org/licenses/by-nc/4.0/",
        2,
    ),
)


def find_licence(code: str) -> Licence:
    """The licence of an SPDX name or an ISIC code; LookupError names the known ones.

    >>> find_licence("CC-BY").spdx, find_licence("CC-BY-4.0").isic_code
    ('CC-BY-4.0', 'CC-BY')
    """
    for licence in LICENCES:
        if code in (licence.spdx, licence.isic_code):
            return licence
    known = [licence.spdx for licence in LICENCES]
    raise LookupError(f"Unknown licence '{code}'. {did_you_mean(code, known) or 'Known: ' + ', '.join(known)}")


@cache
def licence_text(code: str) -> str:
    """The whole text of a licence by SPDX name or ISIC code, as SPDX's list has it. LookupError as `find_licence`.

    >>> licence_text("CC-BY").splitlines()[0]
    'Creative Commons Attribution 4.0 International'
    """
    file = Path(__file__).parent / "licence_texts" / f"{find_licence(code).spdx}.txt"
    return file.read_text(encoding="utf-8")


def more_permissive(first: str, second: str) -> bool:
    """Whether the first licence asks strictly less than the second: only such a change takes no right away.

    >>> more_permissive("CC0-1.0", "CC-BY-4.0"), more_permissive("CC-BY", "CC-BY-4.0")
    (True, False)
    """
    return find_licence(first).rank < find_licence(second).rank
