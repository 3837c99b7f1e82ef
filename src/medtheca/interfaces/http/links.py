"""Links for reviewers: an opened one stands in the session, by its number, and counts as long as it is good.

The secret itself is in the one address that was opened and in none after it.
"""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from medtheca.domains.access.queries import look_by_links
from medtheca.domains.archives.links import scopes_of_links

_KEY = "archive_links"
_MOST = 20
"""Links that one session holds; the oldest gives way."""


class LookByLink:
    """Let whoever opened links look into their archives. Asks nothing for those without a session."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if scopes := scopes_by_link(request):
            look_by_links(request.user, scopes)
        return self.get_response(request)


def keep_link(request: HttpRequest, link_id: int) -> None:
    """Note in the session that a link was opened."""
    held = [pk for pk in _held(request) if pk != link_id]
    request.session[_KEY] = [*held, link_id][-_MOST:]


def scopes_by_link(request: HttpRequest) -> tuple[int, ...]:
    """The circles into which the links of a session let, as far as they are good now."""
    if settings.SESSION_COOKIE_NAME not in request.COOKIES:
        return ()
    held = _held(request)
    return scopes_of_links(held) if held else ()


def _held(request: HttpRequest) -> list[int]:
    held = request.session.get(_KEY, [])
    return [pk for pk in held if isinstance(pk, int)] if isinstance(held, list) else []
