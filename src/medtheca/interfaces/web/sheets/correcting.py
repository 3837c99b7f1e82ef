"""Correcting what is said of one image, also after it was published."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from medtheca.base.errors import Invalid, NotFound
from medtheca.domains.imaging.enums import FileKind
from medtheca.domains.provenance.access import require_editor
from medtheca.domains.provenance.queries import accessions_of_images
from medtheca.domains.search.queries import image_for
from medtheca.interfaces.http.file_urls import file_url
from medtheca.interfaces.web.accounts.forms import show_refusal
from medtheca.interfaces.web.people import signed_in
from medtheca.interfaces.web.tiles import image_url, label_of, structured_of
from medtheca.toolkit.schemas import DERMATOLOGY, row_of_values
from medtheca.toolkit.schemas.registry import Kind
from medtheca.workflows.correct import correct_metadata

if TYPE_CHECKING:
    from medtheca.domains.provenance.models import Accession
    from medtheca.toolkit.schemas import Field

_MOST_CHOICES = 60
_UNKNOWN = ("", "Not given")


class CorrectForm(forms.Form):
    """Every field of the schema with what is stored, and why it is changed."""

    def __init__(self, data: QueryDict | None, *, stored: dict[str, str], published: bool) -> None:
        super().__init__(data, initial=stored)
        self.stored = stored
        for item in DERMATOLOGY.fields:
            self.fields[item.name] = _field_of(item)
        self.fields["reason"] = forms.CharField(
            max_length=500,
            required=published,
            label="Why it is changed",
            help_text="Everybody can read it in the change log of the image." if published else "",
            widget=forms.Textarea(attrs={"rows": 2}),
        )

    def changes(self) -> dict[str, str | None]:
        """Fields that differ from what is stored; None for one that was emptied."""
        given = {name: str(self.cleaned_data.get(name, "")).strip() for name in DERMATOLOGY.by_name}
        return {name: text or None for name, text in given.items() if text != self.stored.get(name, "")}


def _field_of(item: Field) -> forms.Field:
    note = "" if item.public or item.approximation else " Not shown to the public."
    help_text = f"{item.description}{note}"
    if item.kind is Kind.BOOL:
        choices = [_UNKNOWN, ("true", "Yes"), ("false", "No")]
        return forms.ChoiceField(required=False, label=item.label, help_text=help_text, choices=choices)
    if item.vocabulary is not None and len(item.vocabulary.values) <= _MOST_CHOICES:
        choices = [_UNKNOWN, *((value, value) for value in item.vocabulary.values)]
        return forms.ChoiceField(required=False, label=item.label, help_text=help_text, choices=choices)
    unit = f" ({item.unit})" if item.unit else ""
    return forms.CharField(
        required=False,
        label=f"{item.label}{unit}",
        help_text=help_text,
        widget=forms.TextInput(
            attrs={"autocomplete": "off"} | ({"list": f"terms-{item.name}"} if item.vocabulary else {})
        ),
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def image_correct(request: HttpRequest, ref: str) -> HttpResponse:
    """Change what is said of an image; its id stays, and the version before is kept."""
    user = signed_in(request)
    found = image_for(user, ref)
    accession = accessions_of_images([found.pk]).get(found.pk)
    if accession is None:
        raise NotFound(f"There is no image {ref}.")
    require_editor(user, accession.cohort, to="correct its metadata")
    form = CorrectForm(
        request.POST if request.method == "POST" else None,
        stored=_stored(accession),
        published=accession.published is not None,
    )
    if form.is_valid():
        if not form.changes():
            form.add_error(None, "Nothing was changed. Change a value, or go back.")
        else:
            try:
                correct_metadata(user=user, image_ref=ref, changes=form.changes(), reason=form.cleaned_data["reason"])
            except Invalid as refusal:
                show_refusal(form, refusal)
            else:
                messages.success(request, "The values were changed; those before are kept as an earlier version.")
                return redirect(image_url(found))
    context = {
        "form": form,
        "label": label_of(found, accession),
        "published": accession.published,
        "thumbnail_url": file_url(found, FileKind.THUMBNAIL),
        "image_url": image_url(found),
        "groups": _groups(form),
        "terms": [
            {"name": item.name, "values": item.vocabulary.values}
            for item in DERMATOLOGY.fields
            if item.vocabulary and len(item.vocabulary.values) > _MOST_CHOICES
        ],
    }
    return render(request, "pages/sheets/correct.html", context)


def _stored(accession: Accession) -> dict[str, str]:
    return row_of_values(structured_of(accession), pack=DERMATOLOGY)


def _groups(form: CorrectForm) -> list[dict[str, Any]]:
    """Bound fields by group, in the order of the schema."""
    groups: dict[str, list[Any]] = {}
    for item in DERMATOLOGY.fields:
        groups.setdefault(str(item.group), []).append(form[item.name])
    return [{"label": name.replace("_", " ").capitalize(), "fields": fields} for name, fields in groups.items()]
