"""What a person is asked before they go on, and how a full house is told."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from medtheca.domains.accounts.errors import PasswordsBusy
from medtheca.domains.accounts.factors import lacks_second_factor
from medtheca.domains.accounts.terms import must_accept
from medtheca.interfaces.http.problems import problem_response
from medtheca.interfaces.web.errors import refusal_page

_Next = Callable[[HttpRequest], HttpResponse]
# What one needs in order to log in and out, to read what is to be accepted, and to set up what is asked for.
_OPEN = ("/accounts/", "/account/terms/", "/terms/", "/privacy/", "/mailbox/", "/robots.txt", "/favicon.ico")


class AskFirst:
    """Lead to the terms of use whoever has not accepted them, and staff to the second factor that they must have.

    Terms interrupt the opening of a page and nothing else: a form that was being written is not lost. A missing
    second factor interrupts everything. Requests with an API token pass: they carry no session.
    """

    def __init__(self, get_response: _Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._question(request) or self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Passwords are checked a few at a time; who finds the queue full is told when to come back."""
        return refusal_page(request, error) if isinstance(error, PasswordsBusy) else None

    def _question(self, request: HttpRequest) -> HttpResponse | None:
        user = request.user
        if not user.is_authenticated or request.path.startswith(_OPEN):
            return None
        api = request.path.startswith("/api/")
        if not (api and request.headers.get("Authorization")) and lacks_second_factor(user):
            return _ask_for_factor(request, api=api)
        if not api and _opens_a_page(request) and must_accept(user):
            return redirect(f"{reverse('accept_terms')}?{urlencode({'next': request.get_full_path()})}")
        return None


def _opens_a_page(request: HttpRequest) -> bool:
    # What the page fetches for itself is no place to ask.
    fetched = request.headers.get("HX-Request") or request.headers.get("Sec-Fetch-Dest", "document") != "document"
    return request.method == "GET" and not fetched


def _ask_for_factor(request: HttpRequest, *, api: bool) -> HttpResponse:
    words = "Staff of this archive need a second factor."
    remedy = "Set up an authenticator app or a passkey on the page Account, Second factor."
    if api:
        return problem_response(request, status=403, code="second_factor_needed", message=words, remedy=remedy)
    if request.method == "GET":
        messages.warning(request, f"{words} Set one up to go on.")
        return redirect("mfa_index")
    return render(request, "403.html", {"words": f"{words} {remedy}"}, status=403)
