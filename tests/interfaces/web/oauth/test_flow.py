"""An application comes to tokens, and what it can do with them; in between, what the person sees."""

import json
from urllib.parse import urlsplit

import pytest
from django.core.cache import cache
from oauth2_provider.models import AccessToken, Grant, RefreshToken

from medtheca.domains.accounts.applications import ISIC_CLI, Registration, change_application
from medtheca.domains.accounts.connections import connections_of
from medtheca.domains.accounts.models import Connection
from tests.factories.accounts import bearer, make_user
from tests.factories.images import make_images
from tests.factories.oauth import BACK, Flow, back, make_application
from tests.interfaces.conftest import browser_of

pytestmark = pytest.mark.django_db
OUT_OF_BAND = "urn:ietf:wg:oauth:2.0:oob"
HERE = "http://127.0.0.1:7777/back"


@pytest.fixture
def flow(as_alice):
    """Alice, and Bob's public application."""
    return Flow(as_alice, make_application(make_user("bob"))[0])


def test_a_person_allows_and_the_application_acts_for_them(flow, alice, nobody):
    page = flow.ask(scope="identity image:read")
    words = page.content.decode()
    assert "Let Atlas act for you?" in words
    assert "app.example.org" in words
    assert "by Bob Example" in words
    assert "See and download the images" in words
    answer = flow.decide(scope="identity image:read")
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith(BACK + "?")
    found = back(answer)
    assert (found["state"], found["iss"]) == (flow.state, "http://localhost:8000/oauth")
    body = flow.swap(found["code"]).json()
    assert (body["token_type"], body["expires_in"], body["scope"]) == ("Bearer", 3600, "identity image:read")
    me = nobody.get("/api/v2/users/me/", **bearer(body["access_token"]))
    assert me.json()["email"] == alice.email


def test_a_token_sees_what_the_person_sees(flow, cohort, nobody):
    """Alice's private image is hers by session, by token and by the address with a ticket that the token gets."""
    (image,) = make_images(cohort, 1)
    tokens = flow.tokens()
    found = nobody.get("/api/v2/images/", **bearer(tokens["access_token"])).json()
    assert [each["isic_id"] for each in found["results"]] == [str(image.key)]
    assert "ticket=" in found["results"][0]["files"]["full"]["url"]
    stranger = Flow(browser_of(make_user("charlie")), flow.application)
    other = stranger.tokens()
    assert nobody.get("/api/v2/images/", **bearer(other["access_token"])).json()["count"] == 0


def test_nothing_that_opens_a_door_is_stored_in_clear(flow):
    code = flow.code(scope="openid image:read")
    before = json.dumps(list(Grant.objects.values()), default=str)
    assert code not in before
    tokens = flow.swap(code).json()
    rows = [*AccessToken.objects.values(), *RefreshToken.objects.values(), *Grant.objects.values()]
    stored = json.dumps(rows, default=str)
    for secret in (tokens["access_token"], tokens["refresh_token"], tokens["id_token"], code):
        assert secret not in stored


def test_consent_is_remembered_where_nobody_else_can_stand_at_the_address(flow, alice):
    flow.code(scope="image:read")
    again = flow.ask(scope="image:read")
    assert (again.status_code, back(again).keys()) == (302, {"code", "state", "iss"})
    assert flow.ask(scope="image:read image:write").status_code == 200, "more than was allowed is asked for"
    assert flow.ask(scope="image:read", prompt="consent").status_code == 200
    (row,) = connections_of(alice)
    assert row.scopes == "image:read"


def test_a_program_on_the_own_machine_asks_each_time(as_alice):
    application, _ = make_application(make_user("bob"), redirect_uris=["http://127.0.0.1/back"])
    flow = Flow(as_alice, application, redirect_uri=HERE)
    flow.tokens()
    page = flow.ask(scope="identity")
    assert page.status_code == 200
    assert "cannot tell which program asks" in page.content.decode()


def test_behind_the_form_of_a_log_in_a_page_leads_on(flow):
    """Browsers hold a form to `form-action 'self'` through all redirections, so the last one has to be a page's."""
    flow.code(scope="image:read")
    address = flow.address(scope="image:read")
    page = flow.browser.get(address, headers={"Sec-Fetch-Site": "same-origin"})
    assert page.status_code == 200
    assert f'content="0;url={BACK}?code=' in page.content.decode()


def test_the_consent_page_may_lead_to_the_application_and_stands_in_no_frame(flow):
    page = flow.ask()
    policy = page.headers["Content-Security-Policy"]
    assert "form-action 'self' https://app.example.org;" in policy
    assert "frame-ancestors 'none'" in policy
    assert page.headers["X-Frame-Options"] == "DENY"


def test_consent_names_all_that_a_scope_includes(flow):
    words = flow.ask(scope="image:write").content.decode()
    assert "Upload images" in words
    assert "See and download the images" in words, "image:write includes image:read"
    everything = flow.ask(scope="write").content.decode()
    assert "Change everything that you may change" in everything
    assert "See everything that you may see" in everything


def test_who_says_no_goes_back_with_that(flow):
    answer = flow.decide("deny")
    found = back(answer)
    assert (found["error"], found["state"], found["iss"]) == (
        "access_denied",
        flow.state,
        "http://localhost:8000/oauth",
    )
    assert not Grant.objects.exists()
    assert not Connection.objects.exists()


def test_who_is_not_logged_in_logs_in_first(flow, nobody):
    address = flow.address(scope="image:read")
    answer = nobody.get(address)
    assert answer.status_code == 302
    assert urlsplit(answer.headers["Location"]).path == "/accounts/login/"
    assert "code_challenge" in answer.headers["Location"]
    silent = nobody.get(flow.address(scope="openid", prompt="none"))
    assert back(silent)["error"] == "login_required"


def test_silently_only_what_was_allowed_before(flow):
    assert back(flow.ask(scope="openid", prompt="none"))["error"] == "consent_required"
    flow.code(scope="openid")
    assert "code" in back(flow.ask(scope="openid", prompt="none"))


def test_who_is_asked_to_log_in_again_does(flow):
    answer = flow.ask(prompt="login")
    assert urlsplit(answer.headers["Location"]).path == "/accounts/reauthenticate/"
    assert "prompt" not in answer.headers["Location"]


def test_an_application_with_a_secret_proves_itself(as_alice):
    application, secret = make_application(make_user("bob"), "web")
    flow = Flow(as_alice, application, secret)
    tokens = flow.tokens()
    assert flow.refresh(tokens["refresh_token"]).status_code == 200
    for wrong in ("", "mc_" + "x" * 43, secret[:-1]):
        answer = flow.swap(flow.code(), client_secret=wrong or None)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_a_program_by_itself_sees_what_is_public(as_alice, cohort, nobody):
    (public,) = make_images(cohort, 1, visibility="public")
    make_images(cohort, 2)
    application, secret = make_application(make_user("bob"), "service")
    flow = Flow(as_alice, application, secret)
    body = flow.token(grant_type="client_credentials", scope="image:read").json()
    assert "refresh_token" not in body
    found = nobody.get("/api/v2/images/", **bearer(body["access_token"])).json()
    assert [each["isic_id"] for each in found["results"]] == [public.public_id]
    assert nobody.get("/api/v2/users/me/", **bearer(body["access_token"])).status_code == 403
    answer = flow.token(grant_type="client_credentials", client_secret="mc_" + "x" * 43)
    assert answer.status_code == 401


def test_a_browser_of_another_site_may_ask_for_tokens_and_act_with_them(flow, nobody):
    elsewhere = {"headers": {"origin": "https://app.example.org"}}
    for address in ("/oauth/token/", "/oauth/userinfo/", "/oauth/.well-known/openid-configuration", "/api/v2/cohorts/"):
        before = nobody.options(address, **elsewhere)
        assert before.status_code == 204
        assert before.headers["Access-Control-Allow-Origin"] == "*"
        assert "Authorization" in before.headers["Access-Control-Allow-Headers"]
        assert "Access-Control-Allow-Credentials" not in before.headers
    tokens = flow.tokens("identity write")
    answer = nobody.patch(
        "/api/v2/users/me/",
        json.dumps({"affiliation": "Clinic"}),
        content_type="application/json",
        **bearer(tokens["access_token"]),
    )
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (200, "*")
    by_session = flow.browser.get("/api/v2/users/me/", **elsewhere)
    assert by_session.status_code == 200
    assert "Access-Control-Allow-Origin" not in by_session.headers


def test_how_everything_is_found(nobody):
    for address in (
        "/oauth/.well-known/openid-configuration",
        "/oauth/.well-known/oauth-authorization-server",
        "/.well-known/oauth-authorization-server/oauth",
    ):
        body = nobody.get(address).json()
        assert body["issuer"] == "http://localhost:8000/oauth"
        assert body["code_challenge_methods_supported"] == ["S256"]
        assert body["response_types_supported"] == ["code"]
        assert body["authorization_response_iss_parameter_supported"] is True
    (key,) = nobody.get(urlsplit(body["jwks_uri"]).path).json()["keys"]
    assert (key["kty"], key["alg"], key["use"]) == ("RSA", "RS256", "sig")
    assert "d" not in key, "the private part stays here"


def test_the_application_learns_who_it_is_by_its_scopes(flow, alice, nobody):
    tokens = flow.tokens("openid email")
    body = nobody.get("/oauth/userinfo/", **bearer(tokens["access_token"])).json()
    assert body == {"sub": str(alice.pk), "email": alice.email, "email_verified": True}
    without = flow.tokens("image:read")
    assert nobody.get("/oauth/userinfo/", **bearer(without["access_token"])).status_code == 403
    assert nobody.get("/oauth/userinfo/").status_code == 401


def test_an_application_asks_about_its_own_tokens_only(as_alice):
    bob = make_user("bob")
    application, secret = make_application(bob, "web")
    flow = Flow(as_alice, application, secret)
    tokens = flow.tokens("image:read")
    other, other_secret = make_application(bob, "web", name="Other")
    public, _ = make_application(bob, "public", name="Public")

    def ask(token, **client):
        return as_alice.post("/oauth/introspect/", {"token": token, **client})

    own = {"client_id": application.client_id, "client_secret": secret}
    for name in ("access_token", "refresh_token"):
        body = ask(tokens[name], **own).json()
        assert (body["active"], body["scope"], body["client_id"]) == (True, "image:read", application.client_id)
        stranger = ask(tokens[name], client_id=other.client_id, client_secret=other_secret)
        assert stranger.json() == {"active": False}
        assert ask(tokens[name], client_id=public.client_id).status_code == 401
        assert ask(tokens[name]).status_code == 401
    assert ask("mo_unknown", **own).json() == {"active": False}


@pytest.mark.parametrize("name", ["access_token", "refresh_token"])
def test_an_application_gives_back_whichever_token(flow, nobody, name):
    tokens = flow.tokens()
    other, _ = make_application(make_user("dora"), name="Other")
    form = {"token": tokens[name], "client_id": other.client_id}
    assert nobody.post("/oauth/revoke_token/", form).status_code == 200
    assert nobody.get("/api/v2/users/me/", **bearer(tokens["access_token"])).status_code == 200
    form["client_id"] = flow.application.client_id
    assert nobody.post("/oauth/revoke_token/", form).status_code == 200
    assert nobody.get("/api/v2/users/me/", **bearer(tokens["access_token"])).status_code == 401
    assert flow.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"


def test_isic_cli_shows_its_code_on_a_page(as_alice, nobody):
    """As `isic-cli` asks: no slash, no scope; and no address to return to when it brings the code."""
    from medtheca.domains.accounts.applications import isic_cli

    flow = Flow(as_alice, isic_cli(), redirect_uri=OUT_OF_BAND)
    address = flow.address().replace("authorize/?", "authorize?")
    assert "isic-cli" in as_alice.get(address).content.decode()
    page = as_alice.post(address, {"decision": "allow"}).content.decode()
    code = page.partition('data-copy="')[2].partition('"')[0]
    assert len(code) >= 30
    body = flow.swap(code, redirect_uri=None).json()
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 86400)
    assert set(body["scope"].split()) == {"identity", "image:read", "image:write"}
    assert body["refresh_token"]
    assert nobody.get("/api/v2/users/me/", **bearer(body["access_token"])).status_code == 200
    denied = as_alice.post(address, {"decision": "deny"})
    assert "You did not allow it" in denied.content.decode()


def test_a_stale_token_sends_isic_cli_on_as_a_guest(nobody):
    headers = {"authorization": "Bearer mo_" + "x" * 43, "user-agent": "isic-cli/12.7.0"}
    assert nobody.get("/api/v2/users/me/", headers=headers).status_code == 404
    headers["user-agent"] = "curl/8"
    answer = nobody.get("/api/v2/users/me/", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")
    cache.clear()


def test_the_page_with_a_code_is_for_isic_cli_alone(flow):
    assert flow.application.client_id != ISIC_CLI
    answer = flow.ask(redirect_uri=OUT_OF_BAND)
    assert answer.status_code == 400
    given = Registration(name="Atlas", kind="public", redirect_uris=[OUT_OF_BAND])
    with pytest.raises(Exception, match="not saved"):
        change_application(user=flow.application.user, application_id=flow.application.pk, given=given)
