"""Second factors: what a user has besides the password, and who must have one."""

from __future__ import annotations

from dataclasses import dataclass

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db import transaction

from medtheca.domains.accounts.models import User
from medtheca.domains.ledger.operations import record

_REAL = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]


@dataclass(frozen=True, slots=True)
class Factors:
    """What a user can prove themselves by. Recovery codes are no factor of their own."""

    app: bool
    passkeys: int
    recovery_codes: int

    @property
    def any(self) -> bool:
        """Whether a log-in needs more than the password."""
        return self.app or self.passkeys > 0


def factors_of(user: User) -> Factors:
    """The second factors of a user."""
    rows = list(Authenticator.objects.filter(user=user))
    codes = next((row for row in rows if row.type == Authenticator.Type.RECOVERY_CODES), None)
    return Factors(
        app=any(row.type == Authenticator.Type.TOTP for row in rows),
        passkeys=sum(row.type == Authenticator.Type.WEBAUTHN for row in rows),
        recovery_codes=len(codes.wrap().get_unused_codes()) if codes else 0,
    )


def lacks_second_factor(user: User) -> bool:
    """Whether a user must have a second factor (MEDTHECA_STAFF_SECOND_FACTOR) and has none."""
    if not (settings.STAFF_SECOND_FACTOR and user.is_staff):
        return False
    return not Authenticator.objects.filter(user=user, type__in=_REAL).exists()


def reset_second_factor(*, user: User, actor_id: int | None = None) -> int:
    """Take all second factors and recovery codes from a user who lost them; return how many rows went.

    For the operator on the command line, who has made sure who is asking.
    """
    with transaction.atomic():
        gone, _ = Authenticator.objects.filter(user=user).delete()
        if gone:
            note_factor_change(user=user, change="reset", actor_id=actor_id)
    return int(gone)


def note_factor_change(*, user: User, change: str, actor_id: int | None) -> None:
    """Record that a factor was added, removed or reset; `change` is a word such as `totp_activated`."""
    record(
        actor_id=actor_id,
        verb="user.second_factor_changed",
        subject_type="user",
        subject_id=user.pk,
        details={"change": change},
    )
