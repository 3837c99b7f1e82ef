"""Demo logins and the mailbox are for whoever sits at this machine, not for whom a proxy on it lets in."""

import pytest
from django.test import Client

from medtheca.config.environment import read_environment
from medtheca.interfaces.http.authentication import caller_from_headers
from medtheca.interfaces.http.refusals import InvalidToken
from tests.factories.accounts import PASSWORD, make_token, make_user

pytestmark = pytest.mark.django_db
HOST = "localhost:8000"
FORWARDED = [
    {"x-forwarded-for": "192.0.2.7"},
    {"x-forwarded-for": "127.0.0.1"},
    {"x-forwarded-for": "192.0.2.7, 127.0.0.1"},
    {"x-forwarded-proto": "https"},
    {"x-forwarded-host": "localhost"},
    {"x-real-ip": "192.0.2.7"},
    {"forwarded": "for=192.0.2.7"},
    {"via": "1.1 squid"},
    {"host": "archive.example.org"},
    {"host": "0.0.0.0:8000"},
]
NAMES = [",".join(headers) + "=" + ",".join(headers.values()) for headers in FORWARDED]


def visit(headers=None, *, address="127.0.0.1", protocol="HTTP/1.1", browser=None):
    browser = browser or Client()
    sent = {"host": HOST, **(headers or {})}
    return browser.get("/mailbox/", headers=sent, REMOTE_ADDR=address, SERVER_PROTOCOL=protocol).status_code


def log_in(headers=None, *, address="127.0.0.1", protocol="HTTP/1.1"):
    browser = Client()
    browser.post(
        "/accounts/login/",
        {"login": "demo-owner@example.org", "password": PASSWORD},
        headers={"host": HOST, **(headers or {})},
        REMOTE_ADDR=address,
        SERVER_PROTOCOL=protocol,
    )
    return "_auth_user_id" in browser.session


@pytest.fixture
def demo():
    return make_user("demo-owner")


@pytest.fixture(autouse=True)
def any_host(settings, tmp_path):
    settings.ALLOWED_HOSTS = ["*"]
    settings.PUBLIC_URL = f"http://{HOST}"
    settings.EMAIL_FILE_PATH = str(tmp_path / "mail")


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
def test_who_sits_here_is_let_in(demo, address):
    assert log_in(address=address)
    assert visit(address=address) == 200


@pytest.mark.parametrize("headers", FORWARDED, ids=NAMES)
def test_who_comes_through_a_proxy_on_this_machine_is_not(demo, headers):
    assert not log_in(headers)
    assert visit(headers) == 404


def test_a_proxy_that_hides_itself_is_known_by_its_old_protocol(demo):
    assert not log_in(protocol="HTTP/1.0")
    assert visit(protocol="HTTP/1.0") == 404


@pytest.mark.parametrize("forwarded", ["127.0.0.1", "::1", "::ffff:127.0.0.1", "192.0.2.7, 127.0.0.1"])
def test_an_address_that_a_trusted_proxy_passes_on_makes_nobody_local(demo, settings, forwarded):
    settings.ENVIRONMENT = read_environment({"MEDTHECA_TRUSTED_PROXIES": "127.0.0.1"})
    assert not log_in({"x-forwarded-for": forwarded})
    assert visit({"x-forwarded-for": forwarded}) == 404


def test_a_trusted_proxy_is_trusted_by_its_mapped_address_too(settings):
    settings.ENVIRONMENT = read_environment({"MEDTHECA_TRUSTED_PROXIES": "10.0.0.0/8"})
    answer = Client().get(
        "/",
        headers={"host": HOST, "x-forwarded-for": "::ffff:192.0.2.7", "x-forwarded-proto": "https"},
        REMOTE_ADDR="::ffff:10.0.0.1",
    )
    assert answer.wsgi_request.META["REMOTE_ADDR"] == "192.0.2.7"
    assert answer.wsgi_request.is_secure()


@pytest.mark.parametrize("headers", FORWARDED, ids=NAMES)
def test_the_byte_plane_thinks_the_same(demo, headers):
    _, secret = make_token(demo)
    pairs = {b"host": HOST.encode(), b"authorization": f"Bearer {secret}".encode()}
    assert caller_from_headers(method="GET", headers=pairs, address="::ffff:127.0.0.1").user == demo
    for name, value in headers.items():
        pairs[name.encode()] = value.encode()

    with pytest.raises(InvalidToken):
        caller_from_headers(method="GET", headers=pairs, address="127.0.0.1")


def test_the_byte_plane_knows_the_old_protocol_too(demo):
    _, secret = make_token(demo)
    pairs = {b"host": HOST.encode(), b"authorization": f"Bearer {secret}".encode()}
    with pytest.raises(InvalidToken):
        caller_from_headers(method="GET", headers=pairs, address="127.0.0.1", http_version="1.0")
