"""Bodies for Django: taken in whole before a thread is bound to them, with a limit and a deadline.

Django answers with a handful of threads. A client that sends slowly must not hold one, so the event loop waits for it.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
import time
from collections.abc import MutableMapping
from typing import IO, Any

from medtheca.interfaces.bytes.threads import Threads
from medtheca.interfaces.bytes.wire import Problem, Receive, Request

BODY_LIMIT = 12_000_000
"""Bytes of a request to pages and APIs. Larger things come through uploads."""

_TRIALS = re.compile(r"/(inspect|api/v2/inspections)/")
_SHEETS = re.compile(r"/(cohorts/\d+/metadata|api/v2/cohorts/\d+/metadata-files)/")
# A hundred thousand rows, and the form around them.
_SHEET = 66_000_000
# What a dry run may hold, and the form around it; whoever only says that they are somebody is looked at by Django.
_TRIAL_OF_STRANGERS, _TRIAL_OF_PEOPLE = 26_000_000, 102_000_000

_IN_MEMORY = 256 * 1024
_PIECE = 256 * 1024
_SILENCE = 30.0
# Below this many bytes a second, after the first 30 seconds, a client does not send: it holds a place. Otherwise a few
# hundred that send a byte now and then would take all the places there are, and the byte plane's with them.
_SLOWEST = 2048
_WITHOUT_BODY = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


class ClientGone(Exception):
    """The client went away before its request was whole; nobody waits for an answer."""


class Body:
    """A request's body, taken in. It can be received once more, by whoever is to answer."""

    def __init__(self, file: IO[bytes], size: int) -> None:
        self._file = file
        self._left = size

    async def receive(self) -> MutableMapping[str, Any]:
        """The ASGI messages of the body, as if they came just now."""
        piece = self._file.read(_PIECE) if self._left else b""
        self._left -= len(piece)
        return {"type": "http.request", "body": piece, "more_body": self._left > 0}

    def close(self) -> None:
        """Forget the bytes."""
        self._file.close()


def body_limit(request: Request) -> int:
    """Bytes that this request may have: more for a dry run, which is files, and for spreadsheets."""
    if request.method != "POST":
        return BODY_LIMIT
    says_who = "sessionid=" in request.header(b"cookie") or bool(request.header(b"authorization"))
    if _TRIALS.fullmatch(request.path):
        return _TRIAL_OF_PEOPLE if says_who else _TRIAL_OF_STRANGERS
    return _SHEET if says_who and _SHEETS.fullmatch(request.path) else BODY_LIMIT


async def take_body(request: Request, threads: Threads, *, limit: int = BODY_LIMIT) -> Body:
    """Take in a request's body: in memory while it is small, else in an unnamed file.

    Raises `Problem` 413 for more than `limit` bytes (before they are taken in, where the request says how many they
    are), 411 where it does not say, 408 where they stop coming, and `ClientGone`.
    """
    announced = request.header(b"content-length")
    if b"transfer-encoding" in request.headers and not announced:
        if request.method in _WITHOUT_BODY:
            return Body(tempfile.SpooledTemporaryFile(), 0)
        raise Problem(411, "length_missing", "Send the length of the body in Content-Length.")
    if announced and (not announced.isdecimal() or int(announced) > limit):
        raise _too_large(limit)
    file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - closed with the body
    try:
        size = await _fill(file, request.receive, threads, limit) if announced not in {"", "0"} else 0
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return Body(file, size)


async def _fill(file: IO[bytes], receive: Receive, threads: Threads, limit: int) -> int:
    size, more = 0, True
    began = time.monotonic()
    while more:
        patience = began + _SILENCE + size / _SLOWEST - time.monotonic()
        try:
            message = await asyncio.wait_for(receive(), max(0.0, min(_SILENCE, patience)))
        except TimeoutError:
            raise Problem(408, "too_slow", "The request stopped coming.") from None
        if message["type"] != "http.request":
            raise ClientGone
        piece = message.get("body", b"")
        more = message.get("more_body", False)
        size += len(piece)
        if size > limit:
            raise _too_large(limit)
        if size > _IN_MEMORY:
            await threads.on_disk(file.write, piece)
        else:
            file.write(piece)
    return size


def _too_large(limit: int) -> Problem:
    return Problem(
        413,
        "too_large",
        f"A request may have {limit:,} bytes; this one has more. Nothing of it was stored.",
        remedy="Send files through the upload page or the upload API.",
    )
