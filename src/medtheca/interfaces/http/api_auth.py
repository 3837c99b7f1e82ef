"""Authentication for django-ninja: `auth=anybody` or `auth=somebody`; the route then reads `identify(request)`.

An API that uses these registers a handler for `refusals.Refused`.
"""

from __future__ import annotations

from django.http import HttpRequest
from ninja.security.base import AuthBase

from medtheca.interfaces.http.authentication import (
    Caller,
    identify,
    identify_user,
    refuse_other_scheme,
    take_for_nobody,
)
from medtheca.interfaces.http.refusals import InvalidToken


class _Anybody(AuthBase):
    """Everyone may call; a token or session that is sent must be good."""

    openapi_type = "http"
    openapi_scheme = "bearer"

    def __call__(self, request: HttpRequest) -> Caller:
        try:
            caller = identify(request)
        except InvalidToken:
            if not is_isic_cli(request):
                raise
            # Told that its token is over, it says so, forgets it, and goes on as a guest; but it keeps sending it.
            return take_for_nobody(request)
        refuse_other_scheme(request, caller)
        return caller


class _Somebody(_Anybody):
    """A session or a token is needed."""

    def __call__(self, request: HttpRequest) -> Caller:
        return identify_user(request)


def is_isic_cli(request: HttpRequest) -> bool:
    """Whether the official client of the ISIC Archive asks; by what it says of itself, so grant it nothing for that."""
    return request.headers.get("User-Agent", "").startswith("isic-cli/")


anybody = _Anybody()
somebody = _Somebody()
