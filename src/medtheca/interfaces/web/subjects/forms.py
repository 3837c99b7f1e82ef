"""Forms of erasures. They read what was typed; the domain judges it."""

from __future__ import annotations

from typing import Any

from django import forms

from medtheca.domains.provenance.enums import ErasureReason


class ErasureForm(forms.Form):
    """Why a patient is to be erased."""

    reason = forms.ChoiceField(choices=ErasureReason.choices, widget=forms.RadioSelect)
    words = forms.CharField(
        required=False,
        max_length=500,
        label="More on why",
        help_text="A file number, say. It stays on the receipt for ever, so it may not name the patient.",
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class ConfirmForm(forms.Form):
    """The patient's public id, because this cannot be undone."""

    patient = forms.CharField(max_length=16, widget=forms.TextInput(attrs={"autocomplete": "off"}))

    def __init__(self, *args: Any, public_id: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["patient"].label = f"Type {public_id} to confirm"


class DeclineForm(forms.Form):
    """Why a patient is not erased."""

    because = forms.CharField(
        max_length=500,
        label="Reason",
        help_text="Whoever asked reads it. Nothing is removed.",
        widget=forms.Textarea(attrs={"rows": 2}),
    )
