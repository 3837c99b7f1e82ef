"""Named groups: inviting by mail, and taking a group away."""

from __future__ import annotations

import logging
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction

from medtheca.base.errors import Conflict
from medtheca.domains.access import groups
from medtheca.domains.access.enums import Role
from medtheca.domains.access.models import Invitation, Scope
from medtheca.domains.accounts.models import User
from medtheca.domains.provenance.enums import RequestState
from medtheca.domains.provenance.models import PublishRequest

log = logging.getLogger(__name__)
_OPEN = [RequestState.REQUESTED, RequestState.PUBLISHING]


def invite(*, group: Scope, actor: User, email: str, role: str) -> Invitation:
    """Invite an address into a group by mail. Raises `NotAllowed`, `Invalid` or `Conflict`."""
    invitation, secret = groups.invite_to_group(group=group, actor=actor, email=email, role=role)
    message = EmailMessage(
        subject=f"{settings.INSTANCE_NAME}: {_in_one_line(actor.full_name)} invites you",
        body=_body(invitation, secret, actor),
        to=[invitation.email],
    )
    # Not by a job: its arguments are rows, and the secret is to stand in none.
    transaction.on_commit(lambda: _deliver(message))
    return invitation


def require_removable(*, group: Scope, actor: User) -> None:
    """Raise `NotAllowed`, or `Conflict` where images hang there or are asked for."""
    groups.require_deletable(group=group, actor=actor)
    if PublishRequest.objects.filter(groups=group, state__in=_OPEN).exists():
        raise Conflict(
            "Publication for the group is asked for.",
            code="group_in_use",
            remedy="Wait until the request is decided.",
        )


def remove_group(*, group: Scope, actor: User) -> None:
    """Take a group away. Raises as `require_removable`."""
    with transaction.atomic():
        # Whoever asks for publication refers to the row, and so waits for this or comes before it.
        Scope.objects.select_for_update().get(pk=group.pk)
        require_removable(group=group, actor=actor)
        groups.delete_group(group=group, actor=actor)


def _deliver(message: EmailMessage) -> None:
    try:
        message.send()
    except (OSError, SMTPException):
        # The invitation is there and can be sent again; neither address nor link goes to the log.
        log.exception("The mail of an invitation could not be sent.")


def _body(invitation: Invitation, secret: str, actor: User) -> str:
    until = f"{invitation.expires.day} {invitation.expires:%B %Y}"
    may = "run the group and " if invitation.role == Role.OWNER else ""
    return (
        f"{_in_one_line(actor.full_name)} ({actor.email}) invites you to the group"
        f" {_in_one_line(invitation.scope.name)} in {settings.INSTANCE_NAME}, an archive of medical images.\n\n"
        f"You would be able to {may}see the images that are published for it.\n\n"
        f"Accept here, until {until}. If you have no account yet, the page lets you make one first:\n"
        f"{settings.PUBLIC_URL}/groups/join/{secret}/\n\n"
        "The link is for you alone. If you do not know what this is about, do nothing.\n"
    )


def _in_one_line(text: str) -> str:
    return " ".join(text.split())
