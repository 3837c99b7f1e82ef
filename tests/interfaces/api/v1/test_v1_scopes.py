"""What an application reaches with each scope alone, over every address of Grand Challenge's API."""

import pytest
from django.core.cache import cache
from django.db import transaction
from django.test import Client

from medtheca.domains.accounts.scopes import SCOPES
from medtheca.interfaces.api.v1.api import api
from tests.factories.accounts import make_user
from tests.factories.oauth import make_application
from tests.interfaces.api.v1.world import HOST
from tests.interfaces.test_scopes import NOTHING, token_of

pytestmark = pytest.mark.django_db
# Reader studies and algorithms are not of images alone: they need `read` or `write`.
NARROW = ("archives/", "cases/", "uploads/", "components/", "workstations/configs/")
VERSIONS = "GET gcapi/"


def operations():
    for path, verbs in api.get_openapi_schema(path_prefix="/")["paths"].items():
        for verb, operation in verbs.items():
            address = "/api/v1" + path
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
                headers={"host": HOST, "authorization": f"BEARER {secret}"},
            )
            transaction.set_rollback(True)
        if not (answer.status_code == 403 and answer.json().get("code") == "insufficient_scope"):
            found.add(operation)
    return found


def test_each_scope_reaches_what_it_says_and_no_more():
    sam = make_user("sam")  # staff: the person themselves may everything
    application = make_application(make_user("bob"))[0]
    by_scope = {scope: reached(token_of(sam, application, scope)) for scope in SCOPES}
    everything = {operation for operation, _, _ in operations()}
    reads = {operation for operation in everything if operation.startswith("GET ")}
    for scope in ("openid", "profile", "email", "identity"):
        assert by_scope[scope] == {VERSIONS}, scope
    assert by_scope["write"] == everything
    assert by_scope["read"] == reads
    assert by_scope["image:read"] == {VERSIONS} | {one for one in reads if one.split(" ")[1].startswith(NARROW)}
    assert by_scope["image:write"] >= by_scope["image:read"]
    wide = {one for one in by_scope["image:write"] - {VERSIONS} if not one.split(" ")[1].startswith(NARROW)}
    assert wide == set()
