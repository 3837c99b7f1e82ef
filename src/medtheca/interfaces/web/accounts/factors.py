"""How allauth's second factors behave here: secrets are not in the clear in the database, and the name is ours."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any

from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.totp.internal.auth import generate_totp_secret
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.http import HttpRequest

from medtheca.domains.accounts.queries import count_factors
from medtheca.interfaces.http.middleware import is_local

_PURPOSE = b"medtheca second factor"


class MFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth ships no type information
    """Encrypt secrets with a key made from SECRET_KEY; name this instance, not the host that was asked for."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": "The code is wrong, was used already, or has run out. Wait for the next one.",
        "unverified_email": "Confirm all your e-mail addresses first, or remove those that are not yours.",
    }

    def encrypt(self, text: str) -> str:
        return _box().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        try:
            return _box().decrypt(encrypted_text.encode()).decode()
        except InvalidToken:
            # SECRET_KEY was changed. A secret that nobody knows lets nobody in; an empty one would let in anybody.
            return str(generate_totp_secret())

    def generate_authenticator_name(self, user: Any, type: Any) -> str:  # noqa: A002 - allauth's signature
        number = count_factors(user, type) + 1
        return "Passkey" if number == 1 else f"Passkey {number}"

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        return {"id": context.request.get_host().partition(":")[0], "name": settings.INSTANCE_NAME}

    def _get_site_name(self) -> str:
        return str(settings.INSTANCE_NAME)


def passkeys_work(request: HttpRequest) -> bool:
    """Whether browsers offer passkeys at the address that was asked for: at a name, by https or on this machine."""
    host = request.get_host().partition(":")[0]
    if host == "localhost":
        return True
    return request.is_secure() and not host.startswith("[") and not is_local(host) and not _is_number(host)


def _is_number(host: str) -> bool:
    return host.replace(".", "").isdecimal()


def _box() -> MultiFernet:
    keys = [str(key) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]
    digests = [hmac.new(key.encode(), _PURPOSE, hashlib.sha256).digest() for key in keys]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(digest)) for digest in digests])
