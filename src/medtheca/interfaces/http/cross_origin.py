"""Asking from pages of other sites: allowed to everyone, never with the visitor's own log-in.

Three headers and one method, so no package: django-cors-headers is built around settings for whole sites.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseBase

METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
_EXPOSED = "ETag, Location, Retry-After, WWW-Authenticate"
_SENT = "Accept, Authorization, Content-Type, If-Match, If-None-Match"


def allow_origins(request: HttpRequest, response: HttpResponseBase) -> None:
    """Let scripts of other origins read this answer, unless it was given to a log-in.

    Without Access-Control-Allow-Credentials a browser sends no cookies along and hides an answer for which it did, so
    what they see and do is what a token or nobody may. To a change by session other origins never come: that is
    refused before (`authentication.identify`).
    """
    caller = getattr(request, "auth", None)
    if getattr(caller, "via", "") != "session":
        response.headers["Access-Control-Allow-Origin"] = "*"
        response.headers["Access-Control-Expose-Headers"] = _EXPOSED


def preflight() -> HttpResponse:
    """The answer to OPTIONS: what another origin may send."""
    return HttpResponse(
        status=204,
        headers={
            "Access-Control-Allow-Methods": ", ".join(METHODS),
            "Access-Control-Allow-Headers": _SENT,
            "Access-Control-Max-Age": "86400",
        },
    )
