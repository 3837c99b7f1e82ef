"""A search for which the database takes too long is given up, and who asked is told when to come back."""

from contextlib import contextmanager
from dataclasses import replace

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from django.test import override_settings

from medtheca.domains.search.errors import SearchTooSlow

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def the_index_locked():
    """Somebody else holds what every search looks at first, and a search has a second."""
    soon = override_settings(ENVIRONMENT=replace(settings.ENVIRONMENT, search_seconds=1))
    with psycopg.connect(**connection.get_connection_params(), autocommit=False) as other, soon:
        other.execute("LOCK TABLE search_indexstate IN ACCESS EXCLUSIVE MODE")
        yield
        other.rollback()


@pytest.mark.parametrize("path", ["images/", "images/search/?query=sex:male", "images/facets/", "images/search/size/"])
def test_the_api_says_when_to_try_again(client, path):
    with the_index_locked():
        answer = client.get(f"/api/v2/{path}")
    told = answer.json()
    assert (answer.status_code, told["code"]) == (503, SearchTooSlow.code)
    assert answer.headers["Retry-After"] == "60"
    assert "Try again in a minute" in told["remedy"]
    assert client.get(f"/api/v2/{path}").status_code == 200


def test_the_gallery_says_so_on_a_page(client):
    with the_index_locked():
        answer = client.get("/gallery/")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")
    assert "Try again in a minute" in answer.content.decode()
    assert client.get("/gallery/").status_code == 200
