"""Collections by the words of their names."""

from __future__ import annotations

from django.contrib.postgres.search import SearchVectorField
from django.db.models import BooleanField, F, Func, Value

from medtheca.domains.collections.access import Asker, visible_collections


def listings_saying(asker: Asker, words: tuple[str, ...]) -> list[int]:
    """As `queries.listings_named`, of visible collections whose name has the words, of the last the beginning.

    `words` are as `toolkit.querylang.words.words_in` gives them. Descriptions are not looked at: one that says what a
    collection is good for would make every image in it an answer.
    """
    if not words:
        return []
    query = " <-> ".join(f"'{word}'" for word in words) + ":*"
    said = _Says(_Words(F("name")), Func(Value(query), template="%(expressions)s::tsquery"))
    return list(visible_collections(asker).filter(said).order_by("pk").values_list("listing", flat=True).distinct())


class _Words(Func):
    """As the index `collection_words` has it; see `search/migrations/0003_texts.py`."""

    template = "search_words(ARRAY[%(expressions)s]::text[])"
    output_field = SearchVectorField()


class _Says(Func):
    template = "(%(expressions)s)"
    arg_joiner = " @@ "
    output_field = BooleanField()
