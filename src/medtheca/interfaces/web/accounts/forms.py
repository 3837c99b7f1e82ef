"""Forms of the account pages. They read what was typed; the domain judges it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms

from medtheca.base.clock import now
from medtheca.base.errors import DomainError, Invalid
from medtheca.domains.accounts.enums import TokenScope
from medtheca.toolkit.countries import countries

_NEVER = "never"


class TokenForm(forms.Form):
    """What a new token is for, what it may do, how long it lives."""

    name = forms.CharField(
        max_length=100,
        label="Name",
        help_text="The program or machine that will use it.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    scope = forms.ChoiceField(
        label="What it may do",
        choices=[
            (TokenScope.READ.value, "Read: see and download what you may see"),
            (TokenScope.WRITE.value, "Read and write: upload and change things as you"),
        ],
        initial=TokenScope.READ.value,
        widget=forms.RadioSelect,
    )
    expiry = forms.ChoiceField(
        label="Lives for",
        choices=[
            ("7", "7 days"),
            ("30", "30 days"),
            ("90", "90 days"),
            ("365", "1 year"),
            ("730", "2 years"),
            (_NEVER, "Until it is revoked"),
        ],
        initial="90",
        help_text="A token without an end stays dangerous for as long as it lies in some forgotten file.",
    )

    def expires(self) -> datetime | None:
        """When the token ends; None for one that lives until it is revoked."""
        chosen = self.cleaned_data["expiry"]
        return None if chosen == _NEVER else now() + timedelta(days=int(chosen))


_SEEN_BY_COLLEAGUES = "Private: for people of your contributors, cohorts and groups, and for staff."


class ProfileForm(forms.Form):
    """What a person says about themselves; beside each field stands who sees it. The domain judges the values."""

    first_name = forms.CharField(
        max_length=150,
        required=False,
        help_text=_SEEN_BY_COLLEAGUES,
        widget=forms.TextInput(attrs={"autocomplete": "given-name"}),
    )
    last_name = forms.CharField(
        max_length=150,
        required=False,
        help_text=_SEEN_BY_COLLEAGUES,
        widget=forms.TextInput(attrs={"autocomplete": "family-name"}),
    )
    affiliation = forms.CharField(
        max_length=200,
        required=False,
        help_text=f"Where you work or study. {_SEEN_BY_COLLEAGUES}",
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
    )
    orcid = forms.CharField(
        max_length=60,
        required=False,
        label="ORCID iD",
        help_text=f"Such as 0000-0002-1825-0097. {_SEEN_BY_COLLEAGUES}",
        widget=forms.TextInput(attrs={"inputmode": "text", "spellcheck": "false"}),
    )
    country = forms.ChoiceField(
        required=False,
        choices=lambda: [("", "Not said"), *countries().items()],
        help_text="Private: seen by staff only.",
        widget=forms.Select(attrs={"autocomplete": "country"}),
    )


class VerificationForm(forms.Form):
    """An address at an institution."""

    email = forms.EmailField(
        max_length=254,
        label="Address at your institution",
        help_text="Of a hospital, university or company; not one that anybody can have.",
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )


def show_refusal(form: forms.Form, refusal: DomainError, **fields: str) -> None:
    """Put a domain's refusal where it belongs in a form; `fields` maps the domain's names to the form's."""
    problems: Any = refusal.problems if isinstance(refusal, Invalid) else ()
    for problem in problems:
        name = fields.get(problem.field, problem.field)
        form.add_error(name if name in form.fields else None, f"{problem.message} {problem.remedy}".strip())
    if not problems:
        form.add_error(None, f"{refusal.message} {refusal.remedy}".strip())
