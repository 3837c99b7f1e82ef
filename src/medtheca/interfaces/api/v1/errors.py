"""Domain errors become statuses here, in the bodies that clients of Grand Challenge know from Django REST framework.

400 is `{"field": ["…"]}`, `{"non_field_errors": ["…"]}` or a bare list; everything else is `{"detail": "…"}`, beside
which stand `code`, `remedy` and what support needs to know: more keys than clients expect do them no harm.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping
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
from medtheca.interfaces.api.v1.paging import JSON
from medtheca.interfaces.http.refusals import InvalidToken, NotSignedIn, Refused, status_of, told_to_wait
from medtheca.interfaces.http.request_ids import note_refusal, request_id, support_of

NON_FIELD = "non_field_errors"
# What the framework says in these cases, word for word.
_NOBODY = "Authentication credentials were not provided."
_BAD = "Invalid token."
_log = logging.getLogger(__name__)


class PlainlyInvalid(Invalid):
    """Input that cannot be used, told as a bare list: `["Values can only be added via update"]`."""


def add_handlers(api: NinjaAPI) -> None:
    """Have the API answer every error in these shapes."""
    handlers: list[tuple[type[Exception], Any]] = [
        (PlainlyInvalid, _on_plainly_invalid),
        (Invalid, _on_invalid),
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


def detail_response(
    request: HttpRequest,
    *,
    status: int,
    detail: str,
    code: str,
    remedy: str = "",
    headers: Mapping[str, str] | None = None,
) -> HttpResponse:
    """Any refusal but 400: what is wrong as `detail`, and what would be right."""
    if status != 500:  # A fault of ours is in the log with its traceback.
        note_refusal(request, status)
    return _respond(
        {"detail": detail, "code": code, "remedy": remedy, **support_of(request)}, status=status, headers=headers
    )


def invalid_response(request: HttpRequest, problems: Iterable[Problem]) -> HttpResponse:
    """400 with every problem under the name of its field."""
    note_refusal(request, 400)
    body: dict[str, list[str]] = {}
    for problem in problems:
        body.setdefault(problem.field or NON_FIELD, []).append(_sentence(problem.message, problem.remedy))
    return _respond(body, status=400)


def no_such_address(request: HttpRequest) -> HttpResponse:
    """404 for an address that is none of the API's."""
    remedy = "" if request.path.endswith("/") else "Every address of this API ends with a slash."
    return detail_response(request, status=404, detail="Not found.", code="not_found", remedy=remedy)


def wrong_method(request: HttpRequest, allowed: str) -> HttpResponse:
    """405 that says which methods there are."""
    return detail_response(
        request,
        status=405,
        detail=f'Method "{request.method}" not allowed.',
        code="method_not_allowed",
        remedy=f"Use {allowed}.",
        headers={"Allow": allowed},
    )


def unreadable(request: HttpRequest, message: str) -> HttpResponse:
    """400 for a request that is not understood at all."""
    return detail_response(request, status=400, detail=message, code="parse_error")


def _respond(body: Any, *, status: int, headers: Mapping[str, str] | None = None) -> HttpResponse:
    return HttpResponse(
        json.dumps(body, ensure_ascii=False),
        status=status,
        content_type=JSON,
        headers={**(headers or {}), "Cache-Control": "no-store"},
    )


def _sentence(message: str, remedy: str) -> str:
    return f"{message} {remedy}".strip()


def _on_plainly_invalid(request: HttpRequest, error: PlainlyInvalid) -> HttpResponse:
    note_refusal(request, 400)
    return _respond([_sentence(error.message, error.remedy)], status=400)


def _on_invalid(request: HttpRequest, error: Invalid) -> HttpResponse:
    return invalid_response(request, error.problems or [Problem("", error.message, remedy=error.remedy)])


def _on_domain_error(request: HttpRequest, error: DomainError) -> HttpResponse:
    status = status_of(error)
    return detail_response(
        request,
        status=status,
        detail=error.message,
        code=error.code,
        remedy=error.remedy,
        headers=told_to_wait(error),
    )


def _on_refusal(request: HttpRequest, refusal: Refused) -> HttpResponse:
    detail = refusal.message
    if isinstance(refusal, NotSignedIn):
        detail = _NOBODY
    elif isinstance(refusal, InvalidToken):
        detail = _BAD
    remedy = refusal.remedy if detail == refusal.message else _sentence(refusal.message, refusal.remedy)
    return detail_response(
        request, status=refusal.status, detail=detail, code=refusal.code, remedy=remedy, headers=refusal.headers
    )


def _on_wrong_shape(request: HttpRequest, error: ValidationError) -> HttpResponse:
    problems = [Problem(_field(item["loc"]), _words(item)) for item in error.errors]
    # Of the kinds that a field may have, each has its complaint; they are told one after the other.
    return invalid_response(request, problems)


def _field(loc: tuple[str | int, ...]) -> str:
    """`("body", "given", "values", 0, "interface")` → `values.0.interface`: what the caller wrote."""
    parts = [str(part) for part in loc]
    return ".".join(parts[2:] if parts[:1] == ["body"] else parts[1:])


def _words(item: Mapping[str, Any]) -> str:
    """A complaint in the framework's words, where it has some."""
    kind, about = str(item["type"]), item.get("ctx") or {}
    if kind == "missing":
        return "This field is required."
    if "input" in item and item["input"] is None:
        return "This field may not be null."
    if kind == "string_too_long":
        return f"Ensure this field has no more than {about.get('max_length')} characters."
    if kind == "string_too_short":
        return "This field may not be blank."
    return str(item["msg"]).removeprefix("Value error, ")


def _on_http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    if error.status_code == 400:
        return unreadable(request, f"JSON parse error - {error.message}")
    return detail_response(request, status=error.status_code, detail=error.message, code="error")


def _on_missing(request: HttpRequest, error: Http404) -> HttpResponse:
    return no_such_address(request)


def _on_too_much(request: HttpRequest, error: RequestDataTooBig) -> HttpResponse:
    return detail_response(
        request,
        status=413,
        detail="The body is larger than a request may be.",
        code="too_large",
        remedy="Send files as uploads: /api/v1/uploads/.",
    )


def _on_suspicion(request: HttpRequest, error: SuspiciousOperation) -> HttpResponse:
    return unreadable(request, "The request cannot be read.")


def _on_fault(request: HttpRequest, error: Exception) -> HttpResponse:
    # As Django does it: the log has the traceback, tests see the exception, the caller sees neither.
    _log.error("Error %s at %s %s", request_id(request), request.method, request.path, exc_info=error)
    got_request_exception.send(sender=None, request=request)
    return detail_response(
        request,
        status=500,
        detail="A server error occurred.",
        code="fault",
        remedy="It is in the server's log. Try again, and tell the operators if it stays.",
    )
