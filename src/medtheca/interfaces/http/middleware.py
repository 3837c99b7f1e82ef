"""What every request passes through."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse

_Next = Callable[[HttpRequest], HttpResponse]
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; manifest-src 'self'"
)


class TrustedProxies:
    """Believe X-Forwarded-* from the proxies named in MEDTHECA_TRUSTED_PROXIES, and from nobody else."""

    def __init__(self, get_response: _Next) -> None:
        self.get_response = get_response
        self.proxies = [ipaddress.ip_network(text) for text in settings.ENVIRONMENT.trusted_proxies]

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if self._trusted(request.META.get("REMOTE_ADDR", "")):
            forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "")
            # From the right, the first address that is not a proxy of ours is the client's.
            for address in reversed([part.strip() for part in forwarded.split(",") if part.strip()]):
                request.META["REMOTE_ADDR"] = address
                if not self._trusted(address):
                    break
            if request.META.get("HTTP_X_FORWARDED_PROTO") == "https":
                request.META["wsgi.url_scheme"] = "https"
            if host := request.META.get("HTTP_X_FORWARDED_HOST"):
                request.META["HTTP_HOST"] = host
        for header in ("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST"):
            request.META.pop(header, None)
        return self.get_response(request)

    def _trusted(self, address: str) -> bool:
        try:
            return any(ipaddress.ip_address(address) in network for network in self.proxies)
        except ValueError:
            return False


class ContentPolicy:
    """Allow scripts, styles and pictures of our own only."""

    def __init__(self, get_response: _Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", _POLICY)
        response.headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
        return response


class DemoLoginsStayHere:
    """Demo logins have passwords that stand on a terminal: requests of theirs from another machine are anonymous."""

    def __init__(self, get_response: _Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        if user.is_authenticated and user.is_demo and not is_local(request.META.get("REMOTE_ADDR", "")):
            logout(request)
        return self.get_response(request)


def is_local(address: str) -> bool:
    """Whether an address is this machine's own.

    >>> is_local("127.0.0.1"), is_local("::1"), is_local("192.0.2.7"), is_local("")
    (True, True, False, False)
    """
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
