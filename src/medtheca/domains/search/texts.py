"""What people wrote: attributions and devices for everybody, names of files and private ids for a cohort's people.

Triggers keep the words (`migrations/0003_texts.py`); here are conditions on them, and what is amiss.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from django.contrib.postgres.search import SearchVectorField
from django.db import connection, transaction
from django.db.models import BooleanField, F, Func, Q, QuerySet, Value

from medtheca.base.statements import IsOneOf, Statement, array_of
from medtheca.domains.provenance.models import Accession
from medtheca.domains.search.enums import TextSource
from medtheca.domains.search.models import Text

_Texts = tuple[str | None, str]
# What stands in a statement for queries and cohorts.
_WHOLE, _WORDS, _COHORTS = "{whole}", "{words}", "{cohorts}"
_KEPT = (TextSource.ACCESSION, TextSource.DESCRIPTION)
_AMISS = """
SELECT source, key FROM search_texts_due() due FULL JOIN search_text kept USING (source, key)
WHERE (coalesce(due.shown, ''), coalesce(due.kept, ''))
    IS DISTINCT FROM (coalesce(kept.shown, ''), coalesce(kept.kept, ''))
ORDER BY source, key LIMIT %s
"""


def shown_saying(words: tuple[str, ...]) -> Q | bool:
    """Images with the words in a text that everybody sees who sees the image."""
    if not words:
        return False
    found = Text.objects.filter(_saying("shown", _texts_of(words)))
    return Q(accession__in=found.filter(source=TextSource.ACCESSION).values("key")) | Q(
        pk__in=found.filter(source=TextSource.IMAGE).values("key")
    )


def kept_saying(words: tuple[str, ...], cohorts: Iterable[int]) -> Q | bool:
    """Images of these cohorts with the words in a text that is for the people of their cohort.

    The cohorts have to be the asker's own, whatever else of their images the asker sees.
    """
    own = list(cohorts)
    if not words or not own:
        return False
    return Q(accession__in=_keys_kept(_texts_of(words)), accession__cohort__in=own)


def images_kept_saying(words: tuple[str, ...], cohorts: Iterable[int]) -> tuple[str, list[Any]] | None:
    """As `kept_saying`, the SQL and parameters of one column, the keys of such images; None where there are none.

    Of one table less, which the database would have to plan; and made once, as making it takes longer than its answer.
    """
    own = list(cohorts)
    if not words or not own:
        return None
    whole, all_of_them = _texts_of(words)
    values = [all_of_them, array_of(own)]
    return _images_kept(in_two=whole is not None).with_values(*values, *([] if whole is None else [whole]))


@cache
def _images_kept(*, in_two: bool) -> Statement:
    texts = (_WHOLE if in_two else None, _WORDS)
    rows = Accession.objects.filter(
        IsOneOf("cohort", Value(_COHORTS)), pk__in=_keys_kept(texts), image__isnull=False
    ).order_by()
    return Statement(rows.values_list("image"), _WORDS, _COHORTS, *([_WHOLE] if in_two else []))


def _keys_kept(texts: _Texts) -> QuerySet[Text, Any]:
    return Text.objects.filter(_saying("kept", texts), source__in=_KEPT).values("key")


def texts_amiss(*, most: int = 100) -> list[str]:
    """Rows of other tables (`accession 17`) whose words are not what triggers should have kept of them."""
    with connection.cursor() as cursor:
        cursor.execute(_AMISS, [most])
        return [f"{source} {key}" for source, key in cursor.fetchall()]


def mend_texts() -> bool:
    """Note all words anew where any are amiss; whether any were. Whoever writes waits until it is done."""
    if not texts_amiss(most=1):
        return False
    with transaction.atomic(), connection.cursor() as cursor:
        # Those who have written a text already have to end first, so that what they wrote is seen.
        cursor.execute("LOCK TABLE search_text IN SHARE ROW EXCLUSIVE MODE")
        cursor.execute("DELETE FROM search_text")
        cursor.execute("SELECT search_fill_texts()")
    return True


def _texts_of(words: Sequence[str]) -> _Texts:
    """The queries of PostgreSQL for words one after the other, of the last the beginning; the other words alone first.

    None where that would be of no use. Words have neither quotes nor strokes in them.
    """
    *whole, begun = (f"'{word}'" for word in words)
    text = " <-> ".join([*whole, f"{begun}:*"])
    # Nearly every name ends with jpg: the index would gather them all before it looks at the other words. It is asked
    # for those alone, and what it finds is read.
    return (" <-> ".join(whole) if whole and words[-1].isalpha() else None), text


def _saying(column: str, texts: _Texts) -> Q:
    whole, text = texts
    if whole is None:
        return Q(_Says(F(column), _query(text)))
    read = Func(F(column), template="coalesce(%(expressions)s, '')", output_field=SearchVectorField())
    return Q(_Says(F(column), _query(whole))) & Q(_Says(read, _query(text)))


def _query(text: str) -> Func:
    return Func(Value(text), template="%(expressions)s::tsquery")


class _Says(Func):
    template = "(%(expressions)s)"
    arg_joiner = " @@ "
    output_field = BooleanField()
