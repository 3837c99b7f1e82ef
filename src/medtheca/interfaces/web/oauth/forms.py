"""Forms of applications. They read what was typed; the domain judges it."""

from __future__ import annotations

from typing import Any

from django import forms

from medtheca.domains.accounts.applications import Registration
from medtheca.domains.accounts.enums import ApplicationKind


class ApplicationForm(forms.Form):
    """An application, as its maker describes it."""

    name = forms.CharField(
        max_length=100,
        help_text="People read it when they are asked to let the application act for them, with your name beside it.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    kind = forms.ChoiceField(
        label="What it is",
        choices=[
            (ApplicationKind.WEB.value, "A website or server that can keep a secret"),
            (ApplicationKind.PUBLIC.value, "A program in people's hands: in the browser, on a phone, on a computer"),
            (ApplicationKind.SERVICE.value, "A program by itself, which acts for nobody and sees what is public"),
        ],
        initial=ApplicationKind.WEB.value,
        widget=forms.RadioSelect,
    )
    redirect_uris = forms.CharField(
        required=False,
        label="Where people are sent back",
        help_text="One address a line, compared exactly. https, or http on 127.0.0.1, where the port is free to "
        "differ. Empty for a program by itself.",
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "autocapitalize": "none"}),
    )

    def __init__(self, *args: Any, kind: ApplicationKind | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._kind = kind
        if kind is not None:
            del self.fields["kind"]
        if kind == ApplicationKind.SERVICE:
            del self.fields["redirect_uris"]

    def registration(self) -> Registration:
        """What was typed, for the domain."""
        given = self.cleaned_data
        return Registration(
            name=given["name"],
            kind=given.get("kind") or str(self._kind),
            redirect_uris=given.get("redirect_uris", "").split(),
        )


class DeleteApplicationForm(forms.Form):
    """That somebody means this application, and knows that it does not come back."""

    typed_name = forms.CharField(
        max_length=255, label="Its name", widget=forms.TextInput(attrs={"autocomplete": "off"})
    )

    def __init__(self, *args: Any, name: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._name = name
        self.fields["typed_name"].help_text = f"Type {name} to confirm."

    def clean_typed_name(self) -> str:
        """The very name."""
        typed: str = self.cleaned_data["typed_name"].strip()
        if typed != self._name:
            raise forms.ValidationError(f"The application is called {self._name}.")
        return typed
