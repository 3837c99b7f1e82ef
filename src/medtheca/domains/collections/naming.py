"""Collections by the words of their names."""

from __future__ import annotations

from functools import cache

from django.contrib.postgres.search import SearchVectorField
from django.db.models import BooleanField, F, Func, Value

from medtheca.base.statements import A_PERSON, Statement
from medtheca.domains.accounts.models import User
from medtheca.domains.collections.access import Asker, person_of, visible_collections

# What stands in a statement for the words.
_WORDS = "{words}"


def listings_saying(asker: Asker, words: tuple[str, ...]) -> list[int]:
    """As `queries.listings_named`, of visible collections whose name has the words, of the last the beginning.

    `words` are as `toolkit.querylang.words.words_in` gives them. Descriptions are not looked at: one that says what a
    collection is good for would make every image in it an answer.
    """
    if not words:
        return []
    query = " <-> ".join(f"'{word}'" for word in words) + ":*"
    person = person_of(asker)
    statement = _statement(is_somebody=person is not None, is_staff=person is not None and person.is_staff)
    values = [query] if person is None or person.is_staff else [query, person.pk]
    return [listing for (listing,) in statement.fetch(*values)]


@cache
def _statement(*, is_somebody: bool, is_staff: bool) -> Statement:
    """Made once, as making it takes longer than its answer."""
    asker = User(pk=A_PERSON, is_staff=is_staff) if is_somebody else None
    said = _Says(_Words(F("name")), Func(Value(_WORDS), template="%(expressions)s::tsquery"))
    rows = visible_collections(asker).filter(said).order_by("listing").values_list("listing", flat=True).distinct()
    return Statement(rows, *([_WORDS, A_PERSON] if is_somebody and not is_staff else [_WORDS]))


class _Words(Func):
    """As the index `collection_words` has it; see `search/migrations/0003_texts.py`."""

    template = "search_words(ARRAY[%(expressions)s]::text[])"
    output_field = SearchVectorField()


class _Says(Func):
    template = "(%(expressions)s)"
    arg_joiner = " @@ "
    output_field = BooleanField()
