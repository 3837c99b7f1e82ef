import json

import pytest
from django.test import Client

from medtheca.interfaces.api.v2.shapes.common import ProblemOut
from tests.factories.accounts import make_user
from tests.factories.provenance import make_cohort
from tests.interfaces.api.world import HOST, by_session, by_token, make_image, nobody

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("method", "path", "given", "status"),
    [
        ("GET", "images/ISIC_9999999/", None, 404),
        ("GET", "nothing/at/all/", None, 404),
        ("GET", "users/me/", None, 401),
        ("GET", "images/?cursor=x", None, 422),
        ("GET", "images/?limit=x", None, 422),
        ("GET", "images/?sex=x", None, 400),
        ("GET", "images/?words=%00", None, 400),
        ("GET", "images/%00/", None, 400),
        ("DELETE", "images/", None, 405),
        ("POST", "contributors/", {}, 401),
    ],
)
def test_every_refusal_has_one_shape(method, path, given, status):
    answer = nobody().ask(method, path, given)
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Cache-Control"] == "no-store"
    body = ProblemOut.model_validate(answer.body)
    assert body.status == status
    assert body.message
    assert body.instance == f"/api/v2/{path}".split("?")[0].replace("%00", "\0")


def test_a_body_that_is_no_json_is_told():
    caller = by_token(make_user("alice"), "write")
    answer = caller.client.post(
        "/api/v2/contributors/", data="{", content_type="application/json", headers=caller.headers
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "unreadable_request")


@pytest.mark.parametrize("name", ["a\0b", "x" * 256, 7, None, ""])
def test_text_that_cannot_be_kept_is_refused_by_name(name):
    answer = by_token(make_user("alice"), "write").post("contributors/", {"institution_name": name})
    assert answer.status_code == 422
    assert [error["field"] for error in answer.body["errors"]] == ["institution_name"]


def test_an_unknown_field_is_told_and_not_passed_over():
    answer = by_token(make_user("alice"), "write").post("contributors/", {"institution_name": "A", "licence": "CC-0"})
    assert (answer.status_code, answer.body["errors"][0]["field"]) == (422, "licence")


def test_the_slash_at_the_end_is_added():
    answer = Client().get("/api/v2/users/me", headers={"host": HOST})
    assert (answer.status_code, answer.headers["Location"]) == (301, "/api/v2/users/me/")


def test_a_fault_says_nothing_of_its_inside(monkeypatch, caplog):
    def fail(*args, **kwargs):
        raise RuntimeError("the secret inside")

    monkeypatch.setattr("medtheca.interfaces.api.v2.routes.images.look_up", fail)
    caller = nobody()
    caller.client.raise_request_exception = False
    answer = caller.get("images/")
    assert (answer.status_code, answer.body["code"]) == (500, "fault")
    assert "secret" not in answer.content.decode()
    assert "the secret inside" in caplog.text


def test_answers_to_nobody_may_be_kept_and_are_asked_for_anew():
    make_image(make_cohort(make_user("alice")), visibility="public")
    answer = nobody().get("images/")
    assert answer.headers["Cache-Control"] == "no-cache"
    assert {"Authorization", "Cookie"} <= set(answer.headers["Vary"].split(", "))


@pytest.mark.parametrize("way", [by_token, by_session])
def test_answers_to_somebody_are_not_kept(way):
    answer = way(make_user("alice")).get("images/")
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert {"Authorization", "Cookie"} <= set(answer.headers["Vary"].split(", "))


def test_other_sites_may_read_without_the_visitors_log_in():
    answer = nobody().get("images/", origin="https://elsewhere.example")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in answer.headers


def test_other_sites_may_write_with_a_token_and_never_with_the_visitors_log_in():
    before = nobody().ask("OPTIONS", "contributors/", origin="https://elsewhere.example")
    assert before.status_code == 204
    assert "POST" in before.headers["Access-Control-Allow-Methods"]
    assert {"Authorization", "Content-Type"} <= set(before.headers["Access-Control-Allow-Headers"].split(", "))
    alice = make_user("alice")
    answer = by_token(alice, "write").post("contributors/", {"institution_name": "A"})
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (201, "*")
    own = by_session(alice).get("contributors/", origin="https://elsewhere.example")
    assert own.status_code == 200
    assert "Access-Control-Allow-Origin" not in own.headers


def test_refusals_too_can_be_read_from_other_sites():
    assert nobody().get("images/ISIC_9999999/").headers["Access-Control-Allow-Origin"] == "*"


def test_head_is_get_without_its_body():
    answer, whole = nobody().ask("HEAD", "images/"), nobody().get("images/")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["Content-Length"] == str(len(whole.content))


def test_a_wrong_method_is_told_the_right_ones():
    answer = nobody().ask("DELETE", "cohorts/")
    assert (answer.headers["Allow"], answer.body["code"]) == ("GET, POST", "method_not_allowed")


def test_too_many_bytes_are_refused_before_they_are_read(settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    caller = by_token(make_user("alice"), "write")
    answer = caller.post("contributors/", {"institution_name": "A", "legal_contact_info": "x" * 200})
    assert answer.status_code == 413
    assert json.loads(answer.content)["code"] == "too_large"
