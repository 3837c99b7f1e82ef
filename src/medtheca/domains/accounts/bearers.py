"""Access tokens of applications: whose they are, what they may do, and what an application may ask about its own.

Only their SHA-256 is stored.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from oauth2_provider.models import AccessToken, Application, Grant, IDToken, RefreshToken, clear_expired

from medtheca.base.clock import now
from medtheca.domains.accounts.connections import note_use
from medtheca.domains.accounts.models import User
from medtheca.domains.accounts.queries import digest_of_secret
from medtheca.domains.accounts.scopes import all_covered

ACCESS_PREFIX = "mo_"
_REFRESH_PREFIX = "mr_"
_SECRET = re.compile(r"m[or]_[A-Za-z0-9_-]{40,80}")


@dataclass(frozen=True, slots=True)
class Bearer:
    """For whom an application acts, perhaps nobody, and all that it may do."""

    user: User | None
    scopes: frozenset[str]
    application_id: int


def new_access_token(*_: Any) -> str:
    """A new secret; the argument is the request, which oauthlib hands over."""
    return ACCESS_PREFIX + secrets.token_urlsafe(32)


def new_refresh_token(*_: Any) -> str:
    """As `new_access_token`, of a refresh token."""
    return _REFRESH_PREFIX + secrets.token_urlsafe(32)


def use_bearer(*, secret: str) -> Bearer | None:
    """Who holds a live access token, or None; notes the time of use, at most once a minute.

    Of a user who is disabled no token is alive. The look-up is by digest, so its time tells nothing.
    """
    if not secret.startswith(ACCESS_PREFIX) or _SECRET.fullmatch(secret) is None:
        return None
    token = live_access_tokens(secret).select_related("user").first()
    if token is None:
        return None
    if token.user_id is not None:
        note_use(user_id=token.user_id, application_id=token.application_id)
    return Bearer(token.user, all_covered(token.scope.split()), token.application_id)


def live_access_tokens(secret: str) -> Any:
    """The one access token with this secret that is alive, as a queryset."""
    whose = Q(user__isnull=True) | Q(user__is_active=True)
    return AccessToken.objects.filter(whose, token_checksum=digest_of_secret(secret), expires__gt=now())


def describe_token(*, application: Application, secret: str) -> dict[str, Any]:
    """What an application may know of a token: all where it is alive and its own, else that it is not active.

    Source: RFC 7662 section 2.2.
    """
    if _SECRET.fullmatch(secret) is None:
        return {"active": False}
    known = {"active": True, "client_id": application.client_id}
    access = live_access_tokens(secret).filter(application=application).select_related("user").first()
    if access is not None:
        return {
            **known,
            "scope": access.scope,
            "exp": int(access.expires.timestamp()),
            "iat": int(access.created.timestamp()),
            "token_type": "Bearer",
            **_whose(access.user),
        }
    refresh = (
        RefreshToken.objects.filter(
            token_checksum=digest_of_secret(secret),
            application=application,
            revoked__isnull=True,
            access_token__isnull=False,
            user__is_active=True,
        )
        .select_related("user", "access_token")
        .first()
    )
    if refresh is None:
        return {"active": False}
    return {
        **known,
        "scope": refresh.access_token.scope,
        "iat": int(refresh.created.timestamp()),
        **_whose(refresh.user),
    }


def drop_expired_authorizations() -> int:
    """Delete codes and tokens that can open nothing any more; return how many."""
    models = (Grant, AccessToken, RefreshToken, IDToken)
    before = sum(model.objects.count() for model in models)
    clear_expired()
    return int(before - sum(model.objects.count() for model in models))


def _whose(user: User | None) -> dict[str, str]:
    return {} if user is None else {"sub": str(user.pk)}
