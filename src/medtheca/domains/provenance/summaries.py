"""Facts about many contributors, cohorts and deliveries at once, in one query each, for lists."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from django.db.models import Count

from medtheca.base.errors import NotFound
from medtheca.domains.access.enums import Role
from medtheca.domains.access.models import Membership
from medtheca.domains.accounts.models import User
from medtheca.domains.provenance.enums import Outcome
from medtheca.domains.provenance.models import Accession, Contributor, Delivery, PublishRequest, Verdict
from medtheca.domains.provenance.queries import DeliverySummary, publish_requests_for


def owners_of(contributors: Iterable[Contributor]) -> dict[int, list[int]]:
    """Ids of the owners of each contributor, by the contributor's id, in the order in which they became so."""
    by_scope = {contributor.scope_id: contributor.pk for contributor in contributors}
    owners: dict[int, list[int]] = {pk: [] for pk in by_scope.values()}
    rows = Membership.objects.filter(scope__in=list(by_scope), role=Role.OWNER).order_by("pk")
    for scope_id, user_id in rows.values_list("scope", "user"):
        owners[by_scope[scope_id]].append(user_id)
    return owners


def count_accessions(cohort_ids: Iterable[int]) -> dict[int, int]:
    """Accessions of each cohort, refused ones too; 0 where there are none."""
    ids = list(cohort_ids)
    rows = Accession.objects.filter(cohort__in=ids).values_list("cohort").annotate(number=Count("pk")).order_by()
    return {**dict.fromkeys(ids, 0), **dict(rows)}


def summarise_deliveries(deliveries: Sequence[Delivery]) -> dict[UUID, DeliverySummary]:
    """As `summarise_delivery`, for a page of them, by the id of the upload."""
    counts: dict[UUID, dict[str, int]] = {delivery.upload_id: {} for delivery in deliveries}
    rows = Verdict.objects.filter(delivery__in=list(counts)).values_list("delivery", "outcome")
    for upload_id, outcome, number in rows.annotate(number=Count("pk")).order_by():
        counts[upload_id][outcome] = number
    return {
        delivery.upload_id: DeliverySummary(
            state=delivery.state,
            members=delivery.members,
            **{outcome.value: counts[delivery.upload_id].get(outcome.value, 0) for outcome in Outcome},
        )
        for delivery in deliveries
    }


def publish_request_for(user: User | None, request_id: int) -> PublishRequest:
    """A request to publish that the person may see, with its `number` of accessions. Raises `NotFound`."""
    found = publish_requests_for(user).filter(pk=request_id).first()
    if found is None:
        raise NotFound(f"There is no publish request {request_id}.")
    return found
