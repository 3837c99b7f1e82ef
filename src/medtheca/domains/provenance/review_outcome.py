"""Telling the owners of a cohort what review came to: once, when nothing waits any more."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Count

from medtheca.domains.access.enums import Role
from medtheca.domains.ledger.notifying import notify
from medtheca.domains.provenance.enums import AccessionState, ReviewState
from medtheca.domains.provenance.models import Accession, Cohort
from medtheca.domains.provenance.telling import people_with


def tell_of_outcomes(cohort_ids: Iterable[int]) -> None:
    """Tell the owners of those of the cohorts in which no image waits for a reviewer. Call where something was said."""
    for cohort in Cohort.objects.select_related("contributor").filter(pk__in=set(cohort_ids)).order_by("pk"):
        rows = Accession.objects.filter(
            cohort=cohort, state=AccessionState.CONVERTED, published__isnull=True, image__withdrawal__isnull=True
        )
        counts = dict(rows.order_by().values_list("review_state").annotate(number=Count("pk")))
        if counts.get(ReviewState.AWAITING) or counts.get(ReviewState.FLAGGED) or not counts:
            continue
        accepted, rejected = counts.get(ReviewState.ACCEPTED, 0), counts.get(ReviewState.REJECTED, 0)
        notify(
            recipient_ids=people_with(cohort, Role.OWNER),
            kind="review.outcome",
            words=f"All images of the cohort {cohort.name} are reviewed: {accepted:,} accepted, {rejected:,} rejected.",
            url=f"/cohorts/{cohort.pk}/",
            subject_type="cohort",
            subject_id=cohort.pk,
            cohort_id=cohort.pk,
        )
