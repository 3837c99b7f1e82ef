"""Forms of collections. They read what was typed; the domain judges it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django import forms

from medtheca.domains.collections.operations import LONGEST_DESCRIPTION, LONGEST_NAME

if TYPE_CHECKING:
    from medtheca.domains.access.models import Scope
    from medtheca.domains.collections.models import Collection

NEW = "new"


class DescriptionForm(forms.Form):
    """What an editor may change."""

    description = forms.CharField(
        required=False,
        max_length=LONGEST_DESCRIPTION,
        help_text="What it is for, and how it was put together. Markdown: headings with #, lists with -.",
        widget=forms.Textarea(attrs={"rows": 6}),
    )


class CollectionForm(DescriptionForm):
    """What an owner may change."""

    name = forms.CharField(max_length=LONGEST_NAME, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    public = forms.BooleanField(
        required=False,
        label="Public",
        help_text="Everybody sees it, without logging in. It holds public images only.",
    )
    field_order = ("name", "description", "public")


class DeleteForm(forms.Form):
    """The name, typed by hand: what is deleted does not come back."""

    confirmation = forms.CharField(
        label="Name of the collection", widget=forms.TextInput(attrs={"autocomplete": "off"})
    )

    def __init__(self, *args: Any, name: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._name = name
        self.fields["confirmation"].help_text = "Type it to confirm."

    def clean_confirmation(self) -> str:
        """Exactly the name, so that nothing is deleted by a slip."""
        typed: str = self.cleaned_data["confirmation"]
        if typed.strip() != self._name:
            raise forms.ValidationError("This is not its name.")
        return typed


class ShareForm(forms.Form):
    """With whom to share: people by address, groups by choice."""

    emails = forms.CharField(
        required=False,
        max_length=4000,
        label="People",
        help_text="E-mail addresses of people of your contributors, cohorts or groups; one a line, or with commas.",
        widget=forms.Textarea(attrs={"rows": 2, "autocapitalize": "off", "spellcheck": "false"}),
    )
    editors = forms.BooleanField(required=False, label="These people may add and remove images")
    group_ids = forms.TypedMultipleChoiceField(
        required=False, coerce=int, label="Groups", widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, groups: Iterable[Scope], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["group_ids"]
        assert isinstance(field, forms.TypedMultipleChoiceField)
        field.choices = [(group.pk, group.name) for group in groups]
        if not field.choices:
            del self.fields["group_ids"]

    def addresses(self) -> list[str]:
        """The addresses that were typed."""
        text: str = self.cleaned_data["emails"]
        return [part for part in text.replace(",", "\n").replace(";", "\n").split() if part]


class AddForm(forms.Form):
    """Into which collection: one that there is, or a new one."""

    collection = forms.ChoiceField(label="Collection", widget=forms.RadioSelect)
    name = forms.CharField(
        required=False,
        max_length=LONGEST_NAME,
        label="Name of the new collection",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, *args: Any, collections: Iterable[Collection], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["collection"]
        assert isinstance(field, forms.ChoiceField)
        rows = [(str(row.pk), f"{row.name} ({'public' if row.public else 'private'})") for row in collections]
        field.choices = [*rows, (NEW, "A new collection")]
        field.initial = rows[0][0] if rows else NEW

    def clean(self) -> dict[str, Any]:
        """A new one needs a name."""
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("collection") == NEW and not cleaned.get("name", "").strip():
            self.add_error("name", "Give the new collection a name.")
        return cleaned
