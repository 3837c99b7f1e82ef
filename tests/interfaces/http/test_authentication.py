"""Every case is asked at two doors: django-ninja behind all middleware, and the function for raw ASGI."""

import logging
from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client

from medtheca.base.clock import now
from medtheca.config.environment import read_environment
from medtheca.domains.accounts.models import ApiToken
from medtheca.domains.accounts.operations import revoke_token, set_active
from medtheca.interfaces.http.authentication import NOBODY, caller_from_headers
from medtheca.interfaces.http.refusals import ForgedRequest, InvalidToken, MissingScope, Refused
from tests.factories.accounts import make_token, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.interfaces.http.urls")]
HOST = "127.0.0.1:8000"
ELSEWHERE = "192.0.2.7"


def ask_api(method="GET", *, headers=None, cookies=None, address="127.0.0.1", path="/api/anybody"):
    client = Client(enforce_csrf_checks=True)
    for name, value in (cookies or {}).items():
        client.cookies[name] = value
    answer = client.generic(
        method, path, headers={"host": HOST, **(headers or {})}, REMOTE_ADDR=address, content_type="application/json"
    )
    body = answer.json()
    return (
        answer.status_code,
        (body["email"], body["scope"], body["via"]) if answer.status_code == 200 else None,
        answer,
    )


def ask_bytes(method="GET", *, headers=None, cookies=None, address="127.0.0.1"):
    pairs = [(b"host", HOST.encode())]
    pairs += [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()]
    # As HTTP/2 may send them: one header a cookie.
    pairs += [(b"cookie", f"{name}={value}".encode()) for name, value in (cookies or {}).items()]
    try:
        caller = caller_from_headers(method=method, headers=pairs, address=address)
    except Refused as refusal:
        return refusal.status, None, refusal
    return 200, (caller.user.email if caller.user else None, caller.scope, caller.via), None


@pytest.fixture(params=[ask_api, ask_bytes], ids=["api", "bytes"])
def ask(request):
    return request.param


def session_of(user, **cookies):
    client = Client()
    client.force_login(user)
    return {settings.SESSION_COOKIE_NAME: client.cookies[settings.SESSION_COOKIE_NAME].value, **cookies}


CSRF = "c" * 32


def provable(user):
    """Cookies and headers as one of our pages sends them."""
    return {
        "cookies": session_of(user, csrftoken=CSRF),
        "headers": {"X-CSRFToken": CSRF, "Origin": f"http://{HOST}", "Sec-Fetch-Site": "same-origin"},
    }


def test_nobody_is_nobody(ask):
    assert ask()[:2] == (200, (None, "read", "none"))


@pytest.mark.parametrize("word", ["Bearer", "bearer", "Token"])
def test_a_token_tells_who_calls(ask, word):
    _, secret = make_token(make_user("alice"))
    assert ask(headers={"Authorization": f"{word} {secret}"})[:2] == (200, ("alice@example.org", "read", "token"))


def test_a_session_tells_who_calls(ask):
    assert ask(cookies=session_of(make_user("alice")))[:2] == (200, ("alice@example.org", "write", "session"))


def test_a_token_goes_before_a_session(ask):
    _, secret = make_token(make_user("alice"))
    cookies = session_of(make_user("bob"))
    assert ask(headers={"Authorization": f"Bearer {secret}"}, cookies=cookies)[1][0] == "alice@example.org"


@pytest.mark.parametrize("sent", ["Bearer", "Bearer ", "Bearer mt_x", "Token x y", "Bearer mt_" + "a" * 43])
def test_a_bad_token_is_refused_even_with_a_good_session(ask, sent):
    status, _, refusal = ask(headers={"Authorization": sent}, cookies=session_of(make_user("alice")))
    assert status == 401
    assert refusal.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'


def test_tokens_that_ended_are_refused(ask):
    alice = make_user("alice")
    revoked, revoked_secret = make_token(alice)
    revoke_token(user=alice, token_id=revoked.pk)
    expired, expired_secret = make_token(alice)
    ApiToken.objects.filter(pk=expired.pk).update(expires=now() - timedelta(seconds=1))
    for secret in (revoked_secret, expired_secret):
        assert ask(headers={"Authorization": f"Bearer {secret}"})[0] == 401


def test_a_disabled_user_is_nobody_by_session_and_refused_by_token(ask):
    alice = make_user("alice")
    cookies, (_, secret) = session_of(alice), make_token(alice)
    set_active(user=alice, active=False)
    assert ask(cookies=cookies)[1] == (None, "read", "none")
    assert ask(headers={"Authorization": f"Bearer {secret}"})[0] == 401


def test_a_session_ends_with_the_password(ask):
    alice = make_user("alice")
    cookies = session_of(alice)
    alice.set_password("another long password")
    alice.save()
    assert ask(cookies=cookies)[1] == (None, "read", "none")


OTHER_SCHEMES = ["Basic YTpi", "mt_" + "a" * 43, "ApiKey secret-word"]


@pytest.mark.parametrize("sent", OTHER_SCHEMES)
def test_files_leave_other_schemes_to_proxies(sent):
    assert ask_bytes(headers={"Authorization": sent})[:2] == (200, (None, "read", "none"))


@pytest.mark.parametrize("sent", OTHER_SCHEMES)
def test_an_api_tells_a_program_that_its_scheme_is_none(sent):
    status, _, answer = ask_api(headers={"Authorization": sent})
    assert (status, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert "Authorization: Bearer mt_" in answer.content.decode()
    assert sent not in answer.content.decode()


@pytest.mark.parametrize("sent", OTHER_SCHEMES)
def test_an_api_behind_the_password_of_a_proxy_still_knows_the_session(sent):
    cookies = session_of(make_user("alice"))
    assert ask_api(headers={"Authorization": sent}, cookies=cookies)[1][0] == "alice@example.org"


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_read_token_may_not_write_and_is_told_what_is_needed(ask, method):
    _, secret = make_token(make_user("alice"), "read")
    status, _, refusal = ask(method, headers={"Authorization": f"Bearer {secret}"})
    assert status == 403
    assert refusal.headers["WWW-Authenticate"] == 'Bearer error="insufficient_scope", scope="write"'


def test_the_refusal_of_a_read_token_says_which_scope_in_words():
    _, secret = make_token(make_user("alice"), "read")
    answer = ask_api("POST", headers={"Authorization": f"Bearer {secret}"})[2]
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert "scope write" in answer.json()["detail"]


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_write_token_needs_no_proof_of_a_page(ask, method):
    _, secret = make_token(make_user("alice"), "write")
    assert ask(method, headers={"Authorization": f"Bearer {secret}"})[1] == ("alice@example.org", "write", "token")


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_page_of_ours_may_write(ask, method):
    assert ask(method, **provable(make_user("alice")))[1] == ("alice@example.org", "write", "session")


@pytest.mark.parametrize(
    ("changed", "cookies"),
    [
        ({"X-CSRFToken": None}, {}),
        ({"X-CSRFToken": "d" * 32}, {}),
        ({"X-CSRFToken": "short"}, {}),
        ({}, {"csrftoken": None}),
        ({"Origin": "http://evil.example"}, {}),
        ({"Origin": "null"}, {}),
        ({"Sec-Fetch-Site": "cross-site", "Origin": f"http://{HOST}"}, {}),
        ({"Sec-Fetch-Site": "same-site", "Origin": "http://localhost:9000"}, {}),
    ],
    ids=["no token", "wrong token", "malformed", "no cookie", "other origin", "null origin", "cross-site", "same-site"],
)
def test_a_session_without_proof_may_not_write(ask, changed, cookies):
    proof = provable(make_user("alice"))
    for kind, changes in (("headers", changed), ("cookies", cookies)):
        proof[kind] = {name: value for name, value in {**proof[kind], **changes}.items() if value is not None}
    assert ask("POST", **proof)[0] == 403


def test_reading_needs_no_proof(ask):
    assert ask("GET", cookies=session_of(make_user("alice")), headers={"Sec-Fetch-Site": "cross-site"})[0] == 200


def test_demo_logins_are_refused_from_elsewhere(ask):
    demo = make_user("demo-owner")
    _, secret = make_token(demo)
    by_token = {"headers": {"Authorization": f"Bearer {secret}"}}
    assert ask(**by_token)[0] == 200
    assert ask(**by_token, address=ELSEWHERE)[0] == 401
    assert ask(cookies=session_of(demo))[1][0] == "demo-owner@example.org"
    assert ask(cookies=session_of(demo), address=ELSEWHERE)[1] == (None, "read", "none")


def test_behind_a_trusted_proxy_the_clients_address_counts(ask, settings):
    settings.ENVIRONMENT = read_environment({"MEDTHECA_TRUSTED_PROXIES": "127.0.0.1"})
    _, secret = make_token(make_user("demo-owner"))
    headers = {"Authorization": f"Bearer {secret}"}
    assert ask(headers=headers)[0] == 200
    assert ask(headers={**headers, "X-Forwarded-For": ELSEWHERE})[0] == 401


def test_a_stranger_cannot_forward_himself(ask):
    _, secret = make_token(make_user("demo-owner"))
    headers = {"Authorization": f"Bearer {secret}", "X-Forwarded-For": "127.0.0.1"}
    assert ask(headers=headers, address=ELSEWHERE)[0] == 401


def test_what_needs_somebody_says_how_to_be_one():
    status, _, answer = ask_api(path="/api/somebody")
    assert (status, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    _, secret = make_token(make_user("alice"))
    assert ask_api(path="/api/somebody", headers={"Authorization": f"Bearer {secret}"})[0] == 200


def test_pages_know_callers_too():
    _, secret = make_token(make_user("alice"))
    assert ask_api(path="/page/", headers={"Authorization": f"Bearer {secret}"})[1][2] == "token"


def test_headers_with_underscores_do_not_pass_for_others():
    _, secret = make_token(make_user("alice"))
    value = f"Bearer {secret}".encode()
    assert caller_from_headers(method="GET", headers={b"authorization": value}, address="127.0.0.1").via == "token"
    pairs = [(b"x_csrftoken", CSRF.encode()), (b"origin", f"http://{HOST}".encode()), (b"host", HOST.encode())]
    cookies = "; ".join(f"{name}={value}" for name, value in session_of(make_user("bob"), csrftoken=CSRF).items())
    with pytest.raises(ForgedRequest):
        caller_from_headers(method="POST", headers=[*pairs, (b"cookie", cookies.encode())], address="127.0.0.1")


def test_https_without_origin_needs_a_referrer_of_ours():
    proof = provable(make_user("alice"))
    pairs = [(b"host", HOST.encode()), (b"x-csrftoken", CSRF.encode())]
    pairs += [(b"cookie", f"{name}={value}".encode()) for name, value in proof["cookies"].items()]
    with pytest.raises(ForgedRequest):
        caller_from_headers(method="POST", headers=pairs, address="127.0.0.1", scheme="https")
    pairs.append((b"referer", f"https://{HOST}/upload/".encode()))
    caller = caller_from_headers(method="POST", headers=pairs, address="127.0.0.1", scheme="https")
    assert caller.via == "session"


def test_a_token_costs_one_query_and_nobody_none(django_assert_num_queries):
    _, secret = make_token(make_user("alice"))
    header = [(b"authorization", f"Bearer {secret}".encode())]
    caller_from_headers(method="GET", headers=header, address="127.0.0.1")  # notes the use
    with django_assert_num_queries(1):
        caller_from_headers(method="GET", headers=header, address="127.0.0.1")
    with django_assert_num_queries(0):
        assert caller_from_headers(method="GET", headers=[], address="127.0.0.1") == NOBODY


def test_secrets_are_not_in_refusals_nor_in_logs(caplog):
    caplog.set_level(logging.DEBUG)
    token, secret = make_token(make_user("alice"), "read")
    header = {b"authorization": f"Bearer {secret}".encode()}
    with pytest.raises(MissingScope) as scope_refused:
        caller_from_headers(method="POST", headers=header, address="127.0.0.1")
    revoke_token(user=token.user, token_id=token.pk)
    with pytest.raises(InvalidToken) as refused:
        caller_from_headers(method="GET", headers=header, address="127.0.0.1")
    ask_api("POST", headers={"Authorization": f"Bearer {secret}"})
    for text in (str(scope_refused.value), str(refused.value), caplog.text):
        assert secret[8:20] not in text
