"""Refusals become pages, here and nowhere else. Views let them pass."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers

from medtheca.base.errors import (
    DomainError,
    Invalid,
)
from medtheca.interfaces.http.refusals import status_of, told_to_wait
from medtheca.interfaces.http.request_ids import note_refusal, request_id, support_of

log = logging.getLogger(__name__)

View = Callable[..., HttpResponseBase]


def page(view: View) -> View:
    """A view whose refusals are pages. What it shows depends on the person, so nobody stores it."""

    @functools.wraps(view)
    def shown(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            _refuse_nul(request)
            response = view(request, *args, **kwargs)
        except DomainError as refusal:
            response = refusal_page(request, refusal)
        if not response.has_header("Cache-Control"):
            add_never_cache_headers(response)
        return response

    return shown


def _refuse_nul(request: HttpRequest) -> None:
    # PostgreSQL has no text with this character, and nothing here is ever named so.
    if "\0" in request.path or any("\0" in value for values in request.GET.lists() for value in values[1]):
        raise Invalid("The address holds a character that no text has (NUL).", remedy="Take it out.")


def refusal_page(request: HttpRequest, refusal: DomainError) -> HttpResponse:
    """A refusal as a page of its own; a question for a log-in where that may help. To be kept by nobody."""
    status = status_of(refusal)
    if status == 403 and not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    # What cannot be found has one page, whatever the reason, so that nobody learns what there is.
    words = "" if status == 404 else in_words(refusal)
    context = {"words": words, "error_id": note_refusal(request, status)}
    response = render(request, f"{status}.html", context, status=status)
    for name, value in told_to_wait(refusal).items():
        response.headers[name] = value
    add_never_cache_headers(response)
    return response


def in_words(refusal: DomainError) -> str:
    """A refusal in one paragraph: what is wrong, each problem, what would be right."""
    problems = refusal.problems if isinstance(refusal, Invalid) else ()
    parts = [refusal.message, *(f"{problem.message} {problem.remedy}" for problem in problems), refusal.remedy]
    return " ".join(part.strip() for part in parts if part.strip())


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """What Django refuses before a view sees it."""
    return _plain(request, 400, "The request could not be read.")


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """What Django's own views forbid."""
    return _plain(request, 403, "You may not do this.")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """An address that leads nowhere."""
    return _plain(request, 404, "There is nothing at this address.")


def failed(request: HttpRequest) -> HttpResponse:
    """Our own fault, with an id that stands in the log as well."""
    log.error("Error %s at %s %s", request_id(request), request.method, request.path)
    return _plain(request, 500, "The archive failed to answer.")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form from a page that is too old, or from another site."""
    return _plain(request, 403, "The request was not made by a page of this site.", template="403_csrf.html")


def _plain(request: HttpRequest, status: int, detail: str, *, template: str = "") -> HttpResponse:
    error_id = request_id(request) if status >= 500 else note_refusal(request, status)
    if request.path.startswith("/api/"):
        body = {"title": detail, "status": status, "detail": detail, "error_id": error_id, **support_of(request)}
        return JsonResponse(body, status=status, content_type="application/problem+json")
    response = render(request, template or f"{status}.html", {"error_id": error_id}, status=status)
    add_never_cache_headers(response)
    return response
