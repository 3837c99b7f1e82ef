"""Equal contents in a cohort: the first stands for itself, the others are links to it."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection
from django.db.models import F

from medtheca.domains.provenance.models import Accession

_RELINK = """
UPDATE {table} SET same_as_id = NULLIF(found.first, {table}.id)
FROM (
    SELECT id, min(id) OVER (PARTITION BY cohort_id, original_id) AS first FROM {table}
    WHERE original_id = ANY(%s) AND cohort_id = ANY(%s)
) AS found
WHERE found.id = {table}.id AND ({table}.id <> found.first) = %s
"""


def loosen(accession_ids: Iterable[int], *, cohort_ids: Iterable[int]) -> list[int]:
    """Have nobody be the first of these contents for a moment; return the contents, for `relink`.

    Meanwhile accessions may change cohorts or go. Call inside a transaction, and `relink` in the same.
    """
    moved = Accession.objects.filter(pk__in=list(accession_ids), original__isnull=False)
    contents = sorted(set(moved.values_list("original", flat=True)))
    concerned = Accession.objects.filter(original__in=contents, cohort__in=list(cohort_ids))
    # A link to itself is none that stays: `relink` writes every one of these rows again.
    concerned.update(same_as=F("pk"))
    return [pk for pk in contents if pk is not None]


def relink(contents: Iterable[int], *, cohort_ids: Iterable[int]) -> None:
    """In each of the cohorts, make the first of equal contents stand for itself and the others links to it."""
    table = connection.ops.quote_name(Accession._meta.db_table)
    wanted, cohorts = list(contents), list(cohort_ids)
    with connection.cursor() as cursor:
        for links in (True, False):  # The links first: there must never be two that stand for themselves.
            cursor.execute(_RELINK.format(table=table), [wanted, cohorts, links])
