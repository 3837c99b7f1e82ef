"""Everybody asks for everything: the rows of `tests/interfaces/matrix`, and that no address or verb is without one."""

import copy
import importlib
import json
import pkgutil
import re

import pytest
from django.core.cache import cache
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, get_resolver

from medtheca.domains.accounts.operations import revoke_token
from tests.factories.accounts import make_token, make_user
from tests.interfaces import matrix
from tests.interfaces.api import test_permissions as api
from tests.interfaces.matrix import LOGIN, PEOPLE
from tests.interfaces.matrix.world import HOST, make_world

pytestmark = pytest.mark.django_db

AREAS = {
    module.name: importlib.import_module(f"tests.interfaces.matrix.{module.name}")
    for module in pkgutil.iter_modules(matrix.__path__)
    if module.name != "world"
}
ROWS = [(area, row) for area, module in AREAS.items() for row in module.ROWS]
CHANGES_BY_API = [(area, row) for area, row in ROWS if row.is_api and row.method != "GET"]
# A sample for each kind of part of an address, to ask which verbs there are.
_SAMPLES = {"int": "1", "str": "x", "uuid": "0" * 8 + "-0000-0000-0000-" + "0" * 12, "slug": "x", "path": "x"}
_VERBS = {"GET", "POST", "PUT", "PATCH", "DELETE"}


@pytest.fixture(autouse=True)
def _surroundings(settings, tmp_path):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    # The mailbox reads files; pytest-django would keep mail in memory.
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = str(tmp_path)


@pytest.fixture
def world():
    return make_world()


def ask(world, name, row, *, secret=""):
    """What somebody gets; with the secret of a token a program of theirs that has no session."""
    cache.clear()  # what limits count is no matter of who may
    client = Client(headers={"host": HOST})
    if not secret:
        client.cookies = copy.deepcopy(world.clients[name].cookies)
    address = "/" + (row.address or row.route).format(**world.names)
    data = row.data(world) if callable(row.data) else row.data
    with transaction.atomic():
        if row.is_api and row.method != "GET" and not isinstance(data, tuple):
            data = ("application/json", json.dumps(data if data is not None else {}))
        headers = {"host": HOST, "x-csrftoken": "c" * 32, "origin": f"http://{HOST}", **row.headers}
        if secret:
            headers["authorization"] = f"Bearer {secret}"
        if isinstance(data, tuple):
            answer = client.generic(row.method, address, data[1], content_type=data[0], headers=headers)
        else:
            answer = getattr(client, row.method.lower())(address, data or {}, headers=headers)
        if answer.streaming:
            list(answer.streaming_content)
        transaction.set_rollback(True)
    if answer.status_code == 302 and answer.url.startswith("/accounts/login/?next="):
        return LOGIN
    return answer.status_code


@pytest.mark.parametrize("area", AREAS)
def test_everyone_gets_what_the_tables_say(world, area):
    # One world for a whole area: each request is rolled back, and asked by a client of its own.
    prepare = getattr(AREAS[area], "prepare", None)
    if prepare:
        prepare(world)
    wrong = {}
    for row in AREAS[area].ROWS:
        for name, expected in zip(PEOPLE, row.cells, strict=True):
            found = ask(world, name, row)
            if found != expected:
                wrong[f"{row}, {name}"] = f"{found}, not {expected}"
    assert wrong == {}


@pytest.mark.parametrize("area", sorted({area for area, _ in CHANGES_BY_API}))
def test_nothing_is_changed_by_a_token_that_reads_or_was_revoked(world, area):
    """Alice may do most of these herself; what her token may is asked before anybody looks for the thing."""
    prepare = getattr(AREAS[area], "prepare", None)
    if prepare:
        prepare(world)
    alice = world.people["alice"]
    revoked, old = make_token(alice, "write", name="old")
    revoke_token(user=alice, token_id=revoked.pk)
    secrets = {"read": make_token(alice)[1], "revoked": old}
    wrong = {}
    for row in (row for where, row in CHANGES_BY_API if where == area):
        found = {name: ask(world, "alice", row, secret=secret) for name, secret in secrets.items()}
        # Downloads are asked for by POST, and change nothing.
        asks = row.route in {"api/v2/downloads/", "api/v2/zip-download/url/"} and row.method == "POST"
        if found != {"read": row.cells[PEOPLE.index("alice")] if asks else 403, "revoked": 401}:
            wrong[str(row)] = found
    assert wrong == {}


def _routes(patterns, prefix=""):
    for pattern in patterns:
        if isinstance(pattern, URLPattern):
            yield prefix + str(pattern.pattern)
        else:
            yield from _routes(pattern.url_patterns, prefix + str(pattern.pattern))


def _sample(route):
    # A route of allauth's may be a regular expression; what matches it does not matter, as long as something does.
    plain = re.sub(r"\(\?P<\w+>[^)]*\)", "x", route).replace("^", "").replace("$", "")
    return re.sub(r"<(?:(\w+):)?\w+>", lambda found: _SAMPLES.get(found[1] or "str", _SAMPLES["uuid"]), plain)


def _verbs(client, route):
    """The verbs of an address. A view that has none of its own for PURGE says which it has; others are read only."""
    answer = client.generic("PURGE", f"/{_sample(route)}", headers={"host": HOST, "x-csrftoken": "c" * 32})
    if answer.status_code != 405:
        return {"GET"}
    return set(answer.headers["Allow"].split(", ")) & _VERBS


def test_every_address_and_verb_has_a_row():
    client = Client()
    client.force_login(make_user("sam"))
    there = {
        (verb, route)
        for route in _routes(get_resolver("medtheca.config.urls").url_patterns)
        for verb in _verbs(client, route)
    }
    told = {(row.method, row.route) for _, row in ROWS}
    told |= {(row[0].split(" ")[0], f"api/v2/{row[0].split(' ')[1]}") for row in api.ROWS}
    assert sorted(there - told) == [], "These addresses have no row in tests/interfaces/matrix."
    # A verb that an address does not have may be asked for, to be told so.
    asked = {(row.method, row.route) for _, row in ROWS if set(row.cells) != {405}}
    assert sorted(asked - there) == []
