"""Forms of the staff's tools."""

from __future__ import annotations

from django import forms

from medtheca.interfaces.web.forms import LICENCE_CHOICES


class OfForm(forms.Form):
    """Which images are meant."""

    kind = forms.ChoiceField(
        label="Of",
        choices=[
            ("cohort", "a cohort"),
            ("contributor", "a contributor, all of its cohorts"),
            ("images", "single images"),
        ],
        initial="cohort",
        widget=forms.RadioSelect,
    )
    given = forms.CharField(
        max_length=2_000_000,
        label="Which",
        help_text="The id or the whole name; of images the public ids or the numbers of their submissions, one a line.",
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false"}),
    )


class _Why(forms.Form):
    reason = forms.CharField(max_length=500, help_text="It stays on record.", widget=forms.Textarea(attrs={"rows": 2}))


class RelicenseForm(OfForm, _Why):
    """Another licence."""

    licence = forms.ChoiceField(choices=LICENCE_CHOICES)
    default = forms.BooleanField(required=False, label="Also for images to come of this cohort or contributor")
    field_order = ("kind", "given", "licence", "default", "reason")


class RemoveFieldForm(OfForm, _Why):
    """A field taken out of what is said of images."""

    field = forms.CharField(
        max_length=255,
        help_text="Its name, such as fitzpatrick_skin_type, or that of a column kept as unstructured.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    field_order = ("kind", "given", "field", "reason")


class PurgeForm(OfForm, _Why):
    """Images removed for good."""

    field_order = ("kind", "given", "reason")


class MergeForm(forms.Form):
    """Two contributors that become one."""

    source = forms.CharField(max_length=255, label="Contributor that goes", help_text="Its id or whole name.")
    target = forms.CharField(max_length=255, label="Contributor that stays", help_text="Its id or whole name.")
    unite = forms.BooleanField(
        required=False,
        label="Patients and lesions with the same id are one and the same",
        help_text="Without this they stand in the way: two institutions often number alike.",
    )


class FindPersonForm(forms.Form):
    """Whom to look for."""

    q = forms.CharField(required=False, max_length=254, label="Name or e-mail address")
