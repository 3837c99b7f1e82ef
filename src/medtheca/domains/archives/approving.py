"""Who may make archives on this instance, and the staff's agreement to one where that is asked for.

Until they agree, its creator fills and describes it, and nobody else finds it.
"""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from medtheca.base.clock import now
from medtheca.base.errors import Conflict, Invalid, NotAllowed, NotFound, Problem
from medtheca.domains.accounts.models import User
from medtheca.domains.accounts.verifying import is_verified
from medtheca.domains.archives.access import require_editor
from medtheca.domains.archives.models import Archive, Proposal
from medtheca.domains.ledger.notifying import notify
from medtheca.domains.ledger.operations import record

LONGEST_REASON = 2_000


def may_create(user: User) -> bool:
    """Whether somebody may make archives here, at once or with the staff's agreement."""
    if not user.is_active:
        return False
    return user.is_staff or settings.ENVIRONMENT.archive_creation != "verified" or is_verified(user)


def require_creation(user: User) -> bool:
    """Whether an archive that the person makes is there at once; False where staff have to agree to it.

    Raises `NotAllowed` for those who may make none.
    """
    if not may_create(user):
        raise NotAllowed(
            "Only verified people make archives here.",
            remedy="Confirm an institutional address on the page Account, Verification.",
        )
    return user.is_staff or settings.ENVIRONMENT.archive_creation != "approval"


def propose(archive: Archive) -> None:
    """Ask the staff to agree to an archive. Inside the transaction that makes it."""
    Proposal.objects.update_or_create(
        archive=archive, defaults={"asked": now(), "declined": None, "by": None, "reason": ""}
    )
    number = proposals().count()
    words = "1 archive waits" if number == 1 else f"{number:,} archives wait"
    notify(
        recipient_ids=list(User.objects.filter(is_staff=True, is_active=True).values_list("pk", flat=True)),
        kind="archive.proposed",
        words=f"{words} for the staff to agree to.",
        url="/staff/archives/",
        subject_type="archive_proposals",
        subject_id="",
    )


def propose_again(*, archive: Archive, editor: User) -> None:
    """Ask anew after the staff declined. Raises `NotFound`, `NotAllowed`, or `Conflict` where nothing was declined."""
    require_editor(editor, archive, to="ask for the staff's agreement")
    with transaction.atomic():
        declined = Proposal.objects.select_for_update().filter(archive=archive, declined__isnull=False)
        if not declined.exists():
            raise Conflict("The archive was not declined.", remedy="Wait until the staff have looked at it.")
        propose(archive)
        _record("archive.proposed_again", archive, editor)


def proposals() -> QuerySet[Proposal]:
    """What waits for the staff, the oldest first. For staff."""
    rows = Proposal.objects.filter(declined__isnull=True, archive__approved=False)
    return rows.select_related("archive__creator", "archive__contributor").order_by("asked", "pk")


def proposal_of(archive: Archive) -> Proposal | None:
    """How far the staff's agreement to an archive is; nothing where it has it."""
    return None if archive.approved else Proposal.objects.filter(archive=archive).first()


def judge(*, archive_id: UUID | str, staff: User, agree: bool, reason: str = "") -> Archive:
    """Agree to an archive, or decline it with a reason, which its creator reads.

    Raises `NotAllowed`, `NotFound`, `Invalid` without a reason, or `Conflict` where it does not wait.
    """
    if not (staff.is_active and staff.is_staff):
        raise NotAllowed("Only staff may agree to archives.")
    words = reason.strip()
    if (not agree and not words) or len(words) > LONGEST_REASON or "\x00" in words:
        problem = Problem(
            "reason", f"Write a reason of up to {LONGEST_REASON:,} characters.", remedy="Its maker reads it."
        )
        raise Invalid("Nothing was decided.", problems=[problem])
    with transaction.atomic():
        archive = _locked(archive_id)
        waiting = Proposal.objects.select_for_update().filter(archive=archive).first()
        if archive.approved or waiting is None:
            raise Conflict(f"{archive.title} does not wait for the staff.", remedy="Look at the list again.")
        if agree:
            waiting.delete()
            archive.approved = True
            archive.save(update_fields=["approved", "modified"])
            told = f"The staff agreed to your archive {archive.title}. Others can find it now."
        else:
            waiting.declined, waiting.by, waiting.reason = now(), staff, words
            waiting.save(update_fields=["declined", "by", "reason"])
            told = f"The staff did not agree to your archive {archive.title}: {words}"
        _record("archive.agreed" if agree else "archive.declined", archive, staff)
        notify(
            recipient_ids=[archive.creator_id],
            kind="archive.judged",
            words=" ".join(told.split())[:1000],
            url=f"/archives/{archive.slug}/",
            subject_type="archive",
            subject_id=archive.pk,
        )
    return archive


def _locked(archive_id: UUID | str) -> Archive:
    try:
        key = archive_id if isinstance(archive_id, UUID) else UUID(archive_id)
    except ValueError:
        raise NotFound("There is no such archive.") from None
    found = Archive.objects.select_for_update(no_key=True, of=("self",)).filter(pk=key).first()
    if found is None:
        raise NotFound("There is no such archive.")
    return found


def _record(verb: str, archive: Archive, actor: User) -> None:
    record(
        actor_id=actor.pk,
        verb=verb,
        subject_type="archive",
        subject_id=archive.pk,
        cohort_id=archive.cohort_id,
    )
