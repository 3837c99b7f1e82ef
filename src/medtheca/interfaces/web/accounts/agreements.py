"""Terms of use and privacy notice, and the page that asks for the terms to be accepted."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from medtheca.domains.accounts import terms as terms_of_use
from medtheca.interfaces.web.people import signed_in


@require_GET
def terms(request: HttpRequest) -> HttpResponse:
    """The terms of use, for everybody."""
    return render(request, "pages/prose.html", {"prose": terms_of_use.current_terms(), "heading": "Terms of use"})


@require_GET
def privacy(request: HttpRequest) -> HttpResponse:
    """The privacy notice, for everybody."""
    return render(request, "pages/prose.html", {"prose": terms_of_use.current_privacy(), "heading": "Privacy notice"})


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def accept(request: HttpRequest) -> HttpResponse:
    """Ask for the terms as they are now, and lead on to where the person was going."""
    user = signed_in(request)
    onward = _onward(request)
    current = terms_of_use.current_terms()
    if request.method == "POST" and request.POST.get("version") == current.version:
        terms_of_use.accept_terms(user=user)
        return redirect(onward)
    if request.method == "POST":
        # Nobody accepts what they have not been shown.
        messages.warning(request, "The terms were changed while you read them. This is the new version.")
    context = {
        "prose": current,
        "onward": onward,
        "accepted": terms_of_use.acceptances_of(user),
        "asked": terms_of_use.must_accept(user),
    }
    return render(request, "pages/accept_terms.html", context)


def _onward(request: HttpRequest) -> str:
    """Where to go afterwards: an address of ours, else the start page."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    safe = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if safe else "/"
