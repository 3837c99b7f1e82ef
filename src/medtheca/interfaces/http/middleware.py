"""What every request passes through."""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse

_Next = Callable[[HttpRequest], HttpResponse]
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
    "connect-src 'self'; form-action {form_action}; base-uri 'none'; frame-ancestors 'none'; manifest-src 'self'"
)
_FROM_HERE = "medtheca.from_here"
# What a proxy adds to what it passes on. One of them is enough to know that the sender may be anybody.
_SIGNS_OF_A_PROXY = ("HTTP_FORWARDED", "HTTP_VIA", "HTTP_X_REAL_IP", "HTTP_X_CLIENT_IP", "HTTP_CF_CONNECTING_IP")


class TrustedProxies:
    """Believe X-Forwarded-* from the proxies named in MEDTHECA_TRUSTED_PROXIES, and from nobody else.

    Here too, before those headers are gone, it is settled whether the request comes from this machine.
    """

    def __init__(self, get_response: _Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.META["REMOTE_ADDR"] = plain_address(request.META.get("REMOTE_ADDR", ""))
        request.META[_FROM_HERE] = comes_from_here(request.META)
        if _is_trusted(request.META["REMOTE_ADDR"]):
            forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "")
            request.META["REMOTE_ADDR"] = client_address(request.META["REMOTE_ADDR"], forwarded)
            if request.META.get("HTTP_X_FORWARDED_PROTO") == "https":
                request.META["wsgi.url_scheme"] = "https"
            if host := request.META.get("HTTP_X_FORWARDED_HOST"):
                request.META["HTTP_HOST"] = host
        for header in ("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST"):
            request.META.pop(header, None)
        return self.get_response(request)


def client_address(address: str, forwarded: str) -> str:
    """Whose request it is: the peer, or where that is a trusted proxy, whom its X-Forwarded-For names."""
    address = plain_address(address)
    if _is_trusted(address):
        # From the right, the first address that is not a proxy of ours is the client's.
        for part in reversed([plain_address(part) for part in forwarded.split(",") if part.strip()]):
            address = part
            if not _is_trusted(part):
                break
    return address


def _is_trusted(address: str) -> bool:
    networks = _networks(settings.ENVIRONMENT.trusted_proxies)
    try:
        return bool(networks) and any(ipaddress.ip_address(address) in network for network in networks)
    except ValueError:
        return False


@functools.cache
def _networks(texts: tuple[str, ...]) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    return [ipaddress.ip_network(text) for text in texts]


class ContentPolicy:
    """Allow scripts, styles and pictures of our own only."""

    def __init__(self, get_response: _Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", content_policy())
        response.headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
        return response


class NothingStored:
    """Answers that say nothing about caches are nobody's to keep: most pages differ by who looks."""

    def __init__(self, get_response: _Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Cache-Control", "private, no-store")
        return response


class DemoLoginsStayHere:
    """Demo logins have passwords that stand on a terminal: requests of theirs from another machine are anonymous."""

    def __init__(self, get_response: _Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        if user.is_authenticated and user.is_demo and not is_from_here(request):
            logout(request)
        return self.get_response(request)


def content_policy(*, form_action: str = "'self'") -> str:
    """The policy of a page; `form_action` is where the answer to one of its forms may lead."""
    return _POLICY.format(form_action=form_action)


def is_from_here(request: HttpRequest) -> bool:
    """Whether whoever sent this sits at this machine. False too for a request that did not pass `TrustedProxies`."""
    return bool(request.META.get(_FROM_HERE))


def comes_from_here(meta: Mapping[str, Any]) -> bool:
    """As `is_from_here`, from WSGI's names as they came in.

    A reverse proxy on this machine makes everybody's address local. It betrays itself by the headers that it adds, by
    the name that people typed, or by HTTP/1.0, which proxies speak and browsers do not.

    >>> here = {"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "localhost:8000"}
    >>> comes_from_here(here), comes_from_here(here | {"HTTP_HOST": "archive.example.org"})
    (True, False)
    >>> comes_from_here(here | {"HTTP_X_FORWARDED_FOR": "192.0.2.7"})
    False
    """
    forwarded = any(name.startswith("HTTP_X_FORWARDED") or name in _SIGNS_OF_A_PROXY for name in meta)
    if forwarded or meta.get("SERVER_PROTOCOL") == "HTTP/1.0" or not is_local(meta.get("REMOTE_ADDR", "")):
        return False
    try:
        name = urlsplit(f"//{meta.get('HTTP_HOST', '')}").hostname or ""
    except ValueError:
        return False
    return name == "localhost" or is_local(name)


def plain_address(text: str) -> str:
    """An address as it is compared and counted: IPv4 as IPv4, even where a socket for both kinds took it in.

    >>> plain_address("::ffff:192.0.2.7"), plain_address(" 2001:DB8::1"), plain_address("unknown")
    ('192.0.2.7', '2001:db8::1', 'unknown')
    """
    try:
        address = ipaddress.ip_address(text.strip())
    except ValueError:
        return text.strip()
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(address)


@functools.lru_cache(maxsize=1024)  # asked twice of every tile that is not public
def is_local(address: str) -> bool:
    """Whether an address is this machine's own. Of a request, ask `is_from_here`.

    >>> is_local("127.0.0.1"), is_local("::1"), is_local("::ffff:127.0.0.1"), is_local("192.0.2.7"), is_local("")
    (True, True, True, False, False)
    """
    try:
        return ipaddress.ip_address(plain_address(address)).is_loopback
    except ValueError:
        return False
