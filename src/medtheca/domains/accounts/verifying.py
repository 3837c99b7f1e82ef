"""Showing who one is by an institutional address: asked for, confirmed by the link of a mail, vouched for by staff.

It says that somebody reads mail at an institution, and no more. Log-in and other mail stay with the account's address.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from medtheca.base.clock import now
from medtheca.base.errors import Conflict, Invalid, NotAllowed, NotFound, Problem
from medtheca.base.jobs import enqueue
from medtheca.domains.accounts.models import User, Verification
from medtheca.domains.accounts.queries import digest_of_secret
from medtheca.domains.ledger.models import Event
from medtheca.domains.ledger.operations import record
from medtheca.toolkit.free_mail import is_free_mail

LIFE = timedelta(days=3)
MOST_A_DAY = 5
"""Mails that one person may have sent in a day: each goes to an address that may be another's."""

OVER = "There is no such link, or it is over."


def verification_of(user: User) -> Verification | None:
    """How far somebody's verification is; nothing where they never asked."""
    return Verification.objects.filter(user=user).first()


def is_verified(user: User) -> bool:
    """Whether somebody has confirmed an institutional address, or staff vouch for them."""
    return Verification.objects.filter(user=user, confirmed__isnull=False).exists()


def verified_among(user_ids: Iterable[int]) -> dict[int, Verification]:
    """The verifications of those who are verified, by the persons' ids."""
    rows = Verification.objects.filter(user__in=list(user_ids), confirmed__isnull=False)
    return {row.user_id: row for row in rows}


def ask_for_verification(*, user: User, email: str) -> tuple[Verification, str]:
    """Begin with an address; return the row with the secret of its link, which the caller sends and nobody stores.

    What was confirmed before stays until another is. Raises `Invalid` for what is no address or lies at a provider
    where anybody gets one, `Conflict` for an address that verifies somebody else, or for too many mails in a day.
    """
    address = checked_address(email)
    with transaction.atomic():
        # The person's row is the queue: two at once cannot both be the last that is allowed.
        User.objects.select_for_update(no_key=True).get(pk=user.pk)
        lately = Event.objects.filter(
            actor_id=user.pk, verb="user.verification_asked", at__gt=now() - timedelta(days=1)
        )
        if lately.count() >= MOST_A_DAY:
            raise Conflict(f"{MOST_A_DAY} mails were sent in the last day.", remedy="Look for them, or wait a day.")
        present = verification_of(user)
        if present is not None and present.confirmed is not None:
            if present.email.lower() == address:
                raise Conflict(f"{address} is confirmed already.", remedy="Nothing needs to be done.")
            raise Conflict(
                f"You are verified by {present.email} already.", remedy="Take that back first, to use another address."
            )
        secret = secrets.token_urlsafe(32)
        row, _ = Verification.objects.update_or_create(
            user=user,
            defaults={
                "email": address,
                "digest": digest_of_secret(secret),
                "asked": now(),
                "expires": now() + LIFE,
                "by": None,
            },
        )
        _record("user.verification_asked", user, user)
    return row, secret


def checked_address(email: str) -> str:
    """The address in small letters. Raises `Invalid`."""
    address = email.strip().lower()
    try:
        validate_email(address)
    except ValidationError as error:
        problem = Problem("email", f"{email.strip() or 'Nothing'} is not an e-mail address.", remedy="Write one.")
        raise Invalid("Nobody can be verified by this.", problems=[problem]) from error
    if is_free_mail(address, changes=settings.ENVIRONMENT.free_mail_domains):
        domain = address.rpartition("@")[2]
        problem = Problem(
            "email",
            f"Anybody can have an address at {domain}, so it does not show where you work.",
            code="free_mail",
            remedy="Use the address of your hospital, university or company. Without one, ask the support.",
        )
        raise Invalid("Nobody can be verified by this.", problems=[problem])
    return address


def confirm_verification(*, secret: str, user: User) -> Verification:
    """Take the link of the mail for the person who is logged in; it works once.

    Raises `NotFound` for a link that is over or another's, or `Conflict` where the address verifies somebody else.
    """
    with transaction.atomic():
        row = (
            Verification.objects.select_for_update(of=("self",))
            .filter(digest=digest_of_secret(secret), user=user, expires__gt=now())
            .first()
        )
        if row is None:
            raise NotFound(OVER)
        _refuse_taken(user, row.email)
        row.confirmed, row.digest, row.expires = now(), None, None
        row.save(update_fields=["confirmed", "digest", "expires"])
        _verified(row, user)
    return row


def vouch_for(*, user: User, staff: User | None, email: str = "") -> Verification:
    """Staff, or the operator on the command line (`staff` is None), verify somebody by what they know of them.

    `email` is an institutional address; without one it is the account's. Raises `NotAllowed`, `Invalid` or `Conflict`.
    """
    _require_staff(staff)
    address = checked_address(email) if email else user.email.lower()
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=user.pk)
        _refuse_taken(user, address)
        row, _ = Verification.objects.update_or_create(
            user=user,
            defaults={"email": address, "digest": None, "expires": None, "confirmed": now(), "by": staff},
        )
        _verified(row, staff)
    return row


def take_back_verification(*, user: User, actor: User | None) -> None:
    """End somebody's verification: their own, or for staff and the operator anybody's.

    Where they were let in by it, they stay. Raises `NotAllowed`, or `NotFound` where there is none.
    """
    if actor is None or actor.pk != user.pk:
        _require_staff(actor)
    with transaction.atomic():
        ended, _ = Verification.objects.filter(user=user).delete()
        if not ended:
            raise NotFound(f"{user.email} is not verified.")
        _record("user.verification_ended", user, actor)


def _refuse_taken(user: User, address: str) -> None:
    others = Verification.objects.filter(email__iexact=address, confirmed__isnull=False).exclude(user=user)
    if others.exists():
        raise Conflict(
            f"{address} verifies somebody else already.",
            code="address_taken",
            remedy="If you have two accounts, take it back there first.",
        )


def _verified(row: Verification, actor: User | None) -> None:
    _record("user.verified", row.user, actor)
    # Requests that waited for this are accepted by whoever knows of them.
    enqueue("archives.accept_verified", user_id=row.user_id)


def _require_staff(staff: User | None) -> None:
    if staff is not None and not (staff.is_active and staff.is_staff):
        raise NotAllowed("Only staff may verify people.")


def _record(verb: str, user: User, actor: User | None) -> None:
    record(actor_id=actor.pk if actor else None, verb=verb, subject_type="user", subject_id=user.pk)
