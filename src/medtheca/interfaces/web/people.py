"""Who is looking, as the domains ask for it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse

from medtheca.domains.access.queries import links_of

if TYPE_CHECKING:
    from medtheca.domains.accounts.models import User


def person(user: User | AnonymousUser | None) -> User | None:
    """The person behind a request's user, or nobody."""
    return user if user is not None and user.is_authenticated else None


def looking(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """As `login_required`; but whoever looks by a link for reviewers reads the page too, and changes nothing."""
    guarded = login_required(view)

    @functools.wraps(view)
    def shown(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        by_link = request.method in {"GET", "HEAD"} and bool(links_of(request.user))
        return view(request, *args, **kwargs) if by_link else guarded(request, *args, **kwargs)

    return shown


def signed_in(request: HttpRequest) -> User:
    """The person of a request that `login_required` has let through."""
    assert request.user.is_authenticated
    return request.user
