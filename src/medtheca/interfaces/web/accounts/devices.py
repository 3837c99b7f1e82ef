"""Telling people that somebody logged in with a browser that never did so for them.

A browser that logged in keeps a signed cookie for a year. It opens nothing: it only says that this browser is known to
this person.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse

from medtheca.base.clock import now
from medtheca.domains.ledger.notifying import notify
from medtheca.toolkit.browsers import name_of_browser

if TYPE_CHECKING:
    from medtheca.domains.accounts.models import User

COOKIE = "medtheca_known"
_SALT = "medtheca.known-browser"
_KEPT_FOR = 366 * 86_400
_MOST_PEOPLE = 8


def note_browser(request: HttpRequest, response: HttpResponse, user: User, *, first: bool) -> None:
    """Tell a person of a log-in with an unknown browser, unless it is their `first`; know the browser from now on."""
    known = _known(request)
    if user.hash_id not in known and not first:
        browser = name_of_browser(request.headers.get("User-Agent", ""))
        moment = now()
        notify(
            recipient_ids=[user.pk],
            kind="account.new_device",
            words=f"Somebody logged in to your account with a browser not seen before: {browser}, on "
            f"{moment.day} {moment:%B %Y at %H:%M} (UTC). If that was not you, change your password.",
            url="/account/sessions/",
        )
    people = [user.hash_id, *(person for person in known if person != user.hash_id)][:_MOST_PEOPLE]
    response.set_cookie(
        COOKIE,
        signing.dumps(people, salt=_SALT),
        max_age=_KEPT_FOR,
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
        path="/accounts/",
    )


def _known(request: HttpRequest) -> list[str]:
    """Pseudonyms of the people who logged in with this browser."""
    try:
        found = signing.loads(request.COOKIES.get(COOKIE, ""), salt=_SALT, max_age=_KEPT_FOR)
    except signing.BadSignature:
        return []
    return [person for person in found if isinstance(person, str)]
