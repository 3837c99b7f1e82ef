"""How many images are in collections and whose work they are, as the asker sees them.

Contributors are named as they want to be: by the attribution of their images. What an institution is called here is
for its people and the staff.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import QuerySet

from medtheca.domains.collections.access import Asker
from medtheca.domains.collections.models import Collection
from medtheca.domains.search.holdings import Sizes, holdings_of, sizes_of

_NOBODY = "Anonymous"


@dataclass(frozen=True, slots=True)
class Shown:
    """What somebody sees of a collection: how many images, and how their contributors are named, in order."""

    images: int
    contributors: tuple[str, ...]


def shown_of(collections: Iterable[Collection], asker: Asker, *, patient: bool = False) -> dict[int, Shown]:
    """What the asker sees of each collection, by its id: a few statements for all of them.

    Be `patient` where something was done, which an answer that is given up would deny.
    """
    scopes = {row.pk: row.listing_id for row in collections}
    found = holdings_of(list(scopes.values()), asker=asker, patient=patient)
    return {pk: Shown(found[scope].number, _in_order(found[scope].attributions)) for pk, scope in scopes.items()}


def sizes_together(collections: QuerySet[Collection], *, asker: Asker) -> Sizes:
    """How many images the asker sees in collections that they see, counted in each of them, and counted once."""
    return sizes_of(list(collections.order_by().values_list("listing", flat=True)), asker=asker)


def _in_order(names: frozenset[str]) -> tuple[str, ...]:
    """By the alphabet; nobody comes last."""
    named = sorted(filter(None, names), key=lambda name: (name.casefold(), name))
    return (*named, _NOBODY) if "" in names else tuple(named)
