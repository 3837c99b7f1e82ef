"""Inviting people into circles by e-mail. Who may is decided by the domain whose circle it is."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import QuerySet

from medtheca.base.clock import now
from medtheca.base.errors import Conflict, Invalid, NotFound, Problem
from medtheca.domains.access.enums import RANK, Role
from medtheca.domains.access.models import Invitation, Membership, Scope
from medtheca.domains.access.operations import add_member
from medtheca.domains.accounts.models import User
from medtheca.domains.ledger.models import Event

LIFE = timedelta(days=14)
MOST_OPEN = 100
"""Invitations into one circle that may be open at a time."""

MOST_AN_HOUR = 60
"""Invitations that one person may send in an hour: each is a mail to somebody who did not ask for it."""

OVER = "There is no such invitation, or it is over."
_VERBS = ("contributor.invited", "cohort.invited", "group.invited", "archive.invited")


class OtherAddress(Conflict):
    """The invitation went to another address than the person's; accepting it all the same has to be said."""

    code = "other_address"


def digest_of(secret: str) -> str:
    """What is stored of an invitation's secret. A random secret needs no salt and no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


def invite(*, scope: Scope, email: str, role: Role, by: User) -> tuple[Invitation, str]:
    """Invite an address into a circle; return the invitation with its secret, which is stored nowhere.

    An open invitation of the same address gives way. Raises `Invalid` for what is no address, `Conflict` for somebody
    who is in already or where too many are open. The caller records it, as one of `_VERBS`: they are counted.
    """
    address = email.strip().lower()
    try:
        validate_email(address)
    except ValidationError as error:
        problem = Problem("email", f"{email.strip() or 'Nothing'} is not an e-mail address.", remedy="Write one.")
        raise Invalid("Nobody can be invited.", problems=[problem]) from error
    if Membership.objects.filter(scope=scope, user__email__iexact=address, role=role).exists():
        raise Conflict(f"{address} is {role} already.", remedy="Nothing needs to be done.")
    with transaction.atomic():
        # The circle's row is the queue: two at once cannot both be the last that is allowed.
        Scope.objects.select_for_update(no_key=True).get(pk=scope.pk)
        # By the ledger: invitations go with their circle, and whoever deletes that has sent the mails all the same.
        lately = Event.objects.filter(actor_id=by.pk, verb__in=_VERBS, at__gt=now() - timedelta(hours=1))
        if lately.count() >= MOST_AN_HOUR:
            raise Conflict(f"You have invited {MOST_AN_HOUR} times in the last hour.", remedy="Go on in an hour.")
        open_invitations(scope).filter(email=address).update(revoked=now())
        if open_invitations(scope).count() >= MOST_OPEN:
            raise Conflict(f"{MOST_OPEN} invitations are open.", remedy="Revoke some, or wait until they are accepted.")
        secret = secrets.token_urlsafe(32)
        made = Invitation.objects.create(
            scope=scope, email=address, role=role, digest=digest_of(secret), by=by, expires=now() + LIFE
        )
    return made, secret


def renew(*, invitation: Invitation, by: User) -> tuple[Invitation, str]:
    """Invite the same address anew, with another secret; the old one opens nothing any more.

    Raises `Conflict` where the invitation was accepted or revoked.
    """
    if invitation.accepted or invitation.revoked:
        raise Conflict("The invitation is over.", remedy="Invite the person anew.")
    return invite(scope=invitation.scope, email=invitation.email, role=Role(invitation.role), by=by)


def revoke(*, invitation: Invitation) -> None:
    """End an invitation that nobody has accepted. Raises `Conflict` for one that somebody has."""
    ended = Invitation.objects.filter(pk=invitation.pk, accepted__isnull=True)
    if not ended.update(revoked=now()):
        raise Conflict("The invitation was accepted.", remedy="Remove the person instead.")


def revoke_all_by(*, user: User, scope: Scope) -> None:
    """End what a person's invitations into a circle still open: whoever goes must not come back by their own hand."""
    Invitation.objects.filter(scope=scope, by=user, accepted__isnull=True, revoked__isnull=True).update(revoked=now())


def open_invitations(scope: Scope) -> QuerySet[Invitation]:
    """Invitations into a circle that can still be accepted, newest first."""
    rows = Invitation.objects.filter(scope=scope, accepted__isnull=True, revoked__isnull=True, expires__gt=now())
    return rows.select_related("by").order_by("-created", "-pk")


def invitations_of(scope: Scope) -> QuerySet[Invitation]:
    """Invitations into a circle that nobody accepted or revoked, expired ones too, newest first."""
    rows = Invitation.objects.filter(scope=scope, accepted__isnull=True, revoked__isnull=True)
    return rows.select_related("by").order_by("-created", "-pk")


def invitation_of_secret(secret: str) -> Invitation:
    """The invitation that a secret opens. Raises `NotFound` where there is none, or it is over; which, is not said."""
    found = (
        Invitation.objects.select_related("scope", "by")
        .filter(digest=digest_of(secret), accepted__isnull=True, revoked__isnull=True, expires__gt=now())
        .first()
    )
    if found is None or not found.by.is_active:
        raise NotFound(OVER)
    return found


def is_for(invitation: Invitation, user: User) -> bool:
    """Whether an invitation went to the person's own address."""
    return user.email.lower() == invitation.email.lower()


def accept(*, secret: str, user: User, with_other_address: bool = False) -> Invitation:
    """Let the person in to whom the secret was sent; a stronger role that they have stays.

    Raises `NotFound` for a secret that opens nothing, `OtherAddress` where it was sent elsewhere and the person has not
    said that they accept it all the same.
    """
    with transaction.atomic():
        Invitation.objects.select_for_update().filter(digest=digest_of(secret)).first()
        invitation = invitation_of_secret(secret)
        if not is_for(invitation, user) and not with_other_address:
            raise OtherAddress(
                "The invitation was sent to another address than yours.",
                remedy="Log in with that address, or say that you accept it with this one.",
            )
        present = Membership.objects.filter(scope=invitation.scope, user=user).first()
        if present is None or RANK[Role(present.role)] < RANK[Role(invitation.role)]:
            add_member(scope=invitation.scope, user=user, role=Role(invitation.role))
        invitation.accepted, invitation.accepted_by = now(), user
        invitation.save(update_fields=["accepted", "accepted_by"])
    return invitation
