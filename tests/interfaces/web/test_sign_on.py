"""Single sign-on against a provider in a process of its own, which signs what it says."""

import json
import subprocess
import sys
import urllib.request
from pathlib import Path
from urllib.error import HTTPError

import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount, SocialToken
from django.test import Client

from medtheca.config.environment import WrongSetting, read_environment
from medtheca.domains.accounts.models import User
from medtheca.domains.ledger.models import Event
from tests.factories.accounts import PASSWORD, make_user
from tests.interfaces.web.provider import CLIENT_ID, CLIENT_SECRET

pytestmark = pytest.mark.django_db
LOGIN = "/accounts/oidc/sso/login/"


@pytest.fixture(scope="module")
def provider():
    script = Path(__file__).with_name("provider.py")
    process = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True)
    try:
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture
def configured(settings, provider):
    """The settings that the environment would give; more variables may be given."""

    def configure(**variables):
        settings.ENVIRONMENT = read_environment(
            {
                "MEDTHECA_OIDC_ISSUER": provider,
                "MEDTHECA_OIDC_CLIENT_ID": CLIENT_ID,
                "MEDTHECA_OIDC_CLIENT_SECRET": CLIENT_SECRET,
                "MEDTHECA_OIDC_NAME": "Sample University",
                **variables,
            }
        )
        app = {
            "provider_id": "sso",
            "name": "Sample University",
            "client_id": CLIENT_ID,
            "secret": CLIENT_SECRET,
            "settings": {"server_url": provider},
        }
        settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": [app]}}
        settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
        settings.PUBLIC_URL = "http://localhost:8000"
        return provider

    configure()
    return configure


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def visit(address):
    """Where the provider sends a browser."""
    try:
        urllib.request.build_opener(_Stay).open(address, timeout=10)
    except HTTPError as answer:
        return answer.headers["Location"]
    raise AssertionError(f"{address} leads nowhere")


def person(email="alice@example.org", *, verified=True, sub="a-1", signed=None):
    userinfo = {"sub": sub, "email": email, "email_verified": verified, "given_name": "Alice", "family_name": "Miller"}
    return {"userinfo": userinfo, "id_token": signed or {"sub": sub}}


def sign_on(provider, who, client=None, path=LOGIN):
    """The whole way: our button, the provider, back to us. Gives the client and the last answer."""
    request = urllib.request.Request(f"{provider}/person", data=json.dumps(who).encode())
    urllib.request.urlopen(request, timeout=10).close()
    client = client or Client(headers={"host": "localhost:8000"})
    begun = client.post(path)
    assert begun.url.startswith(provider), begun.url
    back = visit(begun.url)
    assert back.startswith("http://localhost:8000/accounts/oidc/sso/login/callback/")
    return client, client.get(back.removeprefix("http://localhost:8000"))


def is_logged_in(client):
    return client.session.get("_auth_user_id")


def test_without_settings_there_is_none():
    client = Client(headers={"host": "localhost:8000"})
    assert client.get(LOGIN).status_code == 404
    assert "oidc" not in client.get("/accounts/login/").content.decode()


def test_somebody_new_comes_in_with_an_address_that_the_provider_verified(configured):
    provider = configured()
    assert "Log in with Sample University" in Client().get("/accounts/login/").content.decode()
    client, answer = sign_on(provider, person())
    assert answer.status_code == 302
    alice = User.objects.get(email="alice@example.org")
    assert is_logged_in(client) == str(alice.pk)
    assert (alice.full_name, alice.has_usable_password(), alice.is_staff) == ("Alice Miller", False, False)
    assert EmailAddress.objects.get(user=alice).verified
    assert Event.objects.get(verb="user.created").details["by"] == "single sign-on"
    assert client.get("/account/").url.startswith("/account/terms/"), "terms are asked for here too"
    assert not SocialToken.objects.exists()
    with urllib.request.urlopen(f"{provider}/asked", timeout=10) as asked:
        assert json.load(asked)[-1]["code_challenge_method"] == "S256"
    # The second time it is the same account, whatever the address is by then.
    other, _ = sign_on(provider, person("alice.miller@example.org"))
    assert is_logged_in(other) == str(alice.pk)
    assert User.objects.count() == 1


def test_a_verified_address_opens_the_account_that_has_it(configured):
    alice = make_user("alice")
    client, _ = sign_on(configured(), person())
    assert is_logged_in(client) == str(alice.pk)
    assert SocialAccount.objects.get().user == alice
    alice.refresh_from_db()
    assert alice.check_password(PASSWORD), "whoever verified it here keeps the password"


@pytest.mark.parametrize("claim", [False, None, "false", "true", 1])
def test_an_address_that_is_not_verified_opens_nothing(configured, claim, mailoutbox):
    make_user("alice")
    client, _ = sign_on(configured(), person(verified=claim))
    assert is_logged_in(client) is None
    assert not SocialAccount.objects.exists()
    assert User.objects.count() == 1


@pytest.mark.parametrize("claim", [False, "false"])
def test_somebody_new_whose_address_is_not_verified_confirms_it_first(configured, claim, mailoutbox):
    client, answer = sign_on(configured(), person(verified=claim))
    assert answer.url == "/accounts/confirm-email/"
    assert is_logged_in(client) is None
    assert not EmailAddress.objects.get().verified
    assert "/accounts/confirm-email/" in mailoutbox[0].body


def test_an_account_that_somebody_made_with_a_strangers_address_is_not_joined(configured, mailoutbox):
    thief = make_user("alice", confirmed=False)
    client, _ = sign_on(configured(), person())
    assert is_logged_in(client) is None
    assert not SocialAccount.objects.filter(user=thief).exists()


def test_two_answers_about_two_people_are_refused(configured):
    make_user("alice")
    client, answer = sign_on(configured(), person(signed={"sub": "somebody-else"}))
    assert answer.status_code == 403
    assert "different people" in answer.content.decode()
    assert is_logged_in(client) is None


@pytest.mark.parametrize("signed", [{"aud": "another-site"}, {"iss": "https://evil.example"}, {"exp": 1}])
def test_a_token_for_somebody_else_or_too_old_is_refused(configured, signed):
    client, _ = sign_on(configured(), person(signed={"sub": "a-1", **signed}))
    assert is_logged_in(client) is None
    assert not User.objects.exists()


def test_only_the_domains_that_are_named_come_in(configured):
    provider = configured(MEDTHECA_OIDC_DOMAINS="example.org")
    client, answer = sign_on(provider, person("eve@evil.example", sub="e-1"))
    assert answer.status_code == 403
    assert is_logged_in(client) is None
    _, answer = sign_on(provider, person(verified=False, sub="e-2"))
    assert answer.status_code == 403
    client, _ = sign_on(provider, person())
    assert is_logged_in(client)


def test_where_it_is_the_only_way_passwords_open_nothing(configured):
    make_user("bob")
    provider = configured(MEDTHECA_OIDC_ONLY="yes")
    client = Client(headers={"host": "localhost:8000"})
    page = client.get("/accounts/login/").content.decode()
    assert 'type="password"' not in page
    client.post("/accounts/login/", {"login": "bob@example.org", "password": PASSWORD})
    assert is_logged_in(client) is None
    assert "Sign-up is closed" in client.get("/accounts/signup/").content.decode()
    client, _ = sign_on(provider, person())
    assert is_logged_in(client)


def test_a_second_factor_is_asked_for_here_too(configured):
    from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret

    make_user("alice")
    sign_on(configured(), person())
    TOTP.activate(User.objects.get(), generate_totp_secret())
    other, answer = sign_on(configured(), person())
    assert answer.url == "/accounts/2fa/authenticate/"
    assert is_logged_in(other) is None


def test_a_disabled_account_stays_closed(configured):
    make_user("alice")
    sign_on(configured(), person())
    User.objects.update(is_active=False)
    client, _ = sign_on(configured(), person())
    assert is_logged_in(client) is None


def test_alice_connects_and_disconnects(configured):
    alice = make_user("alice")
    client = Client(headers={"host": "localhost:8000"})
    client.post("/accounts/login/", {"login": "alice@example.org", "password": PASSWORD})
    client.post("/accounts/reauthenticate/", {"password": PASSWORD, "next": "/account/"})
    sign_on(configured(), person("alice@work.example", sub="w-1"), client, f"{LOGIN}?process=connect")
    account = SocialAccount.objects.get(user=alice)
    assert not EmailAddress.objects.filter(email="alice@work.example", primary=True).exists()
    page = client.get("/accounts/3rdparty/").content.decode()
    assert "Disconnect" in page
    client.post("/accounts/3rdparty/", {"account": account.pk})
    assert not SocialAccount.objects.exists()


def test_settings_that_do_not_fit_stop_the_start():
    with pytest.raises(WrongSetting, match="MEDTHECA_OIDC_CLIENT_ID is empty"):
        read_environment({"MEDTHECA_OIDC_ISSUER": "https://login.example.org"})
    with pytest.raises(WrongSetting, match="lets nobody in"):
        read_environment({"MEDTHECA_OIDC_ONLY": "yes"})
    with pytest.raises(WrongSetting, match="with https"):
        read_environment({"MEDTHECA_OIDC_ISSUER": "http://login.example.org", "MEDTHECA_OIDC_CLIENT_ID": "x"})
    with pytest.raises(WrongSetting, match="no such file"):
        read_environment({"MEDTHECA_TERMS": "/nowhere/terms.txt"})
