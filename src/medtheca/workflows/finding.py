"""Finding images by queries that name collections: searching and collecting are strangers, and meet here."""

from __future__ import annotations

from collections.abc import Sequence

from medtheca.domains.collections.naming import listings_named, listings_of, listings_saying
from medtheca.domains.search.naming import Asker, Listings
from medtheca.toolkit.querylang import FIELDS, Equals, Node, all_of, any_of


def _named(asker: Asker, text: str) -> list[int]:
    """Keys of the scopes in which the images of collections hang that a text names, for the asker.

    A number is an id and no name, so that nobody's collection stands in for another that the asker may not see.
    """
    if text.isascii() and text.isdecimal():
        return listings_of(asker, [int(text[:20])])
    return listings_named(asker, text)


listings = Listings(_named, listings_saying)
"""How queries find collections."""


def in_collections(tree: Node, ids: Sequence[int] | None) -> Node:
    """The query, narrowed to images of these collections; None narrows nothing, and no ids find nothing."""
    if ids is None:
        return tree
    return all_of(tree, any_of(*(Equals(FIELDS["collection"], str(number)) for number in ids)))
