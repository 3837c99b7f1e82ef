"""What an application learns of the person who lets it (OpenID Connect Core, section 5.1), by scope."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from medtheca.domains.accounts.models import User
from medtheca.domains.accounts.queries import is_confirmed

CLAIMS: dict[str, tuple[str, Callable[[User], Any]]] = {
    "name": ("profile", lambda user: user.shown_name),
    "given_name": ("profile", lambda user: user.first_name),
    "family_name": ("profile", lambda user: user.last_name),
    "preferred_username": ("profile", lambda user: user.hash_id),
    "email": ("email", lambda user: user.email),
    "email_verified": ("email", lambda user: is_confirmed(user.email)),
}


def claims_of(user: User, scopes: Iterable[str]) -> dict[str, Any]:
    """The claims that the scopes allow; `sub` is the user's number, which nobody else ever gets."""
    allowed = set(scopes)
    return {"sub": str(user.pk)} | {name: read(user) for name, (scope, read) in CLAIMS.items() if scope in allowed}
