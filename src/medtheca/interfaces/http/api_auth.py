"""Authentication for django-ninja: `auth=anybody` or `auth=somebody`; the route then reads `identify(request)`.

An API that uses these registers a handler for `refusals.Refused`.
"""

from __future__ import annotations

from django.http import HttpRequest
from ninja.security.base import AuthBase

from medtheca.interfaces.http.authentication import Caller, identify, identify_user, refuse_other_scheme


class _Anybody(AuthBase):
    """Everyone may call; a token or session that is sent must be good."""

    openapi_type = "http"
    openapi_scheme = "bearer"

    def __call__(self, request: HttpRequest) -> Caller:
        caller = identify(request)
        refuse_other_scheme(request, caller)
        return caller


class _Somebody(_Anybody):
    """A session or a token is needed."""

    def __call__(self, request: HttpRequest) -> Caller:
        return identify_user(request)


anybody = _Anybody()
somebody = _Somebody()
