"""The attacks of RFC 9700 that apply here, each by its name there. Mallory has an application; Alice is the victim."""

import logging
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from allauth.account.models import EmailAddress
from django.test import Client
from oauth2_provider.models import AccessToken, Grant, RefreshToken

from medtheca.config.redaction import Redacted
from medtheca.domains.accounts.applications import Registration, delete_application, register_application
from medtheca.domains.accounts.authorizing import REFRESH_GRACE, REFRESH_LIFE
from medtheca.domains.accounts.bearers import drop_expired_authorizations, use_bearer
from medtheca.domains.accounts.connections import connections_of, disconnect
from medtheca.domains.accounts.deleting import begin_deletion
from medtheca.domains.accounts.models import Connection
from medtheca.domains.accounts.operations import set_active
from medtheca.toolkit.redirect_uris import BadRedirectUri, check_redirect_uri
from tests.factories.accounts import PASSWORD, bearer, make_user
from tests.factories.oauth import BACK, Flow, back, make_application, make_verifier
from tests.interfaces.conftest import browser_of

pytestmark = pytest.mark.django_db
ISSUER = "http://localhost:8000/oauth"


@pytest.fixture
def mallory(db):
    return make_user("mallory")


@pytest.fixture
def flow(as_alice, mallory):
    return Flow(as_alice, make_application(mallory)[0])


def works(tokens):
    return use_bearer(secret=tokens["access_token"]) is not None


def error_of(answer):
    assert answer.status_code in {400, 401}, answer.content
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.json()["error"]


def age(model, span, **which):
    """Let rows be as old as if `span` had passed."""
    for row in model.objects.filter(**which):
        for name in ("expires", "revoked", "created"):
            if getattr(row, name, None) is not None:
                model.objects.filter(pk=row.pk).update(**{name: getattr(row, name) - span})


# -- redirection -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "uri",
    [
        "https://evil.example/back",
        "https://app.example.org.evil.example/back",
        "https://app.example.org/back/../evil",
        "https://app.example.org/back/",
        "https://app.example.org/Back",
        "https://app.example.org/back?next=https://evil.example",
        "https://app.example.org/back#x",
        "https://app.example.org:8443/back",
        "https://x@app.example.org/back",
        "http://app.example.org/back",
        "https://app.example.org/back;evil",
        "https://app.example.org\\@evil.example/back",
        "//app.example.org/back",
        "javascript:alert(1)",
        "",
    ],
)
def test_only_the_registered_address_is_ever_gone_back_to(flow, uri):
    for ask in (flow.ask, flow.decide):
        answer = ask(redirect_uri=uri)
        assert answer.status_code == 400, uri
        assert "Location" not in answer.headers
    assert not Grant.objects.exists()


def test_no_address_and_unknown_applications_are_told_on_a_page(flow):
    for changes in ({"redirect_uri": None}, {"client_id": "unknown"}, {"client_id": None}, {"client_id": "a\0b"}):
        answer = flow.ask(**changes)
        assert (answer.status_code, "Location" in answer.headers) == (400, False), changes


def test_a_bare_link_leads_nobody_away(flow, nobody):
    """Open redirection by an error: a stranger logs in before anything of the application's is followed."""
    answer = nobody.get(flow.address(scope="everything"))
    assert urlsplit(answer.headers["Location"]).path == "/accounts/login/"
    told = back(flow.ask(scope="everything"))
    assert (told["error"], told["iss"], told["state"]) == ("invalid_scope", ISSUER, flow.state)


@pytest.mark.parametrize(("asked", "status"), [("http://127.0.0.1:54321/back", 200), ("http://[::1]:54321/back", 200)])
def test_ports_are_free_on_the_own_machine(as_alice, mallory, asked, status):
    uris = ["http://127.0.0.1/back", "http://[::1]/back", "https://app.example.org/back"]
    flow = Flow(as_alice, make_application(mallory, redirect_uris=uris)[0])
    assert flow.ask(redirect_uri=asked).status_code == status
    for wrong in ("http://127.0.0.1:54321/other", "http://127.0.0.2:54321/back", "https://app.example.org:1/back"):
        assert flow.ask(redirect_uri=wrong).status_code == 400, wrong


@pytest.mark.parametrize(
    "uri",
    [
        "http://app.example.org/back",
        "https://*.example.org/back",
        "https://app.example.org/back#x",
        "https://user:word@app.example.org/back",
        "javascript:alert(1)",
        "data:text/html,x",
        "myapp:/back",
        "urn:ietf:wg:oauth:2.0:oob",
        "^https://.*",
        "https://",
        "https://app.example.org:99999/",
        "https://app.example.org/a b",
        "",
    ],
)
def test_addresses_that_anybody_could_stand_at_are_not_registered(mallory, uri):
    with pytest.raises(BadRedirectUri):
        check_redirect_uri(uri)
    with pytest.raises(Exception, match="not saved"):
        register_application(user=mallory, given=Registration(name="A", kind="public", redirect_uris=[uri]))


# -- codes -----------------------------------------------------------------------------------------------------


def test_a_code_that_comes_twice_ends_what_came_of_it(flow):
    code = flow.code()
    tokens = flow.swap(code).json()
    assert works(tokens)
    assert error_of(flow.swap(code)) == "invalid_grant"
    assert not works(tokens)
    assert error_of(flow.refresh(tokens["refresh_token"])) == "invalid_grant"


def test_a_code_that_comes_twice_ends_what_was_refreshed_since(flow):
    code = flow.code()
    newer = flow.refresh(flow.swap(code).json()["refresh_token"]).json()
    assert works(newer)
    flow.swap(code)
    assert not works(newer)


def test_a_code_is_of_no_use_to_another_application(flow, as_alice, mallory):
    """Code injection: with a code and its verifier somebody else can neither swap it nor end its tokens."""
    other = Flow(as_alice, make_application(mallory, name="Other")[0])
    code = flow.code()
    assert error_of(other.swap(code, code_verifier=flow.verifier)) == "invalid_grant"
    tokens = flow.swap(code).json()
    other.swap(code, code_verifier=flow.verifier)
    assert works(tokens)


def test_a_code_goes_with_its_address(as_alice, mallory):
    uris = [BACK, "https://other.example.org/back"]
    flow = Flow(as_alice, make_application(mallory, redirect_uris=uris)[0])
    for wrong in (uris[1], None, "https://evil.example/"):
        assert error_of(flow.swap(flow.code(), redirect_uri=wrong)) in {"invalid_request", "invalid_grant"}
    assert not AccessToken.objects.exists()


def test_a_code_is_short_lived(flow):
    code = flow.code()
    age(Grant, timedelta(minutes=1))
    assert error_of(flow.swap(code)) == "invalid_grant"


@pytest.mark.parametrize("kind", ["public", "web"])
def test_everybody_proves_that_they_asked(as_alice, mallory, kind):
    """PKCE by S256 for applications with a secret too; no method means plain, which is refused."""
    application, secret = make_application(mallory, kind)
    flow = Flow(as_alice, application, secret)
    refused = [
        {"code_challenge": None, "code_challenge_method": None},
        {"code_challenge_method": "plain"},
        {"code_challenge_method": None},
        {"code_challenge_method": "s256"},
        {"code_challenge": "short"},
        {"code_challenge": "x" * 200},
    ]
    for changes in refused:
        for ask in (flow.ask, flow.decide):
            assert back(ask(**changes))["error"] == "invalid_request", changes
    for wrong in (None, "", make_verifier()[0], flow.challenge):
        assert error_of(flow.swap(flow.code(), code_verifier=wrong)) in {"invalid_grant", "invalid_request"}
    assert not AccessToken.objects.exists()


def test_other_ways_to_a_token_do_not_exist(flow, as_alice, mallory):
    for response_type in ("token", "id_token", "id_token token", "code token", "code id_token", "none", ""):
        answer = flow.decide(response_type=response_type, scope="openid", nonce="n")
        assert "access_token" not in answer.headers.get("Location", "")
        assert back(answer)["error"] in {"unsupported_response_type", "unauthorized_client", "invalid_request"}
    form = {"username": "alice@example.org", "password": PASSWORD}
    assert error_of(flow.token(grant_type="password", **form)) == "unsupported_grant_type"
    device = "urn:ietf:params:oauth:grant-type:device_code"
    assert error_of(flow.token(grant_type=device, device_code="x")) == "unsupported_grant_type"
    assert error_of(flow.token(grant_type="client_credentials")) in {"unauthorized_client", "invalid_client"}
    web = Flow(as_alice, *make_application(mallory, "web", name="Web"))
    assert error_of(web.token(grant_type="client_credentials")) == "unauthorized_client"
    assert flow.browser.get("/oauth/token/").status_code == 405
    assert error_of(flow.token(grant_type="authorization_code", code="a\0b")) == "invalid_request"


def test_who_sends_people_back_says_so(flow):
    """Mix-up: every answer at the application's address names this server, errors too."""
    for answer in (flow.decide(), flow.decide("deny"), flow.ask(scope="everything")):
        assert back(answer)["iss"] == ISSUER


def test_an_application_cannot_speak_for_the_server(as_alice, mallory):
    flow = Flow(as_alice, make_application(mallory, redirect_uris=[f"{BACK}?iss=https://evil.example"])[0])
    answer = flow.decide(redirect_uri=f"{BACK}?iss=https://evil.example")
    assert answer.headers["Location"].count("iss=") == 1
    assert back(answer)["iss"] == ISSUER


# -- refresh tokens --------------------------------------------------------------------------------------------


def test_a_refresh_token_that_comes_again_later_ends_the_family(flow):
    first = flow.tokens()
    second = flow.refresh(first["refresh_token"]).json()
    assert second["refresh_token"] != first["refresh_token"]
    age(RefreshToken, REFRESH_GRACE, revoked__isnull=False)
    assert error_of(flow.refresh(first["refresh_token"])) == "invalid_grant"
    assert not works(second)
    assert not works(first)
    assert error_of(flow.refresh(second["refresh_token"])) == "invalid_grant"


def test_an_answer_that_got_lost_is_asked_for_again(flow):
    first = flow.tokens()
    lost = flow.refresh(first["refresh_token"]).json()
    again = flow.refresh(first["refresh_token"]).json()
    assert works(lost)
    assert works(again)
    assert again["refresh_token"] not in {lost["refresh_token"], first["refresh_token"]}
    assert flow.refresh(again["refresh_token"]).status_code == 200
    age(RefreshToken, REFRESH_GRACE, revoked__isnull=False)
    assert error_of(flow.refresh(first["refresh_token"])) == "invalid_grant"
    assert not works(lost), "all that came of one authorization is one family"


def test_a_token_that_was_given_back_has_no_grace(flow, nobody):
    first = flow.tokens()
    nobody.post("/oauth/revoke_token/", {"token": first["refresh_token"], "client_id": flow.application.client_id})
    assert error_of(flow.refresh(first["refresh_token"])) == "invalid_grant"


def test_refreshing_never_gains_a_scope(flow):
    tokens = flow.tokens("image:read")
    for more in ("image:write", "image:read image:write", "write", "openid image:read"):
        assert error_of(flow.refresh(tokens["refresh_token"], scope=more)) == "invalid_scope"
    wide = flow.tokens("identity image:read")
    narrow = flow.refresh(wide["refresh_token"], scope="identity").json()
    assert narrow["scope"] == "identity"
    assert error_of(flow.refresh(narrow["refresh_token"], scope="identity image:read")) == "invalid_scope"


def test_a_refresh_token_is_bound_to_its_application(flow, as_alice, mallory):
    other = Flow(as_alice, make_application(mallory, name="Other")[0])
    tokens = flow.tokens()
    assert error_of(other.refresh(tokens["refresh_token"])) == "invalid_grant"
    assert works(tokens)
    assert flow.refresh(tokens["refresh_token"]).status_code == 200


def test_tokens_end_by_themselves_and_are_cleared_away(flow):
    tokens = flow.tokens()
    age(AccessToken, timedelta(hours=1))
    assert not works(tokens)
    assert flow.refresh(tokens["refresh_token"]).status_code == 200
    idle = flow.tokens()
    age(AccessToken, REFRESH_LIFE + timedelta(hours=1))
    age(RefreshToken, REFRESH_LIFE + timedelta(hours=1))
    assert error_of(flow.refresh(idle["refresh_token"])) == "invalid_grant"
    assert drop_expired_authorizations() >= 4
    assert not AccessToken.objects.exists()
    assert not RefreshToken.objects.exists()


# -- people ----------------------------------------------------------------------------------------------------


def test_nothing_works_for_somebody_who_is_disabled(flow, alice, nobody):
    tokens, code = flow.tokens(), flow.code()
    set_active(user=alice, active=False)
    assert not works(tokens)
    assert nobody.get("/oauth/userinfo/", **bearer(tokens["access_token"])).status_code == 401
    assert error_of(flow.refresh(tokens["refresh_token"])) == "invalid_grant"
    assert error_of(flow.swap(code)) == "invalid_grant"


def test_a_new_password_disconnects(flow, alice):
    tokens = flow.tokens()
    form = {"oldpassword": PASSWORD, "password1": "another battery staple", "password2": "another battery staple"}
    assert flow.browser.post("/accounts/password/change/", form).status_code == 302
    assert not works(tokens)
    assert error_of(flow.refresh(tokens["refresh_token"])) == "invalid_grant"
    assert not connections_of(alice).exists()


def test_a_person_disconnects_an_application(flow, alice, as_charlie):
    tokens = flow.tokens()
    (connection,) = connections_of(alice)
    address = f"/account/connections/{connection.pk}/end/"
    assert as_charlie.post(address).status_code == 404
    assert works(tokens)
    assert flow.browser.post(address).status_code == 302
    assert not works(tokens)
    assert flow.ask(scope="identity image:read").status_code == 200, "they are asked again"


def test_a_deletion_ends_tokens_and_an_application_that_goes_takes_everybodys(flow, alice, mallory):
    tokens = flow.tokens()
    begin_deletion(user=alice, actor_id=alice.pk, at_once=False)
    assert not works(tokens)
    other = Flow(browser_of(make_user("dora")), flow.application)
    theirs = other.tokens()
    delete_application(user=mallory, application_id=flow.application.pk)
    assert not works(theirs)
    assert not Connection.objects.exists()


def test_another_cannot_disconnect(alice, flow):
    flow.tokens()
    (connection,) = connections_of(alice)
    with pytest.raises(Exception, match="does not act for you"):
        disconnect(user=make_user("dora"), connection_id=connection.pk)


# -- pages -----------------------------------------------------------------------------------------------------


def test_consent_needs_a_page_of_ours(flow, alice):
    """CSRF: neither a form of another site nor a link gives consent."""
    strict = Client(headers={"host": "localhost:8000"}, enforce_csrf_checks=True)
    strict.force_login(alice)
    assert strict.post(flow.address(), {"decision": "allow"}).status_code == 403
    assert strict.get(flow.address(decision="allow")).status_code == 200
    assert not Grant.objects.exists()


@pytest.mark.parametrize("address", ["ask", "/oauth/applications/", "/account/connections/", "refused"])
def test_no_page_stands_in_a_frame(flow, address):
    if address == "ask":
        page = flow.ask()
    elif address == "refused":
        page = flow.ask(client_id="unknown")
    else:
        page = flow.browser.get(address)
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
    assert page.headers["X-Frame-Options"] == "DENY"
    assert "no-store" in page.headers["Cache-Control"]


def test_staff_without_their_second_factor_let_nobody_act(settings, mallory):
    settings.STAFF_SECOND_FACTOR = True
    flow = Flow(browser_of(make_user("sam")), make_application(mallory)[0])
    assert flow.ask().status_code == 302
    assert flow.decide().status_code == 403
    assert not Grant.objects.exists()


def test_a_name_cannot_write_into_the_page(as_alice, mallory):
    flow = Flow(as_alice, make_application(mallory, name="<script>alert(1)</script>")[0])
    assert "<script>alert(1)" not in flow.ask().content.decode()


def test_logs_hold_no_secret():
    record = logging.makeLogRecord({})
    for text in (
        "GET /oauth/authorize/?code=abcdefghijkl&state=mnopqrst",
        'https://app.example.org/back?code=abcdefghijkl&iss=x "mnopqrst"',
        "refresh_token=abcdefghijkl",
        "{'client_secret': 'abcdefghijkl'}",
        "mo_abcdefghijkl mr_abcdefghijkl mc_abcdefghijkl",
    ):
        record.msg = text
        assert "abcdefghijkl" not in Redacted("%(message)s").format(record)


def test_an_address_that_nobody_confirmed_is_told_as_such(alice, flow, nobody):
    """The claim `email_verified` says what is so."""
    tokens = flow.tokens("openid email")
    EmailAddress.objects.filter(user=alice).update(verified=False)
    assert nobody.get("/oauth/userinfo/", **bearer(tokens["access_token"])).json()["email_verified"] is False
