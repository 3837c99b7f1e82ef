"""Answers of Django reach the server whole in one step, or piece by piece as they are made."""

import asyncio
import threading

import pytest
from django.http import HttpResponse, StreamingHttpResponse  # noqa: TID251 - they are what is handed over

from medtheca.interfaces.http.bridge import Pages

SCOPE = {
    "type": "http",
    "method": "GET",
    "path": "/",
    "query_string": b"",
    "http_version": "1.1",
    "headers": [(b"host", b"localhost")],
}


def answered(response, *, send=None):
    """The messages that the server gets for an answer, which is a response, or a function that makes one."""
    told = []

    def handler(environ, start_response):
        made = response() if callable(response) else response
        start_response(f"{made.status_code} {made.reason_phrase}", list(made.items()))
        return made

    async def note(message):
        told.append(message)

    async def ask():
        pages = Pages(handler, workers=2)
        try:
            await asyncio.wait_for(pages(SCOPE, None, send(told) if send else note), 20)
        finally:
            pages.executor.shutdown()

    asyncio.run(ask())
    return told


def closes(response):
    """How often the response has been closed."""
    times, close = [], response.close
    response.close = lambda: (times.append(1), close())
    return times


@pytest.mark.parametrize("content", [b"", b"some", [b"in ", b"two"]])
def test_what_is_whole_is_a_beginning_and_one_body(content):
    response = HttpResponse(content, status=201, headers={"X-One": "1"})
    times = closes(response)
    begun, body = answered(response)
    assert (begun["type"], begun["status"]) == ("http.response.start", 201)
    assert (b"x-one", b"1") in begun["headers"]
    assert body == {"type": "http.response.body", "body": b"".join(content) if isinstance(content, list) else content}
    assert len(times) == 1


def test_pieces_are_sent_when_they_are_made():
    """The second piece is not made before the server has the first."""
    seen = threading.Event()

    def pieces():
        yield b"first"
        assert seen.wait(10), "the first piece has not been sent"
        yield b"second"

    def send(told):
        async def note(message):
            told.append(message)
            if message.get("body") == b"first":
                seen.set()

        return note

    response = StreamingHttpResponse(pieces())
    times = closes(response)
    told = answered(response, send=send)
    assert [message.get("body") for message in told] == [None, b"first", b"second", b""]
    assert [message.get("more_body", False) for message in told[1:]] == [True, True, False]
    assert len(times) == 1


def test_an_answer_that_fails_in_its_midst_is_not_ended_as_if_it_were_whole():
    def pieces():
        yield b"first"
        raise OSError("the disk is gone")

    told = []

    def send(_):
        async def note(message):
            told.append(message)

        return note

    response = StreamingHttpResponse(pieces())
    times = closes(response)
    with pytest.raises(OSError, match="disk is gone"):
        answered(response, send=send)
    assert {"type": "http.response.body", "body": b""} not in told
    assert len(times) == 1


def test_nothing_is_sent_of_an_answer_that_could_not_be_made():
    told = []

    def send(_):
        async def note(message):
            told.append(message)

        return note

    def fail():
        raise RuntimeError("no answer")

    with pytest.raises(RuntimeError, match="no answer"):
        answered(fail, send=send)
    assert told == []


@pytest.mark.parametrize("response", [HttpResponse(b"done"), StreamingHttpResponse([b"done"])], ids=["whole", "stream"])
def test_an_answer_that_cannot_be_closed_is_sent_and_the_log_says_so(response, caplog):
    def fail():
        raise OSError("no way to the database")

    response.close = fail
    told = answered(response)
    assert b"".join(message.get("body", b"") for message in told) == b"done"
    assert not told[-1].get("more_body", False)
    assert "no way to the database" in caplog.text


def test_a_client_that_is_gone_is_told_to_the_caller_and_the_answer_is_closed():
    def send(_):
        async def note(message):
            raise ConnectionResetError("gone")

        return note

    response = HttpResponse(b"some")
    times = closes(response)
    with pytest.raises(ConnectionResetError):
        answered(response, send=send)
    assert len(times) == 1
