"""What people wrote: attributions and devices for everybody, names of files and private ids for a cohort's people.

Triggers keep the words (`migrations/0003_texts.py`); here are conditions on them, and what is amiss.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib.postgres.search import SearchVectorField
from django.db import connection, transaction
from django.db.models import BooleanField, F, Func, Q, QuerySet, Value

from medtheca.domains.provenance.models import Accession
from medtheca.domains.search.enums import TextSource
from medtheca.domains.search.models import Text

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
    found = Text.objects.filter(_saying("shown", words))
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
    return Q(accession__in=_keys_kept(words), accession__cohort__in=own)


def accessions_saying(words: tuple[str, ...], cohorts: Iterable[int]) -> QuerySet[Accession]:
    """As `kept_saying`, the accessions of such images: of one table less, which the database would have to plan."""
    own = list(cohorts)
    if not words or not own:
        return Accession.objects.none()
    return Accession.objects.filter(pk__in=_keys_kept(words), cohort__in=own, image__isnull=False).order_by()


def _keys_kept(words: tuple[str, ...]) -> QuerySet[Text, Any]:
    return Text.objects.filter(_saying("kept", words), source__in=_KEPT).values("key")


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


def _saying(column: str, words: tuple[str, ...]) -> Q:
    *whole, begun = words
    if not whole or not begun.isalpha():
        return Q(_Says(F(column), _query(words)))
    # Nearly every name ends with jpg: the index would gather them all before it looks at the other words. It is asked
    # for those alone, and what it finds is read.
    read = Func(F(column), template="coalesce(%(expressions)s, '')", output_field=SearchVectorField())
    return Q(_Says(F(column), _query(whole, begun=False))) & Q(_Says(read, _query(words)))


def _query(words: Sequence[str], *, begun: bool = True) -> Func:
    """The words one after the other, of the last the beginning. Words have neither quotes nor strokes in them."""
    text = " <-> ".join(f"'{word}'" for word in words) + (":*" if begun else "")
    return Func(Value(text), template="%(expressions)s::tsquery")


class _Says(Func):
    template = "(%(expressions)s)"
    arg_joiner = " @@ "
    output_field = BooleanField()
