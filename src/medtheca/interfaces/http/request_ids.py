"""An id for each request that did not go well: in the answer, for support, and in the log, for us."""

from __future__ import annotations

import logging
import secrets

from django.conf import settings
from django.http import HttpRequest

log = logging.getLogger(__name__)
_KEY = "medtheca.request_id"


def request_id(request: HttpRequest) -> str:
    """This request's id, made at random when it is first asked for."""
    found: str = request.META.setdefault(_KEY, secrets.token_hex(6))
    return found


def note_refusal(request: HttpRequest, status: int) -> str:
    """Write a refused request into the log, and return its id.

    By its route and not by its path: paths hold secrets, such as the links of invitations.
    """
    route = request.resolver_match.route if request.resolver_match else "(no such address)"
    log.info("Request %s was refused: %s %s %s", request_id(request), status, request.method, route)
    return request_id(request)


def support_of(request: HttpRequest) -> dict[str, str]:
    """What problem details say for support: whom to ask, and the id to tell them."""
    return {"support": settings.SUPPORT_EMAIL, "request_id": request_id(request)}
