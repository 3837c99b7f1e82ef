"""Who is looking, as the domains ask for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest

if TYPE_CHECKING:
    from medtheca.domains.accounts.models import User


def person(user: User | AnonymousUser | None) -> User | None:
    """The person behind a request's user, or nobody."""
    return user if user is not None and user.is_authenticated else None


def signed_in(request: HttpRequest) -> User:
    """The person of a request that `login_required` has let through."""
    assert request.user.is_authenticated
    return request.user
