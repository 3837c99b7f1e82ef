"""allauth's forms of second factors, in our words."""

from __future__ import annotations

from typing import Any

from allauth.mfa.base.forms import AuthenticateForm as AllauthAuthenticateForm
from allauth.mfa.totp.forms import ActivateTOTPForm as AllauthActivateForm
from allauth.mfa.webauthn.forms import AddWebAuthnForm as AllauthAddForm


class ActivateTOTPForm(AllauthActivateForm):  # type: ignore[misc]  # allauth ships no type information
    """The six digits that prove that the app has the secret."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].label = "Code of six digits"


class AuthenticateForm(AllauthAuthenticateForm):  # type: ignore[misc]  # allauth ships no type information
    """A code of the app, or one of the recovery codes."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].label = "Code"


class AddWebAuthnForm(AllauthAddForm):  # type: ignore[misc]  # allauth ships no type information
    """A name for the passkey, and whether it is to stand for the password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["passwordless"].label = "Log in with it alone, without the password"
        self.fields["passwordless"].help_text = "The device then asks for a finger, a face or a PIN each time."
