"""Applications at the byte plane: no more than their scopes, gone at once when disconnected, and from any origin."""

import base64
import secrets
from datetime import timedelta

import pytest
from oauth2_provider.models import AccessToken

from medtheca.base.clock import now
from medtheca.domains.accounts.bearers import new_access_token
from medtheca.domains.accounts.connections import allow, connections_of, disconnect
from medtheca.domains.accounts.queries import digest_of_secret
from medtheca.interfaces.http.file_urls import make_ticket
from tests.factories.accounts import make_user
from tests.factories.images import make_images
from tests.factories.oauth import make_application
from tests.factories.provenance import make_cohort

ELSEWHERE = {"Origin": "https://app.example.org"}


@pytest.fixture
def people(world):
    """Alice with a private image and an application of Bob's, Charlie the stranger."""
    # The module's tests share a database.
    return [make_user(f"{name}-{secrets.token_hex(4)}") for name in ("alice", "bob", "charlie")]


@pytest.fixture
def image(people):
    (image,) = make_images(make_cohort(people[0]), 1)
    return image


def bearer(user, application, scope):
    secret = new_access_token()
    allow(user=user, application=application, scopes=scope.split())
    AccessToken.objects.create(
        user=user,
        application=application,
        scope=scope,
        token="",
        token_checksum=digest_of_secret(secret),
        expires=now() + timedelta(hours=1),
    )
    return {"Authorization": f"Bearer {secret}", **ELSEWHERE}


def test_a_token_opens_what_its_person_may_see_within_its_scope(world, people, image):
    alice, bob, charlie = people
    application, _ = make_application(bob)
    # Of this image only rows are there, so its bytes are asked for as by who has them.
    path = f"/files/images/{image.key}/thumbnail.jpg"
    etag = {"If-None-Match": "*"}
    seen = world.request("GET", path, headers=bearer(alice, application, "image:read") | etag)
    assert (seen.status, seen.headers["Access-Control-Allow-Origin"]) == (304, "*")
    assert seen.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert seen.headers["Cache-Control"] == "private, no-store"
    refused = world.request("GET", path, headers=bearer(alice, application, "identity") | etag)
    assert refused.status == 403
    assert 'error="insufficient_scope", scope="image:read"' in refused.headers["WWW-Authenticate"]
    assert world.request("GET", path, headers=bearer(charlie, application, "image:read") | etag).status == 404
    ticket = make_ticket(viewer_id=alice.pk, image_key=str(image.key))
    by_ticket = world.request("GET", f"{path}?ticket={ticket}", headers=ELSEWHERE | etag)
    assert (by_ticket.status, by_ticket.headers["Access-Control-Allow-Origin"]) == (304, "*")


def test_an_application_that_is_disconnected_opens_nothing_a_moment_later(world, people, image):
    alice, bob, _ = people
    application, _ = make_application(bob)
    headers = bearer(alice, application, "image:read") | {"If-None-Match": "*"}
    path = f"/files/images/{image.key}/thumbnail.jpg"
    assert world.request("GET", path, headers=headers).status == 304
    (connection,) = connections_of(alice)
    disconnect(user=alice, connection_id=connection.pk)
    until = now() + timedelta(seconds=8)
    while (status := world.request("GET", path, headers=headers).status) == 304:
        assert now() < until
    assert status == 401


def test_uploads_need_the_scope_to_write(world, people):
    alice, bob, _ = people
    application, _ = make_application(bob)
    cohort = base64.b64encode(str(make_cohort(alice).pk).encode()).decode()
    tus = {"Tus-Resumable": "1.0.0", "Upload-Length": "4", "Upload-Metadata": f"filename YS5qcGc=,cohort {cohort}"}
    read = world.request("POST", "/uploads/tus/", headers=bearer(alice, application, "image:read") | tus)
    assert read.status == 403
    write = world.request("POST", "/uploads/tus/", headers=bearer(alice, application, "image:write") | tus)
    assert write.status == 201


def test_a_browser_asks_before_it_sends_a_token(world, image):
    before = world.request("OPTIONS", f"/files/images/{image.key}/full.jpg", headers=ELSEWHERE)
    assert before.status == 204
    assert before.headers["Access-Control-Allow-Origin"] == "*"
    assert "Authorization" in before.headers["Access-Control-Allow-Headers"]
