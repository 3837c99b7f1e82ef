"""Archives and items by the API."""

import json
import re

import pytest
from django.core import mail
from django.test import Client

from medtheca.domains.archives.models import Archive, Item
from tests.factories.accounts import make_token, make_user
from tests.factories.archives import image_socket, make_archive, make_socket
from tests.factories.images import make_images

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice():
    return make_user("alice")


@pytest.fixture
def archive(alice):
    make_socket()
    return make_archive(alice, uploaders=[make_user("una")], modalities=["CT"])


def call(user, method, path, body=None):
    headers = {"authorization": f"Bearer {make_token(user, 'write')[1]}"} if user else {}
    data = json.dumps(body) if body is not None else ""
    answer = Client().generic(method, f"/api/v2/{path}", data, content_type="application/json", headers=headers)
    return answer.status_code, answer.json()


def test_an_archive_is_made_shown_and_changed(alice, archive):
    said = {"title": "Fundus", "contributor": archive.contributor_id, "keywords": ["eye"], "public": True}
    status, made = call(alice, "POST", "archives/", said)
    assert (status, made["slug"], made["role"], made["item_count"]) == (201, "fundus", "editor", 0)
    status, listed = call(None, "GET", "archives/?keyword=eye")
    assert [(row["slug"], row["item_count"]) for row in listed["results"]] == [("fundus", None)]
    status, changed = call(alice, "PATCH", f"archives/{made['id']}/", {"citation": "Roe", "keywords": []})
    assert (status, changed["citation"], changed["keywords"], changed["public"]) == (200, "Roe", [], True)
    status, refused = call(alice, "PATCH", "archives/fundus/", {"publications": ["nature"], "contact_email": "x"})
    assert (status, {row["field"] for row in refused["errors"]}) == (400, {"publications", "contact_email"})
    assert call(None, "GET", "archives/chest-ct/")[0] == 404


def test_items_are_made_whole_or_not_at_all(alice, archive):
    (image,) = make_images(archive.cohort, 1)
    path = f"archives/{archive.slug}/items/"
    values = {"score": 0.5, image_socket().slug: str(image.key)}
    status, made = call(alice, "POST", path, {"title": "P1", "values": values})
    assert (status, made["values"]) == (201, values)
    status, refused = call(alice, "POST", path, {"title": "P2", "values": {"score": "high", "scorr": 1}})
    assert status == 400
    assert {row["field"] for row in refused["errors"]} == {"score", "scorr"}
    assert [item.title for item in Item.objects.all()] == ["P1"]
    status, changed = call(alice, "PATCH", f"{path}{made['id']}/", {"title": "P 1", "values": {"score": None}})
    assert (status, changed["title"], list(changed["values"])) == (200, "P 1", [image_socket().slug])


def test_items_are_paged_and_found(alice, archive):
    path = f"archives/{archive.slug}/items/"
    for at in range(5):
        call(alice, "POST", path, {"title": f"P{at}", "values": {"score": at / 4}})
    status, first = call(alice, "GET", f"{path}?limit=2&q=score+%3E+0")
    assert (status, first["count"], [row["title"] for row in first["results"]]) == (200, 4, ["P1", "P2"])
    _, second = call(alice, "GET", first["next"].partition("/api/v2/")[2])
    assert [row["title"] for row in second["results"]] == ["P3", "P4"]
    status, refused = call(alice, "GET", f"{path}?q=scorr+%3E+0")
    assert status == 400
    assert "score" in json.dumps(refused)


def test_strangers_find_nothing(archive):
    bob = make_user("bob")
    for method, rest in (("GET", ""), ("PATCH", ""), ("GET", "items/"), ("POST", "items/")):
        assert call(bob, method, f"archives/{archive.slug}/{rest}", {} if method != "GET" else None)[0] == 404
    assert Archive.objects.count() == 1


def test_an_invitation_is_sent_again_with_another_link(alice, archive, django_capture_on_commit_callbacks):
    path = f"archives/{archive.slug}/invitations/"
    with django_capture_on_commit_callbacks(execute=True):
        _, made = call(
            alice, "POST", path, {"email": "bob@example.org", "role": "uploader", "until": "2099-01-31T12:00:00Z"}
        )
        status, again = call(alice, "POST", f"{path}{made['id']}/resend/")
    assert (status, again["email"], again["role"]) == (200, "bob@example.org", "uploader")
    assert again["until"].startswith("2099-01-31")
    first, second = (re.search(r"/archives/join/([^/]+)/", sent.body)[1] for sent in mail.outbox)
    bob = make_user("bob")
    assert call(bob, "POST", "me/archive-invitations/accept/", {"secret": first})[0] == 404
    assert call(bob, "POST", "me/archive-invitations/accept/", {"secret": second})[0] == 200
