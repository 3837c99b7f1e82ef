"""Another archive is asked politely, believed in nothing, and given the token alone."""

import email.utils
import hashlib
import socket
import threading
import time

import pytest

from medtheca.workflows.importing import connections
from medtheca.workflows.importing.errors import AsksToWait, Denied, Unavailable, Unusable
from medtheca.workflows.importing.host import Host, Manners
from tests.generators.isic_host import Answer, IsicHost, as_file, as_json

DATA = bytes(range(256)) * 40
TOKEN = "secret-token-1234"


@pytest.fixture
def there():
    with IsicHost() as host:
        yield host


@pytest.fixture
def pauses():
    return []


@pytest.fixture
def asker(there, pauses):
    def make(origin=there.site, *, token="", **manners):
        manners = {"agent": "Medtheca/1 (test)", "delay": 0, "tries": 3, "timeout": 10, **manners}
        return Host(origin, Manners(**manners), token, sleep=pauses.append)

    return make


@pytest.fixture
def fetched(there, asker, tmp_path):
    def fetch(*, limit=1 << 20, host=None, **expected):
        into = tmp_path / "file"
        found = (host or asker()).fetch(there.site + "/file", into=into, limit=limit, **expected)
        return found, into.read_bytes()

    return fetch


def test_a_request_says_who_asks_and_for_what(there, asker):
    there.on("/a", as_json({"a": 1}))
    assert asker().ask(there.site + "/a") == {"a": 1}
    ((_, headers),) = there.asked
    assert headers["User-Agent"] == "Medtheca/1 (test)"
    assert headers["Accept-Encoding"] == "identity"
    assert "Authorization" not in headers


def test_one_connection_serves_many_requests(there, asker):
    ports = set()
    there.on("/a", lambda request: ports.add(request.client_address[1]) or as_json(1))
    host = asker()
    for _ in range(5):
        host.ask(there.site + "/a")
    assert len(ports) == 1


def test_requests_keep_their_distance(there, asker, pauses):
    there.on("/a", as_json(1))
    host = asker(delay=30)
    host.ask(there.site + "/a")
    host.ask(there.site + "/a")
    assert len(pauses) == 1
    assert 25 < pauses[0] <= 30


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_what_passes_is_tried_again_after_as_long_as_the_host_asks(there, asker, pauses, status):
    there.on("/a", Answer(status, headers={"Retry-After": "120"}), as_json("here"))
    assert asker().ask(there.site + "/a") == "here"
    assert 110 < pauses[0] <= 120


def test_a_date_is_a_time_to_come_back_too(there, asker, pauses):
    then = email.utils.formatdate(time.time() + 300, usegmt=True)
    there.on("/a", Answer(503, headers={"Retry-After": then}), as_json("here"))
    assert asker().ask(there.site + "/a") == "here"
    assert 200 < pauses[0] <= 301


def test_pauses_grow_and_tries_end(there, asker, pauses):
    there.on("/a", Answer(500))
    with pytest.raises(Unavailable, match=r"500.*5 times"):
        asker(tries=5, delay=1).ask(there.site + "/a")
    assert len(there.asked) == 5
    assert pauses[0] < pauses[1] < pauses[2] < pauses[3] < 60


def test_a_host_that_asks_for_too_long_a_pause_ends_it(there, asker, pauses):
    there.on("/a", Answer(429, headers={"Retry-After": "86400"}))
    with pytest.raises(AsksToWait, match="86,400 seconds"):
        asker().ask(there.site + "/a")
    assert len(there.asked) == 1
    assert pauses == []


def test_what_the_host_refuses_is_not_tried_again(there, asker):
    there.on("/a", as_json({"message": "Could not parse search query."}, status=400))
    with pytest.raises(Denied, match="400: Could not parse search query"):
        asker().ask(there.site + "/a")
    assert len(there.asked) == 1


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"results": [', b"\xff\xfe", b"[" * 200_000])
def test_what_is_no_json_is_tried_again_and_then_told(there, asker, body):
    there.on("/a", Answer(200, body))
    with pytest.raises(Unavailable, match="not JSON"):
        asker().ask(there.site + "/a")
    assert len(there.asked) == 3


def test_json_without_end_is_given_up(there, asker, monkeypatch):
    monkeypatch.setattr("medtheca.workflows.importing.host._MOST_JSON", 100_000)
    there.on("/a", Answer(200, b'"' + b"x" * 200_000 + b'"'))
    with pytest.raises(Unusable, match="100,000 bytes"):
        asker().ask(there.site + "/a")


def test_what_comes_compressed_is_not_opened(there, asker):
    there.on("/a", Answer(200, b"\x1f\x8b", {"Content-Encoding": "gzip"}))
    with pytest.raises(Unusable, match="compressed"):
        asker().ask(there.site + "/a")


def test_a_file_comes_whole_with_its_hash(there, fetched):
    there.on("/file", as_file(DATA))
    found, data = fetched(size=len(DATA), sha256=hashlib.sha256(DATA).hexdigest())
    assert data == DATA
    assert (found.sha256, found.size, found.media_type) == (hashlib.sha256(DATA).hexdigest(), len(DATA), "image/jpeg")


def test_a_file_that_was_cut_comes_again(there, fetched):
    there.on("/file", as_file(DATA, cut=1000), as_file(DATA))
    assert fetched(size=len(DATA))[1] == DATA


@pytest.mark.parametrize("answer", [as_file(DATA, cut=1000), as_file(DATA, length=len(DATA) + 5)])
def test_a_file_that_is_always_cut_is_never_taken(there, fetched, answer):
    there.on("/file", answer)
    with pytest.raises(Unavailable, match="to its end"):
        fetched()
    assert len(there.asked) == 3


@pytest.mark.parametrize(
    ("answer", "expected", "told"),
    [
        (as_file(DATA[:-1]), {"size": len(DATA)}, "10,239 bytes came where the host says 10,240"),
        (as_file(DATA, length=100), {"size": len(DATA)}, "100 bytes came"),
        (as_file(DATA), {"sha256": "0" * 64}, "another SHA-256"),
    ],
)
def test_a_file_that_is_not_as_promised_is_tried_once_more_and_never_taken(there, fetched, answer, expected, told):
    there.on("/file", answer)
    with pytest.raises(Unusable, match=told):
        fetched(**expected)
    assert len(there.asked) == 2


def test_a_length_beyond_all_bounds_is_not_waited_for(there, fetched):
    there.on("/file", as_file(b"x", length=1 << 40))
    with pytest.raises(Unusable, match="1,099,511,627,776 bytes; 1,048,576 is the most"):
        fetched()
    assert len(there.asked) == 1


def test_a_body_beyond_its_bounds_is_cut_off(there, fetched):
    there.on("/file", as_file(b"x" * (1 << 20) + b"y"))
    with pytest.raises(Unusable, match="1,048,57"):
        fetched()


@pytest.mark.parametrize("kind", ["text/html; charset=utf-8", "application/json"])
def test_a_page_of_words_is_no_image(there, fetched, kind):
    there.on("/file", Answer(200, b"Log in first.", {"Content-Type": kind}))
    with pytest.raises(Unusable, match="where its file should be"):
        fetched()


def test_the_token_goes_to_the_host_and_to_nobody_else(there, asker, fetched):
    with IsicHost() as other:
        other.on("/elsewhere", as_json("there"))
        there.on("/a", Answer(302, headers={"Location": other.site + "/elsewhere"}))
        there.on("/b", Answer(307, headers={"Location": "/c"}))
        there.on("/c", as_json("same"))
        host = asker(token=TOKEN)
        assert host.ask(there.site + "/a") == "there"
        assert host.ask(there.site + "/b") == "same"
        assert host.ask(other.site + "/elsewhere") == "there"
        assert [headers.get("Authorization") for _, headers in other.asked] == [None, None]
        assert [headers.get("Authorization") for _, headers in there.asked] == [f"Bearer {TOKEN}"] * 3


def test_the_token_is_in_no_message_and_no_repr(there, asker):
    there.on("/a", as_json({"message": f"{TOKEN} is not valid"}, status=401))
    host = asker(token=TOKEN)
    with pytest.raises(Denied) as refusal:
        host.ask(there.site + "/a")
    assert TOKEN not in f"{refusal.value}{refusal.value.remedy}{host!r}"
    with pytest.raises(Unusable) as refusal:
        asker(token="two\r\nlines")
    assert "lines" not in str(refusal.value)


def test_signatures_in_addresses_are_in_no_message(there, asker):
    there.on("/a", Answer(500))
    with pytest.raises(Unavailable) as refusal:
        asker().ask(there.site + "/a?Signature=hidden")
    assert "hidden" not in str(refusal.value)


def test_a_password_in_an_address_is_in_no_message(asker):
    with pytest.raises(Unusable) as refusal:
        asker("https://alice:hidden@archive.example.org")
    assert "hidden" not in str(refusal.value)


def test_redirects_without_end_are_left(there, asker):
    there.on("/a", Answer(302, headers={"Location": "/a"}))
    with pytest.raises(Unusable, match="without end"):
        asker().ask(there.site + "/a")
    assert len(there.asked) == 6


@pytest.mark.parametrize(
    "target", ["http://archive.example.org/a", "ftp://archive.example.org/a", "file:///etc/passwd"]
)
def test_redirects_to_where_others_listen_in_are_not_followed(there, asker, target):
    there.on("/a", Answer(302, headers={"Location": target}))
    with pytest.raises(Unusable, match=r"encrypted|no web address"):
        asker().ask(there.site + "/a")


@pytest.mark.parametrize("origin", ["http://archive.example.org", "http://10.1.2.3:8000"])
def test_without_encryption_only_this_machine_is_asked(asker, origin):
    with pytest.raises(Unusable, match="not encrypted"):
        asker(origin)
    assert asker(origin, insecure_http=True).origin == origin


def test_an_archive_leads_into_no_inner_network(there, tmp_path):
    """Where the connection leads decides, whatever the name that is asked for says."""
    host = Host("https://archive.example.org", Manners(agent="x", delay=0, tries=2), sleep=lambda _: None)
    there.on("/file", as_file(DATA))
    with pytest.raises(Unusable, match="inner network"):
        host.fetch(there.site + "/file", into=tmp_path / "file", limit=1 << 20)
    assert there.asked == []


@pytest.mark.parametrize(
    "answers", [["93.184.216.34", "127.0.0.1"], ["127.0.0.1"]], ids=["one of its addresses", "all for a moment"]
)
def test_what_an_archive_says_of_its_own_address_does_not_open_the_inner_network(there, monkeypatch, tmp_path, answers):
    """Its names are its own to answer for; whoever runs the command says whether it is an inner archive."""
    real = socket.getaddrinfo

    def resolved(name, port, *rest, **options):
        if name != "archive.example.org":
            return real(name, port, *rest, **options)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in answers]

    monkeypatch.setattr(socket, "getaddrinfo", resolved)
    manners = {"agent": "x", "delay": 0, "tries": 2}
    there.on("/file", as_file(DATA))
    host = Host("https://archive.example.org", Manners(**manners), sleep=lambda _: None)
    with pytest.raises(Unusable, match="inner network") as refusal:
        host.fetch(there.site + "/file", into=tmp_path / "file", limit=1 << 20)
    assert "--inner-network" in refusal.value.remedy
    assert there.asked == []
    inner = Host("https://archive.example.org", Manners(**manners, inner_network=True), sleep=lambda _: None)
    assert inner.fetch(there.site + "/file", into=tmp_path / "file", limit=1 << 20).size == len(DATA)


@pytest.mark.parametrize(
    ("origin", "is_inner"),
    [
        ("http://localhost:8000", True),
        ("http://127.0.0.1", True),
        ("https://10.1.2.3", True),
        ("https://[fd00::1]:8000", True),
        ("https://8.8.8.8", False),
        ("https://archive.example.org", False),
    ],
)
def test_an_address_in_numbers_says_itself_whether_it_is_inner(origin, is_inner):
    assert connections.is_inner(origin) is is_inner


def test_a_host_that_does_not_answer_is_told(asker, pauses):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = f"http://127.0.0.1:{probe.getsockname()[1]}"
    with pytest.raises(Unavailable, match="3 times"):
        asker(free).ask(free + "/a")
    assert len(pauses) == 2


def test_pages_that_name_another_host_are_asked_for_here(asker):
    host = asker("https://archive.example.org")
    assert (
        host.here("http://inner:8000/api/v2/images/?cursor=x") == "https://archive.example.org/api/v2/images/?cursor=x"
    )
    assert host.here("//evil.example.org/a") == "https://archive.example.org/a"


BROKEN = ["http://[", "https://[::1", "http://[half]/a", "http://a..b/", "http://x:99999999/"]


@pytest.mark.parametrize("target", BROKEN)
def test_redirects_to_what_is_no_address_are_told(there, asker, target):
    there.on("/a", Answer(302, headers={"Location": target}))
    with pytest.raises(Unusable) as refusal:
        asker(insecure_http=True).ask(there.site + "/a")
    assert "address" in str(refusal.value)
    assert len(there.asked) == 1


@pytest.mark.parametrize("target", ["http://[", "//[::1", "http://[half]/a", "http://\u2100.example/"])
def test_pages_and_files_at_what_is_no_address_are_told(there, asker, target, tmp_path):
    with pytest.raises(Unusable, match="address"):
        asker().here(target)
    with pytest.raises(Unusable, match="address"):
        asker().fetch(target, into=tmp_path / "file", limit=1)
    assert there.asked == []


@pytest.mark.parametrize("how", ["ask", "fetch"])
def test_what_comes_drop_by_drop_is_given_up(there, asker, tmp_path, monkeypatch, how):
    """No single read takes too long; each drop is looked at as it comes, and not once there is a mouthful."""
    monkeypatch.setattr("medtheca.workflows.importing.host._GRACE", -1.0)
    over = threading.Event()

    def drop(request):
        request.send_response(200)
        request.send_header("Content-Length", "1000")
        request.end_headers()
        request.wfile.write(b"[1")
        request.wfile.flush()
        over.wait(60)
        return Answer(200)

    there.on("/a", drop)
    options = {"into": tmp_path / "file", "limit": 1 << 20} if how == "fetch" else {}
    with pytest.raises(Unavailable, match="too slowly"):
        getattr(asker(tries=1), how)(there.site + "/a", **options)
    over.set()
