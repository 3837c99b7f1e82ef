"""Deleting one's account."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from medtheca.domains.accounts.deleting import GRACE
from medtheca.domains.accounts.errors import LastOwner
from medtheca.interfaces.web.accounts.again import ask_again
from medtheca.interfaces.web.accounts.forms import show_refusal
from medtheca.interfaces.web.people import signed_in
from medtheca.workflows.leaving import preview_deletion, request_deletion


class DeletionForm(forms.Form):
    """The person's own pseudonym, typed, because in the end it does not come back."""

    confirmation = forms.CharField(max_length=20, widget=forms.TextInput(attrs={"autocomplete": "off"}))

    def __init__(self, *args: object, hash_id: str, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # object for the stubs' many types: all go to the form as they came
        self.hash_id = hash_id
        self.fields["confirmation"].label = f"Type your pseudonym {hash_id} to confirm"

    def clean_confirmation(self) -> str:
        """The pseudonym as it stands above."""
        typed: str = self.cleaned_data["confirmation"].strip().upper()
        if typed != self.hash_id:
            raise forms.ValidationError(f"{typed} is not {self.hash_id}.")
        return typed


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
@ask_again
def delete_account(request: HttpRequest) -> HttpResponse:
    """Show what goes and what stays, and take the wish."""
    user = signed_in(request)
    form = DeletionForm(request.POST or None, hash_id=user.hash_id)
    if request.method == "POST" and form.is_valid():
        try:
            deletion = request_deletion(user=user)
        except LastOwner as refusal:
            show_refusal(form, refusal)
        else:
            logout(request)
            day = f"{deletion.due:%-d %B %Y}"
            messages.success(request, f"Your account will be deleted on {day}. Log in before then to keep it.")
            return redirect("home")
    context = {"form": form, "preview": preview_deletion(user=user), "days": GRACE.days}
    return render(request, "pages/delete_account.html", context)
