"""Where a person is logged in: noted now and then, listed, and ended one by one or all but this."""

from __future__ import annotations

import time
from collections.abc import Callable

from allauth.account.adapter import get_adapter
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from medtheca.domains.accounts.credentials import end_session, end_sessions, live_sessions_of, note_session
from medtheca.interfaces.web.people import signed_in
from medtheca.toolkit.browsers import name_of_browser

_NOTED = "noted"
_NOTED_EVERY = 300


class NoteSession:
    """Note at most every five minutes that a session is in use: a write for each request would be dear."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated and request.session.session_key:
            moment = int(time.time())
            if moment - request.session.get(_NOTED, 0) > _NOTED_EVERY:
                note_session(
                    user=signed_in(request),
                    key=request.session.session_key,
                    address=get_adapter().get_client_ip(request),
                    browser=request.headers.get("User-Agent", ""),
                )
                request.session[_NOTED] = moment
        return self.get_response(request)


@never_cache
@login_required
@require_GET
def sessions(request: HttpRequest) -> HttpResponse:
    """Every browser in which the person is logged in."""
    user = signed_in(request)
    rows = [
        {
            "id": row.pk,
            "device": name_of_browser(row.user_agent),
            "address": row.ip,
            "begun": row.created_at,
            "seen": row.last_seen_at,
            "current": row.session_key == request.session.session_key,
        }
        for row in live_sessions_of(user)
    ]
    rows.sort(key=lambda row: not row["current"])
    return render(request, "pages/sessions.html", {"sessions": rows, "others": sum(not row["current"] for row in rows)})


@login_required
@require_POST
def session_end(request: HttpRequest, session_id: int) -> HttpResponse:
    """Log out in one browser."""
    end_session(user=signed_in(request), session_id=session_id)
    messages.success(request, "You are logged out in that browser.")
    return redirect("sessions")


@login_required
@require_POST
def sessions_end(request: HttpRequest) -> HttpResponse:
    """Log out in every other browser."""
    ended = end_sessions(user=signed_in(request), but=request.session.session_key or "")
    browsers = "1 other browser" if ended == 1 else f"{ended} other browsers"
    messages.success(request, f"You are logged out in {browsers}. API tokens are not affected.")
    return redirect("sessions")
