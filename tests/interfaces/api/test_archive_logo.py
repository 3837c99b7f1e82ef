"""The logo of an archive by the API: Alice edits it, Una uploads to it."""

import pytest
from django.test import Client

from tests.factories.accounts import make_token, make_user
from tests.factories.archives import make_archive
from tests.factories.pictures import corners, pixels_of, quarters, saved
from tests.factories.storage import use_data_folder

pytestmark = pytest.mark.django_db

RED, BLUE = (255, 0, 0), (0, 0, 255)


@pytest.fixture(autouse=True)
def _data_folder(settings, tmp_path):
    use_data_folder(settings, tmp_path / "data")


@pytest.fixture
def alice():
    return make_user("alice")


@pytest.fixture
def una():
    return make_user("una")


@pytest.fixture
def archive(alice, una):
    return make_archive(alice, uploaders=[una])


def call(user, method, path, body=b"", media_type="image/png"):
    headers = {"authorization": f"Bearer {make_token(user, 'write')[1]}"} if user else {}
    return Client().generic(method, path, body, content_type=media_type, headers=headers)


def test_a_logo_is_put_fetched_and_deleted(alice, una, archive):
    told = call(alice, "GET", f"/api/v2/archives/{archive.slug}/").json()
    assert told["logo"].endswith(f"/api/v2/archives/{archive.pk}/logo/")
    address = f"/api/v2/archives/{archive.pk}/logo/"
    drawn = call(alice, "GET", address)
    assert (drawn.status_code, drawn["Content-Type"]) == (200, "image/svg+xml")
    put = call(alice, "PUT", f"{address}?crop=0,0,650", saved(quarters()))
    assert put.status_code == 200
    assert put.json()["chosen"] is True
    for more, side in (("", 640), ("?size=small", 128)):
        fetched = call(una, "GET", address + more)
        assert fetched["Content-Type"] == "image/png"
        assert pixels_of(fetched.content).shape == (side, side, 3)
        assert corners(pixels_of(fetched.content)) == [RED, RED, BLUE, BLUE]
    assert put.json()["sha256"] in call(alice, "GET", address)["ETag"]
    assert call(alice, "DELETE", address).json() == {"chosen": False, "sha256": None}
    assert call(alice, "GET", address)["Content-Type"] == "image/svg+xml"


def test_who_may(una, archive):
    charlie = make_user("charlie")
    address = f"/api/v2/archives/{archive.slug}/logo/"
    for method, expected in (("GET", (404, 404, 200)), ("PUT", (401, 404, 403)), ("DELETE", (401, 404, 403))):
        answers = [call(user, method, address, saved(quarters())).status_code for user in (None, charlie, una)]
        assert tuple(answers) == expected, method


@pytest.mark.parametrize(
    ("query", "body", "expected"),
    [
        ("", b"", ("file", "empty")),
        ("", b"{}", ("file", "wrong_format")),
        ("", saved(quarters(639, 639)), ("file", "too_small")),
        ("", bytes(8_000_001), ("file", "too_large")),
        ("?crop=1,2", saved(quarters()), ("crop", "invalid")),
        ("?crop=661,0,640", saved(quarters()), ("crop", "bad_square")),
    ],
)
def test_a_refusal_says_what_is_wrong(alice, archive, query, body, expected):
    answer = call(alice, "PUT", f"/api/v2/archives/{archive.slug}/logo/{query}", body)
    assert answer.status_code == 400
    assert [(row["field"], row["code"]) for row in answer.json()["errors"]] == [expected]
    assert answer.json()["errors"][0]["message"]


def test_grand_challenges_api_gives_its_address(alice, archive):
    answer = call(alice, "GET", f"/api/v1/archives/{archive.pk}/", media_type="application/json")
    logo = answer.json()["logo"]
    path = logo[logo.index("/api/") :]
    assert call(alice, "GET", path)["Content-Type"] == "image/svg+xml"
    assert call(None, "GET", path).status_code == 404
