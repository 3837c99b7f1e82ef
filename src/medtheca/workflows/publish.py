"""Accepted requests become visible images; visible images are taken back."""

from __future__ import annotations

from django.db import transaction

from medtheca.base.errors import Conflict, Invalid, NotFound, Problem
from medtheca.base.steps import step
from medtheca.domains.access.enums import Role, Visibility
from medtheca.domains.access.operations import set_visibility, withdraw_image
from medtheca.domains.access.queries import withdrawn_among
from medtheca.domains.accounts.models import User
from medtheca.domains.imaging.operations import assign_public_ids
from medtheca.domains.ledger.notifying import notify
from medtheca.domains.ledger.operations import record
from medtheca.domains.provenance.access import require_owner
from medtheca.domains.provenance.enums import RequestState
from medtheca.domains.provenance.models import Accession, PublishRequest
from medtheca.domains.provenance.outcomes import (
    count_outcomes,
    finish_request,
    judge_items,
    mark_unpublished,
    next_items,
    was_public,
)
from medtheca.domains.provenance.telling import people_with, tell_of_taking_back
from medtheca.domains.search.queries import image_for

BATCH = 200


def publish_request(*, request_id: int) -> None:
    """Publish what an accepted request asks for, batch by batch; a second run goes on where the first stopped.

    What is withdrawn, and what a reviewer has not accepted when its turn comes, is left out.
    """
    request = PublishRequest.objects.filter(pk=request_id).first()
    # One that is gone, after a restore for instance, will not come back however often it is tried.
    if request is None or request.state != RequestState.PUBLISHING:
        return
    groups = list(request.groups.values_list("pk", flat=True))
    while _publish_batch(request, groups):
        step("publish.batch")
    with transaction.atomic():
        if finish_request(request):
            _tell(request)


def _publish_batch(request: PublishRequest, groups: list[int]) -> bool:
    """Publish the next items in a transaction of their own; False where there are none."""
    with transaction.atomic():
        items = next_items(request, limit=BATCH)
        if not items:
            return False
        wanted = [item.accession.image_id for item in items if item.accession.image_id is not None]
        images = judge_items(items, withdrawn=withdrawn_among(wanted))
        assign_public_ids(image_ids=images)
        set_visibility(
            image_ids=images, visibility=Visibility(request.visibility), opens=request.opens, group_ids=groups
        )
        record(
            actor_id=request.decided_by_id,
            verb="images.published",
            subject_type="publish_request",
            subject_id=request.pk,
            cohort_id=request.cohort_id,
            details={"images": images, "visibility": request.visibility},
        )
        step("publish.rows")
    return True


def _tell(request: PublishRequest) -> None:
    counts = count_outcomes([request])[request.pk]
    left_out = counts.withdrawn + counts.not_accepted
    words = f"{counts.published:,} images are published."
    if left_out:
        words += f" {left_out:,} were left out; the page of the request says which."
    notify(
        recipient_ids=[request.requester_id, *people_with(request.cohort, Role.OWNER)],
        kind="publication.done",
        words=words,
        url=f"/publish-requests/{request.pk}/",
        subject_type="publish_request",
        subject_id=request.pk,
        cohort_id=request.cohort_id,
    )


def unpublish_image(*, user: User, image_ref: str, reason: str) -> None:
    """Make an image private again; it keeps its public id.

    Raises `NotFound`, `NotAllowed`, `Invalid` without a reason, or `Conflict` where it is not published or withdrawn.
    """
    _take_back(user=user, image_ref=image_ref, reason=reason, withdraw=False)


def withdraw(*, user: User, image_ref: str, reason: str) -> None:
    """Withdraw an image for good, with a tombstone; one that was never published will never be.

    Where its public id was known to the public, the tombstone shows `reason` and the time to everybody. Raises
    `NotFound`, `NotAllowed`, `Invalid` without a reason, or `Conflict` where it is withdrawn already.
    """
    _take_back(user=user, image_ref=image_ref, reason=reason, withdraw=True)


def require_reason(reason: str) -> str:
    """A reason without the space around it. Raises `Invalid` where there is none, or it is too long."""
    words = reason.strip()
    if not words or len(words) > 500 or "\x00" in words:
        problem = Problem("reason", "Say why, in 500 characters at most; it stays on record.")
        raise Invalid("A reason is missing." if not words else "The reason cannot be kept.", problems=[problem])
    return words


def _take_back(*, user: User, image_ref: str, reason: str, withdraw: bool) -> None:
    words = require_reason(reason)
    found = image_for(user, image_ref)
    with transaction.atomic():
        accession = (
            Accession.objects.select_for_update(of=("self",))
            .select_related("cohort__contributor", "image")
            .filter(image=found.pk)
            .first()
        )
        if accession is None or accession.image is None:
            raise NotFound(f"There is no image {image_ref}.")
        require_owner(user, accession.cohort, to="take back its images")
        if withdraw:
            once = bool(was_public([accession.pk]))
            withdraw_image(image=accession.image, reason=words, user=user, was_public=once)
        elif accession.published is None or withdrawn_among([accession.image.pk]):
            raise Conflict(f"{image_ref} is not published.", remedy="Nothing needs to be done.")
        else:
            set_visibility(image_ids=[accession.image.pk], visibility=Visibility.PRIVATE)
            mark_unpublished([accession.pk])
        record(
            actor_id=user.pk,
            verb="image.withdrawn" if withdraw else "image.unpublished",
            subject_type="image",
            subject_id=accession.image.pk,
            cohort_id=accession.cohort_id,
            details={"reason": words},
        )
        tell_of_taking_back(accession.cohort, actor_id=user.pk, withdrawn=withdraw)
