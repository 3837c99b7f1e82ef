"""Single sign-on: what is believed of what an OpenID Connect provider says."""

from __future__ import annotations

from typing import Any, NoReturn

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.conf import settings
from django.http import HttpRequest
from django.shortcuts import render

from medtheca.domains.accounts.operations import record_sign_up
from medtheca.domains.accounts.queries import is_confirmed
from medtheca.interfaces.http.middleware import is_from_here

_LONGEST_NAME = 150


class SignOnAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]  # allauth ships no type information
    """Believe an address only where the provider says, as a boolean, that it is verified."""

    def can_authenticate_by_email(self, login: Any, email: str) -> bool:
        # allauth takes any non-empty value for yes, and some providers write "false". An address that nobody has
        # confirmed here may have been typed in by anybody, who waits for its owner to come and join their account.
        is_theirs = _is_consistent(login) and _verified_address(login) == email.lower()
        return is_confirmed(email) and is_theirs and self._may_come_in(login)

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        if not _is_consistent(sociallogin):
            _refuse(request, "The provider's two answers are about different people.")
        if not self._may_come_in(sociallogin):
            _refuse(request, "Your e-mail address is not one that this archive lets in by single sign-on.")
        if sociallogin.is_existing and sociallogin.user.is_demo and not is_from_here(request):
            _refuse(request, "Demo logins work on the machine that runs Medtheca only.")
        verified = _verified_address(sociallogin)
        for address in sociallogin.email_addresses:
            address.verified = address.email.lower() == verified

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        # Sign-up with a password may be closed; who the provider sends is welcome.
        return True

    def populate_user(self, request: HttpRequest, sociallogin: Any, data: dict[str, Any]) -> Any:
        user = super().populate_user(request, sociallogin, data)
        user.email = user.email.lower()
        user.first_name, user.last_name = user.first_name[:_LONGEST_NAME], user.last_name[:_LONGEST_NAME]
        return user

    def save_user(self, request: HttpRequest, sociallogin: Any, form: Any = None) -> Any:
        user = super().save_user(request, sociallogin, form)
        if form is None:
            # With a form the account's own adapter records it.
            record_sign_up(user=user, by="single sign-on")
        return user

    def _may_come_in(self, login: Any) -> bool:
        domains = {domain.lower() for domain in settings.ENVIRONMENT.oidc_domains}
        return not domains or (_verified_address(login) or "").partition("@")[2] in domains


def _claims(login: Any) -> dict[str, Any]:
    data = login.account.extra_data
    claims: dict[str, Any] = data.get("userinfo") or data.get("id_token") or data
    return claims


def _verified_address(login: Any) -> str | None:
    claims = _claims(login)
    email = claims.get("email")
    return email.lower() if isinstance(email, str) and claims.get("email_verified") is True else None


def _is_consistent(login: Any) -> bool:
    """Whether the user-info answer is about the person of the signed token (OpenID Connect Core, 5.3.2)."""
    data = login.account.extra_data
    told, signed = data.get("userinfo"), data.get("id_token")
    return not told or not signed or told.get("sub") == signed.get("sub")


def _refuse(request: HttpRequest, words: str) -> NoReturn:
    page = render(request, "socialaccount/authentication_error.html", {"words": words}, status=403)
    raise ImmediateHttpResponse(page)
