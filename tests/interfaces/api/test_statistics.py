"""What there is in numbers, through the API."""

import pytest

from medtheca.domains.access.enums import Visibility
from tests.factories.accounts import make_user
from tests.factories.collections import make_collection
from tests.factories.provenance import make_cohort
from tests.interfaces.api.world import by_token, make_image, nobody

pytestmark = pytest.mark.django_db


def test_images_in_collections_are_counted_in_each_and_once():
    alice = make_user("alice")
    cohort = make_cohort(alice)
    public, hidden = make_image(cohort, visibility=Visibility.PUBLIC), make_image(cohort)
    make_collection(alice, [public, hidden], name="Mine")
    make_collection(alice, [public], name="Shown", public=True)
    for caller, expected in ((by_token(alice), (3, 2)), (nobody(), (1, 1))):
        found = caller.get("stats/").body["collection"]
        assert (found["memberships_count"], found["collected_images_count"]) == expected
