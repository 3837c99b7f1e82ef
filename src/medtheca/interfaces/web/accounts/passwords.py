"""allauth's forms for new passwords, which see to tokens and connected applications as well."""

from __future__ import annotations

from allauth.account import forms as allauth_forms
from django import forms

from medtheca.domains.accounts.connections import end_all_connections, end_programs
from medtheca.interfaces.web.accounts.entrance import NewPasswordLabels


class ResetPasswordKeyForm(NewPasswordLabels, allauth_forms.ResetPasswordKeyForm):  # type: ignore[misc]  # allauth ships no types
    """Who resets a password may have lost more than that: tokens that somebody else may hold end with it."""

    def save(self) -> None:
        # Before the password: cut off in between, nobody is left with a key that they should not have.
        end_programs(user=self.user, because="password reset", actor_id=self.user.pk)
        super().save()


class ChangePasswordForm(NewPasswordLabels, allauth_forms.ChangePasswordForm):  # type: ignore[misc]  # allauth ships no types
    """Who changes a password knows the old one, and is asked about API tokens.

    Connected applications end without a question (RFC 9700 section 4.14.2): they have only to ask anew.
    """

    revoke_tokens = forms.BooleanField(
        required=False,
        label="Revoke all API tokens too",
        help_text="Do so if somebody else may know the password. Programs that use them need new ones. "
        "Connected applications are disconnected in any case.",
    )

    def save(self) -> None:
        end = end_programs if self.cleaned_data["revoke_tokens"] else end_all_connections
        end(user=self.user, because="password change", actor_id=self.user.pk)
        super().save()
