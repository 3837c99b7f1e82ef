"""Completion offers what there is, most of it first, and nothing that the asker may not know of."""

import pytest

from medtheca.domains.search.completing import complete_fields, complete_values
from medtheca.toolkit.querylang import parse
from tests.factories.accounts import make_user
from tests.factories.images import make_images
from tests.factories.provenance import make_cohort

pytestmark = pytest.mark.django_db
NEVUS = {"diagnosis_1": "Benign", "diagnosis_2": "Benign melanocytic proliferations", "diagnosis_3": "Nevus"}


@pytest.fixture
def cohort():
    cohort = make_cohort(make_user("alice"), name="Secret clinic")
    make_images(cohort, 3, structured={"sex": "male", **NEVUS}, visibility="public")
    make_images(cohort, 1, structured={"sex": "female", "image_type": "dermoscopic"}, visibility="public")
    make_images(cohort, 2, structured={"sex": "female", "image_type": "RCM: tile"})
    return cohort


def values(name, text, **asked):
    return [(found.value, found.number) for found in complete_values(name, text, **asked)]


def test_fields_that_begin_so_come_first():
    names = [field.name for field in complete_fields("sex")]
    assert names[0] == "sex"
    assert next(field.name for field in complete_fields("license")) == "copyright_license"
    assert "age_approx" in [field.name for field in complete_fields("approximate")]
    assert complete_fields("nothing of the kind") == []


def test_values_are_those_that_the_asker_sees(cohort):
    assert values("sex", "", asker=None) == [("male", 3), ("female", 1)]
    assert values("sex", "FE", asker=None) == [("female", 1)]
    assert values("sex", "", asker=cohort.creator) == [("female", 3), ("male", 3)]
    assert values("image_type", "", asker=None) == [("dermoscopic", 1)]
    assert values("image_type", "tile", asker=cohort.creator) == [("RCM: tile", 2)]


def test_terms_of_a_hierarchy_are_offered_by_their_path(cohort):
    assert values("diagnosis", "nev", asker=None) == [(":".join(NEVUS.values()), 3)]
    assert values("diagnosis", "benign", asker=None)[0] == ("Benign", 3)


def test_values_among_what_a_query_finds(cohort):
    assert values("sex", "", asker=cohort.creator, wanted=parse("image_type:*")) == [("female", 3)]


def test_names_of_cohorts_are_the_asker_s_own(cohort):
    assert values("cohort", "clinic", asker=cohort.creator) == [("Secret clinic", None)]
    assert values("cohort", "clinic", asker=None) == []
    assert values("cohort", "clinic", asker=make_user("bob")) == []


@pytest.mark.parametrize("name", ["patient_id", "lesion_id", "rcm_case_id", "isic_id", "created", "no_such_field"])
def test_nothing_is_offered_of_what_is_not_counted(name, cohort):
    assert values(name, "", asker=cohort.creator) == []
