"""Forms of publishing, taking back and replacing. They read what was typed; the domains judge it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.safestring import SafeString

from medtheca.domains.access.enums import Visibility
from medtheca.domains.access.groups import LONGEST_NAME

if TYPE_CHECKING:
    from medtheca.domains.access.models import Scope

ALL, CHOSEN = "all", "chosen"
UNPUBLISH, WITHDRAW = "unpublish", "withdraw"


class DrawnByThePage(forms.MultipleHiddenInput):
    """A field whose boxes stand on the pictures of the page, not among the other fields."""

    def render(self, *_: Any, **__: Any) -> SafeString:
        return SafeString("")


class _Picking(forms.Form):
    """All images, or those that are chosen on the page."""

    which = forms.ChoiceField(
        label="Which images", choices=[(ALL, "All"), (CHOSEN, "Chosen")], widget=forms.RadioSelect
    )
    accessions = forms.TypedMultipleChoiceField(required=False, coerce=int, widget=DrawnByThePage)

    def offer(self, accession_ids: Iterable[int]) -> None:
        """Let these accessions be chosen."""
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
            # More than was meant must never be published or taken back because of a button that was forgotten.
            self.add_error("which", f"{len(picked):,} images are chosen below. Say whether only those are meant.")
        return cleaned

    def chosen(self) -> list[int] | None:
        """Accessions asked for; None for all."""
        return self.cleaned_data["accessions"] if self.cleaned_data["which"] == CHOSEN else None


class PublishForm(_Picking):
    """What an owner or editor asks for."""

    visibility = forms.ChoiceField(
        label="Who will see them",
        choices=[
            (Visibility.PUBLIC.value, "Everybody"),
            (Visibility.SIGNED_IN.value, "People who are logged in"),
            (Visibility.GROUPS.value, "Named groups"),
        ],
        initial=Visibility.PUBLIC.value,
        widget=forms.RadioSelect,
    )
    groups = forms.TypedMultipleChoiceField(
        required=False,
        coerce=int,
        help_text="Groups that you are in. Only for named groups.",
        widget=forms.CheckboxSelectMultiple,
    )
    opens = forms.DateField(
        required=False,
        label="Embargo until",
        help_text="Until this day (00:00 UTC) only the cohort's people see them, though they have their public ids.",
        widget=forms.DateInput(attrs={"type": "date"}),
    )
    field_order = ("visibility", "groups", "opens", "which", "accessions")

    def __init__(self, *args: Any, accession_ids: Iterable[int], groups: Iterable[Scope], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offer(accession_ids)
        which, field = self.fields["which"], self.fields["groups"]
        assert isinstance(which, forms.ChoiceField)
        assert isinstance(field, forms.TypedMultipleChoiceField)
        which.choices = [(ALL, "All that are ready"), (CHOSEN, "Only those chosen below")]
        which.initial = ALL
        field.choices = [(group.pk, group.name) for group in groups]
        if not field.choices:
            del self.fields["groups"]

    def wanted(self) -> dict[str, Any]:
        """What is asked for, as the operations take it."""
        return {
            "visibility": self.cleaned_data["visibility"],
            "group_ids": self.cleaned_data.get("groups", []),
            "accession_ids": self.chosen(),
            "opens": self.end_of_embargo(),
        }

    def end_of_embargo(self) -> datetime | None:
        """The first moment of the day given, in UTC."""
        day = self.cleaned_data["opens"]
        return datetime.combine(day, time(), UTC) if day else None


class UnpublishForm(forms.Form):
    """Why an image becomes private again."""

    reason = forms.CharField(
        max_length=500,
        help_text="Kept in the ledger, and shown to the cohort's people.",
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class WithdrawForm(UnpublishForm):
    """Why an image is withdrawn, and its id, because that cannot be undone."""

    confirmation = forms.CharField(max_length=255, widget=forms.TextInput(attrs={"autocomplete": "off"}))

    def __init__(self, *args: Any, label: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.image_label = label
        self.fields["reason"].help_text = PUBLIC_REASON
        self.fields["confirmation"].label = f"Type {label} to confirm"

    def clean_confirmation(self) -> str:
        """The image's id, as it stands above the form."""
        typed: str = self.cleaned_data["confirmation"].strip()
        if typed != self.image_label:
            raise forms.ValidationError(f"{typed} is not {self.image_label}.")
        return typed


PUBLIC_REASON = (
    "Public where the image was: it stands with the date in the place of the image, for those who cite it. "
    "Name no person in it."
)


class TakeBackForm(_Picking):
    """Which published images of a cohort are taken back, how, and why."""

    how = forms.ChoiceField(
        label="What becomes of them",
        choices=[
            (UNPUBLISH, "They become private again; they keep their ids and can be published anew"),
            (WITHDRAW, "They are withdrawn for good, with a tombstone"),
        ],
        initial=UNPUBLISH,
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(max_length=500, help_text=PUBLIC_REASON, widget=forms.Textarea(attrs={"rows": 2}))
    confirmation = forms.CharField(
        required=False, max_length=20, widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "numeric"})
    )
    field_order = ("how", "reason", "which", "accessions", "confirmation")

    def __init__(self, *args: Any, accession_ids: Iterable[int], number: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.number = number
        self.offer(accession_ids)
        which = self.fields["which"]
        assert isinstance(which, forms.ChoiceField)
        which.choices = [(CHOSEN, "Only those chosen below"), (ALL, f"All {number:,} published images of the cohort")]
        which.initial = CHOSEN
        self.fields["confirmation"].label = "To withdraw, type how many images"

    def clean(self) -> dict[str, Any]:
        """To withdraw, the number of images is typed, because it cannot be undone."""
        cleaned = super().clean()
        if cleaned.get("how") == WITHDRAW and not self.errors:
            meant = self.number if cleaned["which"] == ALL else len(cleaned["accessions"])
            if cleaned["confirmation"].strip().replace(",", "") != str(meant):
                self.add_error("confirmation", f"Type {meant} to withdraw {meant:,} images for good.")
        return cleaned


class ReplaceForm(forms.Form):
    """A file that takes the place of another."""

    file = forms.FileField(label="New file", max_length=255, help_text="One image, by itself or alone in a ZIP.")
    reason = forms.CharField(
        max_length=500,
        help_text="Public once the image is: it stands in its change log. Name no person in it.",
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class GroupForm(forms.Form):
    """What a group is called."""

    name = forms.CharField(
        max_length=LONGEST_NAME,
        help_text="Seen by the group's people, and by those who decide on publications for it.",
    )


class GroupInviteForm(forms.Form):
    """Who is to come into a group."""

    email = forms.EmailField(max_length=254, label="E-mail address")
    role = forms.ChoiceField(
        choices=[("viewer", "Viewer: sees the images"), ("owner", "Owner: runs the group too")], initial="viewer"
    )
