"""Agreements, attestations, moving and merging."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Router

from medtheca.domains.provenance import agreements, merging, moving
from medtheca.domains.provenance.access import require_owner
from medtheca.domains.provenance.contributors import attest
from medtheca.domains.provenance.queries import cohort_for, contributor_for
from medtheca.interfaces.api.v2.calling import user_of
from medtheca.interfaces.api.v2.plans import planned
from medtheca.interfaces.api.v2.routes.cohorts import shown_cohorts
from medtheca.interfaces.api.v2.shapes.people_of import (
    AgreementIn,
    AgreementOut,
    MergeCohortIn,
    MergeContributorIn,
    MoveIn,
    PlanOut,
)
from medtheca.interfaces.api.v2.shapes.provenance import CohortOut
from medtheca.interfaces.http.api_auth import somebody
from medtheca.workflows import merging as cohort_merging

contributors = Router(tags=["contributors"], auth=somebody)
cohorts = Router(tags=["cohorts"], auth=somebody)


@contributors.get("/{int:contributor_id}/agreement/", response=AgreementOut, url_name="contributor_agreement_api")
def show_agreement(request: HttpRequest, contributor_id: int) -> Any:
    """The present contributor agreement, and whether it was accepted."""
    return _agreement(contributor_for(user_of(request), contributor_id))


@contributors.post("/{int:contributor_id}/agreement/", response=AgreementOut, url_name="contributor_agreement_api")
def accept_agreement(request: HttpRequest, contributor_id: int, given: AgreementIn) -> Any:
    """Accept the agreement for the contributor. Owners may; before that nothing of it is published."""
    user = user_of(request)
    found = contributor_for(user, contributor_id)
    agreements.accept_agreement(contributor=found, actor=user, version=given.version)
    return _agreement(found)


@contributors.post("/{int:contributor_id}/merge/", response=PlanOut, url_name="merge_contributor")
def merge_contributor(request: HttpRequest, contributor_id: int, given: MergeContributorIn) -> Any:
    """Make the contributor part of another. For staff."""
    user = user_of(request)
    chosen: dict[str, Any] = {
        "source": contributor_for(user, contributor_id),
        "target": contributor_for(user, given.into),
        "actor": user,
        "unite": given.unite,
    }
    return planned(
        dry_run=given.dry_run,
        look=lambda: merging.plan_contributor_merge(**chosen),
        do=lambda: merging.merge_contributors(**chosen, expected=given.expected),
    )


@cohorts.post("/{int:cohort_id}/attest/", response=CohortOut, url_name="attest_cohort")
def attest_cohort(request: HttpRequest, cohort_id: int) -> Any:
    """Say that one may give the images of the cohort."""
    user = user_of(request)
    return shown_cohorts([attest(cohort=cohort_for(user, cohort_id), actor=user)])[0]


@cohorts.post("/{int:cohort_id}/move/", response=PlanOut, url_name="move_accessions")
def move_accessions(request: HttpRequest, cohort_id: int, given: MoveIn) -> Any:
    """Move accessions to another cohort of the same contributor."""
    user = user_of(request)
    source = cohort_for(user, cohort_id)
    require_owner(user, source, to="move its images")
    chosen: dict[str, Any] = {
        "source": source,
        "target": cohort_for(user, given.to),
        "accession_ids": given.accessions,
        "actor": user,
    }
    return planned(
        dry_run=given.dry_run,
        look=lambda: moving.plan_move(**chosen),
        do=lambda: moving.move_accessions(**chosen, expected=given.expected),
    )


@cohorts.post("/{int:cohort_id}/merge/", response=PlanOut, url_name="merge_cohort")
def merge_cohort(request: HttpRequest, cohort_id: int, given: MergeCohortIn) -> Any:
    """Make the cohort part of another of the same contributor."""
    user = user_of(request)
    source = cohort_for(user, cohort_id)
    require_owner(user, source, to="merge it")
    chosen: dict[str, Any] = {"source": source, "target": cohort_for(user, given.into), "actor": user}
    return planned(
        dry_run=given.dry_run,
        look=lambda: cohort_merging.plan_cohort_merge(**chosen),
        do=lambda: cohort_merging.merge_cohorts(**chosen, expected=given.expected),
    )


def _agreement(contributor: Any) -> dict[str, Any]:
    present = agreements.agreements_of(contributor).filter(version=agreements.AGREEMENT_VERSION).first()
    return {
        "version": agreements.AGREEMENT_VERSION,
        "text": agreements.agreement_text(),
        "accepted": present.at if present else None,
        "accepted_by": present.by_id if present else None,
    }
