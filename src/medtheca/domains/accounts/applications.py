"""Applications that people register, to act for whoever lets them (OAuth 2).

Secrets are random and long, so their SHA-256 is what is kept, as of API tokens. `isic-cli` has the identifier that it
was built with; it is the only one that may show its code on a page instead of taking it at an address.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import QuerySet
from oauth2_provider.models import Application

from medtheca.base.errors import Conflict, Invalid, NotFound, Problem
from medtheca.domains.accounts.enums import ApplicationKind
from medtheca.domains.accounts.models import User
from medtheca.domains.accounts.queries import digest_of_secret
from medtheca.domains.accounts.scopes import DEFAULT_SCOPES
from medtheca.domains.ledger.notifying import notify
from medtheca.domains.ledger.operations import record
from medtheca.toolkit.redirect_uris import OUT_OF_BAND, BadRedirectUri, check_redirect_uri

ISIC_CLI = "RpCzc4hFjv5gOJdM2DM2nBdokOviOh5ne63Tpn7Q"
MOST_APPLICATIONS = 50
_SECRET_PREFIX = "mc_"  # noqa: S105 - the part of every secret that tells what it is
_NAME_LENGTH = 100
_MOST_ADDRESSES = 10
_GRANTS = {
    ApplicationKind.WEB: (Application.CLIENT_CONFIDENTIAL, Application.GRANT_AUTHORIZATION_CODE),
    ApplicationKind.PUBLIC: (Application.CLIENT_PUBLIC, Application.GRANT_AUTHORIZATION_CODE),
    ApplicationKind.SERVICE: (Application.CLIENT_CONFIDENTIAL, Application.GRANT_CLIENT_CREDENTIALS),
}
_KINDS = {grant: kind for kind, grant in _GRANTS.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """What somebody says about their application; `redirect_uris` are the addresses to which people are sent back."""

    name: str
    kind: str
    redirect_uris: Sequence[str] = ()


class BadApplication(Invalid):
    """Something about an application cannot be used; `problems` names each field."""


class UnknownApplication(NotFound):
    """There is no such application of this person's."""

    def __init__(self) -> None:
        super().__init__("You have no such application.", remedy="The list of your applications shows all.")


def applications_of(user: User) -> QuerySet[Application]:
    """Applications that a user registered, newest first."""
    found: QuerySet[Application] = Application.objects.filter(user=user).order_by("-created", "-pk")
    return found


def application_of(user: User, application_id: int) -> Application:
    """One of them. Raises `UnknownApplication`."""
    found = applications_of(user).filter(pk=application_id).first()
    if found is None:
        raise UnknownApplication
    return found


def kind_of(application: Application) -> ApplicationKind:
    """What sort of program an application is."""
    return _KINDS[application.client_type, application.authorization_grant_type]


def register_application(*, user: User, given: Registration) -> tuple[Application, str]:
    """Register an application; return it with its secret, which is stored nowhere, and empty for a public one.

    Raises `BadApplication` and `Conflict` (too many).
    """
    uris = _checked(given, kinds=tuple(ApplicationKind))
    client_type, grant_type = _GRANTS[ApplicationKind(given.kind)]
    secret = _new_secret() if client_type == Application.CLIENT_CONFIDENTIAL else ""
    with transaction.atomic():
        # The user's row is the lock: two requests at once cannot both be the fiftieth.
        User.objects.select_for_update().get(pk=user.pk)
        if applications_of(user).count() >= MOST_APPLICATIONS:
            raise Conflict(
                f"You have {MOST_APPLICATIONS} applications, and that is the most one person may have.",
                remedy="Delete one that is no longer used.",
            )
        application = Application.objects.create(
            user=user,
            name=given.name.strip(),
            client_type=client_type,
            authorization_grant_type=grant_type,
            redirect_uris=" ".join(uris),
            client_secret=digest_of_secret(secret) if secret else "",
            hash_client_secret=False,
            algorithm=Application.RS256_ALGORITHM,
        )
        _record("application.registered", application, user)
        notify(
            recipient_ids=[user.pk],
            kind="account.application",
            words="An application was registered in your name. If that was not you, delete it and change your "
            "password.",
            url="/oauth/applications/",
            subject_type="application",
            subject_id=application.pk,
        )
    return application, secret


def change_application(*, user: User, application_id: int, given: Registration) -> Application:
    """Change an application's name and addresses; its kind stays. Raises `BadApplication`, `UnknownApplication`."""
    with transaction.atomic():
        application = _locked(user, application_id)
        uris = _checked(given, kinds=(kind_of(application),))
        application.name, application.redirect_uris = given.name.strip(), " ".join(uris)
        application.save(update_fields=["name", "redirect_uris", "updated"])
        _record("application.changed", application, user)
    return application


def rotate_secret(*, user: User, application_id: int) -> tuple[Application, str]:
    """Give an application a new secret; the old one opens nothing any more. Raises `UnknownApplication`, `Conflict`."""
    with transaction.atomic():
        application = _locked(user, application_id)
        if application.client_type != Application.CLIENT_CONFIDENTIAL:
            raise Conflict("This application can keep no secret, so it has none.")
        secret = _new_secret()
        application.client_secret = digest_of_secret(secret)
        application.save(update_fields=["client_secret", "updated"])
        _record("application.secret_changed", application, user)
    return application, secret


def delete_application(*, user: User, application_id: int) -> str:
    """Delete an application with all its tokens, everybody's; return its name. Raises `UnknownApplication`."""
    with transaction.atomic():
        application = _locked(user, application_id)
        _record("application.deleted", application, user)
        application.delete()
    return str(application.name)


def isic_cli() -> Application:
    """The application of `isic-cli`, made where it is missing.

    Not through its form: that refuses the address which means that a page shows the code.
    """
    application, _ = Application.objects.get_or_create(
        client_id=ISIC_CLI,
        defaults={
            "name": "isic-cli",
            "client_type": Application.CLIENT_PUBLIC,
            "authorization_grant_type": Application.GRANT_AUTHORIZATION_CODE,
            "redirect_uris": OUT_OF_BAND,
            "client_secret": "",
            "hash_client_secret": False,
            "algorithm": Application.RS256_ALGORITHM,
        },
    )
    return application


def default_scopes(application: Application) -> list[str]:
    """The scopes of an application that asks for none. `isic-cli` never asks, and uploads too."""
    return [*DEFAULT_SCOPES, "image:write"] if application.client_id == ISIC_CLI else list(DEFAULT_SCOPES)


def _locked(user: User, application_id: int) -> Application:
    found = applications_of(user).select_for_update(of=("self",)).filter(pk=application_id).first()
    if found is None:
        raise UnknownApplication
    return found


def _new_secret() -> str:
    return _SECRET_PREFIX + secrets.token_urlsafe(32)


def _checked(given: Registration, *, kinds: Sequence[str]) -> list[str]:
    """The addresses as they are kept. Raises `BadApplication` naming every value that is wrong."""
    problems: list[Problem] = []
    name = given.name.strip()
    if not name or len(name) > _NAME_LENGTH or not name.isprintable():
        problems.append(
            Problem("name", f"A name has 1 to {_NAME_LENGTH} characters, all of them visible.", remedy="Write it anew.")
        )
    if given.kind not in kinds:
        problems.append(Problem("kind", f"{given.kind!r} cannot be chosen.", remedy=f"Write {' or '.join(kinds)}."))
    uris = []
    for text in dict.fromkeys(given.redirect_uris):
        try:
            uris.append(check_redirect_uri(text))
        except BadRedirectUri as error:
            problems.append(Problem("redirect_uris", str(error)))
    if not uris and not problems and given.kind != ApplicationKind.SERVICE:
        problems.append(Problem("redirect_uris", "People must be sent back somewhere.", remedy="Write one address."))
    if given.kind == ApplicationKind.SERVICE and given.redirect_uris:
        problems.append(
            Problem("redirect_uris", "A program without people sends nobody anywhere.", remedy="Leave this empty.")
        )
    if len(uris) > _MOST_ADDRESSES:
        problems.append(
            Problem("redirect_uris", f"{_MOST_ADDRESSES} addresses are the most.", remedy="Leave some out.")
        )
    if problems:
        raise BadApplication("The application was not saved.", problems=problems)
    return uris


def _record(verb: str, application: Application, user: User) -> None:
    record(
        actor_id=user.pk,
        verb=verb,
        subject_type="application",
        subject_id=application.pk,
        details={"name": application.name},
    )
