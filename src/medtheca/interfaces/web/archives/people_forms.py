"""Forms about an archive's people, requests and links. They read what was typed; the domain judges it."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.dateparse import parse_date

from medtheca.base.errors import Invalid
from medtheca.domains.archives.enums import Person

if TYPE_CHECKING:
    from medtheca.domains.archives.models import Archive

PERSON_WORDS = {
    Person.EDITOR: "Editor: settles everything, its people too",
    Person.UPLOADER: "Uploader: sees items, brings images, changes items",
    Person.USER: "User: sees items",
}


def end_of(day: date | None) -> datetime | None:
    """The last moment of a day, UTC; nothing for none."""
    return datetime.combine(day, time(23, 59, 59), UTC) if day else None


def end_on(text: str, *, present: datetime | None = None) -> datetime | None:
    """The end that a date says; the present one, to the second, where it is the same day. Raises `Invalid`."""
    if not text:
        return None
    try:
        found = parse_date(text)
    except ValueError:
        found = None
    if found is None:
        raise Invalid("The day cannot be read.", remedy="Write it as 2027-01-31, or nothing.")
    return present if present and present.astimezone(UTC).date() == found else end_of(found)


def _day(**options: Any) -> forms.DateField:
    return forms.DateField(required=False, widget=forms.DateInput(attrs={"type": "date"}), **options)


class PersonForm(forms.Form):
    """Whom to let in or to invite, as what, and until when."""

    email = forms.EmailField(
        max_length=254, label="E-mail address", widget=forms.EmailInput(attrs={"autocomplete": "off"})
    )
    role = forms.ChoiceField(
        label="As", choices=[(person.value, words) for person, words in PERSON_WORDS.items()], initial=Person.USER.value
    )
    until = _day(label="Until", help_text="Nothing: until somebody removes them. The end of this day, UTC.")


class LinkForm(forms.Form):
    """For whom a link is, and until when."""

    label = forms.CharField(max_length=100, label="For whom", help_text="Such as: Reviewers of our paper in Radiology.")
    expires = _day(label="Until", help_text="Nothing: for 90 days. A year is the most.")


class RequestForm(forms.Form):
    """The questions of an archive's editors, and the data-use text to accept."""

    def __init__(self, *args: Any, archive: Archive, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for question in archive.request_form:
            self.fields[question["name"]] = forms.CharField(
                label=question["label"],
                required=bool(question.get("required")),
                max_length=5000,
                widget=forms.Textarea(attrs={"rows": 3}),
            )
        self.questions = [question["name"] for question in archive.request_form]
        if archive.terms:
            add_terms(self, archive.terms_version)

    def answers(self) -> dict[str, str]:
        """What was answered."""
        return {name: self.cleaned_data.get(name, "") for name in self.questions}


class TermsForm(forms.Form):
    """The data-use text to accept, for who is in already."""

    def __init__(self, *args: Any, archive: Archive, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        add_terms(self, archive.terms_version)


def add_terms(form: forms.Form, version: int) -> None:
    """A box by which the version that was shown is accepted, and no other."""
    # A question may have any name; ours are in capitals, which theirs never are.
    form.fields["ACCEPT"] = forms.BooleanField(
        label=f"I have read the data-use text (version {version}) and accept it.",
        error_messages={"required": "Read the data-use text and accept it."},
    )
    form.fields["VERSION"] = forms.IntegerField(widget=forms.HiddenInput, initial=version)
