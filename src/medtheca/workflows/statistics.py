"""How much there is, as the asker sees it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from medtheca.domains.access.queries import ANYBODY, count_visible, viewer_of
from medtheca.domains.accounts.queries import all_users
from medtheca.domains.collections.access import visible_collections
from medtheca.domains.collections.totals import sizes_together
from medtheca.domains.search.holdings import Sizes
from medtheca.domains.search.lesions import visible_lesions

if TYPE_CHECKING:
    from medtheca.domains.search.naming import Asker


@dataclass(frozen=True, slots=True)
class Statistics:
    """Numbers of what the asker sees, and of what everybody sees.

    `in_collections` are images that the asker sees in collections that they see; `users` have an account that is
    enabled.
    """

    images: int
    public_images: int
    lesions: int
    collections: int
    public_collections: int
    in_collections: Sizes
    users: int


def statistics_for(asker: Asker) -> Statistics:
    """Count, exactly and now."""
    seen = visible_collections(asker)
    return Statistics(
        images=count_visible(viewer_of(asker)),
        public_images=count_visible(ANYBODY),
        lesions=visible_lesions(asker).count(),
        collections=seen.count(),
        public_collections=seen.filter(public=True).count(),
        in_collections=sizes_together(seen, asker=asker),
        users=all_users().filter(is_active=True).count(),
    )
