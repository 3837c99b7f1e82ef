"""Keeping searches under a name. The ledger hears nothing of it: what somebody looks for is their own affair."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import IntegrityError, transaction

from medtheca.base.errors import Invalid, NotAllowed, NotFound, Problem
from medtheca.domains.accounts.models import User
from medtheca.domains.search.errors import SearchNameTaken, TooManySaved
from medtheca.domains.search.models import SavedSearch
from medtheca.domains.search.query_text import read_query
from medtheca.toolkit.querylang import LONGEST_QUERY

MOST_SAVED = 100
"""Saved searches of one person."""
LONGEST_NAME = 100
_NO_NAME = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")


def save_search(*, user: User, name: str, query: str, oldest_first: bool = False) -> SavedSearch:
    """Keep a query under a name. Raises `Invalid`, `BadQuery`, `SearchNameTaken`, `TooManySaved`."""
    name, query = _checked_name(name), _checked_query(query)
    with transaction.atomic(), _names_once(name):
        # The person's row is the queue: two at once cannot both be the last that is allowed.
        # And whoever deletes the account forgets its searches under the same lock.
        person = User.objects.select_for_update(no_key=True).filter(pk=user.pk).first()
        if person is None or not person.is_active:
            raise NotAllowed("Only people who can log in may save searches.")
        if SavedSearch.objects.filter(user=user).count() >= MOST_SAVED:
            raise TooManySaved(f"You have {MOST_SAVED} saved searches, which is the most.", remedy="Delete one first.")
        return SavedSearch.objects.create(user=user, name=name, query=query, oldest_first=oldest_first)


def change_saved_search(
    *, saved: SavedSearch, name: str | None = None, query: str | None = None, oldest_first: bool | None = None
) -> SavedSearch:
    """Rename, or ask for something else; None leaves as it is. Returns it as it is now.

    A query that cannot be read any more stays until another one is given. Raises as `save_search`, or `NotFound`.
    """
    given = {
        "name": None if name is None else _checked_name(name),
        "query": None if query is None else _checked_query(query),
        "oldest_first": oldest_first,
    }
    changes = {key: value for key, value in given.items() if value is not None}
    with transaction.atomic(), _names_once(str(changes.get("name", ""))):
        held = SavedSearch.objects.select_for_update(no_key=True).filter(pk=saved.pk).first()
        if held is None:
            raise NotFound("This saved search was deleted.")
        for key, value in changes.items():
            setattr(held, key, value)
        held.save(update_fields=[*changes, "modified"])
    return held


def delete_saved_search(saved: SavedSearch) -> None:
    """Forget one. Where somebody else was faster, it is as it was asked for."""
    SavedSearch.objects.filter(pk=saved.pk).delete()


def forget_saved_searches(user: User) -> int:
    """Forget all of a person's, whose account goes; return how many."""
    return SavedSearch.objects.filter(user=user).delete()[0]


def _checked_name(name: str) -> str:
    name = name.strip()
    if not name or len(name) > LONGEST_NAME or _NO_NAME.search(name):
        words = "This cannot be the name of a search." if name else "The name is missing."
        problem = Problem("name", words, remedy=f"Write up to {LONGEST_NAME} characters in one line.")
        raise Invalid("The search cannot be saved so.", problems=[problem])
    return name


def _checked_query(query: str) -> str:
    query = query.strip()
    if not query:
        problem = Problem("query", "There is nothing to save.", remedy="Ask for something first.")
        raise Invalid("The search cannot be saved so.", problems=[problem])
    if len(query) > LONGEST_QUERY or "\0" in query:
        remedy = f"Write up to {LONGEST_QUERY:,} characters of text."
        raise Invalid("The search cannot be saved so.", problems=[Problem("query", "It is too long.", remedy=remedy)])
    read_query(query)
    return query


@contextmanager
def _names_once(name: str) -> Iterator[None]:
    """The database's refusal of a name that is taken, in words."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        if "saved_search_name_once" not in str(error):
            raise
        raise SearchNameTaken(
            f"Another saved search of yours is called {name} already.", remedy="Choose another name."
        ) from error
