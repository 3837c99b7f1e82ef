"""Requests to see an archive: asked, decided, withdrawn.

Whoever asks answers the editors' questions and accepts the text. By the archive's setting they are let in at once, once
they are verified, or when an editor decides. Whoever was rejected may ask again after a day.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from medtheca.base.clock import now
from medtheca.base.errors import Conflict, Invalid, NotAllowed, NotFound, Problem
from medtheca.domains.accounts.models import User
from medtheca.domains.accounts.verifying import is_verified
from medtheca.domains.archives.access import Asker, findable_archives, person_of, require_editor, role_in
from medtheca.domains.archives.enums import AccessHandling, Person, RequestState
from medtheca.domains.archives.models import AccessRequest, Archive, Held
from medtheca.domains.archives.people import checked_end, editors_of, let_in
from medtheca.domains.archives.terms import note_acceptance, require_terms
from medtheca.domains.ledger.models import Event
from medtheca.domains.ledger.notifying import notify
from medtheca.domains.ledger.operations import record

ASK_AGAIN_AFTER = timedelta(days=1)
LONGEST_ANSWER = 5_000
LONGEST_REASON = 2_000
MOST_AT_ONCE = 1_000
_SUBJECT = "archive_request"


class Asking(Enum):
    """What one person can do to see an archive."""

    SIGN_IN = "sign_in"
    IN = "in"
    ACCEPT_TERMS = "accept_terms"
    ASK = "ask"
    WAIT = "wait"
    """An editor decides."""

    WAIT_A_DAY = "wait_a_day"
    """They were rejected a moment ago."""


@dataclass(frozen=True, slots=True)
class Situation:
    """Where one person stands with an archive. `again` is when they may ask again after a rejection."""

    asking: Asking
    request: AccessRequest | None = None
    again: datetime | None = None
    verifies_in: bool = False
    """Whether they would be let in if they were verified."""


def situation_of(asker: Asker, archive: Archive) -> Situation:
    """What the person can do to see the archive; the caller has found it for them."""
    user = person_of(asker)
    if user is None:
        return Situation(Asking.SIGN_IN)
    if role_in(user, archive) is not None:
        return Situation(Asking.IN)
    if Held.objects.filter(archive=archive, user=user).exists():
        return Situation(Asking.ACCEPT_TERMS)
    asked = AccessRequest.objects.filter(archive=archive, user=user).first()
    if asked is None or asked.state == RequestState.ACCEPTED:
        # Accepted and not in: they were let out in a way that settled nothing, and ask anew.
        return Situation(Asking.ASK, asked)
    if asked.state == RequestState.PENDING:
        by_verification = archive.access_requests == AccessHandling.ACCEPT_VERIFIED_USERS and not is_verified(user)
        return Situation(Asking.WAIT, asked, verifies_in=by_verification)
    again = _again(asked)
    return Situation(Asking.WAIT_A_DAY if again else Asking.ASK, asked, again)


def archive_to_ask_for(asker: Asker, ref: str) -> Archive:
    """An archive that the person may know of, by its id or slug, also where they may no more than ask. Raises
    `NotFound`.
    """
    found = findable_archives(asker).select_related("cohort__contributor", "scope")
    try:
        wanted = found.filter(pk=UUID(ref))
    except ValueError:
        wanted = found.filter(slug=ref.replace("\x00", ""))
    archive = wanted.first()
    if archive is None:
        raise NotFound("There is no such archive.")
    return archive


def _again(asked: AccessRequest) -> datetime | None:
    """When somebody may ask again who was rejected; nothing where they may now. Whoever left may at once."""
    if asked.decided is None or asked.decided_by_id == asked.user_id:
        return None
    again = asked.decided + ASK_AGAIN_AFTER
    return again if again > now() else None


def ask_to_see(
    *, archive: Archive, user: User, answers: Mapping[str, str], accepted_version: int | None = None
) -> AccessRequest:
    """Ask to see an archive; by its setting the person may be in at once.

    Raises `NotFound` for an archive that they may not know of, `Conflict` where they are in, wait already, or were
    rejected less than a day ago, and `Invalid` naming each answer that is missing, or the text that was not accepted.
    """
    if not findable_archives(user).filter(pk=archive.pk).exists():
        raise NotFound("There is no such archive.")
    with transaction.atomic():
        # The person's row is the queue: two forms sent at once are one request.
        User.objects.select_for_update(no_key=True).get(pk=user.pk)
        locked = Archive.objects.select_for_update(no_key=True, of=("self",)).get(pk=archive.pk)
        _require_to_ask(situation_of(user, locked))
        given = _checked_answers(locked, answers)
        require_terms(locked, accepted_version)
        asked, _ = AccessRequest.objects.update_or_create(
            archive=locked,
            user=user,
            defaults={
                "state": RequestState.PENDING,
                "answers": given,
                "terms_version": locked.terms_version if locked.terms else None,
                "asked": now(),
                "decided": None,
                "decided_by": None,
                "reason": "",
            },
        )
        note_acceptance(locked, user)
        _record("archive.access_asked", asked, user)
        at_once = locked.access_requests == AccessHandling.ACCEPT_ALL or (
            locked.access_requests == AccessHandling.ACCEPT_VERIFIED_USERS and is_verified(user)
        )
        if at_once:
            _accept(asked, by=None, person=Person.USER, until=None, reason="")
        else:
            _tell_editors(locked)
    return asked


def decide(
    *,
    archive: Archive,
    editor: User,
    request_ids: Iterable[int],
    accept: bool,
    reason: str = "",
    person: str = Person.USER,
    until: datetime | None = None,
) -> int:
    """Accept or reject requests that wait, for one reason that those who asked read. Returns how many were decided.

    Requests that somebody else has decided meanwhile stay as they are; one that was rejected can still be accepted.
    Raises `NotFound`, `NotAllowed`, or `Invalid` where nobody is named, or a rejection has no reason.
    """
    require_editor(editor, archive, to="decide on requests")
    ids = set(request_ids)
    words = _checked_reason(reason, needed=not accept)
    if not ids or len(ids) > MOST_AT_ONCE:
        message = f"Name from one to {MOST_AT_ONCE:,} requests."
        raise Invalid(
            "Nothing was decided.", problems=[Problem("requests", message, remedy="Choose them in the list.")]
        )
    ending = checked_end(until)
    open_states = [RequestState.PENDING, RequestState.REJECTED] if accept else [RequestState.PENDING]
    with transaction.atomic():
        rows = AccessRequest.objects.select_for_update(of=("self",)).filter(archive=archive, pk__in=ids)
        if rows.count() != len(ids):
            raise NotFound("One of these requests is not of this archive.")
        open_rows = list(rows.filter(state__in=open_states).select_related("archive__scope", "user").order_by("pk"))
        for asked in open_rows:
            if accept:
                _accept(asked, by=editor, person=Person(person), until=ending, reason=words)
            else:
                _settle(asked, RequestState.REJECTED, editor, words)
                _record("archive.access_rejected", asked, editor)
                told = f"Your request to see the archive {archive.title} was rejected: {words}"
                _tell_requester(asked, told, url=f"/archives/{archive.slug}/request/")
    return len(open_rows)


def accept_verified(*, user_id: int) -> int:
    """Accept what somebody asked of archives that let verified people in, now that they are; return how many."""
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is None or not is_verified(user):
        return 0
    waiting = AccessRequest.objects.filter(
        user=user, state=RequestState.PENDING, archive__access_requests=AccessHandling.ACCEPT_VERIFIED_USERS
    )
    done = 0
    for pk in waiting.order_by("pk").values_list("pk", flat=True):
        with transaction.atomic():
            locked = waiting.select_for_update(of=("self",)).select_related("archive__scope", "user").filter(pk=pk)
            for asked in locked:
                _accept(asked, by=None, person=Person.USER, until=None, reason="")
                done += 1
    return done


def withdraw_request(*, archive: Archive, user: User) -> None:
    """Ask no longer. Raises `NotFound` where nothing waits."""
    with transaction.atomic():
        asked = (
            AccessRequest.objects.select_for_update()
            .filter(archive=archive, user=user, state=RequestState.PENDING)
            .first()
        )
        if asked is None:
            raise NotFound("You have no request that waits.")
        _record("archive.access_withdrawn", asked, user)
        asked.delete()


# -- reading ------------------------------------------------------------------------------------------------


def requests_of(archive: Archive, *, asker: User, state: str = "") -> QuerySet[AccessRequest]:
    """Requests to see an archive, of one state or all, the latest first. Raises `NotFound` or `NotAllowed`."""
    require_editor(asker, archive, to="see its requests")
    rows = AccessRequest.objects.filter(archive=archive).select_related("user", "decided_by")
    if state:
        rows = rows.filter(state=state_named(state))
    return rows.order_by("-asked", "-pk")


def state_named(name: str) -> RequestState:
    """The state of a name. Raises `Invalid`."""
    if name not in RequestState.values:
        problem = Problem("state", f"{name} is no state of a request.", remedy=f"One of {', '.join(RequestState)}.")
        raise Invalid("There is no such state.", problems=[problem])
    return RequestState(name)


def request_for(archive: Archive, request_id: int, *, asker: User) -> AccessRequest:
    """One request, for editors. Raises `NotFound` or `NotAllowed`."""
    found = requests_of(archive, asker=asker).filter(pk=request_id).first()
    if found is None:
        raise NotFound(f"There is no request {request_id}.")
    return found


def requests_by(user: User) -> QuerySet[AccessRequest]:
    """What somebody asked to see, the latest first."""
    return AccessRequest.objects.filter(user=user).select_related("archive").order_by("-asked", "-pk")


def count_waiting(archive: Archive) -> int:
    """How many requests wait for an editor."""
    return AccessRequest.objects.filter(archive=archive, state=RequestState.PENDING).count()


def history_of(asked: AccessRequest) -> QuerySet[Event]:
    """What happened to a request, oldest first; the caller has seen to it that the asker may read it."""
    return Event.objects.filter(subject_type=_SUBJECT, subject_id=str(asked.pk)).order_by("pk")


# -- shared -------------------------------------------------------------------------------------------------


def _require_to_ask(situation: Situation) -> None:
    if situation.asking is Asking.IN:
        raise Conflict("You are in this archive already.", code="already_in", remedy="Look at its items.")
    if situation.asking is Asking.ACCEPT_TERMS:
        raise Conflict("You are in this archive, and have to accept its data-use text.", code="terms_changed")
    if situation.asking is Asking.WAIT:
        raise Conflict("Your request waits for an editor already.", code="already_asked", remedy="Wait for the mail.")
    if situation.asking is Asking.WAIT_A_DAY and situation.again:
        when = f"{situation.again.day} {situation.again:%B %Y, %H:%M} UTC"
        raise Conflict("Your request was rejected.", code="asked_lately", remedy=f"You may ask again from {when} on.")
    if situation.asking is Asking.SIGN_IN:
        raise NotAllowed("Only people with an account may ask.", remedy="Sign in.")


def _checked_answers(archive: Archive, answers: Mapping[str, str]) -> dict[str, str]:
    """What was answered, by the questions' names. Raises `Invalid`."""
    asked = {question["name"]: question for question in archive.request_form}
    problems = [Problem(name, f"The form has no question {name}.") for name in answers if name not in asked]
    given = {name: str(answers.get(name, "")).strip() for name in asked}
    for name, text in given.items():
        if not text and asked[name].get("required"):
            problems.append(Problem(name, "An answer is needed.", code="required", remedy=asked[name]["label"]))
        if len(text) > LONGEST_ANSWER or "\x00" in text:
            problems.append(Problem(name, f"An answer has up to {LONGEST_ANSWER:,} characters.", remedy="Shorten it."))
    if problems:
        raise Invalid("The request cannot be sent so.", problems=problems)
    return {name: text for name, text in given.items() if text}


def _checked_reason(reason: str, *, needed: bool) -> str:
    words = reason.strip()
    if (needed and not words) or len(words) > LONGEST_REASON or "\x00" in words:
        remedy = f"Write up to {LONGEST_REASON:,} characters; whoever asked reads them."
        problem = Problem(
            "reason", "A rejection has a reason." if not words else "The reason is too long.", remedy=remedy
        )
        raise Invalid("Nothing was decided.", problems=[problem])
    return words


def _accept(asked: AccessRequest, *, by: User | None, person: Person, until: datetime | None, reason: str) -> None:
    """Let in who asked; whoever is in by now with a stronger role stays so. Inside a transaction."""
    archive, user = asked.archive, asked.user
    if not user.is_active:
        raise Conflict(f"{user.email} is disabled.", remedy="Reject the request.")
    if role_in(user, archive) is None:
        let_in(archive, user, person, until=until)
    _settle(asked, RequestState.ACCEPTED, by, reason)
    _record("archive.access_accepted", asked, by)
    if by is None or by.pk != user.pk:
        ends = f" You see it until {until.day} {until:%B %Y}." if until else ""
        more = f" {reason}" if reason else ""
        words = f"Your request to see the archive {archive.title} was accepted.{ends}{more}"
        _tell_requester(asked, words, url=f"/archives/{archive.slug}/")


def _settle(asked: AccessRequest, state: RequestState, by: User | None, reason: str) -> None:
    asked.state, asked.decided, asked.decided_by, asked.reason = state, now(), by, reason
    asked.save(update_fields=["state", "decided", "decided_by", "reason", "modified"])


def _tell_editors(archive: Archive) -> None:
    """One notification for all that wait, renewed while nobody has read it."""
    number = count_waiting(archive)
    people = "1 person waits" if number == 1 else f"{number:,} people wait"
    notify(
        recipient_ids=[editor.pk for editor in editors_of(archive)],
        kind="archive.access_asked",
        words=f"{people} to be let into the archive {archive.title}.",
        url=f"/archives/{archive.slug}/requests/",
        subject_type="archive",
        subject_id=archive.pk,
    )


def _tell_requester(asked: AccessRequest, words: str, *, url: str) -> None:
    notify(
        recipient_ids=[asked.user_id],
        kind="archive.access_decided",
        words=" ".join(words.split())[:1000],
        url=url,
        subject_type=_SUBJECT,
        subject_id=asked.pk,
    )


def _record(verb: str, asked: AccessRequest, actor: User | None) -> None:
    details: dict[str, object] = {"user": asked.user_id, "archive": str(asked.archive_id)}
    if asked.terms_version is not None:
        details["version"] = asked.terms_version
    record(
        actor_id=actor.pk if actor else None,
        verb=verb,
        subject_type=_SUBJECT,
        subject_id=asked.pk,
        cohort_id=asked.archive.cohort_id,
        details=details,
    )
