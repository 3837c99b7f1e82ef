"""What items of archives are used for, by the API: Alice edits, Vic looks, Charlie is a stranger."""

import json

import pytest
from django.test import Client

from medtheca.domains.archives.items import create_items, put_values
from medtheca.domains.archives.models import ServiceLink
from medtheca.domains.collections.models import Collection
from medtheca.domains.sockets.operations import create_value
from tests.factories.accounts import make_token, make_user
from tests.factories.archives import image_socket, make_archive, make_socket
from tests.factories.collections import make_collection
from tests.factories.images import make_images
from tests.factories.provenance import run_jobs

pytestmark = pytest.mark.django_db


@pytest.fixture
def people():
    return {name: make_user(name) for name in ("alice", "vic", "charlie")}


@pytest.fixture
def archive(people):
    archive = make_archive(people["alice"], users=[people["vic"]], public=True)
    score = make_socket()
    items = create_items(archive=archive, creator=people["alice"], titles=["P0", "P1", "P2"])
    for at, (item, image) in enumerate(zip(items, make_images(archive.cohort, 3), strict=True)):
        held = [
            create_value(socket=image_socket(), creator=people["alice"], image=image),
            create_value(socket=score, creator=people["alice"], value=at / 2),
        ]
        put_values(item=item, actor=people["alice"], values=held)
    return archive


def call(user, method, path, body=None):
    headers = {"authorization": f"Bearer {make_token(user, 'write')[1]}"} if user else {}
    data = json.dumps(body) if body is not None else ""
    answer = Client().generic(method, f"/api/v2/{path}", data, content_type="application/json", headers=headers)
    return answer.status_code, answer.json()


def test_found_items_become_a_collection(archive, people):
    path = f"archives/{archive.slug}/services/collection/"
    status, made = call(people["vic"], "POST", path, {"q": "score > 0.2", "name": "High"})
    assert (status, made["items"], made["images"], made["batch"]["action"]) == (202, 2, 2, "add")
    run_jobs()
    found = f"collections/{made['collection_id']}/"
    status, shown = call(people["vic"], "GET", found)
    assert (status, shown["image_count"], shown["public"]) == (200, 2, False)
    assert shown["archives"] == [{"slug": archive.slug, "title": archive.title}]
    status, batch = call(people["vic"], "GET", f"{found}batches/{made['batch']['id']}/")
    assert (status, batch["state"], batch["changed"]) == (200, "done", 2)
    status, (use,) = call(people["vic"], "GET", f"archives/{archive.slug}/uses/")
    assert (use["service"], use["name"], use["target"], use["whole"], use["items"], use["by"]) == (
        "collection",
        "High",
        str(made["collection_id"]),
        False,
        2,
        "",
    )
    status, (use,) = call(people["alice"], "GET", f"archives/{archive.slug}/uses/")
    assert (use["name"], use["target"], use["items"], bool(use["by"])) == ("", "", 2, True)


def test_named_items_are_added_to_one_that_there_is(archive, people):
    into = make_collection(people["vic"], name="Mine")
    path = f"archives/{archive.slug}/services/collection/"
    body = {"collection": into.pk, "items": [str(archive.items.get(title="P1").pk)]}
    assert call(people["vic"], "POST", path, body)[1]["images"] == 1
    status, refused = call(people["vic"], "POST", path, body | {"name": "Two"})
    assert (status, refused["errors"][0]["field"]) == (400, "collection")
    status, refused = call(people["vic"], "POST", path, {"collection": into.pk, "items": [str(archive.pk)]})
    assert (status, refused["errors"][0]["field"]) == (400, "items")
    # Alice sees no collection of Vic's, and a public one takes no private image.
    assert call(people["alice"], "POST", path, {"collection": into.pk})[0] == 404
    status, refused = call(people["alice"], "POST", path, {"name": "Open", "public": True})
    assert (status, "not public" in refused["message"]) == (400, True)
    assert ServiceLink.objects.count() == 1


def test_what_is_coming_says_so(archive, people):
    status, listed = call(people["alice"], "GET", f"archives/{archive.slug}/services/")
    states = {row["service"]: (row["state"], row["may"], row["comes_with"]) for row in listed}
    assert states == {
        "collection": ("here", True, ""),
        "reader_study": ("coming", True, "reader studies"),
        "algorithm": ("coming", True, "algorithms"),
        "challenge_phase": ("coming", True, "challenges"),
    }
    assert [row["may"] for row in call(people["vic"], "GET", f"archives/{archive.slug}/services/")[1]] == [
        True,
        False,
        False,
        False,
    ]
    assert not any(row["may"] for row in call(None, "GET", f"archives/{archive.slug}/services/")[1])
    for service in ("reader_study", "algorithm", "challenge_phase"):
        path = f"archives/{archive.slug}/services/{service}/"
        status, refused = call(people["alice"], "POST", path, {})
        assert (status, refused["code"]) == (409, "not_here_yet")
        assert states[service][2] in refused["remedy"]
        assert call(people["vic"], "POST", path, {})[0] == 403
    assert call(people["alice"], "POST", f"archives/{archive.slug}/services/teleport/", {})[0] == 422
    assert not ServiceLink.objects.exists()
    assert not Collection.objects.exists()
