"""Conversions set going, so that those of different people take turns."""

from __future__ import annotations

from collections.abc import Sequence

from medtheca.base.jobs import enqueue
from medtheca.base.turns import line_of
from medtheca.domains.provenance.models import Accession
from medtheca.domains.storage.bundles import parts_of, size_of
from medtheca.toolkit.images.costs import cost_of_case, cost_of_photographs


def enqueue_cases(accessions: Sequence[Accession]) -> None:
    """Set the conversion of images that are no photographs going, each by itself; they come with their originals."""
    bundles = parts_of(row.original_id for row in accessions if row.original_id)
    for row in accessions:
        enqueue(
            "convert.batch",
            accession_ids=[row.pk],
            queueing_lock=f"convert:{row.pk}",
            turn=line_of(row.creator_id),
            cost=cost_of_case(size_of(row.original, bundles.get(row.original.pk))) if row.original else 1,
        )


def enqueue_rest(accessions: Sequence[Accession]) -> None:
    """Set the conversion of what a job had no time for going, in the next turn of whose it is."""
    for creator_id in sorted({row.creator_id for row in accessions}):
        rows = [row for row in accessions if row.creator_id == creator_id]
        enqueue(
            "convert.batch",
            accession_ids=[row.pk for row in rows],
            turn=line_of(creator_id),
            cost=cost_of_photographs(row.original.size for row in rows if row.original),
        )
