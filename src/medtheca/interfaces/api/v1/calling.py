"""Who called the present route, and what they asked for in its address."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.http import HttpRequest

from medtheca.base.errors import Invalid, Problem
from medtheca.interfaces.http.authentication import Caller, identify, identify_user

if TYPE_CHECKING:
    from medtheca.domains.accounts.models import User


def caller_of(request: HttpRequest) -> Caller:
    """Who calls, perhaps nobody."""
    return identify(request)


def user_of(request: HttpRequest) -> User:
    """The person who calls. Raises `NotSignedIn`."""
    user = identify_user(request).user
    assert user is not None
    return user


def asked_key(request: HttpRequest, name: str) -> UUID | None:
    """A filter of the address that holds a key; None where it is absent or empty. Raises `Invalid`."""
    text = request.GET.get(name, "").strip()
    try:
        return UUID(text) if text else None
    except ValueError:
        raise Invalid("The filter cannot be used.", problems=[Problem(name, "Enter a valid UUID.")]) from None
