"""Who is calling: a person by session, a program by token, or nobody. One answer for pages, APIs and the byte plane.

A token is one that a person made for a program (`mt_`), or one by which an application acts for them (`mo_`, OAuth 2),
which may no more than its scopes at each address. A token that is sent and not good is refused, never taken for nobody.
Other schemes of the Authorization header are
left alone, since a proxy in front may ask for a password of its own; only a program that calls an API with such a
header and is nobody otherwise is told (`refuse_other_scheme`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal

from django.conf import settings
from django.contrib.auth import get_user
from django.http import HttpRequest, HttpResponse
from django.http.cookie import parse_cookie
from django.middleware.csrf import CsrfViewMiddleware
from django.utils.functional import SimpleLazyObject

from medtheca.domains.accounts.bearers import ACCESS_PREFIX, use_bearer
from medtheca.domains.accounts.enums import TokenScope
from medtheca.domains.accounts.factors import lacks_second_factor
from medtheca.domains.accounts.operations import use_token
from medtheca.interfaces.http.limits import TOKEN_FAILURES, seconds_to_wait
from medtheca.interfaces.http.links import scopes_by_link
from medtheca.interfaces.http.middleware import TrustedProxies, comes_from_here, is_from_here
from medtheca.interfaces.http.refusals import (
    ForgedRequest,
    InvalidAccessToken,
    InvalidToken,
    MissingScope,
    NotSignedIn,
    OtherScheme,
    TooManyFailures,
)
from medtheca.interfaces.http.scopes import ANY, SAFE_METHODS, only_reads, scope_needed

if TYPE_CHECKING:
    from medtheca.domains.accounts.models import User

_KNOWN = "medtheca.caller"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, what they may do at most, and how they said so. Nobody may read only what all may.

    `scopes` are those of an application that acts for the user, or for nobody; None for everybody else. `links` are
    circles into which the session looks by links of reviewers, which count for files and pages, not for APIs.
    """

    user: User | None
    scope: TokenScope
    via: Literal["session", "token", "none"]
    scopes: frozenset[str] | None = None
    links: tuple[int, ...] = ()

    @property
    def may_write(self) -> bool:
        """Whether changes may be asked for at all; what may be changed, the domains decide."""
        return self.scope == TokenScope.WRITE


NOBODY = Caller(None, TokenScope.READ, "none")


def identify(request: HttpRequest) -> Caller:
    """Who sent a request, found once for each.

    A token goes before a session. Raises `InvalidToken`, `TooManyFailures`, `MissingScope` (a read token and an unsafe
    method, or an application that was not allowed this) and `ForgedRequest` (a session, an unsafe method, and no proof
    that a page of ours asked).
    """
    known = request.META.get(_KNOWN)
    if isinstance(known, Caller):
        return known
    secret = _secret_in(request.META.get("HTTP_AUTHORIZATION", ""))
    caller = _caller_by_token(request, secret) if secret is not None else _caller_by_session(request)
    request.META[_KNOWN] = caller
    return caller


def take_for_nobody(request: HttpRequest) -> Caller:
    """Let a request go on as nobody's, whatever it carries."""
    request.META[_KNOWN] = NOBODY
    return NOBODY


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
    path: str = "",
    scheme: str = "http",
    http_version: str = "",
) -> Caller:
    """As `identify`, for raw ASGI: method, path, headers, scheme and HTTP version, and the peer's address.

    Forwarded headers of trusted proxies are believed as they are for pages. Blocks on the database: call it in a
    thread, and give the thread's connection back afterwards (`django.db.close_old_connections`).
    """
    request = _BareRequest()
    request.method, request.path = method.upper(), path
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
    caller = _holder_of(secret)
    is_demo = caller is not None and caller.user is not None and caller.user.is_demo
    if caller is None or (is_demo and not is_from_here(request)):
        # Only failures count: a good token works whatever else comes from the same address.
        if wait := seconds_to_wait(TOKEN_FAILURES, address):
            raise TooManyFailures(wait)
        if is_demo:
            raise InvalidToken("Tokens of demo logins work on the machine that runs Medtheca only.")
        raise InvalidAccessToken if secret.startswith(ACCESS_PREFIX) else InvalidToken
    _require_scope(request, caller)
    return caller


def _holder_of(secret: str) -> Caller | None:
    """The caller with this secret; an application's by its prefix, so that one look-up is enough."""
    if secret.startswith(ACCESS_PREFIX):
        bearer = use_bearer(secret=secret)
        if bearer is None:
            return None
        writes = bearer.scopes & {"write", "image:write"}
        return Caller(bearer.user, TokenScope.WRITE if writes else TokenScope.READ, "token", bearer.scopes)
    holder = use_token(secret=secret)
    return Caller(holder.user, holder.scope, "token") if holder else None


def _require_scope(request: HttpRequest, caller: Caller) -> None:
    method = request.method or ""
    if caller.scopes is None:
        if caller.scope != TokenScope.WRITE and not only_reads(method, request.path):
            raise MissingScope(needed=TokenScope.WRITE.value, has=caller.scope.value)
        return
    needed = scope_needed(method, request.path)
    if needed != ANY and needed not in caller.scopes:
        raise MissingScope(
            needed=needed,
            has=" ".join(sorted(caller.scopes)),
            remedy=f"The application has to ask the person for the scope {needed}.",
        )


def _caller_by_session(request: HttpRequest) -> Caller:
    user = request.user
    if not user.is_authenticated or (user.is_demo and not is_from_here(request)) or lacks_second_factor(user):
        return replace(NOBODY, links=scopes_by_link(request))
    if request.method not in SAFE_METHODS:
        _refuse_forgery(request)
    return Caller(user, TokenScope.WRITE, "session", links=scopes_by_link(request))


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
