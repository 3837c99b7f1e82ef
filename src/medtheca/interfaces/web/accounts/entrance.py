"""allauth's forms at the entrance, labelled as our own forms are."""

from __future__ import annotations

from typing import Any

from allauth.account import forms as allauth_forms

_LABELS = {
    "email": "E-mail address",
    "login": "E-mail address",
    "remember": "Stay logged in on this computer",
    "oldpassword": "Current password",
    "password2": "Password, again",
}
_NEW = {"password1": "New password", "password2": "New password, again"}


class OurLabels:
    """Mixin of a form: labels in the words of the other pages, where it has such a field."""

    labels: dict[str, str] = _LABELS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields = self.fields  # type: ignore[attr-defined]  # of the form that this is mixed into
        for name, label in self.labels.items():
            if name in fields:
                fields[name].label = label


class NewPasswordLabels(OurLabels):
    """Where a new password stands beside the old one."""

    labels = _LABELS | _NEW


class LoginForm(OurLabels, allauth_forms.LoginForm):  # type: ignore[misc]  # allauth ships no types
    """Address and password."""


class SignupForm(OurLabels, allauth_forms.SignupForm):  # type: ignore[misc]  # allauth ships no types
    """A new account."""


class AddEmailForm(OurLabels, allauth_forms.AddEmailForm):  # type: ignore[misc]  # allauth ships no types
    """One more address."""


class ResetPasswordForm(OurLabels, allauth_forms.ResetPasswordForm):  # type: ignore[misc]  # allauth ships no types
    """Where the link to a new password goes."""
