"""What every answer of the API has around it, whatever its route: freshness, reading across origins, HEAD, OPTIONS."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.urls import URLPattern, URLResolver

from medtheca.interfaces.api.v2.errors import no_such_address, wrong_method
from medtheca.interfaces.http.authentication import Caller
from medtheca.interfaces.http.conditional import set_freshness
from medtheca.interfaces.http.cross_origin import allow_reading, preflight
from medtheca.interfaces.http.problems import problem_response

_View = Callable[..., HttpResponseBase]


def wrap_patterns(patterns: list[URLPattern | URLResolver]) -> list[URLPattern | URLResolver]:
    """The same addresses with every view in its envelope."""
    return [
        URLPattern(pattern.pattern, enveloped(pattern.callback), pattern.default_args, pattern.name)
        for pattern in patterns
        if isinstance(pattern, URLPattern)
    ]


def enveloped(view: _View) -> _View:
    """A view whose answers say who may keep them and who may read them."""

    # A partial has no name to copy; of its attributes only csrf_exempt matters.
    @wraps(view, assigned=())
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = _answer(view, request, *args, **kwargs)
        caller = getattr(request, "auth", None)
        signed_in = isinstance(caller, Caller) and caller.user is not None
        set_freshness(response, public=response.status_code < 400 and not signed_in)
        allow_reading(request, response)
        return response

    return answer


def _answer(view: _View, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
    if request.method == "OPTIONS":
        return preflight()
    if "%00" in request.META.get("QUERY_STRING", "") or "\0" in request.path:
        # PostgreSQL holds no such text, so nothing could ever match.
        message = "The address contains a NUL character, which no text here has."
        return problem_response(request, status=400, code="unreadable_request", message=message)
    head = request.method == "HEAD"
    if head:
        request.method = "GET"
    try:
        response = view(request, *args, **kwargs)
    except Http404:
        response = no_such_address(request)
    if response.status_code == 405:
        response = wrong_method(request, ", ".join(sorted(response.headers.get("Allow", "").split(", "))))
    if head:
        request.method = "HEAD"
        if isinstance(response, HttpResponse):
            response.headers.setdefault("Content-Length", str(len(response.content)))
            response.content = b""
    return response
