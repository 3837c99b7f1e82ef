"""Reviewing accessions and asking that they be published."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from datetime import datetime

from django.db import transaction

from medtheca.base.clock import now
from medtheca.base.errors import Conflict, Invalid, NotFound, Problem
from medtheca.base.jobs import enqueue
from medtheca.domains.accounts.models import User
from medtheca.domains.ledger.operations import record
from medtheca.domains.provenance.access import require_owner, require_staff
from medtheca.domains.provenance.enums import RequestState, ReviewDecision
from medtheca.domains.provenance.models import PUBLISHABLE, Accession, Cohort, PublishItem, PublishRequest, Review
from medtheca.domains.provenance.queries import publishable_accessions

_CHUNK = 2000


def request_publication(
    *,
    cohort: Cohort,
    requester: User,
    visibility: str,
    accession_ids: Iterable[int] | None = None,
    opens: datetime | None = None,
) -> PublishRequest:
    """Ask that accessions of a cohort become visible; all that are ready where none are named.

    Raises `NotAllowed`, `Invalid` for a visibility that is none, or `Conflict` where nothing is ready.
    """
    require_owner(requester, cohort, to="publish its images")
    if visibility not in PUBLISHABLE:
        problem = Problem(
            "visibility", f"{visibility or 'Nothing'} is not a visibility.", remedy="public or signed_in."
        )
        raise Invalid("The images cannot be published.", problems=[problem])
    with transaction.atomic():
        # The cohort's row is the queue: two requests at once cannot ask for the same accession.
        Cohort.objects.select_for_update(no_key=True).get(pk=cohort.pk)
        ready = publishable_accessions(cohort)
        wanted = list(
            (ready if accession_ids is None else ready.filter(pk__in=list(accession_ids))).values_list("pk", flat=True)
        )
        if not wanted:
            raise Conflict(
                "No image of the cohort is ready to be published.",
                remedy="Upload images, and wait until they are converted.",
            )
        request = PublishRequest.objects.create(cohort=cohort, requester=requester, visibility=visibility, opens=opens)
        for start in range(0, len(wanted), _CHUNK):
            PublishItem.objects.bulk_create(
                [PublishItem(request=request, accession_id=pk) for pk in wanted[start : start + _CHUNK]]
            )
        record(
            actor_id=requester.pk,
            verb="publication.requested",
            subject_type="publish_request",
            subject_id=request.pk,
            cohort_id=cohort.pk,
            details={"images": len(wanted), "visibility": visibility},
        )
    return request


def decide_publication(*, request_id: int, staff: User, accept: bool, reason: str = "") -> PublishRequest:
    """Accept a request, which reviews its accessions and sets the publishing going, or reject it with a reason.

    Raises `NotAllowed`, `NotFound`, `Invalid` without a reason, or `Conflict` where it was decided already.
    """
    require_staff(staff, to="decide on publication")
    if not accept and not reason.strip():
        raise Invalid("A rejection needs a reason.", problems=[Problem("reason", "Say why, for the owner.")])
    with transaction.atomic():
        request = PublishRequest.objects.select_for_update().select_related("cohort").filter(pk=request_id).first()
        if request is None:
            raise NotFound(f"There is no publish request {request_id}.")
        if request.state != RequestState.REQUESTED:
            raise Conflict(f"The request is {request.state} already.")
        request.state = RequestState.PUBLISHING if accept else RequestState.REJECTED
        request.decided_by, request.decided, request.reason = staff, now(), reason.strip()
        request.save()
        _review(request, staff, accept=accept)
        record(
            actor_id=staff.pk,
            verb="publication.accepted" if accept else "publication.rejected",
            subject_type="publish_request",
            subject_id=request.pk,
            cohort_id=request.cohort_id,
        )
        if accept:
            enqueue("publish.request", request_id=request.pk, queueing_lock=f"publish:{request.pk}")
    return request


def _review(request: PublishRequest, staff: User, *, accept: bool) -> None:
    decision = ReviewDecision.ACCEPTED if accept else ReviewDecision.REJECTED
    items = list(PublishItem.objects.filter(request=request).values_list("accession", flat=True))
    for start in range(0, len(items), _CHUNK):
        Review.objects.bulk_create(
            [
                Review(accession_id=pk, reviewer=staff, decision=decision, reason=request.reason)
                for pk in items[start : start + _CHUNK]
            ]
        )


def next_items(request: PublishRequest, *, limit: int) -> list[PublishItem]:
    """Items that are still to be published, locked with their accessions. Call inside a transaction."""
    # Whoever takes an image back locks its accession: that happens wholly before this batch, or wholly after.
    rows = PublishItem.objects.select_for_update(of=("self", "accession")).select_related("accession")
    return list(rows.filter(request=request, done=False).order_by("pk")[:limit])


def mark_published(items: Sequence[PublishItem], *, withdrawn: Container[int] = ()) -> None:
    """Note that items are done, and their accessions published but for those whose images are withdrawn."""
    shown = [item.accession_id for item in items if item.accession.image_id not in withdrawn]
    Accession.objects.filter(pk__in=shown, published__isnull=True).update(published=now())
    PublishItem.objects.filter(pk__in=[item.pk for item in items]).update(done=True)


def finish_request(request: PublishRequest) -> None:
    """Note that everything asked for is published."""
    PublishRequest.objects.filter(pk=request.pk, state=RequestState.PUBLISHING).update(state=RequestState.PUBLISHED)


def mark_unpublished(accession: Accession) -> None:
    """An accession that is private again may be published anew; its public id stays its own."""
    Accession.objects.filter(pk=accession.pk).update(published=None)
