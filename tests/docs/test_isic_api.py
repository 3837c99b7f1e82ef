"""The table of the ISIC Archive's endpoints says what the routes say."""

from pathlib import Path

import pytest

from medtheca.interfaces.api.v2.parity import ENDPOINTS, page, routes

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "isic-api.md"


def test_the_page_is_that_of_the_table():
    assert PAGE.read_text() == page(), (
        "Print page() of medtheca.interfaces.api.v2.parity into docs/reference/isic-api.md."
    )


def test_what_is_said_to_be_here_is_here():
    there = routes()
    missing = [f"{one.method} {one.path}" for one in ENDPOINTS if one.route and (one.method, one.route) not in there]
    assert missing == []


def test_what_is_said_not_to_be_here_is_not():
    begun = {(method, path.split("/")[0]) for method, path in routes()}
    for one in ENDPOINTS:
        if one.why and one.path.split("/")[0] != "images":
            assert (one.method, one.path.split("/")[0]) not in begun, f"{one.path} is built: say so in the table."


@pytest.mark.parametrize("name", ["method", "path"])
def test_every_endpoint_is_told_once(name):
    told = [(one.method, one.path) for one in ENDPOINTS]
    assert len(told) == len(set(told))
    assert all(getattr(one, name) for one in ENDPOINTS)
