"""Sign-up to reset as a browser goes, mail through real files, and the pages of an account."""

import re
import time
from datetime import timedelta

import pytest
from django.core.mail import EmailMultiAlternatives, get_connection
from django.test import Client

from medtheca.base.clock import now
from medtheca.config.environment import read_environment
from medtheca.domains.accounts.models import ApiToken, User
from medtheca.domains.accounts.queries import user_of_token
from medtheca.domains.ledger.models import Event
from medtheca.interfaces.web.accounts.mailbox import newest_mail
from tests.factories.accounts import PASSWORD, make_token, make_user

pytestmark = pytest.mark.django_db
ELSEWHERE = "192.0.2.7"
PUBLIC_URL = "http://localhost:8000"
NEW_PASSWORD = "another staple for the horse"
SECRET = re.compile(r"mt_[A-Za-z0-9_-]{40,}")


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    """Mail goes to files as it does on a laptop; pytest-django would keep it in memory."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = str(tmp_path / "mail")
    settings.PUBLIC_URL = PUBLIC_URL
    return tmp_path / "mail"


@pytest.fixture
def browser():
    return Client(headers={"host": "localhost:8000"})


def letters(folder):
    return newest_mail(folder, public_url=PUBLIC_URL)


def link_in(letter):
    return next(piece.path for piece in letter.body if piece.path)


def words_of(letter):
    return "".join(piece.text for piece in letter.body)


def sign_up(client, email="alice@example.org", **extra):
    return client.post("/accounts/signup/", {"email": email, "password1": PASSWORD, "password2": PASSWORD}, **extra)


def log_in(client, email="alice@example.org", password=PASSWORD, **extra):
    return client.post("/accounts/login/", {"login": email, "password": password}, **extra)


def is_logged_in(client):
    return "_auth_user_id" in client.session


# --- from sign-up to reset -------------------------------------------------------------------------------------------


def test_alice_signs_up_confirms_logs_in_and_resets(browser, folder):
    assert sign_up(browser).status_code == 302
    assert not is_logged_in(browser)
    assert log_in(browser).url == "/accounts/confirm-email/"
    assert not is_logged_in(browser)

    confirm = link_in(letters(folder)[-1])
    assert browser.get(confirm).status_code == 200
    browser.post(confirm)
    browser.post("/accounts/logout/")
    assert log_in(browser).status_code == 302
    assert is_logged_in(browser)

    browser.post("/accounts/logout/")
    browser.post("/accounts/password/reset/", {"email": "Alice@example.org"})
    form = browser.get(link_in(letters(folder)[0]), follow=True)
    browser.post(form.redirect_chain[-1][0], {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})
    log_in(browser)
    assert not is_logged_in(browser)
    log_in(browser, password=NEW_PASSWORD)
    assert is_logged_in(browser)
    alice = User.objects.get(email="alice@example.org")
    assert Event.objects.get(verb="user.created").actor_id == alice.pk


def test_a_reset_link_works_once(browser, folder):
    make_user("alice")
    browser.post("/accounts/password/reset/", {"email": "alice@example.org"})
    link = link_in(letters(folder)[0])
    form = browser.get(link, follow=True)
    browser.post(form.redirect_chain[-1][0], {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})
    stranger = Client(headers={"host": "localhost:8000"})
    again = stranger.get(link, follow=True)
    stranger.post(
        again.request["PATH_INFO"], {"password1": "a third one for charlie", "password2": "a third one for charlie"}
    )
    assert User.objects.get(email="alice@example.org").check_password(NEW_PASSWORD)


def test_a_weak_password_is_refused_with_words(browser):
    answer = browser.post(
        "/accounts/signup/", {"email": "alice@example.org", "password1": "password", "password2": "password"}
    )
    assert "at least 10 characters" in answer.content.decode()
    assert not User.objects.exists()


# --- nobody learns who has an account --------------------------------------------------------------------------------


def test_sign_up_answers_the_same_for_a_taken_address(browser, folder):
    make_user("alice")
    taken, free = sign_up(browser), sign_up(Client(headers={"host": "localhost:8000"}), "bob@example.org")
    assert (taken.status_code, taken.url) == (free.status_code, free.url)
    assert User.objects.filter(email="alice@example.org").count() == 1
    assert "already" in words_of(next(letter for letter in letters(folder) if "alice" in letter.recipients))


def test_log_in_answers_the_same_for_unknown_and_known_addresses(browser):
    make_user("alice")
    known = log_in(browser, password="wrong password here")
    unknown = log_in(browser, "nobody@example.org", password="wrong password here")
    pages = [re.sub(r'value="[^"]*"|content="[^"]*"', "", answer.content.decode()) for answer in (known, unknown)]
    assert known.status_code == unknown.status_code == 200
    assert pages[0] == pages[1]


def test_reset_answers_the_same_for_unknown_addresses(browser):
    make_user("alice")
    known = browser.post("/accounts/password/reset/", {"email": "alice@example.org"})
    unknown = browser.post("/accounts/password/reset/", {"email": "nobody@example.org"})
    assert (known.status_code, known.url) == (unknown.status_code, unknown.url)


# --- links in mail ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/accounts/signup/", "/accounts/password/reset/"])
def test_mail_links_to_the_public_address_whatever_the_host_header_says(settings, folder, path):
    settings.ALLOWED_HOSTS = ["*"]
    settings.PUBLIC_URL = "https://archive.example.org"
    make_user("alice")
    forger = Client(headers={"host": "evil.example"})
    for email in ("alice@example.org", "bob@example.org"):
        forger.post(path, {"email": email, "password1": PASSWORD, "password2": PASSWORD})
    raw = b"".join(file.read_bytes() for file in folder.iterdir()).decode()
    assert len(letters(folder)) == 2
    assert "evil.example" not in raw
    assert raw.count("https://archive.example.org/accounts/") >= 2


# --- demo logins -----------------------------------------------------------------------------------------------------


def test_demo_logins_work_here_and_not_from_elsewhere(browser):
    make_user("demo-owner")
    log_in(browser, "demo-owner@example.org", REMOTE_ADDR=ELSEWHERE)
    assert not is_logged_in(browser)
    log_in(browser, "demo-owner@example.org")
    assert is_logged_in(browser)


def test_a_stolen_demo_session_ends_when_it_is_used_from_elsewhere(browser):
    make_user("demo-owner")
    log_in(browser, "demo-owner@example.org")
    assert browser.get("/account/").status_code == 200
    assert browser.get("/account/", REMOTE_ADDR=ELSEWHERE).status_code == 302
    assert browser.get("/account/").status_code == 302


def test_a_demo_refusal_looks_like_a_wrong_password(browser):
    make_user("demo-owner")
    right = log_in(browser, "demo-owner@example.org", REMOTE_ADDR=ELSEWHERE)
    wrong = log_in(browser, "demo-owner@example.org", "wrong password here", REMOTE_ADDR=ELSEWHERE)
    pages = [re.sub(r'value="[^"]*"|content="[^"]*"', "", answer.content.decode()) for answer in (right, wrong)]
    assert pages[0] == pages[1]


# --- limits ----------------------------------------------------------------------------------------------------------


def guess(client, times, **extra):
    return [log_in(client, password=f"wrong guess number {number}", **extra) for number in range(times)]


def test_guessing_one_persons_password_ends_in_429_and_says_when(browser):
    make_user("alice")
    answers = guess(browser, 6)
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert answers[-1].headers["Retry-After"] == "300"
    assert "alice@example.org" in answers[-1].content.decode(), "what was typed is kept"
    # The right password neither, and from any address: the limit is the account's.
    assert log_in(browser, REMOTE_ADDR=ELSEWHERE).status_code == 429
    assert not is_logged_in(browser)


def test_another_host_name_gives_no_further_guesses(settings, browser):
    settings.ALLOWED_HOSTS = ["*"]
    make_user("alice")
    guess(browser, 5)
    assert log_in(Client(headers={"host": "other.example"})).status_code == 429


def test_one_address_guessing_many_people_ends_in_429(browser):
    answers = [log_in(browser, f"person{number}@example.org", "wrong password here") for number in range(11)]
    assert [answer.status_code for answer in answers] == [200] * 10 + [429]
    make_user("alice")
    assert log_in(browser, REMOTE_ADDR=ELSEWHERE).status_code == 302


def test_signing_up_in_bulk_ends_in_429(browser):
    codes = [browser.post("/accounts/signup/", {"email": "not an address"}) for _ in range(21)]
    assert codes[19].status_code == 200
    assert codes[20].status_code == 429
    assert codes[20].headers["Retry-After"] == "3600"


def test_mail_to_one_person_is_limited(browser, folder):
    make_user("alice")
    ask = [browser.post("/accounts/password/reset/", {"email": "alice@example.org"}) for _ in range(4)]
    assert [answer.status_code for answer in ask] == [302, 302, 302, 429]
    assert ask[3].headers["Retry-After"] == "600"
    assert len(letters(folder)) == 3


def test_behind_a_trusted_proxy_each_client_has_a_limit_of_its_own(settings):
    settings.ENVIRONMENT = read_environment({"MEDTHECA_TRUSTED_PROXIES": "127.0.0.1"})
    client = Client(headers={"host": "localhost:8000"})

    def attempt(number, address):
        return log_in(client, f"person{number}@example.org", "wrong", headers={"x-forwarded-for": address})

    assert [attempt(number, "192.0.2.1").status_code for number in range(11)][-1] == 429
    assert attempt(12, "192.0.2.2").status_code == 200


def test_a_stranger_cannot_evade_a_limit_with_forwarded_headers(browser):
    answers = [
        log_in(browser, f"person{number}@example.org", "wrong", headers={"x-forwarded-for": f"192.0.2.{number}"})
        for number in range(11)
    ]
    assert answers[-1].status_code == 429


# --- the development mailbox -----------------------------------------------------------------------------------------


_connections = []


def write(folder, *messages):
    with get_connection(file_path=str(folder)) as connection:
        # Django names the file after the connection's address in memory: kept, so that no two are the same.
        _connections.append(connection)
        connection.send_messages(
            [
                EmailMultiAlternatives(subject, body, "Medtheca <noreply@localhost>", ["alice@example.org"])
                for subject, body in messages
            ]
        )


def test_messages_of_one_connection_are_told_apart_and_the_newest_comes_first(folder):
    write(folder, ("One", "1"), ("Two: naïve", "2 " + "é" * 200), ("Three", "before\n" + "-" * 79 + "\nafter"))
    time.sleep(0.02)
    write(folder, ("Four", "4"))
    found = letters(folder)
    assert len(list(folder.iterdir())) == 2
    assert [letter.subject for letter in found] == ["Four", "Three", "Two: naïve", "One"]
    assert words_of(found[1]) == "before\n" + "-" * 79 + "\nafter"
    assert words_of(found[2]) == "2 " + "é" * 200
    assert found[0].recipients == "alice@example.org"
    assert abs(now() - found[0].sent) < timedelta(minutes=5)


def test_the_mailbox_shows_links_to_ourselves_and_escapes_the_rest(browser, folder):
    lines = [
        "<img src=x onerror=alert(2)>",
        f"{PUBLIC_URL}/accounts/login/?a=1&b=2",
        f"{PUBLIC_URL}@evil.example/",
        "http://localhost:80001/",
        "https://evil.example/",
        "javascript:alert(3)",
    ]
    write(folder, ("<script>alert(1)</script>", "\n".join(lines)))
    page = browser.get("/mailbox/").content.decode()
    main = page[page.index("<main") : page.index("</main>")]
    assert "<script>alert" not in main
    assert "<img src=x" not in main
    assert "&lt;img src=x" in main
    assert re.findall(r'<a [^>]*href="([^"]*)"', main) == ["/accounts/login/?a=1&amp;b=2"]


def test_the_mailbox_confirms_an_address(browser, folder):
    sign_up(browser)
    page = browser.get("/mailbox/").content.decode()
    link = re.search(r'href="(/accounts/confirm-email/[^"]+)"', page)[1]
    browser.post(link)
    log_in(browser)
    assert is_logged_in(browser)


def test_an_empty_mailbox_says_what_it_is_for(browser):
    assert "Sign up" in browser.get("/mailbox/").content.decode()


def test_the_mailbox_is_for_this_machine_only(settings, browser):
    assert browser.get("/mailbox/").status_code == 200
    assert browser.get("/mailbox/", REMOTE_ADDR=ELSEWHERE).status_code == 404
    settings.ALLOWED_HOSTS = ["*"]
    assert browser.get("/mailbox/", headers={"host": "archive.example.org"}).status_code == 404
    settings.PUBLIC_URL = "https://archive.example.org"
    assert browser.get("/mailbox/").status_code == 404


def test_with_a_mail_server_there_is_no_mailbox(settings, browser):
    settings.ENVIRONMENT = read_environment({"MEDTHECA_SMTP_URL": "smtp://localhost:25"})
    assert browser.get("/mailbox/").status_code == 404


# --- tokens and names ------------------------------------------------------------------------------------------------


@pytest.fixture
def alice(browser):
    alice = make_user("alice")
    browser.force_login(alice)
    return alice


def test_a_token_is_made_and_its_secret_shown_once(browser, alice):
    answer = browser.post("/account/tokens/", {"name": "notebook", "scope": "read", "expiry": "90"})
    secrets_shown = set(SECRET.findall(answer.content.decode()))
    assert len(secrets_shown) == 1
    assert user_of_token(secrets_shown.pop())[0] == alice
    assert "no-store" in answer.headers["Cache-Control"]
    later = browser.get("/account/tokens/")
    assert "notebook" in later.content.decode()
    assert not SECRET.search(later.content.decode())
    assert not SECRET.search(str(dict(browser.session)))


def test_a_token_without_end_carries_a_warning(browser, alice):
    answer = browser.post("/account/tokens/", {"name": "robot", "scope": "write", "expiry": "never"})
    assert "lives until it is revoked" in answer.content.decode()
    assert ApiToken.objects.get().expires is None


def test_a_token_that_is_refused_keeps_what_was_typed(browser, alice):
    answer = browser.post("/account/tokens/", {"name": "notebook", "scope": "everything", "expiry": "90"})
    assert 'value="notebook"' in answer.content.decode()
    assert not ApiToken.objects.exists()


def test_alice_revokes_her_token_and_charlie_cannot(browser, alice):
    token, secret = make_token(alice)
    charlie = Client(headers={"host": "localhost:8000"})
    charlie.force_login(make_user("charlie"))
    assert charlie.post(f"/account/tokens/{token.pk}/revoke/").status_code == 404
    assert user_of_token(secret) is not None
    assert browser.get(f"/account/tokens/{token.pk}/revoke/").status_code == 405
    browser.post(f"/account/tokens/{token.pk}/revoke/")
    assert user_of_token(secret) is None
    assert "Revoked" in browser.get("/account/tokens/").content.decode()


def test_another_site_cannot_make_a_token(alice):
    forged = Client(enforce_csrf_checks=True, headers={"host": "localhost:8000"})
    forged.force_login(alice)
    answer = forged.post("/account/tokens/", {"name": "x", "scope": "write", "expiry": "never"})
    assert answer.status_code == 403
    assert not ApiToken.objects.exists()


@pytest.mark.parametrize("path", ["/account/", "/account/tokens/"])
def test_account_pages_ask_strangers_to_log_in(browser, path):
    assert browser.get(path).url == f"/accounts/login/?next={path}"


def test_alice_changes_her_name(browser, alice):
    assert browser.post("/account/", {"first_name": "Alice", "last_name": "Miller"}).url == "/account/"
    assert 'value="Miller"' in browser.get("/account/").content.decode()


def test_changing_the_password_ends_other_sessions(browser, alice):
    other = Client(headers={"host": "localhost:8000"})
    log_in(other)
    log_in(browser)
    browser.post(
        "/accounts/password/change/",
        {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD},
    )
    assert other.get("/account/").status_code == 302
    alice.refresh_from_db()
    assert alice.check_password(NEW_PASSWORD)
