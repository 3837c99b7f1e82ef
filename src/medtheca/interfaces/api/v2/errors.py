"""Domain errors become statuses here, once."""

from __future__ import annotations

import logging
from typing import Any

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.core.signals import got_request_exception
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError

from medtheca.base.errors import (
    DomainError,
    Invalid,
    Problem,
)
from medtheca.domains.search.query_text import BadQuery
from medtheca.interfaces.http.api_auth import is_isic_cli
from medtheca.interfaces.http.pagination import BadCursor
from medtheca.interfaces.http.problems import problem_response
from medtheca.interfaces.http.refusals import InvalidToken, Refused, status_of, told_to_wait
from medtheca.interfaces.http.request_ids import request_id

_log = logging.getLogger(__name__)


def add_handlers(api: NinjaAPI) -> None:
    """Have the API answer every error in one shape."""
    handlers: list[tuple[type[Exception], Any]] = [
        (BadCursor, _on_bad_cursor),
        (BadQuery, _on_bad_query),
        (DomainError, _on_domain_error),
        (Refused, _on_refusal),
        (ValidationError, _on_wrong_shape),
        (HttpError, _on_http_error),
        (Http404, _on_missing),
        (RequestDataTooBig, _on_too_much),
        (SuspiciousOperation, _on_suspicion),
        (Exception, _on_fault),
    ]
    for kind, handler in handlers:
        api.add_exception_handler(kind, handler)


def no_such_address(request: HttpRequest) -> HttpResponse:
    """404 for an address that is none of the API's."""
    remedy = "The addresses are listed in /api/v2/openapi.json; each ends with a slash."
    return problem_response(
        request, status=404, code="no_such_address", message=f"There is nothing at {request.path}.", remedy=remedy
    )


def wrong_method(request: HttpRequest, allowed: str) -> HttpResponse:
    """405 that says which methods there are."""
    return problem_response(
        request,
        status=405,
        code="method_not_allowed",
        message=f"{request.method} is not possible here.",
        remedy=f"Use {allowed}.",
        headers={"Allow": allowed},
    )


def _on_domain_error(request: HttpRequest, error: DomainError) -> HttpResponse:
    status = status_of(error)
    problems = error.problems if isinstance(error, Invalid) else ()
    return problem_response(
        request,
        status=status,
        code=error.code,
        message=error.message,
        remedy=error.remedy,
        problems=problems,
        headers=told_to_wait(error),
        more=_as_isic_says(request, error),
    )


def _as_isic_says(request: HttpRequest, error: DomainError) -> dict[str, Any]:
    """What the ISIC Archive's clients look for at these addresses beside: isic-cli crashes without the first."""
    if request.path.endswith("/accessions/"):
        reasons = [problem.message for problem in error.problems] if isinstance(error, Invalid) else []
        return {"non_field_errors": [" ".join([error.message, *reasons, error.remedy]).strip()]}
    if "/s3-upload/" in request.path and isinstance(error, Invalid):
        fields: dict[str, Any] = {}
        for problem in error.problems:
            fields.setdefault(problem.field, []).append(problem.message)
        return fields
    return {}


def _on_bad_cursor(request: HttpRequest, error: BadCursor) -> HttpResponse:
    detail = [{"type": "value_error", "loc": ["query", "cursor"], "msg": "Value error, Invalid cursor."}]
    return problem_response(
        request,
        status=422,
        code=error.code,
        message=error.message,
        remedy=error.remedy,
        problems=error.problems,
        detail=detail,
    )


def _on_bad_query(request: HttpRequest, bad: BadQuery) -> HttpResponse:
    error = bad.error
    where = {"column": error.column, "length": error.length}
    return problem_response(
        request,
        status=400,
        code=bad.code,
        message=bad.message,
        remedy=bad.remedy,
        problems=bad.problems,
        more={**where, "expected": error.expected, "suggestions": list(error.suggestions)},
    )


def _on_refusal(request: HttpRequest, refusal: Refused) -> HttpResponse:
    stale = isinstance(refusal, InvalidToken) and is_isic_cli(request)
    if stale and request.path.endswith("/users/me/"):
        # isic-cli takes 404 here for "log out and go on as a guest", and any other refusal for a fault of its own.
        return problem_response(request, status=404, code=refusal.code, message=refusal.message, remedy=refusal.remedy)
    return problem_response(
        request,
        status=refusal.status,
        code=refusal.code,
        message=refusal.message,
        remedy=refusal.remedy,
        headers=refusal.headers,
    )


def _on_wrong_shape(request: HttpRequest, error: ValidationError) -> HttpResponse:
    # Only these three keys: the rest repeats the input, or holds things that are no JSON.
    detail = [{"type": item["type"], "loc": list(item["loc"]), "msg": item["msg"]} for item in error.errors]
    problems = [Problem(_field(item["loc"]), item["msg"], code=item["type"]) for item in error.errors]
    fields = ", ".join(dict.fromkeys(problem.field for problem in problems))
    return problem_response(
        request,
        status=422,
        code="unprocessable",
        message=f"The request cannot be read: {fields}.",
        remedy="The errors say what each would have to be.",
        problems=problems,
        detail=detail,
    )


def _field(loc: tuple[str | int, ...]) -> str:
    """`("body", "data", "name")` → `name`: what the caller wrote, not what our function calls it."""
    parts = [str(part) for part in loc]
    return ".".join(parts[2:] if parts[:1] == ["body"] and len(parts) > 2 else parts[1:]) or parts[0]


def _on_http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    remedy = "Send a body of JSON." if error.status_code == 400 else ""
    return problem_response(
        request, status=error.status_code, code="unreadable_request", message=error.message, remedy=remedy
    )


def _on_missing(request: HttpRequest, error: Http404) -> HttpResponse:
    return no_such_address(request)


def _on_too_much(request: HttpRequest, error: RequestDataTooBig) -> HttpResponse:
    return problem_response(
        request,
        status=413,
        code="too_large",
        message="The body is larger than a request may be.",
        remedy=(
            "Images are uploaded by tus at /uploads/tus/; larger spreadsheets are sent as the field `file` of a form."
        ),
    )


def _on_suspicion(request: HttpRequest, error: SuspiciousOperation) -> HttpResponse:
    return problem_response(request, status=400, code="unreadable_request", message="The request cannot be read.")


def _on_fault(request: HttpRequest, error: Exception) -> HttpResponse:
    # As Django does it: the log has the traceback, tests see the exception, the caller sees neither.
    _log.error("Error %s at %s %s", request_id(request), request.method, request.path, exc_info=error)
    got_request_exception.send(sender=None, request=request)
    return problem_response(
        request,
        status=500,
        code="fault",
        message="Something went wrong here; it is in the server's log.",
        remedy="Try again, and tell the operators if it stays.",
    )
