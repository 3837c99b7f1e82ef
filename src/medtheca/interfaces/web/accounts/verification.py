"""Verification by an institutional address: asking for the link, and following it."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from medtheca.base.errors import Conflict, DomainError, Invalid
from medtheca.domains.accounts.verifying import confirm_verification, take_back_verification, verification_of
from medtheca.interfaces.web.accounts.forms import VerificationForm, show_refusal
from medtheca.interfaces.web.errors import in_words
from medtheca.interfaces.web.people import signed_in
from medtheca.workflows.verifying import ask


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def verification(request: HttpRequest) -> HttpResponse:
    """Whether one is verified; otherwise a form for an address."""
    user = signed_in(request)
    taking_back = request.POST.get("action") == "take_back"
    form = VerificationForm(request.POST if request.method == "POST" and not taking_back else None)
    if taking_back:
        take_back_verification(user=user, actor=user)
        messages.success(request, "You are not verified any more.")
        return redirect("verification")
    if form.is_valid():
        try:
            row = ask(user=user, email=form.cleaned_data["email"])
        except (Conflict, Invalid) as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, f"A mail is on its way to {row.email}. Follow its link within three days.")
            return redirect("verification")
    return render(request, "pages/verification.html", {"form": form, "found": verification_of(user)})


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def verification_confirm(request: HttpRequest, secret: str) -> HttpResponse:
    """The link of the mail. A button, since programs that look through mail follow links."""
    user = signed_in(request)
    error = ""
    if request.method == "POST":
        try:
            row = confirm_verification(secret=secret, user=user)
        except DomainError as refusal:
            error = in_words(refusal)
        else:
            messages.success(request, f"You are verified by {row.email}.")
            return redirect("verification")
    context = {"error": error, "email": user.email}
    response = render(request, "pages/verification_confirm.html", context, status=409 if error else 200)
    # Keeps the secret out of every Referer.
    response["Referrer-Policy"] = "strict-origin"
    return response
