"""Making users and tokens, and taking them away."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from allauth.account.models import EmailAddress
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.db.models import Q

from medtheca.base.clock import now
from medtheca.base.errors import Problem
from medtheca.domains.accounts.access import tokens_visible_to
from medtheca.domains.accounts.enums import TokenScope
from medtheca.domains.accounts.errors import BadToken, BadUser, EmailTaken, TooManyTokens, UnknownToken
from medtheca.domains.accounts.models import ApiToken, User
from medtheca.domains.accounts.queries import (
    SECRET_PREFIX,
    TokenHolder,
    digest_of_secret,
    live_tokens,
    token_holder,
    tokens_of,
)
from medtheca.domains.ledger.notifying import notify
from medtheca.domains.ledger.operations import record

MAX_LIVE_TOKENS = 50
LONGEST_TOKEN_LIFE = timedelta(days=731)
_NAME_LENGTH = 150
_TOKEN_NAME_LENGTH = 100
_HINT_LENGTH = 8
_USE_NOTED_EVERY = timedelta(minutes=1)
_HASH_ID_TRIES = 8


def create_user(
    *,
    email: str,
    password: str,
    staff: bool = False,
    first_name: str = "",
    last_name: str = "",
    confirmed: bool = True,
    demo: bool = False,
    actor_id: int | None = None,
) -> User:
    """Make a user who can log in at once when `confirmed`.

    For the command line and the demo, whose operator may do all: `actor_id` only says in the ledger who did it.
    Raises `BadUser` naming every field that is wrong, and `EmailTaken`.
    """
    email = email.strip().lower()
    first_name, last_name = first_name.strip(), last_name.strip()
    candidate = User(email=email, first_name=first_name, last_name=last_name)
    problems = [*_email_problems(email), *_name_problems(first_name, last_name)]
    problems += _password_problems(password, candidate)
    if problems:
        raise BadUser("The user was not made.", problems=problems)
    if User.objects.filter(email__iexact=email).exists():
        raise EmailTaken(email)
    with transaction.atomic(), _taken_email_told(email):
        user = User.objects.create_user(
            email,
            password,
            first_name=first_name,
            last_name=last_name,
            is_staff=staff,
            is_demo=demo,
            hash_id=_free_hash_id(),
        )
        EmailAddress.objects.create(user=user, email=email, primary=True, verified=confirmed)
        record(
            actor_id=actor_id,
            verb="user.created",
            subject_type="user",
            subject_id=user.pk,
            details={"staff": staff, "demo": demo, "confirmed": confirmed, "by": "operator"},
        )
    return user


def record_sign_up(*, user: User, by: str = "sign-up") -> None:
    """Note that somebody signed up by themselves; allauth has made the user. `by` says how: a form, or sign-on."""
    record(
        actor_id=user.pk,
        verb="user.created",
        subject_type="user",
        subject_id=user.pk,
        details={"staff": False, "demo": False, "confirmed": False, "by": by},
    )


def set_active(*, user: User, active: bool, actor_id: int | None = None) -> User:
    """Disable a user, whose sessions and tokens stop at once, or enable one again. Repeating it does nothing."""
    with transaction.atomic():
        changed = User.objects.filter(pk=user.pk, is_active=not active).update(is_active=active)
        if changed:
            record(
                actor_id=actor_id,
                verb="user.enabled" if active else "user.disabled",
                subject_type="user",
                subject_id=user.pk,
            )
    user.is_active = active
    return user


def create_token(*, user: User, name: str, scope: str, expires: datetime | None) -> tuple[ApiToken, str]:
    """Make a token for programs of `user`; return it with its secret, which is stored nowhere.

    Args:
        user: whose it is; tokens act for them.
        name: at most 100 characters, for the person to tell tokens apart.
        scope: `read` or `write`; write includes read.
        expires: aware, in the future, at most two years away; None for a token that lives until it is revoked,
            which interfaces warn of.

    Raises `BadToken` and `TooManyTokens`.
    """
    name = name.strip()
    if problems := _token_problems(name, scope, expires):
        raise BadToken("The token was not made.", problems=problems)
    secret = SECRET_PREFIX + secrets.token_urlsafe(32)
    with transaction.atomic():
        # The user's row is the lock: two requests at once cannot both be the fiftieth.
        User.objects.select_for_update().get(pk=user.pk)
        if live_tokens(tokens_of(user)).count() >= MAX_LIVE_TOKENS:
            raise TooManyTokens(MAX_LIVE_TOKENS)
        token = ApiToken.objects.create(
            user=user,
            name=name,
            scope=scope,
            digest=digest_of_secret(secret),
            hint=secret[:_HINT_LENGTH],
            expires=expires,
        )
        record(
            actor_id=user.pk,
            verb="token.created",
            subject_type="token",
            subject_id=token.pk,
            details={"scope": scope, "expires": expires.isoformat() if expires else None},
        )
        notify(
            recipient_ids=[user.pk],
            kind="account.token",
            words="An API token of your account was made. If that was not you, revoke it and change your password.",
            url="/account/tokens/",
            subject_type="token",
            subject_id=token.pk,
        )
    return token, secret


def revoke_token(*, user: User, token_id: int) -> ApiToken:
    """End a token of `user` for good; revoking it again does nothing. Raises `UnknownToken`."""
    with transaction.atomic():
        token = tokens_visible_to(user).select_for_update().filter(pk=token_id).first()
        if token is None:
            raise UnknownToken(token_id)
        if token.revoked is None:
            token.revoked = now()
            token.save(update_fields=["revoked"])
            record(actor_id=user.pk, verb="token.revoked", subject_type="token", subject_id=token.pk)
    return token


def use_token(*, secret: str) -> TokenHolder | None:
    """The holder of a live token, or None; notes the time of use, at most once a minute.

    Not recorded in the ledger: a request is not an event there.
    """
    holder = token_holder(secret)
    stale = now() - _USE_NOTED_EVERY
    if holder is not None and (holder.last_used is None or holder.last_used < stale):
        # The condition again, because several processes may have read the same row.
        unnoted = Q(last_used__isnull=True) | Q(last_used__lt=stale)
        ApiToken.objects.filter(unnoted, pk=holder.token_id).update(last_used=now())
    return holder


@contextmanager
def _taken_email_told(email: str) -> Iterator[None]:
    """The database decides when two make the same user at once."""
    try:
        yield
    except IntegrityError as error:
        if "email" in str(error):
            raise EmailTaken(email) from error
        raise


def _free_hash_id() -> str:
    """A pseudonym nobody has. Five characters are 33 million; the constraint guards the moment between."""
    for _ in range(_HASH_ID_TRIES):
        hash_id = User().hash_id
        if not User.objects.filter(hash_id=hash_id).exists():
            return hash_id
    return hash_id


def _email_problems(email: str) -> list[Problem]:
    try:
        validate_email(email)
    except ValidationError:
        return [Problem("email", f"{email!r} is not an e-mail address.", remedy="Write one such as alice@example.org.")]
    return []


def _name_problems(first_name: str, last_name: str) -> list[Problem]:
    return [
        Problem(field, f"The name has {len(name)} characters; {_NAME_LENGTH} is the most.")
        for field, name in (("first_name", first_name), ("last_name", last_name))
        if len(name) > _NAME_LENGTH
    ]


def _password_problems(password: str, user: User) -> list[Problem]:
    try:
        validate_password(password, user)
    except ValidationError as error:
        return [Problem("password", message) for message in error.messages]
    return []


def _token_problems(name: str, scope: str, expires: datetime | None) -> list[Problem]:
    problems = []
    if not name:
        problems.append(
            Problem("name", "A token needs a name.", remedy="Name the program or machine that will use it.")
        )
    if len(name) > _TOKEN_NAME_LENGTH:
        problems.append(Problem("name", f"The name has {len(name)} characters; {_TOKEN_NAME_LENGTH} is the most."))
    if scope not in TokenScope.values:
        problems.append(Problem("scope", f"{scope!r} is not a scope.", remedy="Write read or write."))
    if expires is not None and expires.tzinfo is None:
        problems.append(Problem("expires", "The expiry has no time zone.", remedy="Write it with one."))
    elif expires is not None and expires <= now():
        problems.append(Problem("expires", "The expiry is in the past.", remedy="Write a time in the future."))
    elif expires is not None and expires > now() + LONGEST_TOKEN_LIFE:
        problems.append(Problem("expires", "The expiry is more than two years away.", remedy="Write an earlier time."))
    return problems
