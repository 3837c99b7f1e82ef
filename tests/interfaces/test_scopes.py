"""What an application reaches with each scope alone, over every address of the API: whatever the person may do."""

import re
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import transaction
from django.test import Client
from oauth2_provider.models import AccessToken

from medtheca.base.clock import now
from medtheca.domains.accounts.bearers import new_access_token
from medtheca.domains.accounts.models import User
from medtheca.domains.accounts.queries import digest_of_secret
from medtheca.domains.accounts.scopes import SCOPES
from medtheca.interfaces.api.v2.api import api
from medtheca.interfaces.http.authentication import caller_from_headers
from medtheca.interfaces.http.refusals import MissingScope
from tests.factories.accounts import make_user
from tests.factories.oauth import make_application

pytestmark = pytest.mark.django_db
NOTHING = "00000000-0000-0000-0000-000000000000"
# These a narrow scope must never reach: of people, of the account, of what cannot be undone.
GUARDED = re.compile(
    r"users/(?!terms/)|groups/|notifications/|invitations/|members/|transfer/|agreement/|merge/|move/|attest/"
    r"|curate/|reviews/|create-review-bulk/|redactions/|publish-requests/|take-back/|withdraw/|unpublish/|events/"
    r"|people/|requests/|links/|accept-terms/|ask-terms-anew/|(?<![a-z])me/|archive-proposals/|verification/"
    r"|erasures/|erasure-preview/|under-way/|share/|revoke/|sharing-info/|saved-searches/"
)
ASKED_BY_POST = re.compile(r"POST ((zip-download|manifests)/|downloads/$)")
WITH_IMAGE_READ = {
    "GET images/",
    "GET images/{isic_id}/",
    "GET images/{isic_id}/similar/",
    "GET images/{isic_id}/duplicates/",
    "GET cohorts/{cohort_id}/duplicates/",
    "GET cohorts/",
    "GET contributors/{contributor_id}/",
    "GET accessions/",
    "GET lesions/{public_id}/",
    "GET patients/",
    "GET uploads/{upload_id}/verdicts/",
}
WITH_IMAGE_WRITE = {
    "POST cohorts/",
    "POST contributors/",
    "PATCH images/{isic_id}/metadata/",
    "POST cohorts/{cohort_id}/metadata-files/",
    "POST metadata-files/{file_id}/apply/",
}


@pytest.fixture
def application():
    return make_application(make_user("bob"))[0]


def token_of(user, application, scope):
    secret = new_access_token()
    AccessToken.objects.create(
        user=user,
        application=application,
        scope=scope,
        token="",
        token_checksum=digest_of_secret(secret),
        expires=now() + timedelta(hours=1),
    )
    return secret


def operations():
    """Every verb and route of the API, with an address of it."""
    for path, verbs in api.get_openapi_schema(path_prefix="/")["paths"].items():
        for verb, operation in verbs.items():
            address = "/api/v2" + path
            for parameter in operation.get("parameters", ()):
                sample = NOTHING if parameter["schema"].get("format") == "uuid" else "1"
                address = address.replace("{" + parameter["name"] + "}", sample)
            yield f"{verb.upper()} {path.lstrip('/')}", verb.upper(), address


def reached(secret):
    found = set()
    for operation, verb, address in operations():
        cache.clear()
        with transaction.atomic():
            answer = Client().generic(
                verb,
                address,
                "{}",
                content_type="application/json",
                headers={"host": "localhost:8000", "authorization": f"Bearer {secret}"},
            )
            transaction.set_rollback(True)
        refused = answer.status_code == 403 and answer.json()["code"] == "insufficient_scope"
        if not refused:
            found.add(operation)
    return found


def test_each_scope_reaches_what_it_says_and_no_more(application):
    sam = make_user("sam")  # staff: the person themselves may everything
    by_scope = {scope: reached(token_of(sam, application, scope)) for scope in SCOPES}
    everything = {operation for operation, _, _ in operations()}
    assert User.objects.filter(pk=sam.pk).exists()
    for scope in ("openid", "profile", "email"):
        assert by_scope[scope] == {"GET users/terms/"}, scope
    assert by_scope["identity"] == {"GET users/terms/", "GET users/me/"}
    assert by_scope["write"] == everything
    changes = {operation for operation in everything if not operation.startswith("GET ")}
    asked_by_post = {operation for operation in changes if ASKED_BY_POST.match(operation)}
    assert by_scope["read"] == everything - changes | asked_by_post
    assert by_scope["image:read"] >= WITH_IMAGE_READ
    assert by_scope["image:read"] & changes == asked_by_post
    assert by_scope["image:write"] >= WITH_IMAGE_READ | WITH_IMAGE_WRITE
    for scope in ("image:read", "image:write"):
        assert sorted(operation for operation in by_scope[scope] if GUARDED.search(operation)) == [], scope


@pytest.mark.parametrize(
    ("scope", "method", "path", "allowed"),
    [
        ("image:read", "GET", "/files/images/ISIC_0000001/full.jpg", True),
        ("image:read", "GET", "/iiif/ISIC_0000001/info.json", True),
        ("image:read", "POST", "/uploads/tus/", False),
        ("image:read", "HEAD", "/uploads/tus/x", False),
        ("image:write", "POST", "/uploads/tus/", True),
        ("image:write", "PATCH", "/uploads/tus/x", True),
        ("identity", "GET", "/files/images/ISIC_0000001/full.jpg", False),
        ("openid", "GET", "/oauth/userinfo/", True),
        ("read", "GET", "/oauth/userinfo/", False),
        ("read", "GET", "/somewhere/new/", True),
        ("read", "POST", "/somewhere/new/", False),
        ("image:write", "POST", "/somewhere/new/", False),
    ],
)
def test_scopes_hold_on_the_byte_plane_and_where_nothing_is_said(application, scope, method, path, allowed):
    alice = make_user("alice")
    headers = {b"authorization": f"Bearer {token_of(alice, application, scope)}".encode()}

    def ask():
        return caller_from_headers(method=method, headers=headers, address="127.0.0.1", path=path)

    if allowed:
        assert ask().user == alice
    else:
        with pytest.raises(MissingScope) as refused:
            ask()
        assert "insufficient_scope" in refused.value.headers["WWW-Authenticate"]
