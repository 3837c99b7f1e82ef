"""What browsers are told, where they are sent, and what guessing costs us."""

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.test import Client

from tests.factories.accounts import PASSWORD, make_user

pytestmark = pytest.mark.django_db
HOST = "archive.example.org"


@pytest.fixture(autouse=True)
def public(settings):
    settings.ALLOWED_HOSTS = [HOST, "localhost", "127.0.0.1"]


@pytest.fixture
def browser():
    return Client(headers={"host": HOST})


def log_in(browser, password=PASSWORD, **fields):
    return browser.post("/accounts/login/", {"login": "alice@example.org", "password": password, **fields})


@pytest.mark.parametrize(
    "place",
    [
        "https://evil.example/",
        "//evil.example/",
        "///evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "http:evil.example",
        "javascript:alert(1)",
        "http://localhost/",
        "//127.0.0.1/",
        f"http://{HOST}@evil.example/",
        f"http://{HOST}.evil.example/",
        "/\t/evil.example/",
        "\x00//evil.example/",
    ],
)
def test_nobody_is_sent_elsewhere_after_a_log_in(browser, place):
    make_user("alice")
    answer = log_in(browser, next=place)
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/"


def test_a_page_of_ours_comes_after_the_log_in(browser):
    make_user("alice")
    assert log_in(browser, next="/account/?a=1").headers["Location"] == "/account/?a=1"


@pytest.mark.parametrize("path", ["//evil.example", "//evil.example/", "/%2F/evil.example", "//files/../evil.example"])
def test_no_address_redirects_to_another_host(browser, path):
    answer = browser.get(path)
    assert not answer.headers.get("Location", "").startswith(("//", "http"))


@pytest.mark.parametrize("path", ["/accounts/login/", "/accounts/signup/", "/accounts/password/reset/", "/nowhere/"])
def test_nobody_keeps_a_page_or_frames_it(browser, path):
    headers = browser.get(path).headers
    assert "no-store" in headers["Cache-Control"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"


def test_what_a_signed_in_person_sees_is_kept_by_nobody(browser):
    browser.force_login(make_user("alice"))
    for path in ("/", "/account/", "/accounts/email/", "/accounts/password/change/"):
        headers = browser.get(path).headers
        assert "private" in headers["Cache-Control"], path
        assert "no-store" in headers["Cache-Control"], path


def test_a_session_gets_a_new_key_at_the_log_in(browser):
    make_user("alice")
    session = browser.session
    session["planted"] = True
    session.save()
    planted = session.session_key
    log_in(browser)
    assert browser.session.session_key != planted
    assert not browser.session.exists(planted)
    assert browser.session["_auth_user_id"]


def test_a_limit_bites_before_a_password_is_hashed(browser, settings, monkeypatch):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
    make_user("alice")
    hashed = []
    for name in ("verify", "encode"):
        real = getattr(Argon2PasswordHasher, name)
        monkeypatch.setattr(
            Argon2PasswordHasher, name, lambda self, *words, real=real: hashed.append(1) or real(self, *words)
        )
    for _ in range(5):
        assert log_in(browser, "wrong password here").status_code == 200
    assert hashed
    hashed.clear()
    for _ in range(5):
        assert log_in(browser, "wrong password here").status_code == 429
    assert hashed == []
    # Other people's names from the same address: ten a minute.
    answers = [
        browser.post("/accounts/login/", {"login": f"{number}@example.org", "password": "wrong password here"})
        for number in range(12)
    ]
    assert answers[-1].status_code == 429
    assert len(hashed) <= 10


def test_a_second_sign_up_with_a_taken_address_makes_nobody_and_tells_nothing(browser):
    make_user("alice")
    fields = {"password1": "a staple for the horse", "password2": "a staple for the horse"}
    taken = browser.post("/accounts/signup/", {"email": "alice@example.org", **fields})
    free = Client(headers={"host": HOST}).post("/accounts/signup/", {"email": "bob@example.org", **fields})
    assert (taken.status_code, taken.headers["Location"]) == (free.status_code, free.headers["Location"])
    assert get_user_model().objects.filter(email__iexact="alice@example.org").count() == 1
