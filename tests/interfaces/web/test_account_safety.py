"""Terms, second factors, sessions and what a reset ends: real flows, with codes computed as an app does."""

import threading
import time
from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from allauth.usersessions.models import UserSession
from django.contrib.auth.hashers import check_password, make_password
from django.test import Client

from medtheca.domains.accounts import hashing
from medtheca.domains.accounts.errors import PasswordsBusy
from medtheca.domains.accounts.hashing import Turns
from medtheca.domains.accounts.models import ApiToken, TermsAcceptance, User
from medtheca.domains.accounts.queries import user_of_token
from medtheca.domains.accounts.terms import current_terms
from medtheca.domains.ledger.models import Event
from tests.factories.accounts import PASSWORD, bearer, make_token, make_user

pytestmark = pytest.mark.django_db
NEW_PASSWORD = "another staple for the horse"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
SAFARI = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Safari/604.1"


@pytest.fixture(autouse=True)
def _mail(settings, tmp_path):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    settings.PUBLIC_URL = "http://localhost:8000"


def browser(agent=FIREFOX):
    return Client(headers={"host": "localhost:8000", "user-agent": agent})


def log_in(client, email="alice@example.org", password=PASSWORD, **extra):
    return client.post("/accounts/login/", {"login": email, "password": password}, **extra)


def is_logged_in(client):
    return "_auth_user_id" in client.session


def code(secret, *, steps=0):
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + steps))


def prove(client, password=PASSWORD, after="/accounts/2fa/"):
    return client.post("/accounts/reauthenticate/", {"password": password, "next": after})


def set_up_app(client):
    """As a person does: prove oneself, read the secret from the page, type the code of the app."""
    prove(client)
    page = client.get("/accounts/2fa/totp/activate/")
    secret = page.context["form"].secret
    assert secret in page.content.decode()
    answer = client.post("/accounts/2fa/totp/activate/", {"code": code(secret)})
    assert answer.status_code == 302, answer.context["form"].errors
    return secret, answer.url


# --- terms of use ----------------------------------------------------------------------------------------------------


def own_terms(settings, tmp_path, text):
    settings.TERMS_FILE = tmp_path / "terms.txt"
    settings.TERMS_FILE.write_text(text)


def test_terms_and_privacy_are_for_everybody():
    for path, words in (("/terms/", "Terms of use"), ("/privacy/", "Privacy notice")):
        page = browser().get(path)
        assert page.status_code == 200
        assert words in page.content.decode()


def test_who_has_not_accepted_is_asked_once_and_goes_on_where_they_were_going():
    alice = make_user("alice", asked=False)
    client = browser()
    client.force_login(alice)
    asked = client.get("/account/tokens/?x=1")
    assert asked.url == "/account/terms/?next=%2Faccount%2Ftokens%2F%3Fx%3D1"
    page = client.get(asked.url).content.decode()
    assert "Before you go on" in page
    answer = client.post("/account/terms/", {"version": current_terms().version, "next": "/account/tokens/?x=1"})
    assert answer.url == "/account/tokens/?x=1"
    assert client.get("/account/tokens/?x=1").status_code == 200
    assert TermsAcceptance.objects.get(user=alice).version == current_terms().version
    assert Event.objects.get(verb="user.accepted_terms").details == {"version": current_terms().version}


def test_a_new_version_is_asked_for_again_and_both_are_on_record(settings, tmp_path):
    alice = make_user("alice")
    client = browser()
    client.force_login(alice)
    assert client.get("/account/").status_code == 200
    own_terms(settings, tmp_path, "Version: 2027\n\n# Our terms\n\n<b>Be kind</b> & careful.")
    asked = client.get("/account/")
    page = client.get(asked.url).content.decode()
    assert "have changed" in page
    assert "&lt;b&gt;Be kind&lt;/b&gt; &amp; careful." in page
    client.post("/account/terms/", {"version": "2027", "next": "/account/"})
    assert client.get("/account/").status_code == 200
    assert set(TermsAcceptance.objects.filter(user=alice).values_list("version", flat=True)) == {"1", "2027"}


def test_nobody_accepts_a_version_that_they_were_not_shown(settings, tmp_path):
    alice = make_user("alice", asked=False)
    client = browser()
    client.force_login(alice)
    own_terms(settings, tmp_path, "Version: 3\n\nNew.")
    assert client.post("/account/terms/", {"version": "2", "next": "/"}).status_code == 200
    assert not TermsAcceptance.objects.exists()


def test_terms_do_not_lead_to_other_sites():
    client = browser()
    client.force_login(make_user("alice", asked=False))
    data = {"version": current_terms().version, "next": "https://evil.example/"}
    assert client.post("/account/terms/", data).url == "/"


def test_parts_of_pages_and_programs_are_not_interrupted():
    alice = make_user("alice", asked=False)
    client = browser()
    client.force_login(alice)
    assert client.get("/account/", headers={"hx-request": "true"}).status_code == 200
    assert client.get("/api/v2/users/me/").status_code == 200
    _, secret = make_token(alice)
    assert browser().get("/api/v2/users/me/", **bearer(secret)).status_code == 200


# --- an app as the second factor -------------------------------------------------------------------------------------


# Mail is sent when the transaction ends, inside the request.
@pytest.mark.django_db(transaction=True)
def test_alice_sets_up_an_app_and_needs_its_code(mailoutbox):
    alice = make_user("alice")
    client = browser()
    log_in(client)
    assert client.get("/accounts/2fa/totp/activate/").url.startswith("/accounts/reauthenticate/")
    secret, onward = set_up_app(client)
    assert onward == "/accounts/2fa/recovery-codes/"
    assert [mail.subject for mail in mailoutbox] == ["Medtheca: An authenticator app was set up"]
    assert Event.objects.get(verb="user.second_factor_changed").actor_id == alice.pk

    other = browser(SAFARI)
    assert log_in(other).url == "/accounts/2fa/authenticate/"
    assert not is_logged_in(other)
    assert other.post("/accounts/2fa/authenticate/", {"code": "000000"}).status_code == 200
    assert not is_logged_in(other)
    # The code of the set-up was never used for a log-in; each is good for one.
    good = code(secret, steps=1)
    assert other.post("/accounts/2fa/authenticate/", {"code": good}).status_code == 302
    assert is_logged_in(other)
    third = browser()
    log_in(third)
    third.post("/accounts/2fa/authenticate/", {"code": good})
    assert not is_logged_in(third), "a code is good once"


def test_the_secret_is_not_in_the_clear_in_the_database(settings):
    make_user("alice")
    client = browser()
    log_in(client)
    secret, _ = set_up_app(client)
    row = Authenticator.objects.get(type="totp")
    assert secret not in str(row.data)
    assert row.wrap().validate_code(code(secret))
    settings.SECRET_KEY, before = "another key, which opens nothing of the first", settings.SECRET_KEY
    assert not row.wrap().validate_code(code(secret, steps=1))
    # An empty secret would be everybody's.
    assert not row.wrap().validate_code(code("", steps=1))
    settings.SECRET_KEY_FALLBACKS = [before]
    assert row.wrap().validate_code(code(secret, steps=1))


def test_recovery_codes_are_shown_once_and_each_works_once():
    make_user("alice")
    client = browser()
    log_in(client)
    set_up_app(client)
    page = client.get("/accounts/2fa/recovery-codes/")
    codes = page.context["unused_codes"]
    assert len(codes) == 10
    assert codes[0] in page.content.decode()
    assert codes[0] not in client.get("/accounts/2fa/recovery-codes/").content.decode()
    assert client.get("/accounts/2fa/recovery-codes/download/").status_code == 403
    for expected in (True, False):
        other = browser()
        log_in(other)
        other.post("/accounts/2fa/authenticate/", {"code": codes[0]})
        assert is_logged_in(other) is expected


def test_guessing_codes_ends_in_429():
    make_user("alice")
    client = browser()
    log_in(client)
    set_up_app(client)
    other = browser()
    log_in(other)
    answers = [other.post("/accounts/2fa/authenticate/", {"code": f"{number:06}"}) for number in range(12)]
    assert "Too many" in answers[-1].content.decode() or answers[-1].status_code == 429
    assert not is_logged_in(other)


def test_turning_the_app_off_asks_who_is_there():
    make_user("alice")
    client = browser()
    log_in(client)
    set_up_app(client)
    session = client.session
    session["account_authentication_methods"] = []
    session.save()
    assert client.post("/accounts/2fa/totp/deactivate/").url.startswith("/accounts/reauthenticate/")
    assert Authenticator.objects.filter(type="totp").exists()
    prove(client)
    client.post("/accounts/2fa/totp/deactivate/")
    assert not Authenticator.objects.exists()


# --- staff must have one, where the instance says so -----------------------------------------------------------------


def test_staff_without_a_factor_may_do_nothing_but_set_one_up(settings):
    settings.STAFF_SECOND_FACTOR = True
    sam = make_user("sam")
    client = browser()
    log_in(client, "sam@example.org")
    assert client.get("/status/").url == "/accounts/2fa/"
    assert client.post("/contributors/new/", {"institution_name": "Clinic"}).status_code == 403
    refused = client.get("/api/v2/users/me/")
    assert (refused.status_code, refused.json()["code"]) == (403, "second_factor_needed")
    _, secret = make_token(sam)
    assert browser().get("/api/v2/users/me/", **bearer(secret)).status_code == 200, "tokens are not affected"
    set_up_app(client)
    assert client.get("/status/").status_code == 200


def test_staff_without_a_factor_see_files_as_nobody(settings):
    from medtheca.interfaces.http.authentication import caller_from_headers

    make_user("sam")
    client = browser()
    log_in(client, "sam@example.org")
    cookie = f"sessionid={client.session.session_key}".encode()
    ask = {"method": "GET", "headers": [(b"cookie", cookie), (b"host", b"localhost:8000")], "address": "127.0.0.1"}
    assert caller_from_headers(**ask).user is not None
    settings.STAFF_SECOND_FACTOR = True
    assert caller_from_headers(**ask).user is None


def test_others_need_none(settings):
    settings.STAFF_SECOND_FACTOR = True
    make_user("alice")
    client = browser()
    log_in(client)
    assert client.get("/account/").status_code == 200


# --- passkeys --------------------------------------------------------------------------------------------------------


def test_passkeys_are_offered_at_a_name_and_explained_at_a_number(settings):
    settings.ALLOWED_HOSTS = ["*"]
    make_user("alice")
    client = browser()
    log_in(client)
    assert "Add a passkey" in client.get("/accounts/2fa/").content.decode()
    for host in ("127.0.0.1:8000", "[::1]:8000"):
        page = client.get("/accounts/2fa/", headers={"host": host}).content.decode()
        assert "Add a passkey" not in page
        assert "http://localhost:8000/accounts/2fa/" in page
        assert "Log in with a passkey" not in Client().get("/accounts/login/", headers={"host": host}).content.decode()
    plain = Client().get("/accounts/login/", headers={"host": "archive.example.org"})
    assert "Log in with a passkey" not in plain.content.decode(), "not without https"


# --- sessions --------------------------------------------------------------------------------------------------------


def test_alice_sees_her_browsers_and_ends_one():
    make_user("alice")
    desk, phone = browser(), browser(SAFARI)
    log_in(desk)
    log_in(phone, REMOTE_ADDR="192.0.2.7")
    page = desk.get("/account/sessions/").content.decode()
    assert "Firefox on Linux" in page
    assert "Safari on iPhone" in page
    assert "192.0.2.7" in page
    row = UserSession.objects.get(ip="192.0.2.7")
    assert desk.post(f"/account/sessions/{row.pk}/end/").status_code == 302
    assert phone.get("/account/").status_code == 302
    assert desk.get("/account/").status_code == 200
    assert desk.post(f"/account/sessions/{row.pk}/end/").status_code == 404


def test_alice_ends_all_others_and_nobody_elses():
    make_user("alice")
    make_user("bob")
    desk, phone, bobs = browser(), browser(SAFARI), browser()
    log_in(desk)
    log_in(phone)
    log_in(bobs, "bob@example.org")
    bobs_row = UserSession.objects.get(user__email="bob@example.org")
    assert desk.post(f"/account/sessions/{bobs_row.pk}/end/").status_code == 404
    desk.post("/account/sessions/end/")
    assert [client.get("/account/").status_code for client in (desk, phone, bobs)] == [200, 302, 200]


def test_last_seen_is_written_every_five_minutes_at_most(django_assert_max_num_queries):
    alice = make_user("alice")
    client = browser()
    client.force_login(alice)
    client.get("/account/")
    assert UserSession.objects.count() == 1, "a session from before is noted too"
    UserSession.objects.update(last_seen_at=alice.created - timedelta(days=1))
    client.get("/account/")
    assert UserSession.objects.get().last_seen_at < alice.created
    session = client.session
    session["noted"] = int(time.time()) - 301
    session.save()
    client.get("/account/")
    assert UserSession.objects.get().last_seen_at > alice.created


# --- passwords -------------------------------------------------------------------------------------------------------


def reset(client, mailoutbox, email="alice@example.org"):
    client.post("/accounts/password/reset/", {"email": email})
    link = next(word for word in mailoutbox[-1].body.split() if "/password/reset/key/" in word)
    form = client.get(link.removeprefix("http://localhost:8000"), follow=True)
    client.post(form.redirect_chain[-1][0], {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})


def test_a_reset_ends_tokens_and_sessions(mailoutbox):
    alice = make_user("alice")
    _, secret = make_token(alice)
    other = browser()
    log_in(other)
    reset(browser(), mailoutbox)
    assert user_of_token(secret) is None
    assert ApiToken.objects.get().revoked is not None
    assert other.get("/account/").status_code == 302
    assert Event.objects.get(verb="token.all_revoked").details == {"tokens": 1, "because": "password reset"}


def test_a_change_ends_tokens_only_where_asked():
    alice = make_user("alice")
    _, secret = make_token(alice)
    data = {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    client = browser()
    log_in(client)
    client.post("/accounts/password/change/", data)
    assert user_of_token(secret) is not None
    log_in(client, password=NEW_PASSWORD)
    data = {"oldpassword": NEW_PASSWORD, "password1": PASSWORD, "password2": PASSWORD, "revoke_tokens": "on"}
    client.post("/accounts/password/change/", data)
    assert user_of_token(secret) is None


@pytest.mark.usefixtures("real_password_hashers")
def test_hashes_are_those_of_django_and_read_by_it(settings):
    ours = make_password(PASSWORD)
    assert ours.startswith("argon2$argon2id$")
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
    assert check_password(PASSWORD, ours)
    theirs = make_password(PASSWORD)
    settings.PASSWORD_HASHERS = ["medtheca.domains.accounts.hashing.BoundedArgon2"]
    assert check_password(PASSWORD, theirs)
    assert not check_password("wrong", theirs)


def test_only_so_many_are_inside_and_before_the_door():
    turns = Turns(at_once=2, waiting=3, patience=20)
    inside, most, go = [], [], threading.Event()
    refused = []

    def enter():
        try:
            with turns.take():
                inside.append(1)
                most.append(len(inside))
                go.wait(20)
                inside.pop()
        except PasswordsBusy:
            refused.append(1)

    threads = [threading.Thread(target=enter) for _ in range(9)]
    for thread in threads:
        thread.start()
    until = time.monotonic() + 10
    while len(refused) < 4 and time.monotonic() < until:
        time.sleep(0.01)
    go.set()
    for thread in threads:
        thread.join(20)
    assert (max(most), len(refused), len(most)) == (2, 4, 5)


@pytest.mark.usefixtures("real_password_hashers")
def test_a_full_house_is_told_when_to_come_back(monkeypatch):
    make_user("alice")
    full = Turns(at_once=1, waiting=0, patience=1)
    monkeypatch.setattr(hashing, "_TURNS", full)
    client = browser()
    with full.take():
        answer = log_in(client)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "Try again in 5 seconds" in answer.content.decode()
    assert log_in(client).status_code == 302


# --- the profile -----------------------------------------------------------------------------------------------------


def test_a_profile_is_saved_and_wrong_values_are_told():
    alice = make_user("alice")
    client = browser()
    client.force_login(alice)
    data = {"first_name": "Alice", "last_name": "Miller", "affiliation": "Clinic", "country": "CH"}
    page = client.post("/account/", {**data, "orcid": "0000-0002-1825-0098"})
    assert "does not fit the others" in page.content.decode()
    assert User.objects.get(pk=alice.pk).affiliation == ""
    client.post("/account/", {**data, "orcid": "https://orcid.org/0000-0002-1825-0097"})
    alice.refresh_from_db()
    assert (alice.orcid, alice.country, alice.affiliation) == ("0000-0002-1825-0097", "CH", "Clinic")
    assert Event.objects.get(verb="user.profile_changed").details == {
        "fields": ["affiliation", "country", "last_name", "orcid"]
    }
    page = client.get("/account/").content.decode()
    assert alice.hash_id in page
