"""A body that trickles in holds no place for long, and a slow one still arrives."""

import asyncio

import pytest

from medtheca.interfaces.bytes import bodies
from medtheca.interfaces.bytes.bodies import take_body
from medtheca.interfaces.bytes.threads import Threads
from medtheca.interfaces.bytes.wire import Problem, Request


def take(pieces, *, pause, announced=1_000_000):
    """Take in pieces that come with a pause before each."""
    left = list(pieces)

    async def receive():
        await asyncio.sleep(pause)
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

    async def send(_message):
        raise AssertionError("nothing is sent")

    async def run():
        threads = Threads()
        scope = {
            "method": "POST",
            "path": "/",
            "headers": [(b"content-length", b"%d" % announced)],
            "query_string": b"",
        }
        try:
            body = await take_body(Request.of(scope, receive, send), threads)
            return (await body.receive())["body"]
        finally:
            threads.close()

    return asyncio.run(run())


@pytest.fixture(autouse=True)
def hurry(monkeypatch):
    monkeypatch.setattr(bodies, "_SILENCE", 0.4)


def test_a_body_that_trickles_is_cut_off():
    with pytest.raises(Problem) as refused:
        take([b"x"] * 100, pause=0.05)
    assert refused.value.status == 408


def test_a_slow_body_arrives():
    pieces = [b"x" * 1000] * 20
    assert take(pieces, pause=0.05, announced=20_000) == b"".join(pieces)


def limit_of(method, path, **headers):
    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope = {"method": method, "path": path, "headers": pairs, "query_string": b""}
    return bodies.body_limit(Request.of(scope, None, None))


def test_only_dry_runs_and_spreadsheets_may_be_larger():
    for path in ("/inspect/", "/api/v2/inspections/"):
        assert limit_of("POST", path) == 26_000_000
        assert limit_of("POST", path, cookie="a=b; sessionid=x") == 102_000_000
        assert limit_of("POST", path, authorization="Bearer mt_x") == 102_000_000
        assert limit_of("GET", path, cookie="sessionid=x") == bodies.BODY_LIMIT
    for path in ("/cohorts/12/metadata/", "/api/v2/cohorts/12/metadata-files/"):
        assert limit_of("POST", path) == bodies.BODY_LIMIT
        assert limit_of("POST", path, authorization="Bearer mt_x") == 66_000_000
    for path in ("/", "/inspect/x/", "/inspect", "/api/v2/cohorts/"):
        assert limit_of("POST", path, cookie="sessionid=x") == bodies.BODY_LIMIT
