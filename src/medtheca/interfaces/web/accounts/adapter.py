"""How allauth behaves here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme

from medtheca.domains.accounts.deleting import cancel_deletion
from medtheca.domains.accounts.factors import note_factor_change
from medtheca.domains.accounts.operations import record_sign_up
from medtheca.interfaces.http.limits import ask_to_wait
from medtheca.interfaces.http.middleware import is_from_here
from medtheca.interfaces.web.accounts.devices import note_browser

_FIRST = "medtheca.first_login"


@dataclass(frozen=True, slots=True)
class _Site:
    """What mail says about where it comes from."""

    name: str
    domain: str


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth ships no type information
    """Refuse demo logins from other machines; in mail, believe no Host header; answer guessing with 429.

    Where single sign-on is the only door (MEDTHECA_OIDC_ONLY), passwords and passkeys open nothing.
    """

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return not settings.ENVIRONMENT.oidc_only

    def pre_login(self, request: HttpRequest, user: Any, **details: Any) -> HttpResponse | None:
        by_sign_on = "sociallogin" in (details.get("signal_kwargs") or {})
        if settings.ENVIRONMENT.oidc_only and not by_sign_on:
            messages.error(request, f"Log in with {settings.ENVIRONMENT.oidc_name}: it is the only way in here.")
            return redirect("account_login")
        request.META[_FIRST] = user.last_login is None
        refusal: HttpResponse | None = super().pre_login(request, user, **details)
        return refusal

    def post_login(self, request: HttpRequest, user: Any, **details: Any) -> HttpResponse:
        response: HttpResponse = super().post_login(request, user, **details)
        note_browser(request, response, user, first=request.META.get(_FIRST, False))
        if cancel_deletion(user=user, actor_id=user.pk):
            messages.success(request, "Your account is kept: by logging in you took the wish to delete it back.")
        return response

    def send_notification_mail(self, template_prefix: str, user: Any, *args: Any, **kwargs: Any) -> None:
        # The one place that every change of a factor comes by.
        if template_prefix.startswith("mfa/email/"):
            note_factor_change(user=user, change=template_prefix.rpartition("/")[2], actor_id=user.pk)
        super().send_notification_mail(template_prefix, user, *args, **kwargs)

    def authenticate(self, request: HttpRequest, **credentials: Any) -> Any:
        if settings.ENVIRONMENT.oidc_only:
            return None
        user = super().authenticate(request, **credentials)
        if user is not None and user.is_demo and not is_from_here(request):
            return None
        return user

    def is_safe_url(self, url: str) -> bool:
        # allauth also takes every other name of ALLOWED_HOSTS, such as localhost: the visitor's own machine, not ours.
        request = context.request
        return url_has_allowed_host_and_scheme(
            url, allowed_hosts={request.get_host()}, require_https=request.is_secure()
        )

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        try:
            super().pre_authenticate(request, **credentials)
        except ValidationError:
            ask_to_wait(request, "login_failed")
            raise

    def save_user(self, request: HttpRequest, user: Any, form: Any, commit: bool = True) -> Any:  # noqa: FBT001, FBT002 - allauth's signature
        saved = super().save_user(request, user, form, commit)
        if commit:
            record_sign_up(user=saved)
        return saved

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Links come from the public address: whoever asks for a reset of another's password chooses the Host."""
        site = _Site(settings.INSTANCE_NAME, urlsplit(settings.PUBLIC_URL).netloc)
        links = {name: public_link(value) for name, value in context.items() if name.endswith("_url")}
        super().send_mail(template_prefix, email, {**context, **links, "current_site": site})

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        # allauth adds the Host, so each further host name would allow as many guesses again.
        return str(credentials.get("email", "")).lower()


def public_link(address: str) -> str:
    """The same path and query under the public address.

    >>> from django.test import override_settings
    >>> with override_settings(PUBLIC_URL="https://archive.example.org"):
    ...     public_link("http://evil.example/accounts/login/?next=%2F")
    'https://archive.example.org/accounts/login/?next=%2F'
    """
    parts = urlsplit(address)
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    return urljoin(settings.PUBLIC_URL + "/", "/" + path.lstrip("/"))
