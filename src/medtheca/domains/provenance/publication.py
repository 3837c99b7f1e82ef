"""Asking that accessions become visible, and deciding on it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from medtheca.base.clock import now
from medtheca.base.errors import Conflict, Invalid, NotFound, Problem
from medtheca.base.jobs import enqueue
from medtheca.domains.access.enums import PUBLIC_SCOPE, SIGNED_IN_SCOPE, Role, Visibility
from medtheca.domains.access.groups import groups_for
from medtheca.domains.access.models import Placement, Scope
from medtheca.domains.accounts.models import User
from medtheca.domains.ledger.notifying import notify
from medtheca.domains.ledger.operations import record
from medtheca.domains.provenance.access import require_editor, require_reviewer
from medtheca.domains.provenance.agreements import require_agreement
from medtheca.domains.provenance.enums import AccessionState, RequestState, ReviewDecision, ReviewState
from medtheca.domains.provenance.models import PUBLISHABLE, Accession, Cohort, PublishItem, PublishRequest, Review
from medtheca.domains.provenance.reviewing import record_reviews
from medtheca.domains.provenance.telling import judges_of, people_with

_CHUNK = 2000
_OPEN = (RequestState.REQUESTED, RequestState.PUBLISHING)
_SHOWN_IN = {Visibility.PUBLIC: PUBLIC_SCOPE, Visibility.SIGNED_IN: SIGNED_IN_SCOPE}


def askable_accessions(cohort: Cohort, visibility: str) -> QuerySet[Accession]:
    """Accessions that could be asked for: ready and not published, or published for fewer people than this."""
    asked = PublishItem.objects.filter(request__cohort=cohort, request__state__in=_OPEN)
    wanted = Q(published__isnull=True)
    if visibility in _SHOWN_IN:
        scope = _SHOWN_IN[Visibility(visibility)]
        wanted |= Q(~Exists(Placement.objects.filter(image=OuterRef("image"), scope=scope)))
    return (
        Accession.objects.filter(wanted, cohort=cohort, state=AccessionState.CONVERTED)
        .filter(image__withdrawal__isnull=True)
        .exclude(pk__in=asked.values("accession"))
        .order_by("pk")
    )


def request_publication(
    *,
    cohort: Cohort,
    requester: User,
    visibility: str,
    accession_ids: Iterable[int] | None = None,
    opens: datetime | None = None,
    group_ids: Iterable[int] = (),
) -> PublishRequest:
    """Ask that accessions of a cohort become visible; all that are ready where none are named.

    `group_ids` are groups that the requester is in, wanted for `groups`. Raises `NotAllowed`, `Invalid` for a
    visibility or a group that is none, or `Conflict` where nothing is ready.
    """
    require_editor(requester, cohort, to="ask for the publication of its images")
    groups = check_visibility(visibility=visibility, group_ids=group_ids, requester=requester)
    with transaction.atomic():
        # The cohort's row is the queue: two requests at once cannot ask for the same accession.
        Cohort.objects.select_for_update(no_key=True).get(pk=cohort.pk)
        ready = askable_accessions(cohort, visibility)
        wanted = list(
            (ready if accession_ids is None else ready.filter(pk__in=list(accession_ids))).values_list("pk", flat=True)
        )
        if not wanted:
            raise Conflict(
                "No image of the cohort is ready to be published.",
                remedy="Upload images, and wait until they are converted.",
            )
        request = PublishRequest.objects.create(cohort=cohort, requester=requester, visibility=visibility, opens=opens)
        request.groups.set(groups)
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
            details={"images": len(wanted), "visibility": visibility, "groups": [group.pk for group in groups]},
        )
        _tell_reviewers(request, len(wanted))
    return request


def check_visibility(*, visibility: str, group_ids: Iterable[int], requester: User) -> list[Scope]:
    """The groups that are meant. Raises `Invalid` for a visibility that is none, or groups that do not go with it."""
    problems = []
    wanted = set(group_ids)
    groups = list(groups_for(requester).filter(pk__in=wanted)) if wanted else []
    if visibility not in PUBLISHABLE:
        problems.append(
            Problem(
                "visibility",
                f"{visibility or 'Nothing'} is not a visibility.",
                remedy="public, signed_in or groups.",
            )
        )
    elif visibility == Visibility.GROUPS and not wanted:
        problems.append(Problem("groups", "No group is named.", remedy="Name groups that you are in."))
    elif visibility != Visibility.GROUPS and wanted:
        problems.append(Problem("groups", "Groups are named, but the images are not for groups.", remedy="Say which."))
    if strange := wanted - {group.pk for group in groups}:
        problems.append(Problem("groups", f"You are in no group {min(strange)}.", remedy="Name groups you are in."))
    if problems:
        raise Invalid("The images cannot be published.", problems=problems)
    return groups


def decide_publication(*, request_id: int, staff: User, accept: bool, reason: str = "") -> PublishRequest:
    """Accept a request, or reject it with a reason; `staff` is a reviewer of the cohort or of the staff.

    Accepting accepts the images that nobody has judged. Where the cohort has two readers and some images have had one,
    the request goes on waiting for another reviewer. Raises `NotAllowed`, `NotFound`, `Invalid` without a reason, or
    `Conflict` where it was decided already, by a second reading of the same person, or where no owner has accepted the
    present contributor agreement.
    """
    if not accept and not reason.strip():
        raise Invalid("A rejection needs a reason.", problems=[Problem("reason", "Say why, for the owner.")])
    with transaction.atomic():
        rows = PublishRequest.objects.select_for_update(of=("self",)).select_related("cohort__contributor")
        request = rows.filter(pk=request_id).first()
        if request is None:
            raise NotFound(f"There is no publish request {request_id}.")
        require_reviewer(staff, request.cohort, to="decide on publication")
        if request.state != RequestState.REQUESTED:
            raise Conflict(f"The request is {request.state} already.")
        if accept:
            require_agreement(request.cohort.contributor)
        if accept and not _all_read(request, staff):
            _record(request, staff, "publication.read")
            return request
        request.state = RequestState.PUBLISHING if accept else RequestState.REJECTED
        request.decided_by, request.decided, request.reason = staff, now(), reason.strip()
        request.save()
        _record(request, staff, "publication.accepted" if accept else "publication.rejected")
        if accept:
            enqueue("publish.request", request_id=request.pk, queueing_lock=f"publish:{request.pk}")
        else:
            _tell_rejection(request)
    return request


def _all_read(request: PublishRequest, reviewer: User) -> bool:
    """Accept what nobody has judged; whether no image waits for another reader then."""
    awaiting = Accession.objects.filter(
        pk__in=PublishItem.objects.filter(request=request).values("accession"), review_state=ReviewState.AWAITING
    )
    ids = list(awaiting.values_list("pk", flat=True))
    if not ids:
        return True
    _refuse_unseen_text(awaiting)
    mine = Review.objects.filter(
        accession__in=ids, reviewer=reviewer, standing=True, decision=ReviewDecision.ACCEPTED
    ).values("accession")
    if not awaiting.exclude(pk__in=mine).exists():
        raise Conflict(
            f"You have accepted these {len(ids):,} images; they need a second reader.",
            code="second_reader",
            remedy="Another reviewer of the cohort can accept the request.",
        )
    record_reviews(accession_ids=ids, reviewer=reviewer, decision=ReviewDecision.ACCEPTED)
    return not awaiting.exists()


def _refuse_unseen_text(awaiting: QuerySet[Accession]) -> None:
    """Pixels that may name a person are not accepted by the hundred: somebody looks at each (PS3.15 E.3.1)."""
    suspected = awaiting.exclude(image=None).exclude(image__text_suspected="").order_by("pk")
    names = list(suspected.values_list("name", flat=True)[:3])
    if names:
        shown = ", ".join(names)
        raise Conflict(
            f"Text about a person may be burned into the pixels of {suspected.count():,} of the images ({shown}).",
            code="look_first",
            remedy="Look at each of them in review, black out what has to go, and accept it there.",
        )


def _record(request: PublishRequest, actor: User, verb: str) -> None:
    record(
        actor_id=actor.pk,
        verb=verb,
        subject_type="publish_request",
        subject_id=request.pk,
        cohort_id=request.cohort_id,
    )


def _tell_reviewers(request: PublishRequest, number: int) -> None:
    notify(
        recipient_ids=[pk for pk in judges_of(request.cohort) if pk != request.requester_id],
        kind="publication.asked",
        words=f"Publication was asked for {number:,} images.",
        url=f"/publish-requests/{request.pk}/",
        subject_type="publish_request",
        subject_id=request.pk,
        cohort_id=request.cohort_id,
    )


def _tell_rejection(request: PublishRequest) -> None:
    notify(
        recipient_ids=[request.requester_id, *people_with(request.cohort, Role.OWNER)],
        kind="publication.rejected",
        words=f"The publication asked for in the cohort {request.cohort.name} was rejected. Its page says why.",
        url=f"/publish-requests/{request.pk}/",
        subject_type="publish_request",
        subject_id=request.pk,
        cohort_id=request.cohort_id,
    )
