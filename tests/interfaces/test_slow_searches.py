"""A search for which the database takes too long is given up, and who asked is told when to come back."""

import json

import pytest

from medtheca.domains.collections.models import Collection
from medtheca.domains.search.errors import SearchTooSlow
from tests.domains.search.indexes import own_database
from tests.factories.accounts import make_token, make_user
from tests.factories.collections import make_collection
from tests.factories.images import make_images
from tests.factories.locks import searches_within, table_locked
from tests.factories.provenance import make_cohort

_FIRST = "search_indexstate"
"""What every search looks at first."""


@pytest.fixture(autouse=True)
def _database(django_db_setup, django_db_blocker):
    with own_database(django_db_blocker):
        yield


@pytest.mark.parametrize("path", ["images/", "images/search/?query=sex:male", "images/facets/", "images/search/size/"])
def test_the_api_says_when_to_try_again(client, path):
    with table_locked(_FIRST), searches_within(1):
        answer = client.get(f"/api/v2/{path}")
    told = answer.json()
    assert (answer.status_code, told["code"]) == (503, SearchTooSlow.code)
    assert answer.headers["Retry-After"] == "60"
    assert "Try again in a minute" in told["remedy"]
    assert client.get(f"/api/v2/{path}").status_code == 200


def test_the_gallery_says_so_on_a_page(client):
    with table_locked(_FIRST), searches_within(1):
        answer = client.get("/gallery/")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")
    assert "Try again in a minute" in answer.content.decode()
    assert client.get("/gallery/").status_code == 200


def test_an_image_is_shown_without_its_neighbours(client):
    (image,) = make_images(make_cohort(make_user("alice")), 1, visibility="public", structured={"sex": "male"})
    with table_locked(_FIRST), searches_within(1):
        answer = client.get(f"/images/{image.public_id}/?q=sex%3Amale")
    assert answer.status_code == 200
    assert image.public_id in answer.content.decode()


def test_what_is_done_is_told_however_long_counting_takes(client):
    alice = make_user("alice")
    collection = make_collection(alice, make_images(make_cohort(alice), 2))
    secret = {"Authorization": f"Bearer {make_token(alice, 'write')[1]}"}
    given = {"data": json.dumps({"description": "For teaching"}), "content_type": "application/json"}
    with table_locked(_FIRST, seconds=2.5), searches_within(1):
        answer = client.patch(f"/api/v2/collections/{collection.pk}/", headers=secret, **given)
    assert (answer.status_code, answer.json()["image_count"]) == (200, 2)
    assert Collection.objects.get().description == "For teaching"


def test_all_that_a_search_finds_is_added_however_long_that_takes(client):
    alice = make_user("alice")
    make_images(make_cohort(alice), 2)
    collection = make_collection(alice)
    client.force_login(alice)
    with table_locked(_FIRST, seconds=2.5), searches_within(1):
        answer = client.post("/collections/add/?q=", {"collection": str(collection.pk)})
    assert (answer.status_code, answer.headers.get("Location")) == (302, f"/collections/{collection.pk}/")


def test_a_download_may_take_its_time(client):
    make_images(make_cohort(make_user("alice")), 2, visibility="public")
    given = {"data": json.dumps({"query": ""}), "content_type": "application/json"}
    with table_locked("imaging_image", seconds=2.5), searches_within(1):
        answer = client.post("/api/v2/downloads/", **given)
    assert answer.status_code == 201, answer.content
