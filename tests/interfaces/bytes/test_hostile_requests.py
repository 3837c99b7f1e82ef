"""Requests as no honest client sends them, to the real server: none is a 5xx, none gets further than it may."""

import base64
import secrets
import socket

import pytest

from medtheca.interfaces.bytes import uploads
from medtheca.interfaces.bytes.tus_headers import Declaration
from medtheca.interfaces.bytes.wire import Problem, Request
from medtheca.interfaces.http.limits import Limit
from tests.factories.accounts import make_token, make_user
from tests.factories.provenance import make_cohort

TUS = "Tus-Resumable: 1.0.0"


def send(server, *lines, body=b"", patience=60):
    """Bytes as they are; what comes back until the server closes or falls silent for so many seconds."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode("latin-1") + body)
        connection.settimeout(patience)
        answer = b""
        try:
            while piece := connection.recv(65536):
                answer += piece
        except TimeoutError:
            pass
        return answer


def statuses(answer):
    return [int(part[:3]) for part in answer.split(b"HTTP/1.1 ")[1:] if part[:3].isdigit()]


@pytest.fixture
def alice(world):
    user = make_user(f"alice-{secrets.token_hex(4)}")
    user.token = f"Authorization: Bearer {make_token(user, 'write')[1]}"
    user.cohort = make_cohort(user, name=f"Clinic {secrets.token_hex(4)}")
    return user


@pytest.mark.parametrize(
    "path",
    [
        "//files/images/x/full",
        "/files/../../etc/passwd",
        "/files/images/../../../etc/passwd",
        "/files/images/%2e%2e/full",
        "/files/images/..%2f..%2fetc/full",
        "/files/images/x%00y/full",
        "/files/images/%ff%fe/full",
        "/static/../config/settings.py",
        "/static/%2e%2e/%2e%2e/config/settings.py",
        "/static/..%5c..%5cconfig%5csettings.py",
        "/static//etc/passwd",
        "/static/%2fetc/passwd",
        "/static/x%00.css",
        "/uploads/tus/../../etc/passwd",
        "/%00",
        "/images/%00/",
        "/images/?q=%00",
        "/api/v2/images/%00/",
        "/api/v2/images/?limit=%00",
        "/api/v2/images/?cursor=%ff%00",
        "/accounts/login/?next=%00",
        "/accounts/confirm-email/%00/",
        "/accounts/password/reset/key/%00-%00/",
        "/cohorts/99999999999999999999999999/",
        "/api/v2/cohorts/99999999999999999999999999/",
        "/%ff/",
        "/?%ff=%ff",
    ],
)
def test_strange_addresses_lead_nowhere(world, path):
    answer = send(world, f"GET {path} HTTP/1.1", "Host: localhost", "Connection: close")
    assert statuses(answer), answer[:200]
    assert statuses(answer)[0] < 500, answer[:400]
    assert b"root:" not in answer
    assert b"SECRET_KEY" not in answer


@pytest.mark.parametrize(
    "lines",
    [
        ["Content-Length: 5", "Content-Length: 6"],
        ["Content-Length: 5", "Transfer-Encoding: chunked"],
        ["Transfer-Encoding: chunked, identity"],
        ["Transfer-Encoding: xchunked"],
        ["Transfer-Encoding : chunked"],
        ["Content-Length: -1"],
        ["Content-Length: +5"],
        ["Content-Length: 0x5"],
        ["Content-Length: 99999999999999999999"],
        ["Content_Length: 5"],
    ],
)
@pytest.mark.parametrize("path", ["/accounts/login/", "/uploads/tus/", "/api/v2/cohorts/"])
def test_no_second_request_hides_in_a_body(world, path, lines):
    hidden = b"0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Hidden: 1\r\n\r\n"
    answer = send(
        world, f"POST {path} HTTP/1.1", "Host: localhost", "Connection: close", *lines, body=hidden, patience=3
    )
    assert len(statuses(answer)) <= 1, answer
    assert all(status < 500 for status in statuses(answer)), answer[:400]
    assert b"hears_changes" not in answer


@pytest.mark.parametrize("host", ["evil.example", "localhost@evil.example", "localhost:80@evil", "", "localhost, evil"])
def test_a_host_that_is_not_ours_is_in_no_answer(world, host):
    for path in ("/", "/accounts/password/reset/", "/api/v2/images/"):
        answer = send(world, f"GET {path} HTTP/1.1", f"Host: {host}", "Connection: close")
        assert statuses(answer)[0] == 400
        assert b"evil" not in answer


def test_underscores_do_not_pass_for_a_proxys_headers(world):
    answer = send(
        world,
        "GET /api/v2/images/ HTTP/1.1",
        "Host: localhost",
        "X_Forwarded_Host: evil.example",
        "X_Forwarded_Proto: https",
        "Connection: close",
    )
    assert statuses(answer) == [200]
    assert b"evil" not in answer


def metadata(**fields):
    pairs = (f"{name} {base64.b64encode(str(value).encode()).decode()}" for name, value in fields.items())
    return "Upload-Metadata: " + ",".join(pairs)


@pytest.mark.parametrize("field", ["filename", "filetype", "sha256", "cohort"])
@pytest.mark.parametrize("value", ["a\0b", "\0", "x" * 300, "../../etc/passwd\n", "\ud7ff\U0010ffff", "9" * 18])
def test_what_an_upload_declares_is_refused_or_kept_harmlessly(world, alice, field, value):
    fields = {"filename": "a.zip", "cohort": alice.cohort.pk} | {field: value}
    answer = send(
        world,
        "POST /uploads/tus/ HTTP/1.1",
        "Host: localhost",
        "Connection: close",
        TUS,
        alice.token,
        "Upload-Length: 5",
        metadata(**fields),
        "Content-Length: 0",
    )
    assert statuses(answer)[0] in {201, 400}, answer


def test_a_storm_of_empty_uploads_ends(db, settings, tmp_path, monkeypatch):
    monkeypatch.setattr(uploads, "UPLOADS_BEGUN", Limit("few", 3, 3600))
    alice = make_user("alice")
    cohort = make_cohort(alice)
    token = make_token(alice, "write")[1].encode()

    def begin():
        scope = {
            "method": "POST",
            "path": "/uploads/tus/",
            "query_string": b"",
            "client": ("127.0.0.1", 1),
            "headers": [(b"authorization", b"Bearer " + token)],
        }
        return uploads._begin(Request.of(scope, None, None), Declaration("a.zip", "", cohort.pk, ""), 0)

    for _ in range(3):
        assert begin().size == 0
    with pytest.raises(Problem) as refused:
        begin()
    assert refused.value.status == 429
    assert 0 < int(refused.value.headers["Retry-After"]) <= 3600
