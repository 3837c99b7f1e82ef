"""Reading from pages of other sites: allowed to everyone, never with the visitor's own log-in.

Three headers and one method, so no package: django-cors-headers is built around settings for whole sites, and its
allow-all would cover writes too.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseBase

READS = ("GET", "HEAD", "OPTIONS")
_EXPOSED = "ETag, Retry-After, WWW-Authenticate"
_SENT = "Accept, Authorization, If-None-Match"


def allow_reading(request: HttpRequest, response: HttpResponseBase) -> None:
    """Let scripts of other origins read this answer, where it is one to a read.

    Without Access-Control-Allow-Credentials a browser sends no cookies along, so what they see is what a token or
    nobody sees.
    """
    if request.method in READS:
        response.headers["Access-Control-Allow-Origin"] = "*"
        response.headers["Access-Control-Expose-Headers"] = _EXPOSED


def preflight() -> HttpResponse:
    """The answer to OPTIONS: what another origin may send. Only reads, so writing from there is refused by browsers."""
    return HttpResponse(
        status=204,
        headers={
            "Access-Control-Allow-Methods": ", ".join(READS),
            "Access-Control-Allow-Headers": _SENT,
            "Access-Control-Max-Age": "86400",
        },
    )
