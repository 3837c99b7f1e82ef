"""What completes a query, over HTTP: what one may not see is never offered; limits, errors, refusals."""

import pytest

from medtheca.domains.access.enums import Visibility
from medtheca.domains.access.operations import withdraw_image
from medtheca.domains.search.completing import MOST
from tests.factories.accounts import make_user
from tests.factories.collections import make_collection
from tests.factories.images import make_images
from tests.factories.provenance import make_cohort
from tests.interfaces.api.world import by_token, make_image, nobody

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice():
    return make_user("alice")


@pytest.fixture
def cohort(alice):
    return make_cohort(alice, name="Moles 2026")


def values(caller, field, query=""):
    answer = caller.get(f"autocomplete/value/?field={field}&query={query}")
    assert answer.status_code == 200, answer.body
    return {one["value"]: one["count"] for one in answer.body}


def test_values_of_images_that_one_may_not_see_are_never_offered(alice, cohort):
    make_image(cohort, visibility=Visibility.PUBLIC, structured={"sex": "male"})
    make_image(cohort, visibility=Visibility.SIGNED_IN, structured={"sex": "female"})
    make_image(cohort, structured={"sex": "male", "anatom_site_1": "Trunk"})
    taken = make_image(cohort, visibility=Visibility.PUBLIC, structured={"anatom_site_1": "Head and neck"})
    withdraw_image(image=taken, user=alice, reason="Blurred.")
    charlie = by_token(make_user("charlie"))
    assert values(nobody(), "sex") == {"male": 1}
    assert values(charlie, "sex") == {"female": 1, "male": 1}
    assert values(by_token(alice), "sex") == {"female": 1, "male": 2}
    for caller in (nobody(), charlie):
        assert values(caller, "anatom_site") == {}
        assert values(caller, "anatom_site", "head") == {}
    assert values(by_token(alice), "anatom_site") == {"Head and neck": 1, "Trunk": 1}


def test_names_of_cohorts_and_collections_are_offered_to_those_who_may_know_them(alice, cohort):
    make_collection(alice, name="Moles of mine")
    make_collection(alice, name="Moles of all", public=True)
    for caller, cohorts, collections in (
        (nobody(), {}, ["Moles of all"]),
        (by_token(make_user("charlie")), {}, ["Moles of all"]),
        (by_token(alice), {"Moles 2026": None}, ["Moles of all", "Moles of mine"]),
    ):
        assert values(caller, "cohort", "moles") == cohorts
        found = caller.get("autocomplete/collection/?query=moles").body
        assert sorted(one["name"] for one in found) == collections


def test_so_many_are_offered_the_most_frequent_first(cohort):
    make_images(cohort, 60, visibility="public", structured=lambda at: {"age": 5 * (at % 17) + 1})
    make_images(cohort, 3, visibility="public", structured={"sex": "female"})
    make_images(cohort, 5, visibility="public", structured={"sex": "male"})
    assert list(values(nobody(), "sex").items()) == [("male", 5), ("female", 3)]
    # What begins with the letters goes before what has them within.
    assert list(values(nobody(), "sex", "male")) == ["male", "female"]
    assert len(values(nobody(), "age_approx")) <= MOST
    fields = nobody().get("autocomplete/field/?query=").body
    assert len(fields) == MOST
    assert all(one["name"] and one["label"] and one["kind"] for one in fields)


@pytest.mark.parametrize("field", ["", "nothing", "isic_id", "created", "%00", "sex%27--"])
def test_fields_without_values_to_offer_give_none(cohort, field):
    make_image(cohort, visibility=Visibility.PUBLIC, structured={"sex": "male"})
    answer = nobody().get(f"autocomplete/value/?field={field}&query=")
    assert (answer.status_code, answer.body) == (200, []) or answer.status_code in {400, 422}


@pytest.mark.parametrize(
    "address",
    [
        "autocomplete/value/",
        "autocomplete/field/",
        f"autocomplete/value/?field=sex&query={'x' * 201}",
        f"autocomplete/value/?field={'x' * 61}",
        f"autocomplete/field/?query={'x' * 201}",
        "autocomplete/collection/",
    ],
)
def test_what_is_missing_or_too_long_is_refused_by_its_name(address, db):
    answer = nobody().get(address)
    assert answer.status_code == 422
    named = {str(error["loc"][-1]) for error in answer.body["detail"]}
    assert named & {"field", "query"}


def test_what_is_typed_is_no_pattern(cohort):
    make_image(cohort, visibility=Visibility.PUBLIC, structured={"sex": "male"})
    for typed in ("%25", "_", ".*", "%5C", "(", "%22"):
        assert values(nobody(), "sex", typed) == {}
        assert nobody().get(f"autocomplete/field/?query={typed}").status_code == 200


@pytest.mark.parametrize("kind", ["cohort", "contributor", "user"])
def test_names_of_people_s_things_need_a_log_in(kind, db):
    assert nobody().get(f"autocomplete/{kind}/?query=moles").status_code == 401


@pytest.mark.parametrize("address", ["field/?query=sex", "value/?field=sex", "collection/?query=moles"])
def test_completions_are_only_read(address, alice):
    for caller in (nobody(), by_token(alice)):
        assert caller.post(f"autocomplete/{address}", {}).status_code in {403, 405}
