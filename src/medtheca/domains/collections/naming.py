"""Collections as searches name them: by id, by name, by words of the name; always those that the asker sees.

What is found are the keys of the scopes in which their images hang: an image is in a collection if it hangs in its
scope, and whether it is visible is asked as ever.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from django.contrib.postgres.search import SearchVectorField
from django.db.models import BooleanField, F, Func, Q, Value

from medtheca.base.statements import A_PERSON, IsOneOf, Statement, array_of
from medtheca.domains.accounts.models import User
from medtheca.domains.collections.access import Asker, person_of, visible_collections

_LARGEST_KEY = 2**63 - 1
# What stands in a statement for the words, the name or the keys.
_GIVEN = "{given}"


def listings_named(asker: Asker, text: str) -> list[int]:
    """Scopes of the collections that a text names, by id, or by the whole name in any case.

    What the asker may not see is named by nothing.
    """
    wanted = text.strip()
    if wanted.isascii() and wanted.isdecimal() and len(wanted) < 19:
        found = listings_of(asker, [int(wanted)])
        if found:
            return found
    return _fetch("name", asker, wanted) if wanted and "\0" not in wanted else []


def listings_of(asker: Asker, collection_ids: Sequence[int]) -> list[int]:
    """As `listings_named`, by ids; ids of what there is not, or is not visible, give nothing."""
    possible = [key for key in collection_ids if 0 < key <= _LARGEST_KEY]
    return _fetch("key", asker, array_of(possible)) if possible else []


def listings_saying(asker: Asker, words: tuple[str, ...]) -> list[int]:
    """As `listings_named`, of collections whose name has the words, of the last the beginning.

    `words` are as `toolkit.querylang.words.words_in` gives them. Descriptions are not looked at: one that says what a
    collection is good for would make every image in it an answer.
    """
    return _fetch("words", asker, " <-> ".join(f"'{word}'" for word in words) + ":*") if words else []


def _fetch(by: str, asker: Asker, given: str) -> list[int]:
    person = person_of(asker)
    statement = _statement(by, is_somebody=person is not None, is_staff=person is not None and person.is_staff)
    values = [given] if person is None or person.is_staff else [given, person.pk]
    return [listing for (listing,) in statement.fetch(*values)]


@cache
def _statement(by: str, *, is_somebody: bool, is_staff: bool) -> Statement:
    """Made once, as making it takes longer than its answer."""
    asker = User(pk=A_PERSON, is_staff=is_staff) if is_somebody else None
    wanted = {
        "key": Q(IsOneOf("pk", Value(_GIVEN))),
        "name": Q(name__iexact=_GIVEN),
        "words": Q(_Says(_Words(F("name")), Func(Value(_GIVEN), template="%(expressions)s::tsquery"))),
    }[by]
    rows = visible_collections(asker).filter(wanted).order_by("listing").values_list("listing", flat=True).distinct()
    return Statement(rows, *([_GIVEN, A_PERSON] if is_somebody and not is_staff else [_GIVEN]))


class _Words(Func):
    """As the index `collection_words` has it; see `search/migrations/0003_texts.py`."""

    template = "search_words(ARRAY[%(expressions)s]::text[])"
    output_field = SearchVectorField()


class _Says(Func):
    template = "(%(expressions)s)"
    arg_joiner = " @@ "
    output_field = BooleanField()
