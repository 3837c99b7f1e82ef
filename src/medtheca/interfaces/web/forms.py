"""Forms of the pages. They read what was typed; the domains judge it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.safestring import SafeString

from medtheca.domains.access.enums import Visibility
from medtheca.domains.provenance.enums import Licence
from medtheca.toolkit.schemas import LICENCES, RECIPES
from medtheca.toolkit.schemas.table import TableLimits

if TYPE_CHECKING:
    from medtheca.domains.provenance.models import Contributor

LICENCE_CHOICES = [
    (licence.spdx, f"{licence.spdx}: {licence.title}") for licence in LICENCES if licence.spdx in Licence.values
]
ALL, CHOSEN = "all", "chosen"


class ContributorForm(forms.Form):
    """An institution or person who answers for images."""

    institution_name = forms.CharField(
        max_length=255,
        label="Name",
        help_text="Private: its people and staff see it. The institution or person who answers for the images.",
    )
    institution_url = forms.URLField(
        required=False, label="Address on the web", help_text="Private.", assume_scheme="https"
    )
    legal_contact_info = forms.CharField(
        required=False,
        label="Legal contact",
        help_text="Private, even from viewers: whom to ask about consent and rights.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    default_licence = forms.ChoiceField(
        required=False,
        label="Usual licence",
        choices=[("", "None"), *LICENCE_CHOICES],
        help_text="Filled in for new cohorts. Public with every published image.",
    )
    default_attribution = forms.CharField(
        required=False,
        max_length=200,
        label="Usual attribution",
        help_text="Filled in for new cohorts. Public with every published image: how the source is to be named.",
    )


class CohortForm(forms.Form):
    """A set of images of one contributor, with one licence."""

    contributor = forms.TypedChoiceField(label="Contributor", coerce=int)
    name = forms.CharField(max_length=255, help_text="Private: its people and staff see it.")
    description = forms.CharField(required=False, help_text="Private.", widget=forms.Textarea(attrs={"rows": 3}))
    licence = forms.ChoiceField(choices=LICENCE_CHOICES, help_text="Public: under which its images are published.")
    attribution = forms.CharField(
        max_length=200, help_text="Public: how the source is to be named, shown with every image."
    )

    def __init__(self, *args: Any, contributors: Iterable[Contributor], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["contributor"]
        assert isinstance(field, forms.TypedChoiceField)
        field.choices = [(row.pk, row.institution_name) for row in contributors]


class MetadataForm(forms.Form):
    """One spreadsheet for a cohort."""

    file = forms.FileField(
        label="Spreadsheet",
        max_length=255,
        help_text="CSV with commas, semicolons or tabs in any common encoding, or an Excel workbook.",
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.tsv,.txt,.xlsx,.xls,.ods,text/csv"}),
    )
    recipe = forms.ChoiceField(
        required=False,
        label="Written as",
        choices=[("", "Our columns, as in the empty CSV"), *((recipe.name, recipe.title) for recipe in RECIPES)],
        help_text="Spreadsheets of another make can be translated where we know them.",
    )

    def clean_file(self) -> Any:
        """Not larger than what is read at all."""
        file, most = self.cleaned_data["file"], TableLimits().size
        if file.size > most:
            raise forms.ValidationError(f"{file.name} has {file.size:,} bytes; {most:,} is the most. Split it.")
        return file


class _DrawnByThePage(forms.MultipleHiddenInput):
    """A field whose boxes stand on the pictures of the page, not among the other fields."""

    def render(self, *_: Any, **__: Any) -> SafeString:
        return SafeString("")


class PublishForm(forms.Form):
    """What an owner asks for."""

    visibility = forms.ChoiceField(
        label="Who will see them",
        choices=[
            (Visibility.PUBLIC.value, "Everybody"),
            (Visibility.SIGNED_IN.value, "People who are logged in"),
        ],
        initial=Visibility.PUBLIC.value,
        widget=forms.RadioSelect,
    )
    opens = forms.DateField(
        required=False,
        label="Embargo until",
        help_text="Until this day (00:00 UTC) only the cohort's people see them, though they have their public ids.",
        widget=forms.DateInput(attrs={"type": "date"}),
    )
    which = forms.ChoiceField(
        label="Which images",
        choices=[(ALL, "All that are ready"), (CHOSEN, "Only those chosen below")],
        initial=ALL,
        widget=forms.RadioSelect,
    )
    accessions = forms.TypedMultipleChoiceField(required=False, coerce=int, widget=_DrawnByThePage)

    def __init__(self, *args: Any, accession_ids: Iterable[int], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["accessions"]
        assert isinstance(field, forms.TypedMultipleChoiceField)
        field.choices = [(pk, str(pk)) for pk in accession_ids]

    def clean(self) -> dict[str, Any]:
        """Some images are chosen where only the chosen are asked for."""
        cleaned: dict[str, Any] = super().clean() or {}
        picked = cleaned.get("accessions")
        if cleaned.get("which") == CHOSEN and not picked:
            self.add_error("which", "No image is chosen. Choose some below, or ask for all.")
        if cleaned.get("which") == ALL and picked:
            # More than was meant must never be published because of a button that was forgotten.
            self.add_error("which", f"{len(picked):,} images are chosen below. Say whether only those are meant.")
        return cleaned

    def chosen(self) -> list[int] | None:
        """Accessions asked for; None for all that are ready."""
        return self.cleaned_data["accessions"] if self.cleaned_data["which"] == CHOSEN else None

    def end_of_embargo(self) -> datetime | None:
        """The first moment of the day given, in UTC."""
        day = self.cleaned_data["opens"]
        return datetime.combine(day, time(), UTC) if day else None


class UnpublishForm(forms.Form):
    """Why an image becomes private again."""

    reason = forms.CharField(
        max_length=500,
        help_text="Kept in the ledger, and shown to the cohort's owners.",
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class WithdrawForm(UnpublishForm):
    """Why an image is withdrawn, and its id, because that cannot be undone."""

    confirmation = forms.CharField(max_length=255, widget=forms.TextInput(attrs={"autocomplete": "off"}))

    def __init__(self, *args: Any, label: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.image_label = label
        self.fields["confirmation"].label = f"Type {label} to confirm"

    def clean_confirmation(self) -> str:
        """The image's id, as it stands above the form."""
        typed: str = self.cleaned_data["confirmation"].strip()
        if typed != self.image_label:
            raise forms.ValidationError(f"{typed} is not {self.image_label}.")
        return typed
