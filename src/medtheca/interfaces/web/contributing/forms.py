"""Forms about contributors and cohorts. They read what was typed; the domains judge it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django import forms

from medtheca.domains.access.enums import Role
from medtheca.interfaces.web.forms import LICENCE_CHOICES

if TYPE_CHECKING:
    from medtheca.domains.provenance.models import Cohort

ALL, LISTED = "all", "listed"
ROLE_WORDS = {
    Role.OWNER: "Owner: answers for it, its people, licence and erasures",
    Role.EDITOR: "Editor: uploads, describes, asks for publication",
    Role.REVIEWER: "Reviewer: judges its images; named by staff",
    Role.VIEWER: "Viewer: sees its images",
}


class CohortEditForm(forms.Form):
    """What is said of a cohort."""

    name = forms.CharField(max_length=255, help_text="Private: its people and staff see it.")
    description = forms.CharField(required=False, help_text="Private.", widget=forms.Textarea(attrs={"rows": 3}))
    consent_basis = forms.CharField(
        required=False,
        label="Ethics or consent",
        help_text="Private. On what ground the images are given: the approval's number and committee, or the consent.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    licence = forms.ChoiceField(
        choices=LICENCE_CHOICES,
        label="Licence of images to come",
        help_text="Public with every published image. Images that are here keep theirs.",
    )
    attribution = forms.CharField(
        max_length=200,
        label="Attribution of images to come",
        help_text="Public with every published image: how the source is to be named.",
    )
    readers = forms.TypedChoiceField(
        coerce=int,
        label="Reviewers who must accept an image",
        choices=[(1, "One"), (2, "Two, each for themselves")],
        help_text="Set by staff.",
        widget=forms.RadioSelect,
    )

    def __init__(self, *args: Any, by_staff: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not by_staff:
            del self.fields["readers"]


class InviteForm(forms.Form):
    """Whom to invite, and as what."""

    email = forms.EmailField(
        max_length=254, label="E-mail address", widget=forms.EmailInput(attrs={"autocomplete": "off"})
    )
    role = forms.ChoiceField(label="As")

    def __init__(self, *args: Any, roles: Iterable[Role], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["role"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(role.value, role.label) for role in roles]


class _WhichForm(forms.Form):
    """All images of a cohort, or those listed."""

    which = forms.ChoiceField(
        label="Which images",
        choices=[(ALL, "All of the cohort"), (LISTED, "Only those listed below")],
        initial=ALL,
        widget=forms.RadioSelect,
    )
    listed = forms.CharField(
        required=False,
        max_length=2_000_000,
        label="Images",
        help_text="Public ids or file names, one a line.",
        widget=forms.Textarea(attrs={"rows": 5, "spellcheck": "false", "class": "font-mono"}),
    )

    def clean(self) -> dict[str, Any]:
        """Some are listed where only the listed are asked for, and none where all are."""
        cleaned: dict[str, Any] = super().clean() or {}
        lines = self.lines_of(cleaned.get("listed", ""))
        if cleaned.get("which") == LISTED and not lines:
            self.add_error("listed", "No image is listed. List some, or ask for all.")
        if cleaned.get("which") == ALL and lines:
            # More than was meant must never be changed because of a button that was forgotten.
            self.add_error("which", f"{len(lines):,} images are listed below. Say whether only those are meant.")
        return cleaned

    @staticmethod
    def lines_of(text: str) -> list[str]:
        """What stands in each line that is not empty."""
        return [line.strip() for line in text.splitlines() if line.strip()]

    def names(self) -> list[str] | None:
        """Ids and names that were listed; None for all."""
        return self.lines_of(self.cleaned_data["listed"]) if self.cleaned_data["which"] == LISTED else None


class TargetForm(forms.Form):
    """Another cohort of the same contributor."""

    target = forms.TypedChoiceField(label="Into the cohort", coerce=int)

    def __init__(self, *args: Any, cohorts: Iterable[Cohort], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["target"]
        assert isinstance(field, forms.TypedChoiceField)
        field.choices = [(row.pk, row.name) for row in cohorts]


class MoveForm(TargetForm, _WhichForm):
    """Images that go to another cohort."""

    field_order = ("target", "which", "listed")


class LicenceForm(_WhichForm):
    """Another licence for images."""

    licence = forms.ChoiceField(choices=LICENCE_CHOICES)
    reason = forms.CharField(
        max_length=500,
        help_text="Public: it stands in the change log of each image.",
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    field_order = ("which", "listed", "licence", "reason")
