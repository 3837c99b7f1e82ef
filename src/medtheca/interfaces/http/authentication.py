"""Who is calling: a person by session, a program by token, or nobody. One answer for pages, APIs and the byte plane.

A token that is sent and not good is refused, never taken for nobody. Other schemes of the Authorization header are
left alone, since a proxy in front may ask for a password of its own; only a program that calls an API with such a
header and is nobody otherwise is told (`refuse_other_scheme`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal

from django.conf import settings
from django.contrib.auth import get_user
from django.http import HttpRequest, HttpResponse
from django.http.cookie import parse_cookie
from django.middleware.csrf import CsrfViewMiddleware
from django.utils.functional import SimpleLazyObject

from medtheca.domains.accounts.enums import TokenScope
from medtheca.domains.accounts.factors import lacks_second_factor
from medtheca.domains.accounts.operations import use_token
from medtheca.interfaces.http.limits import TOKEN_FAILURES, seconds_to_wait
from medtheca.interfaces.http.middleware import TrustedProxies, comes_from_here, is_from_here
from medtheca.interfaces.http.refusals import (
    ForgedRequest,
    InvalidToken,
    MissingScope,
    NotSignedIn,
    OtherScheme,
    TooManyFailures,
)

if TYPE_CHECKING:
    from medtheca.domains.accounts.models import User

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_KNOWN = "medtheca.caller"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, what they may do at most, and how they said so. Nobody may read only what all may."""

    user: User | None
    scope: TokenScope
    via: Literal["session", "token", "none"]

    @property
    def may_write(self) -> bool:
        """Whether changes may be asked for at all; what may be changed, the domains decide."""
        return self.scope == TokenScope.WRITE


NOBODY = Caller(None, TokenScope.READ, "none")


def identify(request: HttpRequest) -> Caller:
    """Who sent a request, found once for each.

    A token goes before a session. Raises `InvalidToken`, `TooManyFailures`, `MissingScope` (a read token and an unsafe
    method) and `ForgedRequest` (a session, an unsafe method, and no proof that a page of ours asked).
    """
    known = request.META.get(_KNOWN)
    if isinstance(known, Caller):
        return known
    secret = _secret_in(request.META.get("HTTP_AUTHORIZATION", ""))
    caller = _caller_by_token(request, secret) if secret is not None else _caller_by_session(request)
    request.META[_KNOWN] = caller
    return caller


def identify_user(request: HttpRequest) -> Caller:
    """As `identify`, but somebody: raises `NotSignedIn` for nobody."""
    caller = identify(request)
    if caller.user is None:
        raise NotSignedIn
    return caller


def refuse_other_scheme(request: HttpRequest, caller: Caller) -> None:
    """Raise `OtherScheme` for nobody who sent an Authorization header: they take themselves for somebody."""
    if caller.via == "none" and request.META.get("HTTP_AUTHORIZATION", "").strip():
        raise OtherScheme


def caller_from_headers(
    *,
    method: str,
    headers: Iterable[tuple[bytes, bytes]] | Mapping[bytes, bytes],
    address: str,
    scheme: str = "http",
    http_version: str = "",
) -> Caller:
    """As `identify`, for raw ASGI: method, headers, scheme and HTTP version of the scope, and the peer's address.

    Forwarded headers of trusted proxies are believed as they are for pages. Blocks on the database: call it in a
    thread, and give the thread's connection back afterwards (`django.db.close_old_connections`).
    """
    request = _BareRequest()
    request.method = method.upper()
    request.META = {
        **_meta(headers),
        "REMOTE_ADDR": address,
        "SERVER_NAME": "",
        "SERVER_PROTOCOL": f"HTTP/{http_version}",
        "wsgi.url_scheme": scheme,
    }
    TrustedProxies(lambda _: HttpResponse())(request)
    request.COOKIES = parse_cookie(request.META.get("HTTP_COOKIE", ""))
    store = import_module(settings.SESSION_ENGINE).SessionStore
    request.session = store(request.COOKIES.get(settings.SESSION_COOKIE_NAME))
    # Lazy, so that a caller with a token costs no look-up of a session.
    request.user = SimpleLazyObject(lambda: get_user(request))  # type: ignore[assignment]  # Django does the same
    return identify(request)


def headers_from_here(
    headers: Iterable[tuple[bytes, bytes]] | Mapping[bytes, bytes], *, address: str, http_version: str = ""
) -> bool:
    """As `middleware.comes_from_here`, for raw ASGI."""
    return comes_from_here({**_meta(headers), "REMOTE_ADDR": address, "SERVER_PROTOCOL": f"HTTP/{http_version}"})


class _BareRequest(HttpRequest):
    """A request that is headers only, so that the byte plane passes the very checks that pages pass."""

    def _get_scheme(self) -> str:
        scheme: str = self.META["wsgi.url_scheme"]
        return scheme


class _CsrfCheck(CsrfViewMiddleware):
    """Django's check, giving its reason instead of a page."""

    def _reject(self, request: HttpRequest, reason: str) -> Any:
        return reason


def _caller_by_token(request: HttpRequest, secret: str) -> Caller:
    address = request.META.get("REMOTE_ADDR", "")
    holder = use_token(secret=secret)
    if holder is None or (holder.user.is_demo and not is_from_here(request)):
        # Only failures count: a good token works whatever else comes from the same address.
        if wait := seconds_to_wait(TOKEN_FAILURES, address):
            raise TooManyFailures(wait)
        if holder is not None:
            raise InvalidToken("Tokens of demo logins work on the machine that runs Medtheca only.")
        raise InvalidToken
    if request.method not in SAFE_METHODS and holder.scope != TokenScope.WRITE:
        raise MissingScope(needed=TokenScope.WRITE.value, has=holder.scope.value)
    return Caller(holder.user, holder.scope, "token")


def _caller_by_session(request: HttpRequest) -> Caller:
    user = request.user
    if not user.is_authenticated or (user.is_demo and not is_from_here(request)) or lacks_second_factor(user):
        return NOBODY
    if request.method not in SAFE_METHODS:
        _refuse_forgery(request)
    return Caller(user, TokenScope.WRITE, "session")


def _refuse_forgery(request: HttpRequest) -> None:
    """Token against cookie and Origin by Django; where the browser says who asked, that too."""
    origin = request.META.get("HTTP_ORIGIN", "")
    site = request.META.get("HTTP_SEC_FETCH_SITE", "same-origin")
    if site not in {"same-origin", "none"} and origin not in settings.CSRF_TRUSTED_ORIGINS:
        raise ForgedRequest(f"the browser says it comes from elsewhere (Sec-Fetch-Site: {site}).")
    check = _CsrfCheck(lambda _: HttpResponse())
    check.process_request(request)
    if reason := check.process_view(request, None, (), {}):  # type: ignore[arg-type]  # no view: no exemption either
        raise ForgedRequest(str(reason))


def _secret_in(authorization: str) -> str | None:
    """What follows Bearer or Token in the header; None where it is another scheme or nothing."""
    scheme, _, rest = authorization.strip().partition(" ")
    return rest.strip() if scheme.lower() in {"bearer", "token"} else None


def _meta(headers: Iterable[tuple[bytes, bytes]] | Mapping[bytes, bytes]) -> dict[str, str]:
    """Headers under WSGI's names. Those with an underscore are dropped: they would pass for ones with a hyphen."""
    meta: dict[str, str] = {}
    for name, value in headers.items() if isinstance(headers, Mapping) else headers:
        if b"_" in name:
            continue
        key = "HTTP_" + name.decode("latin-1").upper().replace("-", "_")
        joint = "; " if key == "HTTP_COOKIE" else ","
        text = value.decode("latin-1")
        meta[key] = f"{meta[key]}{joint}{text}" if key in meta else text
    return meta
