"""Taking keys away all at once: tokens and sessions."""

from __future__ import annotations

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import QuerySet

from medtheca.base.clock import now
from medtheca.base.errors import NotFound
from medtheca.domains.accounts.models import ApiToken, User
from medtheca.domains.ledger.operations import record


def revoke_all_tokens(*, user: User, because: str, actor_id: int | None) -> int:
    """End every token of a user that is not revoked yet; return how many. `because` is a word for the ledger."""
    with transaction.atomic():
        ended = ApiToken.objects.filter(user=user, revoked__isnull=True).update(revoked=now())
        if ended:
            record(
                actor_id=actor_id,
                verb="token.all_revoked",
                subject_type="user",
                subject_id=user.pk,
                details={"tokens": ended, "because": because},
            )
    return ended


def note_session(*, user: User, key: str, address: str, browser: str) -> None:
    """Note that a session is in use now: by whom, from which network address, with which browser (its User-Agent).

    Not recorded in the ledger: a request is not an event there.
    """
    longest = UserSession._meta.get_field("user_agent").max_length
    seen = {"user": user, "ip": address, "user_agent": browser[:longest], "last_seen_at": now()}
    UserSession.objects.update_or_create(session_key=key, defaults=seen)


def live_sessions_of(user: User) -> list[UserSession]:
    """Browsers in which the user is logged in, the one used last first; what is left of sessions that ended goes."""
    live = {found.pk for found in UserSession.objects.purge_and_list(user)}
    return [found for found in sessions_of(user) if found.pk in live]


def sessions_of(user: User) -> QuerySet[UserSession]:
    """As `live_sessions_of`, in one query; those that ended are among them for a while."""
    found: QuerySet[UserSession] = UserSession.objects.filter(user=user).order_by("-last_seen_at", "-pk")
    return found


def end_session(*, user: User, session_id: int) -> None:
    """Log a user out in one browser. Raises `NotFound`."""
    found = sessions_of(user).filter(pk=session_id).first()
    if found is None:
        raise NotFound("There is no such session; it may have ended.")
    with transaction.atomic():
        found.end()
        _note(user, 1)


def end_sessions(*, user: User, but: str = "") -> int:
    """Log a user out everywhere, but not in the session whose key is `but`; return in how many browsers."""
    ended = 0
    with transaction.atomic():
        for found in sessions_of(user):
            if found.session_key != but:
                found.end()
                ended += 1
        if ended:
            _note(user, ended)
    return ended


def _note(user: User, ended: int) -> None:
    record(
        actor_id=user.pk,
        verb="user.sessions_ended",
        subject_type="user",
        subject_id=user.pk,
        details={"sessions": ended},
    )


def drop_ended_sessions() -> int:
    """Delete what is left of sessions that have ended, so that no network address is kept longer; return how many."""
    Session.objects.filter(expire_date__lt=now()).delete()
    gone, _ = UserSession.objects.exclude(session_key__in=Session.objects.values("session_key")).delete()
    return int(gone)
