"""Inviting people: the invitation is written, and once it is there for good its mail goes out."""

from __future__ import annotations

import logging
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction

from medtheca.domains.access.enums import Role
from medtheca.domains.access.models import Invitation
from medtheca.domains.accounts.models import User
from medtheca.domains.provenance import people

log = logging.getLogger(__name__)
_MAY = {
    Role.OWNER: "own it: answer for it, its people, licence and what is published",
    Role.EDITOR: "upload and describe its images, and ask for their publication",
    Role.REVIEWER: "review its images",
    Role.VIEWER: "see its images",
}


def invite(*, thing: people.Thing, email: str, role: Role, actor: User) -> Invitation:
    """Invite an address to a contributor or cohort by mail. Raises `NotAllowed`, `Invalid` or `Conflict`."""
    invitation, secret = people.invite_person(thing=thing, email=email, role=role, actor=actor)
    _send(invitation, secret, actor)
    return invitation


def invite_again(*, thing: people.Thing, invitation_id: int, actor: User) -> Invitation:
    """Send an invitation anew; the link of the first mail ends. Raises `NotAllowed`, `NotFound` or `Conflict`."""
    invitation, secret = people.invite_again(thing=thing, invitation_id=invitation_id, actor=actor)
    _send(invitation, secret, actor)
    return invitation


def _send(invitation: Invitation, secret: str, actor: User) -> None:
    # Not by a job: its arguments are rows, and the secret is to stand in none.
    message = EmailMessage(
        subject=f"{settings.INSTANCE_NAME}: {in_one_line(actor.full_name)} invites you",
        body=_body(invitation, secret, actor),
        to=[invitation.email],
    )
    transaction.on_commit(lambda: deliver(message))


def deliver(message: EmailMessage) -> None:
    """Send the mail of an invitation, or note that it could not be sent."""
    try:
        message.send()
    except (OSError, SMTPException):
        # The invitation is there and can be sent again; neither address nor link goes to the log.
        log.exception("The mail of an invitation could not be sent.")


def _body(invitation: Invitation, secret: str, actor: User) -> str:
    until = f"{invitation.expires.day} {invitation.expires:%B %Y}"
    return (
        f"{called(actor)} invites you to {in_one_line(invitation.scope.name)} in"
        f" {settings.INSTANCE_NAME}, an archive of medical images.\n\n"
        f"You would be able to {_MAY[Role(invitation.role)]}.\n\n"
        f"Accept here, until {until}. If you have no account yet, the page lets you make one first:\n"
        f"{settings.PUBLIC_URL}/invitations/{secret}/\n\n"
        "The link is for you alone. If you do not know what this is about, do nothing.\n"
    )


def called(person: User) -> str:
    """Name and address of somebody; the address once, where they gave no name."""
    name = in_one_line(person.full_name)
    return name if name == person.email else f"{name} ({person.email})"


def in_one_line(text: str) -> str:
    """What somebody wrote, so that it cannot become another header or paragraph of a mail."""
    return " ".join(text.split())
