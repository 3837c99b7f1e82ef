"""The specialties that Medtheca knows, and what files say themselves: one file each, and one entry in `PACKS`."""

from medtheca.toolkit.schemas.packs.acquisition import ACQUISITION
from medtheca.toolkit.schemas.packs.dermatology import DERMATOLOGY
from medtheca.toolkit.schemas.registry import Pack
from medtheca.toolkit.suggest import did_you_mean

PACKS: tuple[Pack, ...] = (DERMATOLOGY, ACQUISITION)


def find_pack(name: str) -> Pack:
    """The pack of this name; LookupError names those there are.

    >>> find_pack("dermatology").version
    '6.1'
    """
    for pack in PACKS:
        if pack.name == name:
            return pack
    known = [pack.name for pack in PACKS]
    raise LookupError(f"No metadata pack '{name}'. {did_you_mean(name, known) or 'Known: ' + ', '.join(known)}")
