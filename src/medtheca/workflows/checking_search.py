"""The invariant of the search index; see `checking`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from medtheca.base.errors import Conflict
from medtheca.domains.search.index.keeping import find_differences, status
from medtheca.domains.search.texts import texts_amiss

_REMEDY = "Run `medtheca index rebuild`, and report what happened before."


def search_says_what_tables_say(_look: object) -> Iterator[tuple[str, str]]:
    """The index that is kept, brought up to date by the log, and the words that triggers keep."""
    for part in _different_parts():
        yield f"search index, {part}", f"It says something else than the tables. {_REMEDY}"
    for row in texts_amiss():
        yield row, f"Free words find what it does not say, or do not find what it says. {_REMEDY}"


def _different_parts() -> list[str]:
    # Where no index is kept, or tables were emptied since, searching asks the tables themselves until there is one.
    if status().usable:
        with suppress(Conflict):
            return [part for part in find_differences() if part != "texts"]
    return []
