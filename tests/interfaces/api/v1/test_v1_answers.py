"""What every answer of Grand Challenge's API has, whatever it is about."""

import json
import re
import uuid

import pytest
from django.test import RequestFactory
from django.urls import get_resolver

from medtheca.base.errors import Invalid
from medtheca.domains.accounts.models import User
from medtheca.interfaces.api.v1.addresses import address_of, read_address
from medtheca.interfaces.api.v1.paging import page_of, send_csv, send_page, window_of
from tests.factories.accounts import make_user
from tests.interfaces.api.v1.world import HOST, ORIGIN, by_session, by_token, nobody

pytestmark = pytest.mark.django_db
EMPTY = [
    "reader-studies/",
    "reader-studies/questions/",
    "reader-studies/answers/",
    "reader-studies/display-sets/",
    "algorithms/",
    "algorithms/jobs/",
    "algorithms/images/",
    "algorithms/endpoints/",
    "algorithms/invocations/",
]
OF_SOMEBODY = ["reader-studies/answers/mine/", "workstations/sessions/"]


def test_a_client_learns_its_versions_whatever_it_carries():
    expected = {"latest_version": "0.16.1", "lowest_supported_version": "0.14.0"}
    assert nobody().get("gcapi/").body == expected
    assert nobody().get("gcapi/", authorization="BEARER of-yesterday").body == expected


@pytest.mark.parametrize("path", EMPTY)
def test_what_is_not_there_yet_is_an_empty_page(path):
    answer = nobody().get(f"{path}?limit=100&offset=0&slug=lungs")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.body == {"count": 0, "next": None, "previous": None, "results": []}
    assert nobody().get(f"{path}{uuid.uuid4()}/").status_code == 404
    assert nobody().post(path, {}).status_code == 405


@pytest.mark.parametrize("path", OF_SOMEBODY)
def test_what_is_somebodys_needs_somebody(path):
    refused = nobody().get(path)
    assert (refused.status_code, refused.body["detail"]) == (401, "Authentication credentials were not provided.")
    assert by_token(make_user("alice")).get(path).body["results"] == []


@pytest.mark.parametrize("word", ["BEARER", "Bearer", "bearer", "Token"])
def test_the_word_before_the_token_may_be_written_in_any_case(word):
    secret = by_token(make_user("alice")).headers["authorization"].split()[1]
    assert nobody().get("workstations/sessions/", authorization=f"{word} {secret}").status_code == 200


def test_a_session_works_and_needs_proof_to_change_something():
    alice = by_session(make_user("alice"))
    assert alice.get("workstations/sessions/").status_code == 200
    del alice.headers["x-csrftoken"]
    answer = alice.post("workstations/sessions/", {})
    assert answer.status_code in {403, 405}


@pytest.mark.parametrize(
    ("method", "path", "status", "detail"),
    [
        ("GET", "nothing/at/all/", 404, "Not found."),
        ("GET", "", 404, "Not found."),
        ("GET", "algorithms", 404, "Not found."),
        ("POST", "algorithms", 404, "Not found."),
        ("GET", "algorithms/?format=xml", 404, "Not found."),
        ("DELETE", "algorithms/", 405, 'Method "DELETE" not allowed.'),
        ("GET", "workstations/sessions/", 401, "Authentication credentials were not provided."),
        ("GET", "algorithms/?slug=%00", 400, None),
    ],
)
def test_every_refusal_is_plain_json_and_no_redirect(method, path, status, detail):
    answer = nobody().ask(method, path, {} if method in {"POST", "DELETE"} else None)
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.body["request_id"]
    assert detail is None or answer.body["detail"] == detail


def test_a_bad_token_is_told_as_the_framework_tells_it():
    answer = nobody().get("algorithms/", authorization="BEARER abc")
    assert (answer.status_code, answer.body["detail"]) == (401, "Invalid token.")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert "API tokens" in answer.body["remedy"]


def test_head_and_options_are_answered():
    assert nobody().ask("HEAD", "algorithms/").content == b""
    assert nobody().ask("OPTIONS", "algorithms/").status_code == 204


def test_no_address_of_the_api_is_without_a_slash():
    routes = [str(pattern.pattern) for pattern in _patterns("api_v1")]
    assert routes
    assert [route for route in routes if not route.endswith("/") and route not in {"", "openapi.json"}] == []


def _patterns(namespace):
    api = next(
        part
        for resolver in get_resolver("medtheca.config.urls").url_patterns
        for part in getattr(resolver, "url_patterns", [])
        if getattr(part, "namespace", None) == namespace
    )
    return api.url_patterns


def ask(query="", **headers):
    return RequestFactory().get(f"/api/v1/archives/?{query}", headers={"host": "inner:8000", **headers})


@pytest.mark.parametrize(
    ("query", "limit", "offset"),
    [
        ("", 100, 0),
        ("limit=100&offset=300", 100, 300),
        ("limit=1000", 1000, 0),
        ("limit=5000", 1000, 0),
        ("limit=0&offset=-1", 100, 0),
        ("limit=many&offset=x", 100, 0),
        (f"offset={10**25}", 100, 2**62),
        ("limit=٣", 100, 0),
    ],
)
def test_a_window_is_what_was_asked_for_within_bounds(query, limit, offset):
    window = window_of(ask(query))
    assert (window.limit, window.offset) == (limit, offset)


def test_pages_follow_each_other_to_the_end_and_count_all():
    for n in range(7):
        make_user(f"person{n}")
    rows = User.objects.filter(email__startswith="person")

    def page(query):
        return json.loads(
            page_of(ask(query), rows, order=("pk",), shape=lambda people: [{"pk": p.pk} for p in people]).content
        )

    every = [person.pk for person in rows.order_by("pk")]
    first = page("limit=3&title=a%26b")
    assert first["count"] == 7
    assert first["previous"] is None
    assert first["next"] == f"{ORIGIN}/api/v1/archives/?limit=3&offset=3&title=a%26b"
    last = page("limit=3&offset=6")
    assert [row["pk"] for row in last["results"]] == every[6:]
    assert (last["count"], last["next"]) == (7, None)
    assert last["previous"] == f"{ORIGIN}/api/v1/archives/?limit=3&offset=3"
    assert page("limit=3&offset=2")["previous"] == f"{ORIGIN}/api/v1/archives/?limit=3"
    beyond = page("limit=3&offset=9")
    assert (beyond["count"], beyond["results"], beyond["next"]) == (7, [], None)


def test_the_same_rows_are_a_table_where_csv_is_asked_for():
    rows = [{"title": "=1+1", "values": [{"a": 1}], "pk": 5, "note": None}, {"title": "é", "more": True}]
    for request in (ask("format=csv"), ask(accept="text/csv")):
        answer = send_page(request, rows, count=2)
        assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
        assert answer.content.decode().splitlines() == [
            "title,values,pk,note,more",
            '\'=1+1,"[{""a"": 1}]",5,,',
            "é,,,,true",
        ]
    assert send_csv([]).content == b""
    assert send_page(ask("format=json", accept="text/csv"), rows, count=2).headers["Content-Type"] == "application/json"
    assert nobody().get("algorithms/?format=xlsx").status_code == 404


def test_addresses_are_of_the_public_origin_and_are_read_back_by_their_path():
    key = uuid.uuid4()
    address = address_of("item", key)
    assert address == f"{ORIGIN}/api/v1/archives/items/{key}/"
    assert read_address(address, "item", field="item") == key
    assert read_address(f"https://other.example.org/api/v1/archives/items/{key}/?x=1", "item", field="item") == key


@pytest.mark.parametrize(
    ("address", "words"),
    [
        (5, "Incorrect type. Expected URL string, received int."),
        ("lungs", "Invalid hyperlink - No URL match."),
        ("https://[", "Invalid hyperlink - No URL match."),
        (f"/api/v1/cases/images/{uuid.uuid4()}/", "Invalid hyperlink - Incorrect URL match."),
        (f"/api/v1/archives/{'-' * 36}/", "Invalid hyperlink - Object does not exist."),
    ],
)
def test_an_address_of_something_else_is_refused_by_name(address, words):
    with pytest.raises(Invalid) as refused:
        read_address(address, "archive", field="archive")
    [problem] = refused.value.problems
    assert problem.field == "archive"
    assert problem.message.startswith(words)


def test_nothing_depends_on_the_host_that_was_asked(settings):
    settings.ALLOWED_HOSTS = [HOST, "127.0.0.1"]
    body = nobody().get("openapi.json", host="127.0.0.1").content.decode()
    assert not re.search(r"127\.0\.0\.1", body)
