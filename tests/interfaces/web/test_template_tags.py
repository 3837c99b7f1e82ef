from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django import forms
from django.template import Context, Template

from medtheca.domains.access.enums import Visibility
from medtheca.domains.metadata.enums import MetadataFileState
from medtheca.domains.provenance.enums import (
    AccessionState,
    DeliveryState,
    Licence,
    Outcome,
    RequestState,
    ReviewDecision,
)
from medtheca.domains.storage.enums import UploadState
from medtheca.interfaces.web.templatetags import chips

SPRITE = Path(chips.__file__).parents[1] / "static/dist/icons.svg"


def render(text, **context):
    return Template("{% load medtheca %}" + text).render(Context(context)).strip()


@pytest.mark.parametrize(
    "states", [AccessionState, DeliveryState, Outcome, RequestState, ReviewDecision, UploadState, MetadataFileState]
)
def test_every_state_of_the_domains_has_a_chip_of_its_own(states):
    assert {state.value for state in states} <= chips.STATES.keys()


def test_every_visibility_and_licence_has_a_chip_of_its_own():
    assert {visibility.value for visibility in Visibility} <= chips.VISIBILITIES.keys()
    assert {licence.value for licence in Licence} == chips.LICENCES.keys() == chips.LICENCE_TEXTS.keys()


def test_every_icon_of_a_chip_is_in_the_sprite():
    sprite = SPRITE.read_text()
    named = [*chips.STATES.values(), *chips.VISIBILITIES.values(), *chips.LICENCES.values()]
    assert [chip.icon for chip in named if f'id="{chip.icon}"' not in sprite] == []


def test_a_chip_says_its_state_in_a_word_and_escapes_what_it_is_given():
    shown = render("{% chip_state state label %}", state="refused", label="<b>No</b>")
    assert "&lt;b&gt;No&lt;/b&gt;" in shown
    assert "#circle-x" in shown
    assert "Something new" in render('{% chip_state "something_new" %}')


def test_numbers_sizes_and_counts_are_written_for_people():
    assert render("{{ 1234567|thousands }} {{ none|thousands }}|", none=None) == "1,234,567 |"
    assert render("{{ 212345|file_size }}, {{ 50000000000|file_size }}") == "212 kB, 50 GB"
    assert render('{{ 1|plural:"image,images" }}, {{ 2750|plural:"image,images" }}') == "1 image, 2,750 images"


def test_a_time_shows_words_and_keeps_the_exact_moment_for_the_hover():
    then = datetime.now(UTC) - timedelta(hours=5)
    shown = render("{% relative_time then %}", then=then)
    assert "5 hours ago" in shown
    assert f'datetime="{then.isoformat(timespec="seconds")}"' in shown
    assert render("{% relative_time then %}", then=None) == "never"


def test_an_icon_is_silent_beside_words_and_named_when_it_stands_alone():
    assert 'aria-hidden="true"' in render('{% icon "x" %}')
    assert 'role="img" aria-label="Remove &quot;x&quot;"' in render('{% icon "x" label %}', label='Remove "x"')


class Cohort(forms.Form):
    name = forms.CharField(help_text="Short.", widget=forms.TextInput(attrs={"placeholder": "A name"}))
    kind = forms.ChoiceField(choices=[("a", "A"), ("b", "B")], widget=forms.RadioSelect)
    sure = forms.BooleanField()
    secret = forms.CharField(widget=forms.HiddenInput, required=False)


def test_a_form_tells_each_error_beside_its_field_and_in_a_summary_that_leads_there():
    shown = render("{% form_fields form %}", form=Cohort({"name": "", "kind": "b", "secret": "7"}))
    assert "2 fields need a change" in shown
    assert 'href="#id_name"' in shown
    assert 'href="#id_sure"' in shown
    assert 'aria-invalid="true"' in shown
    described = 'aria-describedby="id_name_helptext id_name_error"'
    assert described in shown or 'aria-describedby="id_name_error id_name_helptext"' in shown
    assert 'id="id_name_error"' in shown
    assert 'id="id_name_helptext"' in shown


def test_what_was_typed_stays_and_hidden_fields_travel():
    shown = render("{% form_fields form %}", form=Cohort({"name": "A & B", "kind": "b", "secret": "7"}))
    assert 'value="A &amp; B"' in shown
    assert 'name="secret" value="7"' in shown
    assert 'value="b" class="radio radio-sm"' in shown


def test_a_form_without_errors_has_no_summary_and_no_placeholder():
    shown = render("{% form_fields form %}", form=Cohort())
    assert "need a change" not in shown
    assert "placeholder" not in shown
