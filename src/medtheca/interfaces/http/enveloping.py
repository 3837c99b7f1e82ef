"""What every answer of an API has around it, whatever its route: freshness, reading across origins, HEAD, OPTIONS."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.urls import URLPattern, URLResolver

from medtheca.interfaces.http.authentication import Caller
from medtheca.interfaces.http.conditional import set_freshness
from medtheca.interfaces.http.cross_origin import allow_origins, preflight

_View = Callable[..., HttpResponseBase]
NUL_IN_ADDRESS = "The address contains a NUL character, which no text here has."


@dataclass(frozen=True, slots=True)
class Envelope:
    """What is put around answers, and how an API says what no route of it does."""

    no_such_address: Callable[[HttpRequest], HttpResponse]
    wrong_method: Callable[[HttpRequest, str], HttpResponse]
    unreadable: Callable[[HttpRequest, str], HttpResponse]

    def around_all(self, patterns: list[URLPattern | URLResolver]) -> list[URLPattern | URLResolver]:
        """The same addresses with every view in the envelope."""
        return [
            URLPattern(pattern.pattern, self.around(pattern.callback), pattern.default_args, pattern.name)
            for pattern in patterns
            if isinstance(pattern, URLPattern)
        ]

    def around(self, view: _View) -> _View:
        """A view whose answers say who may keep them and who may read them."""

        # A partial has no name to copy; of its attributes only csrf_exempt matters.
        @wraps(view, assigned=())
        def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            response = self._answer(view, request, *args, **kwargs)
            caller = getattr(request, "auth", None)
            signed_in = isinstance(caller, Caller) and caller.user is not None
            set_freshness(response, public=response.status_code < 400 and not signed_in)
            allow_origins(request, response)
            return response

        return answer

    def _answer(self, view: _View, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method == "OPTIONS":
            return preflight()
        if "%00" in request.META.get("QUERY_STRING", "") or "\0" in request.path:
            # PostgreSQL holds no such text, so nothing could ever match.
            return self.unreadable(request, NUL_IN_ADDRESS)
        head = request.method == "HEAD"
        if head:
            request.method = "GET"
        try:
            response = view(request, *args, **kwargs)
        except Http404:
            response = self.no_such_address(request)
        if response.status_code == 405:
            allowed = ", ".join(sorted(response.headers.get("Allow", "").split(", ")))
            response = self.wrong_method(request, allowed)
        if head:
            request.method = "HEAD"
            if isinstance(response, HttpResponse):
                response.headers.setdefault("Content-Length", str(len(response.content)))
                response.content = b""
        return response
