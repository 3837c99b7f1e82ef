"""Which applications act for a person: what they were allowed, when they last did, and taking it back."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from oauth2_provider.models import AccessToken, Application, Grant, IDToken, RefreshToken

from medtheca.base.clock import now
from medtheca.base.errors import NotFound
from medtheca.domains.accounts.credentials import revoke_all_tokens
from medtheca.domains.accounts.models import Connection, User
from medtheca.domains.accounts.scopes import split_scopes
from medtheca.domains.ledger.notifying import notify
from medtheca.domains.ledger.operations import record

_USE_NOTED_EVERY = timedelta(minutes=1)


def connections_of(user: User) -> QuerySet[Connection]:
    """Applications that act for a user, the one allowed last first."""
    return Connection.objects.filter(user=user).select_related("application__user").order_by("-created", "-pk")


def is_allowed(*, user: User, application: Application, scopes: Iterable[str]) -> bool:
    """Whether the user has allowed the application all of these before."""
    found = Connection.objects.filter(user=user, application=application).first()
    return found is not None and set(scopes) <= set(found.scopes.split())


def allow(*, user: User, application: Application, scopes: Iterable[str]) -> Connection:
    """Note that a user lets an application act for them; what was allowed before stays allowed."""
    with transaction.atomic():
        # The user's row is the lock: two consents at once must not lose one another's scopes.
        User.objects.select_for_update().get(pk=user.pk)
        connection, fresh = Connection.objects.get_or_create(user=user, application=application)
        before = split_scopes(connection.scopes)
        after = split_scopes(" ".join([*before, *scopes]))
        if after != before:
            connection.scopes = " ".join(after)
            connection.save(update_fields=["scopes"])
            record(
                actor_id=user.pk,
                verb="application.allowed",
                subject_type="application",
                subject_id=application.pk,
                details={"name": application.name, "scopes": connection.scopes},
            )
        if fresh:
            notify(
                recipient_ids=[user.pk],
                kind="account.connection",
                words=f"The application {application.name} may act for you now. If that was not you, disconnect it.",
                url="/account/connections/",
                subject_type="application",
                subject_id=application.pk,
            )
    return connection


def disconnect(*, user: User, connection_id: int) -> str:
    """Take back what an application was allowed; its tokens end at once. Return its name. Raises `NotFound`."""
    with transaction.atomic():
        connection = connections_of(user).filter(pk=connection_id).first()
        if connection is None:
            raise NotFound("This application does not act for you.", remedy="The list shows which do.")
        application = connection.application
        _end_tokens(user, application)
        connection.delete()
        record(
            actor_id=user.pk,
            verb="application.disconnected",
            subject_type="application",
            subject_id=application.pk,
            details={"name": application.name},
        )
    return str(application.name)


def end_all_connections(*, user: User, because: str, actor_id: int | None) -> int:
    """End what every application may do for a user; return how many. `because` is a word for the ledger."""
    with transaction.atomic():
        _end_tokens(user)
        ended, _ = Connection.objects.filter(user=user).delete()
        if ended:
            record(
                actor_id=actor_id,
                verb="application.all_disconnected",
                subject_type="user",
                subject_id=user.pk,
                details={"applications": ended, "because": because},
            )
    return ended


def end_programs(*, user: User, because: str, actor_id: int | None) -> None:
    """End every program that acts for a user, by a token or as an application: all of them or, if that fails, none."""
    with transaction.atomic():
        revoke_all_tokens(user=user, because=because, actor_id=actor_id)
        end_all_connections(user=user, because=because, actor_id=actor_id)


def end_family(*, family: UUID, application: Application, because: str) -> None:
    """End the tokens that go back to one authorization, after a sign that somebody else holds one of them."""
    token = RefreshToken.objects.filter(token_family=family, application=application).first()
    if token is None:
        return
    with transaction.atomic():
        alive = RefreshToken.objects.filter(token_family=family, access_token__isnull=False).exists()
        RefreshToken.revoke_family(family)
        if alive:
            record(
                actor_id=None,
                verb="application.tokens_ended",
                subject_type="user",
                subject_id=token.user_id,
                details={"name": application.name, "because": because},
            )


def note_use(*, user_id: int, application_id: int) -> None:
    """Note that an application acts for somebody now, at most once a minute. A request is no event of the ledger."""
    stale = now() - _USE_NOTED_EVERY
    unnoted = Q(last_used__isnull=True) | Q(last_used__lt=stale)
    Connection.objects.filter(unnoted, user=user_id, application=application_id).update(last_used=now())


def _end_tokens(user: User, application: Application | None = None) -> None:
    for model in (Grant, RefreshToken, AccessToken, IDToken):
        tokens = model.objects.filter(user=user)
        (tokens if application is None else tokens.filter(application=application)).delete()
