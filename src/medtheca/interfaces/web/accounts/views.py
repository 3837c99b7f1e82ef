"""Account, API tokens, development mailbox."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from medtheca.base.errors import DomainError
from medtheca.domains.accounts.connections import connections_of
from medtheca.domains.accounts.credentials import sessions_of
from medtheca.domains.accounts.errors import UnknownToken
from medtheca.domains.accounts.factors import factors_of, lacks_second_factor
from medtheca.domains.accounts.operations import MAX_LIVE_TOKENS, create_token, revoke_token
from medtheca.domains.accounts.profiles import Profile, change_profile
from medtheca.domains.accounts.queries import live_tokens, token_state, tokens_of
from medtheca.domains.accounts.verifying import is_verified
from medtheca.domains.search.saved import saved_searches_of
from medtheca.interfaces.http.middleware import is_from_here
from medtheca.interfaces.web.accounts.forms import ProfileForm, TokenForm, show_refusal
from medtheca.interfaces.web.accounts.mailbox import newest_mail
from medtheca.interfaces.web.people import signed_in

_LOCAL_NAMES = {"localhost", "127.0.0.1", "::1"}


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def account(request: HttpRequest) -> HttpResponse:
    """The profile, and the way to everything else of the account."""
    user = signed_in(request)
    fields = ("first_name", "last_name", "affiliation", "orcid", "country")
    form = ProfileForm(request.POST or None, initial={name: getattr(user, name) for name in fields})
    if request.method == "POST" and form.is_valid():
        try:
            change_profile(user=user, profile=Profile(**form.cleaned_data))
        except DomainError as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, "Your profile was saved.")
            return redirect("account")
    context = {
        "form": form,
        "factors": factors_of(user),
        "factor_missing": lacks_second_factor(user),
        "sessions": sessions_of(user).count(),
        "live_tokens": live_tokens(tokens_of(user)).count(),
        "connections": connections_of(user).count(),
        "verified_words": "Verified" if is_verified(user) else "Show that you work at an institution",
        "saved_searches": len(saved_searches_of(user)),
        "accepted_words": f"Version {user.accepted_version} accepted" if user.accepted_version else "Not accepted yet",
        "sign_on": settings.ENVIRONMENT.oidc_name if settings.ENVIRONMENT.oidc_issuer else "",
    }
    return render(request, "pages/account.html", context)


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def tokens(request: HttpRequest) -> HttpResponse:
    """The list of tokens, and a new one, whose secret stands in this one answer and nowhere else.

    No redirect after the POST: the secret would have to wait in the session, which is a table.
    """
    user = request.user
    assert user.is_authenticated
    context: dict[str, Any] = {"max_live_tokens": MAX_LIVE_TOKENS}
    form = TokenForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            context["new_token"], context["secret"] = create_token(
                user=user, name=form.cleaned_data["name"], scope=form.cleaned_data["scope"], expires=form.expires()
            )
            form = TokenForm()
        except DomainError as refusal:
            show_refusal(form, refusal, expires="expiry")
    context |= {"form": form, "tokens": [{"token": token, "state": token_state(token)} for token in tokens_of(user)]}
    return render(request, "pages/tokens.html", context)


@login_required
@require_POST
def token_revoke(request: HttpRequest, token_id: int) -> HttpResponse:
    """End one token."""
    assert request.user.is_authenticated
    try:
        token = revoke_token(user=request.user, token_id=token_id)
    except UnknownToken as refusal:
        raise Http404(refusal.message) from refusal
    messages.success(request, f"The token {token.name} was revoked. Programs that use it are refused from now on.")
    return redirect("tokens")


@never_cache
@require_GET
def mailbox(request: HttpRequest) -> HttpResponse:
    """Mail that would have been sent, for whoever sits at this machine: how an address is confirmed on a laptop."""
    if not mailbox_is_open(request):
        raise Http404("There is no development mailbox here.")
    folder = Path(settings.EMAIL_FILE_PATH)
    context = {"messages_in_box": newest_mail(folder, public_url=settings.PUBLIC_URL), "folder": str(folder)}
    return render(request, "pages/mailbox.html", context)


def mailbox_is_open(request: HttpRequest) -> bool:
    """Only without a mail server, only for this machine, and only where the instance is not meant for others.

    The mailbox holds what resets any password: so the public address must be one of this machine's names too.
    """
    return (
        not settings.ENVIRONMENT.smtp_url
        and is_from_here(request)
        and urlsplit(settings.PUBLIC_URL).hostname in _LOCAL_NAMES
    )
