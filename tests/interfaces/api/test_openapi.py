import json
import os
import re
from pathlib import Path

import pytest
from django.test import Client, override_settings
from ninja import Schema

from medtheca.interfaces.api.v1.api import api as v1
from medtheca.interfaces.api.v2.api import api
from medtheca.interfaces.api.v2.openapi import description
from tests.interfaces.api.world import HOST, nobody

COMMITTED = Path(__file__).parents[3] / "docs" / "reference" / "openapi-v2.json"


def test_the_committed_description_is_the_present_one():
    if os.environ.get("UPDATE_REFERENCE"):
        COMMITTED.write_text(description())
    assert COMMITTED.read_text() == description(), (
        "The API has changed. Look at the difference; then "
        "`python -m medtheca.interfaces.api.v2.openapi > docs/reference/openapi-v2.json`, and commit both."
    )


def test_every_shape_has_a_name_of_its_own():
    assert api, "which has all shapes loaded"
    assert shapes_of_one_name("medtheca.interfaces.api.v2.") == {}


def shapes_of_one_name(package):
    """Of two shapes with one name the description of an API has only one, for the routes of both."""
    named = {}
    for shape in subclasses(Schema):
        if shape.__module__.startswith(package) and "[" not in shape.__name__:
            named.setdefault(shape.__name__, set()).add(shape.__module__)
    return {name: modules for name, modules in named.items() if len(modules) > 1}


def subclasses(kind):
    for one in kind.__subclasses__():
        yield one
        yield from subclasses(one)


@pytest.mark.django_db
def test_the_description_is_served_as_it_is_committed():
    served = nobody().get("openapi.json").body
    assert served == json.loads(description())
    assert served["openapi"].startswith("3.")


@pytest.mark.django_db
def test_the_reference_page_names_every_route_and_fetches_nothing_from_elsewhere():
    answer = Client().get("/api/docs/", headers={"host": HOST})
    page = answer.content.decode()
    assert answer.status_code == 200
    for path in nobody().get("openapi.json").body["paths"]:
        assert f"{path}</code>" in page
    fetched = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert fetched
    assert all(address.startswith(("/", "#")) for address in fetched)
    anchors = {address[1:] for address in fetched if address.startswith("#")}
    assert anchors <= set(re.findall(r'id="([^"]+)"', page))
    assert "<script>" not in page
    assert "style=" not in page


@pytest.mark.parametrize("described", [v1, api], ids=["v1", "v2"])
def test_the_description_is_made_once(described):
    """Making it takes a second of the processor, and anybody may ask; whom to ask for support follows the settings."""
    first = described.get_openapi_schema(path_prefix="/once/")
    with override_settings(SUPPORT_EMAIL="else@example.org"):
        second = described.get_openapi_schema(path_prefix="/once/")
    assert second["info"]["contact"]["email"] == "else@example.org" != first["info"]["contact"]["email"]
    assert second["paths"] is first["paths"]
    assert all(path.startswith("/once/") for path in first["paths"])
    assert described.get_openapi_schema(path_prefix="/")["paths"] is not first["paths"]
