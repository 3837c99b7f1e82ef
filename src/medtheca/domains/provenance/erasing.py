"""Asking that a patient be erased, and the second person's word on it. The work itself is `workflows.erase`."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from medtheca.base.clock import now
from medtheca.base.errors import Conflict, Invalid, NotAllowed, NotFound, Problem
from medtheca.base.jobs import enqueue
from medtheca.domains.access.access import scopes_joined
from medtheca.domains.access.enums import Role
from medtheca.domains.accounts.models import User
from medtheca.domains.ledger.notifying import notify
from medtheca.domains.ledger.operations import record
from medtheca.domains.provenance.access import require_owner
from medtheca.domains.provenance.enums import ErasureReason, ErasureState
from medtheca.domains.provenance.models import Accession, Erasure, Lesion, Patient
from medtheca.domains.provenance.patients import patient_for
from medtheca.domains.provenance.summaries import owners_of

OPEN = (ErasureState.REQUESTED, ErasureState.ERASING)
_LONGEST = 500


def erasures_for(user: User | None) -> QuerySet[Erasure]:
    """Erasures of the contributors that the person owns; all for staff; newest first."""
    rows = Erasure.objects.select_related("contributor", "requester", "decider").order_by("-created", "-pk")
    if user is None or not user.is_active:
        return rows.none()
    if user.is_staff:
        return rows
    return rows.filter(contributor__scope__in=scopes_joined(user, role=Role.OWNER).values("scope"))


def erasure_for(user: User | None, erasure_id: UUID) -> Erasure:
    """An erasure that the person may know of: an owner of the contributor, or staff. Raises `NotFound`."""
    found = erasures_for(user).filter(pk=erasure_id).first()
    if found is None:
        raise NotFound(f"There is no erasure {erasure_id}.")
    return found


def open_erasure_of(patient: Patient) -> Erasure | None:
    """The erasure of a patient that waits or is under way."""
    return Erasure.objects.filter(patient_public_id=patient.public_id, state__in=OPEN).first()


def request_erasure(*, user: User, patient_public_id: str, reason: str, words: str = "") -> Erasure:
    """Ask that a patient be erased; nothing is erased until a second person confirms it.

    `words` stay on the receipt for ever. Raises `NotFound`, `Erased`, `NotAllowed`, `Invalid` (also where the words
    name the patient), or `Conflict` where the patient is being erased.
    """
    patient = patient_for(user, patient_public_id)
    require_owner(user, patient.contributor, to="ask that a patient be erased")
    _validate(patient, reason, words.strip())
    with transaction.atomic():
        # The patient's row is the queue: two requests at once cannot both be the first.
        Patient.objects.select_for_update(no_key=True).filter(pk=patient.pk).first()
        if open_erasure_of(patient) is not None:
            raise Conflict(
                f"An erasure of {patient.public_id} is under way already.", remedy="Look for it among the erasures."
            )
        erasure = Erasure.objects.create(
            contributor=patient.contributor,
            patient_public_id=patient.public_id,
            reason=reason,
            words=words.strip(),
            requester=user,
        )
        _record(erasure, user, "erasure.requested")
        notify(
            recipient_ids=_who_may_confirm(erasure, requester=user),
            kind="erasure.asked",
            words="A patient is to be erased, and a second person has to confirm it.",
            url=f"/erasures/{erasure.pk}/",
            subject_type="erasure",
            subject_id=erasure.pk,
        )
    return erasure


def may_confirm(user: User | None, erasure: Erasure) -> bool:
    """Whether the person is a second one who may confirm: not who asked, and of the two one is of the staff."""
    if user is None or erasure.requester is None or erasure.state != ErasureState.REQUESTED:
        return False
    if user.pk == erasure.requester_id or not erasures_for(user).filter(pk=erasure.pk).exists():
        return False
    return user.is_staff or erasure.requester.is_staff


def confirm_erasure(*, user: User, erasure_id: UUID, typed: str) -> Erasure:
    """Confirm an erasure as the second person, which sets it going; it cannot be taken back.

    `typed` is the patient's public id as the person typed it. Raises `NotFound`, `NotAllowed`, `Invalid` or `Conflict`.
    """
    erasure_for(user, erasure_id)
    with transaction.atomic():
        erasure = Erasure.objects.select_for_update(of=("self",)).select_related("requester").get(pk=erasure_id)
        _require_requested(erasure)
        if user.pk == erasure.requester_id:
            raise NotAllowed("Whoever asked cannot confirm too.", remedy="A second person has to look at it.")
        if not may_confirm(user, erasure):
            raise NotAllowed("One of the two people must be of the staff.", remedy="Ask the staff to confirm it.")
        if typed.strip() != erasure.patient_public_id:
            message = f"{typed.strip() or 'Nothing'} is not {erasure.patient_public_id}."
            raise Invalid("The erasure is not confirmed.", problems=[Problem("patient", message)])
        erasure.state, erasure.decider, erasure.decided = ErasureState.ERASING, user, now()
        erasure.save()
        _record(erasure, user, "erasure.confirmed")
        enqueue_erasure(erasure)
    return erasure


def enqueue_erasure(erasure: Erasure) -> None:
    """Set the work of a confirmed erasure going, or going again."""
    enqueue("erase.patient", erasure_id=str(erasure.pk), queueing_lock=f"erase:{erasure.pk}", lock="erase")


def decline_erasure(*, user: User, erasure_id: UUID, because: str) -> Erasure:
    """Decline an erasure, or take one's own request back.

    Raises `NotFound`, `Invalid` without a word, or `Conflict`.
    """
    erasure_for(user, erasure_id)
    if not because.strip() or len(because.strip()) > _LONGEST:
        raise Invalid(
            "The erasure is not declined.", problems=[Problem("because", f"Say why, in {_LONGEST} characters at most.")]
        )
    with transaction.atomic():
        erasure = Erasure.objects.select_for_update().get(pk=erasure_id)
        _require_requested(erasure)
        erasure.state, erasure.decider, erasure.decided = ErasureState.DECLINED, user, now()
        erasure.declined_because = because.strip()
        erasure.save()
        _record(erasure, user, "erasure.declined")
    return erasure


def stranded_erasures() -> list[Erasure]:
    """Confirmed erasures that are not done."""
    return list(Erasure.objects.filter(state=ErasureState.ERASING).order_by("created"))


def _require_requested(erasure: Erasure) -> None:
    if erasure.state != ErasureState.REQUESTED:
        words = {ErasureState.ERASING: "confirmed", ErasureState.DONE: "done", ErasureState.DECLINED: "declined"}
        raise Conflict(f"The erasure is {words[ErasureState(erasure.state)]} already.")


def _validate(patient: Patient, reason: str, words: str) -> None:
    problems = []
    if reason not in ErasureReason.values:
        message = f"{reason or 'Nothing'} is not a reason here."
        problems.append(Problem("reason", message, remedy=f"One of {', '.join(ErasureReason.values)}."))
    if len(words) > _LONGEST or "\0" in words:
        problems.append(Problem("words", f"Write it in {_LONGEST} characters at most.", code="too_long"))
    if named := _named_in(words, patient):
        problems.append(
            Problem(
                "words",
                f"“{named}” stands in it, which names the patient, and the words stay on the receipt.",
                code="names_the_patient",
                remedy="Write it without.",
            )
        )
    if problems:
        raise Invalid("The erasure is not asked for.", problems=problems)


def _named_in(words: str, patient: Patient) -> str:
    """The first private id or file name of the patient that stands in the words, or nothing."""
    taken = Accession.objects.filter(patient=patient)
    private = {
        patient.private_id,
        *Lesion.objects.filter(pk__in=taken.values("lesion")).values_list("private_id", flat=True),
    }
    private |= set(taken.values_list("name", flat=True))
    plain = words.casefold()
    # A private id of one or two characters stands in any sentence.
    return next((text for text in sorted(private) if len(text) > 2 and text.casefold() in plain), "")


def _who_may_confirm(erasure: Erasure, *, requester: User) -> set[int]:
    people = set(User.objects.filter(is_staff=True, is_active=True).values_list("pk", flat=True))
    if requester.is_staff:
        people |= set(owners_of([erasure.contributor])[erasure.contributor_id])
    return people - {requester.pk}


def _record(erasure: Erasure, user: User, verb: str) -> None:
    record(actor_id=user.pk, verb=verb, subject_type="erasure", subject_id=erasure.pk)
