"""What the pages of log-in and safety ask of the instance and of the address that was opened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import template
from django.conf import settings
from django.urls import reverse

from medtheca.interfaces.web.accounts.factors import passkeys_work

register = template.Library()


@dataclass(frozen=True, slots=True)
class SignOn:
    """The provider of single sign-on; `only` where there is no other way in."""

    name: str
    url: str
    only: bool


@register.simple_tag
def sign_on() -> SignOn | None:
    """The provider of single sign-on, or nothing."""
    if not settings.ENVIRONMENT.oidc_issuer:
        return None
    url = reverse("openid_connect_login", kwargs={"provider_id": "sso"})
    return SignOn(settings.ENVIRONMENT.oidc_name, url, settings.ENVIRONMENT.oidc_only)


@register.simple_tag(takes_context=True)
def passkeys_work_here(context: dict[str, Any]) -> bool:
    """Whether browsers offer passkeys at this address."""
    request = context.get("request")
    return request is not None and passkeys_work(request)


@register.simple_tag
def address_for_passkeys() -> str:
    """An address at which passkeys work: the public one, if it is a name that browsers trust."""
    url: str = settings.PUBLIC_URL
    return url if url.startswith(("https://", "http://localhost")) else ""
