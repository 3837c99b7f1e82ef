import json
import os
from pathlib import Path

import pytest

from medtheca.interfaces.api.v1.api import api
from medtheca.interfaces.api.v1.openapi import description
from tests.interfaces.api.test_openapi import shapes_of_one_name
from tests.interfaces.api.v1.world import nobody

COMMITTED = Path(__file__).parents[4] / "docs" / "reference" / "openapi-v1.json"


def test_the_committed_description_is_the_present_one():
    if os.environ.get("UPDATE_REFERENCE"):
        COMMITTED.write_text(description())
    assert COMMITTED.read_text() == description(), (
        "The API has changed. Look at the difference; then "
        "`python -m medtheca.interfaces.api.v1.openapi > docs/reference/openapi-v1.json`, and commit both."
    )


def test_every_shape_has_a_name_of_its_own():
    assert api, "which has all shapes loaded"
    assert shapes_of_one_name("medtheca.interfaces.api.v1.") == {}


@pytest.mark.django_db
def test_the_description_is_served_as_it_is_committed():
    served = nobody().get("openapi.json").body
    assert served == json.loads(description())
