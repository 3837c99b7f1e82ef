"""Forms of what an archive says of itself. They read what was typed; `archives.fields` judges it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from django import forms

from medtheca.domains.archives.enums import AccessHandling
from medtheca.domains.archives.fields import questions_of
from medtheca.interfaces.web.forms import LICENCE_CHOICES

if TYPE_CHECKING:
    from medtheca.domains.archives.models import Archive
    from medtheca.domains.provenance.models import Contributor

PRIVATE, HIDDEN, PUBLIC = "private", "hidden", "public"
NEW = "new"
LISTS = ("keywords", "publications", "modalities", "structures", "organizations")
_ANY = {"autocomplete": "off"}


def _lines(label: str, help_text: str) -> forms.CharField:
    return forms.CharField(
        required=False, label=label, help_text=help_text, widget=forms.Textarea(attrs={"rows": 3, **_ANY})
    )


class ArchiveForm(forms.Form):
    """All that an editor says of an archive, in the groups of `GROUPS`."""

    title = forms.CharField(help_text="What it is called in lists. Its address keeps its first title.")
    description = forms.CharField(
        required=False, help_text="One paragraph, for lists.", widget=forms.Textarea(attrs={"rows": 3})
    )
    information = forms.CharField(
        required=False,
        label="Information",
        help_text="Markdown, for the archive's page: what it holds, how that was taken, how it is to be used.",
        widget=forms.Textarea(attrs={"rows": 12}),
    )
    modalities = _lines("Modalities", "One a line, such as CT or Fundus photography.")
    structures = _lines("Structures", "Of the body, one a line, such as Lung.")
    organizations = _lines("Organisations", "One a line.")
    keywords = _lines("Keywords", "One a line.")
    publications = _lines("Publications", "DOIs, one a line, such as 10.1000/182.")
    licence = forms.ChoiceField(
        required=False, choices=[("", "None"), *LICENCE_CHOICES], help_text="Under which its images may be used."
    )
    citation = forms.CharField(
        required=False, help_text="How it is to be cited.", widget=forms.Textarea(attrs={"rows": 3})
    )
    contact_email = forms.CharField(
        required=False,
        label="Contact",
        help_text="An e-mail address, for everybody who sees the page.",
        widget=forms.EmailInput(attrs=_ANY),
    )
    shown = forms.ChoiceField(
        label="Who finds it",
        choices=[
            (PRIVATE, "Private: not listed; who is signed in and has the address may ask to see it"),
            (HIDDEN, "Hidden: nobody but its people finds anything at its address"),
            (PUBLIC, "Public: listed for everybody; its items are seen by its people alone"),
        ],
        initial=PRIVATE,
        widget=forms.RadioSelect,
    )
    access_requests = forms.ChoiceField(
        label="When somebody asks to see it",
        choices=AccessHandling.choices,
        initial=AccessHandling.MANUAL_REVIEW,
        widget=forms.RadioSelect,
    )
    downloads = forms.BooleanField(
        required=False, initial=True, label="Users may take files and values away", help_text="Else they only look."
    )
    request_form = _lines(
        "Questions to those who ask", "One a line, up to 20. A line that ends with * must be answered."
    )
    terms = forms.CharField(
        required=False,
        label="Data-use text",
        help_text="Markdown. Accepted by everybody who asks to see it. A change makes a new version.",
        widget=forms.Textarea(attrs={"rows": 8}),
    )

    def said(self) -> dict[str, Any]:
        """What was said, as `archives.fields` names it."""
        given = dict(self.cleaned_data)
        shown = given.pop("shown")
        given |= {"public": shown == PUBLIC, "hidden": shown == HIDDEN}
        given |= {name: given[name].splitlines() for name in LISTS}
        given["request_form"] = questions_of(given["request_form"])
        return {name: value for name, value in given.items() if name not in ("contributor", "contributor_name")}


class NewArchiveForm(ArchiveForm):
    """As `ArchiveForm`, with who answers for its images."""

    contributor = forms.ChoiceField(
        help_text="The institution or person who answers for its images: consent, licence, attribution."
    )
    contributor_name = forms.CharField(
        required=False,
        max_length=255,
        label="Name of the new contributor",
        help_text="Where a new one is to be made. Everybody reads it beside what is public.",
        widget=forms.TextInput(attrs=_ANY),
    )

    def __init__(self, *args: Any, contributors: Iterable[Contributor], name: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = [(str(row.pk), row.institution_name) for row in contributors]
        field = self.fields["contributor"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [*rows, (NEW, "A new contributor")]
        field.initial = rows[0][0] if rows else NEW
        # Who gave no name goes by their address, which is not for everybody.
        self.fields["contributor_name"].initial = "" if rows or "@" in name else name

    def clean(self) -> dict[str, Any]:
        """A new contributor needs a name."""
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("contributor") == NEW and not cleaned.get("contributor_name", "").strip():
            self.add_error("contributor_name", "Give the new contributor a name.")
        return cleaned


GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("What it is", ("title", "contributor", "contributor_name", "description", "information")),
    ("How it is found", ("modalities", "structures", "organizations", "keywords", "publications")),
    ("Rights", ("licence", "citation", "contact_email")),
    ("Who sees it", ("shown", "access_requests", "downloads", "request_form", "terms")),
)


def grouped(form: forms.Form) -> list[dict[str, Any]]:
    """The form's fields under the headings of `GROUPS`."""
    return [
        {"title": title, "fields": [form[name] for name in names if name in form.fields]} for title, names in GROUPS
    ]


def initial_of(archive: Archive) -> dict[str, Any]:
    """What the form shows of an archive as it is."""
    shown = PUBLIC if archive.public else HIDDEN if archive.hidden else PRIVATE
    plain = ("title", "description", "information", "licence", "citation", "contact_email", "access_requests")
    return {
        **{name: getattr(archive, name) for name in (*plain, "downloads", "terms")},
        **{name: "\n".join(getattr(archive, name)) for name in LISTS},
        "shown": shown,
        "request_form": "\n".join(_line_of(question) for question in archive.request_form),
    }


def _line_of(question: Mapping[str, Any]) -> str:
    return f"{question['label']}{' *' if question.get('required') else ''}"
