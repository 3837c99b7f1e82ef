"""Forms of the pages. They read what was typed; the domains judge it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django import forms

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
