"""Reading saved searches: a person's own, and nobody else's, the staff included."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models.functions import Lower

from medtheca.base.errors import NotFound
from medtheca.domains.search.models import SavedSearch
from medtheca.toolkit.querylang import QueryError, parse

if TYPE_CHECKING:
    from medtheca.domains.accounts.models import User


def saved_searches_of(user: User) -> list[SavedSearch]:
    """A person's saved searches by name."""
    return list(SavedSearch.objects.filter(user=user).order_by(Lower("name"), "pk"))


def saved_search_for(user: User, saved_id: int) -> SavedSearch:
    """One of the person's saved searches. Raises `NotFound` for any other."""
    found = SavedSearch.objects.filter(user=user, pk=saved_id).first()
    if found is None:
        raise NotFound(f"You have no saved search {saved_id}.")
    return found


def fault_of(saved: SavedSearch) -> QueryError | None:
    """What is wrong with a query that could be read when it was saved: a field may have gone since."""
    try:
        parse(saved.query)
    except QueryError as error:
        return error
    return None
