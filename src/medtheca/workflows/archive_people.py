"""Inviting people into an archive: the invitation is written, and once it is there for good its mail goes out."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction

from medtheca.domains.access.enums import Role
from medtheca.domains.access.models import Invitation
from medtheca.domains.accounts.models import User
from medtheca.domains.archives import people
from medtheca.domains.archives.enums import PERSON_OF_ROLE, Person
from medtheca.domains.archives.models import Archive
from medtheca.workflows.inviting import called, deliver, in_one_line

_MAY = {
    Person.EDITOR: "settle everything in it: its items, its people and what is said of it",
    Person.UPLOADER: "see its items, bring images and change items",
    Person.USER: "see its items",
}


def invite(*, archive: Archive, email: str, person: str, actor: User, until: datetime | None = None) -> Invitation:
    """Invite an address into an archive by mail. Raises `NotFound`, `NotAllowed`, `Invalid` or `Conflict`."""
    invitation, secret = people.invite_person(archive=archive, actor=actor, email=email, person=person, until=until)
    _send(invitation, secret, actor, archive)
    return invitation


def invite_again(*, archive: Archive, invitation_id: int, actor: User) -> Invitation:
    """Send an invitation anew; the link of the first mail ends. Raises `NotAllowed`, `NotFound` or `Conflict`."""
    invitation, secret = people.invite_again(archive=archive, invitation_id=invitation_id, actor=actor)
    _send(invitation, secret, actor, archive)
    return invitation


def _send(invitation: Invitation, secret: str, actor: User, archive: Archive) -> None:
    # Not by a job: its arguments are rows, and the secret is to stand in none.
    message = EmailMessage(
        subject=f"{settings.INSTANCE_NAME}: {in_one_line(actor.full_name)} invites you",
        body=_body(invitation, secret, actor, archive),
        to=[invitation.email],
    )
    transaction.on_commit(lambda: deliver(message))


def _body(invitation: Invitation, secret: str, actor: User, archive: Archive) -> str:
    until = f"{invitation.expires.day} {invitation.expires:%B %Y}"
    stays = people.ends_of([invitation]).get(invitation.pk)
    ending = f", until {stays.day} {stays:%B %Y}" if stays else ""
    may = _MAY[PERSON_OF_ROLE[Role(invitation.role)]]
    return (
        f"{called(actor)} invites you to the archive {in_one_line(archive.title)} in"
        f" {settings.INSTANCE_NAME}.\n\n"
        f"You would be able to {may}{ending}.\n\n"
        f"Accept here, until {until}. If you have no account yet, the page lets you make one first:\n"
        f"{settings.PUBLIC_URL}/archives/join/{secret}/\n\n"
        "The link is for you alone. If you do not know what this is about, do nothing.\n"
    )
