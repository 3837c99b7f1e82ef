"""Requests and answers of the byte plane, close to ASGI."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs

from django.conf import settings

from medtheca.base.errors import DomainError, Invalid
from medtheca.interfaces.http.refusals import Refused, status_of, told_to_wait

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

_DRAIN_BYTES = 64 << 20
_DRAIN_SECONDS = 10.0
_DRAIN_SILENCE = 2.0


class Problem(Exception):
    """An answer that is a refusal: problem details (RFC 9457) with a code and what would be right."""

    def __init__(
        self, status: int, code: str, detail: str, *, remedy: str = "", headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.remedy = remedy
        self.headers = headers or {}


def problem_of(error: DomainError | Refused) -> Problem:
    """The refusal of a domain, or of whoever looked at the caller, as an answer."""
    if isinstance(error, Refused):
        return Problem(error.status, error.code, error.message, remedy=error.remedy, headers=error.headers)
    detail, remedy = error.message, error.remedy
    if isinstance(error, Invalid) and error.problems:
        detail = " ".join([detail, *(problem.message for problem in error.problems)])
        remedy = remedy or " ".join(problem.remedy for problem in error.problems if problem.remedy)
    return Problem(status_of(error), error.code, detail, remedy=remedy, headers=told_to_wait(error))


@dataclass(slots=True)
class Request:
    """One request. Header names are in lower case, as ASGI gives them; repeated headers are joined."""

    scope: Scope
    source: Receive
    send: Send
    method: str
    path: str
    headers: dict[bytes, bytes]
    answered: bool = field(default=False)
    body_over: bool = field(default=False)
    by_key: bool = field(default=False)
    """Whether a token or a ticket says who asks, which no browser sends by itself."""

    @classmethod
    def of(cls, scope: Scope, receive: Receive, send: Send) -> Request:
        pairs = scope["headers"]
        headers = dict(pairs)
        if len(headers) != len(pairs):
            headers = _joined(pairs)
        has_body = b"transfer-encoding" in headers or headers.get(b"content-length", b"0") != b"0"
        return cls(scope, receive, send, scope["method"], scope["path"], headers, body_over=not has_body)

    async def receive(self) -> MutableMapping[str, Any]:
        """The next ASGI message, noting where the body ends."""
        message = await self.source()
        if message["type"] != "http.request" or not message.get("more_body"):
            self.body_over = True
        return message

    def header(self, name: bytes) -> str:
        """A header's text without surrounding blanks; empty where it is absent."""
        return self.headers.get(name, b"").decode("latin-1").strip()

    def query(self, name: str) -> str:
        """A parameter of the query, empty where it is absent."""
        raw: bytes = self.scope["query_string"]
        return parse_qs(raw.decode("latin-1")).get(name, [""])[0] if raw else ""

    @property
    def address(self) -> str:
        """The peer's address, which may be a proxy's."""
        client = self.scope.get("client")
        return str(client[0]) if client else ""

    async def answer(self, status: int, headers: Headers, body: bytes = b"") -> None:
        """Send a whole answer; its length is added, its body left out for HEAD."""
        self.answered = True
        length = [] if status in {204, 304} else [(b"content-length", b"%d" % len(body))]
        await self.send({"type": "http.response.start", "status": status, "headers": [*headers, *length]})
        await self.send({"type": "http.response.body", "body": b"" if self.method == "HEAD" else body})

    async def answer_problem(self, problem: Problem, extra: Headers | None = None) -> None:
        """Send a refusal as problem details, never to be cached."""
        headers = [
            (b"content-type", b"application/problem+json"),
            (b"cache-control", b"no-store"),
            (b"x-content-type-options", b"nosniff"),
            *(extra or []),
            *((name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in problem.headers.items()),
        ]
        await self.answer(problem.status, headers, problem_body(problem))
        await self.drain()

    async def drain(self) -> None:
        """Let a client that is still sending finish, within limits, or it would not hear the answer.

        A connection that is closed while bytes are on their way is reset, and the answer is lost with it.
        """
        left, until = _DRAIN_BYTES, time.monotonic() + _DRAIN_SECONDS
        while not self.body_over and left > 0 and time.monotonic() < until:
            try:
                message = await asyncio.wait_for(self.receive(), _DRAIN_SILENCE)
            except TimeoutError:
                return
            left -= len(message.get("body", b""))


def _joined(pairs: Headers) -> dict[bytes, bytes]:
    # HTTP/2 may send each cookie in a header of its own.
    headers: dict[bytes, bytes] = {}
    for name, value in pairs:
        joint = b"; " if name == b"cookie" else b", "
        headers[name] = headers[name] + joint + value if name in headers else value
    return headers


def problem_body(problem: Problem) -> bytes:
    """Problem details as JSON."""
    try:
        title = HTTPStatus(problem.status).phrase
    except ValueError:
        title = "Checksum Mismatch" if problem.status == 460 else "Refused"
    body = {
        "type": "about:blank",
        "title": title,
        "status": problem.status,
        "detail": problem.detail,
        "code": problem.code,
        "remedy": problem.remedy,
        "support": settings.SUPPORT_EMAIL,
    }
    return json.dumps(body, ensure_ascii=False).encode()
