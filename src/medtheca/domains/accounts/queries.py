"""Reading users and tokens."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.db.models import Q, QuerySet

from medtheca.base.clock import now
from medtheca.base.errors import NotFound
from medtheca.base.statements import Statement
from medtheca.domains.accounts.access import tokens_visible_to
from medtheca.domains.accounts.enums import TokenScope, TokenState
from medtheca.domains.accounts.errors import UnknownUser
from medtheca.domains.accounts.models import ApiToken, User

SECRET_PREFIX = "mt_"  # noqa: S105 - the part of every secret that tells what it is
# What stands in a statement for the digest and the moment; nothing else in it is so.
_DIGEST, _MOMENT = "digest", datetime(1, 1, 1, tzinfo=UTC)
_SECRET = re.compile(r"mt_[A-Za-z0-9_-]{40,80}")


@dataclass(frozen=True, slots=True)
class TokenHolder:
    """Whose a token is and what it may do."""

    user: User
    scope: TokenScope
    token_id: int
    last_used: datetime | None


def digest_of_secret(secret: str) -> str:
    """What is stored of a token's secret: SHA-256 as hexadecimal. A random secret needs no salt and no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


def live_tokens(tokens: QuerySet[ApiToken], *, at: datetime | None = None) -> QuerySet[ApiToken]:
    """Those that are neither revoked nor expired, now or at a moment."""
    return tokens.filter(Q(expires__isnull=True) | Q(expires__gt=at or now()), revoked__isnull=True)


def token_holder(secret: str) -> TokenHolder | None:
    """The holder of a live token of an active user, or None.

    The look-up is by digest, so its time tells nothing about how much of a guess was right.
    """
    if _SECRET.fullmatch(secret) is None:
        return None
    statement, names = _holders()
    rows = statement.fetch(digest_of_secret(secret), now())
    if not rows:
        return None
    token_id, scope, last_used, *values = rows[0]
    user = User.from_db("default", names, values)
    return TokenHolder(user, TokenScope(scope), token_id, last_used)


@cache
def _holders() -> tuple[Statement, list[str]]:
    """Every request of a program asks for this: the statement, and the names of the user's columns in it."""
    names = [field.attname for field in User._meta.concrete_fields]
    tokens = live_tokens(ApiToken.objects.filter(digest=_DIGEST, user__is_active=True), at=_MOMENT).order_by()
    rows = tokens.values_list("pk", "scope", "last_used", *(f"user__{name}" for name in names))
    return Statement(rows, _DIGEST, _MOMENT), names


def user_of_token(secret: str) -> tuple[User, TokenScope] | None:
    """The active user and the scope of a live token, or None. Does not note the use; `operations.use_token` does."""
    holder = token_holder(secret)
    return (holder.user, holder.scope) if holder else None


def tokens_of(user: User) -> QuerySet[ApiToken]:
    """All tokens of a user, newest first, revoked and expired ones too."""
    return tokens_visible_to(user).order_by("-created", "-pk")


def token_state(token: ApiToken) -> TokenState:
    """Whether a token is active, expired or revoked; of an expired and revoked one, that it was revoked."""
    if token.revoked is not None:
        return TokenState.REVOKED
    if token.expires is not None and token.expires <= now():
        return TokenState.EXPIRED
    return TokenState.ACTIVE


def is_confirmed(email: str) -> bool:
    """Whether somebody has confirmed here that they read mail to this address, in whatever case it is written."""
    found: bool = EmailAddress.objects.filter(email__iexact=email, verified=True).exists()
    return found


def count_factors(user: User, kind: str) -> int:
    """How many second factors of one kind a user has; the kinds are allauth's, such as `webauthn`."""
    number: int = Authenticator.objects.filter(user=user, type=kind).count()
    return number


def user_by_email(email: str) -> User:
    """The user with this address, in whatever case it is written; raise `UnknownUser`."""
    user = User.objects.filter(email__iexact=email.strip()).first()
    if user is None:
        raise UnknownUser(email.strip())
    return user


def all_users() -> QuerySet[User]:
    """Every user, by address."""
    return User.objects.order_by("email")


def find_users(words: str) -> QuerySet[User]:
    """Users whose name or address holds all of the words, by address; all where there are none. For staff."""
    found = all_users()
    for word in words.split()[:5]:
        found = found.filter(Q(email__icontains=word) | Q(first_name__icontains=word) | Q(last_name__icontains=word))
    return found


def user_numbered(user_id: int) -> User:
    """The user with this id. Raises `NotFound`. For staff."""
    found = User.objects.filter(pk=user_id).first()
    if found is None:
        raise NotFound(f"There is no user {user_id}.")
    return found
