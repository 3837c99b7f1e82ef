"""Limits on what is cheap to abuse: guessing passwords and tokens, signing up, having mail sent.

allauth counts log-ins, sign-ups and resets itself (`ACCOUNT_RATE_LIMITS`); here are the rest, and the answer that says
when to try again. Counters live in the cache, which is a table that all processes share.
"""

from __future__ import annotations

import hashlib
import ipaddress
import math
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from allauth.account import app_settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse

from medtheca.interfaces.http.refusals import TooOften
from medtheca.interfaces.http.request_ids import note_refusal

_WAIT = "medtheca.wait"
_DEFAULT_WAIT = 60
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
# Which of allauth's limits may have refused a request to a page.
_LIMITS_OF_PAGE = {
    "account_login": ("login", "login_failed"),
    "account_signup": ("signup",),
    "account_reset_password": ("reset_password",),
    "account_reset_password_from_key": ("reset_password_from_key",),
    "account_change_password": ("change_password",),
    "account_email": ("manage_email", "confirm_email"),
    "account_email_verification_sent": ("confirm_email",),
    "account_reauthenticate": ("reauthenticate",),
}


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `amount` of something in a window of `seconds`, for each address or person."""

    name: str
    amount: int
    seconds: int


TOKEN_FAILURES = Limit("token-failures", 30, 60)
INSPECTIONS_BY_STRANGERS = Limit("inspections-by-strangers", 6, 3600)
INSPECTIONS_BY_PEOPLE = Limit("inspections-by-people", 60, 3600)
DOWNLOADS_BY_STRANGERS = Limit("downloads-by-strangers", 60, 86_400)
DOWNLOADS_BY_PEOPLE = Limit("downloads-by-people", 600, 86_400)
UPLOADS_BEGUN = Limit("uploads-begun", 10_000, 3600)


def seconds_to_wait(limit: Limit, address: str) -> int:
    """As `seconds_to_wait_for`, for an address."""
    return seconds_to_wait_for(limit, network_of(address))


def seconds_to_wait_for(limit: Limit, who: str) -> int:
    """Count one more for somebody; return 0 while the limit allows it, else the seconds until it does again.

    Reading and writing the counter are two statements, so requests at the same instant may count as one: the limit
    is a brake, not a ledger. Windows are fixed, so that a refused request costs one read and nothing else.
    """
    moment = time.time()
    window = int(moment // limit.seconds)
    digest = hashlib.sha256(who.encode()).hexdigest()[:32]
    key = f"limit:{limit.name}:{digest}:{window}"
    count = cache.get(key, 0)
    if count >= limit.amount:
        return max(1, math.ceil((window + 1) * limit.seconds - moment))
    cache.set(key, count + 1, limit.seconds)
    return 0


def seconds_to_wait_for_inspection(request: HttpRequest, user_id: int | None) -> int:
    """As `seconds_to_wait_for`, for one more dry run of a person, or of an address where nobody is signed in."""
    if user_id is not None:
        return seconds_to_wait_for(INSPECTIONS_BY_PEOPLE, f"user {user_id}")
    return seconds_to_wait(INSPECTIONS_BY_STRANGERS, request.META.get("REMOTE_ADDR", ""))


def require_turn_to_download(request: HttpRequest, user_id: int | None) -> None:
    """Count one more download of a person, or of an address where nobody is signed in. Raises `TooOften`.

    A download lives for a day, so that the day's number bounds how many an address has at a time.
    """
    if user_id is not None:
        limit, remedy = DOWNLOADS_BY_PEOPLE, ""
        wait = seconds_to_wait_for(limit, f"user {user_id}")
    else:
        limit, remedy = DOWNLOADS_BY_STRANGERS, "Logged in, you may make more."
        wait = seconds_to_wait(limit, request.META.get("REMOTE_ADDR", ""))
    if wait:
        hours = limit.seconds // 3600
        raise TooOften(f"{limit.amount} downloads in {hours} hours are the most.", wait=wait, remedy=remedy)


def network_of(address: str) -> str:
    """What counts as one address: an IPv4 address, or the /64 that one IPv6 customer has.

    >>> network_of("192.0.2.7"), network_of("2001:db8:1:2:3::4"), network_of("")
    ('192.0.2.7', '2001:db8:1:2::/64', 'unknown')
    """
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.IPv6Network((parsed, 64), strict=False))
    return str(parsed)


def longest_wait(rates: Iterable[str | None]) -> int:
    """The longest window of allauth's rates, in seconds: after it a request is allowed for certain.

    >>> longest_wait(["30/m/ip", "10/m/ip,5/300s/key", None]), longest_wait(["100/h/ip"]), longest_wait([])
    (300, 3600, 60)
    """
    windows = [
        math.ceil(float(match[1] or 1) * _UNITS[match[2]])
        for rate in rates
        for match in re.finditer(r"\d+/(\d+(?:\.\d+)?)?([smhd])", rate or "")
    ]
    return max(windows, default=_DEFAULT_WAIT)


def ask_to_wait(request: HttpRequest, action: str) -> None:
    """Have the answer to this request say 429 and when to try again, though the page is an ordinary form."""
    request.META[_WAIT] = longest_wait([app_settings.RATE_LIMITS.get(action)])


class SayWhenToTryAgain:
    """Every 429 carries Retry-After; a form refused by a limit is a 429 and keeps what was typed."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        wait = request.META.get(_WAIT)
        if wait and response.status_code == 200:
            response.status_code = 429
        if response.status_code == 429:
            response.headers.setdefault("Retry-After", str(wait or _wait_of_page(request)))
            if not request.path.startswith("/api/"):
                # The page shows the request's id, by which it is found in the log.
                note_refusal(request, response.status_code)
        return response


def _wait_of_page(request: HttpRequest) -> int:
    match = request.resolver_match
    actions = _LIMITS_OF_PAGE.get(match.url_name or "", ()) if match else ()
    return longest_wait([app_settings.RATE_LIMITS.get(action) for action in actions])
