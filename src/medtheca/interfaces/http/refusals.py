"""Refusals as HTTP has them: those that only it knows, of who somebody is, and the statuses of all others."""

from __future__ import annotations

from django.http import JsonResponse

from medtheca.base.errors import (
    Busy,
    Conflict,
    DomainError,
    Erased,
    Invalid,
    NoSpace,
    NotAllowed,
    NotFound,
    TooLarge,
)

_STATUS: dict[type[DomainError], int] = {
    NotAllowed: 403,
    NotFound: 404,
    Erased: 410,
    Conflict: 409,
    TooLarge: 413,
    NoSpace: 507,
    Busy: 503,
    Invalid: 400,
    DomainError: 400,
}


class Refused(Exception):
    """A request that goes no further; each API answers in its own shape, with `status` and `headers` as they are."""

    status = 400
    code = "refused"

    def __init__(self, message: str, *, remedy: str = "", headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.headers = headers or {}


class NotSignedIn(Refused):
    """This needs somebody, and the request carries nothing that says who."""

    status = 401
    code = "not_signed_in"

    def __init__(self) -> None:
        super().__init__(
            "This needs a log-in or an API token.",
            remedy="Log in, or send the header `Authorization: Bearer mt_…`.",
            headers={"WWW-Authenticate": "Bearer"},
        )


class OtherScheme(Refused):
    """An Authorization header that says nothing here. Its text is never repeated: it may be a secret."""

    status = 401
    code = "other_scheme"

    def __init__(self) -> None:
        super().__init__(
            "The Authorization header is neither `Bearer` nor `Token` with an API token.",
            remedy="Send `Authorization: Bearer mt_…`, or no such header to see what is public.",
            headers={"WWW-Authenticate": "Bearer"},
        )


class InvalidToken(Refused):
    """The token is not one of ours, has expired, was revoked, or its user is disabled. Which, is not said."""

    status = 401
    code = "invalid_token"

    def __init__(
        self,
        message: str = "The API token is unknown, has expired or was revoked.",
        *,
        remedy: str = "Make a new one on the page Account, API tokens.",
    ) -> None:
        super().__init__(message, remedy=remedy, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})


class InvalidAccessToken(InvalidToken):
    """As `InvalidToken`, of a token by which an application acts for somebody."""

    def __init__(self) -> None:
        super().__init__(
            "The access token is unknown, has expired or was revoked.",
            remedy="Refresh it, or ask the person to log in again.",
        )


class MissingScope(Refused):
    """The token may do less than this needs."""

    status = 403
    code = "insufficient_scope"

    def __init__(self, *, needed: str, has: str, remedy: str = "") -> None:
        super().__init__(
            f"This needs a token with the scope {needed}; yours has the scope {has}.",
            remedy=remedy or f"Make a token with the scope {needed} on the page Account, API tokens.",
            headers={"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{needed}"'},
        )


class ForgedRequest(Refused):
    """A change asked for with a session, but not provably by one of our own pages."""

    status = 403
    code = "csrf_failed"

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"The request was not made by a page of this site: {reason}",
            remedy="Reload the page and try again. Programs use an API token instead of a log-in.",
        )


class TooManyFailures(Refused):
    """More wrong tokens from one address than a mistake explains."""

    status = 429
    code = "too_many_failures"

    def __init__(self, wait: int) -> None:
        super().__init__(
            f"Too many requests with wrong API tokens came from your address. Try again in {wait} seconds.",
            remedy="Look for the program that sends an old token.",
            headers={"Retry-After": str(wait)},
        )


class TooOften(Refused):
    """More of something within the hour than anybody needs."""

    status = 429
    code = "too_often"

    def __init__(self, message: str, *, wait: int, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy, headers={"Retry-After": str(wait)})
        self.wait = wait


def status_of(refusal: DomainError) -> int:
    """The status of an answer that refuses, on pages, in both APIs and for files."""
    return next(_STATUS[kind] for kind in type(refusal).__mro__ if kind in _STATUS)


def told_to_wait(refusal: DomainError) -> dict[str, str]:
    """The header that says when to try again, where that may help."""
    return {"Retry-After": str(refusal.wait)} if isinstance(refusal, Busy) else {}


def refusal_response(refusal: Refused) -> JsonResponse:
    """A refusal as problem details (RFC 9457)."""
    body = {
        "title": refusal.code,
        "status": refusal.status,
        "detail": refusal.message,
        "remedy": refusal.remedy,
    }
    return JsonResponse(
        body,
        status=refusal.status,
        headers={**refusal.headers, "Cache-Control": "no-store"},
        content_type="application/problem+json",
    )
