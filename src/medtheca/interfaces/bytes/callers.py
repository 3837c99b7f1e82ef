"""Who asks for a file: found by session cookie, API token or ticket, and remembered for a few seconds."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from django.conf import settings
from django.http.cookie import parse_cookie

from medtheca.domains.access.queries import ANYBODY, Viewer, viewer_of
from medtheca.domains.access.serving import TicketHolder, holder_of_ticket
from medtheca.interfaces.bytes.threads import Threads
from medtheca.interfaces.bytes.wire import Request
from medtheca.interfaces.http.authentication import caller_from_headers, headers_from_here
from medtheca.interfaces.http.file_urls import Ticket, read_ticket

_LIFETIME = 10.0
# While no news comes in, nobody would say that a token was revoked.
_CUT_LIFETIME = 1.0
_MOST = 20_000
# What the answer of `caller_from_headers` to a GET depends on. All that is asked for here needs the same scope.
_TELLING = (b"authorization", b"cookie", b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host")


@dataclass(frozen=True, slots=True)
class _Known:
    viewer: Viewer
    until: float


class Callers:
    """Viewers of requests. A log-out, a revoked token or a disabled user shows at once: the database tells of it.

    Without the connection for news it shows after a second. Everything here runs in the event loop.
    """

    def __init__(self, threads: Threads) -> None:
        self._threads = threads
        self._known: dict[bytes, _Known] = {}
        self._moment = 0
        self._hears = False

    # -- news -------------------------------------------------------------------------------------------

    def start_hearing(self) -> None:
        """News comes in from now on; what was remembered may have missed some."""
        self._hears = True
        self._forget(None)

    def stop_hearing(self) -> None:
        """No news comes in for now."""
        self._hears = False
        self._forget(None)

    def hear(self, payload: str) -> None:
        """Take a message of the database: `user:ID` is for us, and `user:*` says that it may be anybody."""
        if payload.startswith("user:"):
            text = payload[5:]
            self._forget(int(text) if text.isdecimal() else None)

    def _forget(self, user_id: int | None) -> None:
        # What is being asked for at this moment may be older than the news.
        self._moment += 1
        if user_id is None:
            self._known.clear()
            return
        for key in [key for key, known in self._known.items() if known.viewer.user_id == user_id]:
            del self._known[key]

    # -- look-up ----------------------------------------------------------------------------------------

    async def viewer_of(self, request: Request, reference: str) -> Viewer:
        """Who asks for this image. A ticket goes before what the headers say.

        Raises `Refused` for a token that is not good. A ticket that is not good is as none.
        """
        text = request.query("ticket")
        ticket = read_ticket(text, image_key=reference, session_key=_session_key(request)) if text else None
        request.by_key = not ticket.is_bound if ticket else _sends_token(request)
        if ticket is None:
            return await self._viewer_by_headers(request)
        if ticket.is_bound:
            # Bound to a session that may have ended since: the session itself is asked.
            viewer = await self._viewer_by_headers(request)
            return viewer if viewer.user_id == ticket.viewer_id else ANYBODY
        return await self._viewer_by_ticket(request, ticket)

    async def _viewer_by_headers(self, request: Request) -> Viewer:
        if b"authorization" not in request.headers and not _session_key(request):
            return ANYBODY
        telling = [request.headers.get(name, b"") for name in _TELLING]
        from_here = b"%d" % _is_from_here(request)
        return await self._remembered(
            b"headers\0" + b"\0".join([request.address.encode(), from_here, *telling]),
            lambda: self._ask_headers(request),
        )

    async def _ask_headers(self, request: Request) -> Viewer:
        def ask() -> Viewer:
            caller = caller_from_headers(
                method="GET",
                headers=request.scope["headers"],
                address=request.address,
                path=request.path,
                scheme=request.scope.get("scheme", "http"),
                http_version=request.scope.get("http_version", ""),
            )
            return replace(viewer_of(caller.user), links=caller.links)

        return await self._threads.ask(ask)

    async def _viewer_by_ticket(self, request: Request, ticket: Ticket) -> Viewer:
        from_here = _is_from_here(request)

        async def ask() -> Viewer:
            holder: TicketHolder = await self._threads.ask(holder_of_ticket, ticket.viewer_id)
            return ANYBODY if holder.is_demo and not from_here else holder.viewer

        return await self._remembered(b"ticket\0%d\0%d" % (ticket.viewer_id, from_here), ask)

    async def _remembered(self, secret: bytes, ask: Callable[[], Awaitable[Viewer]]) -> Viewer:
        # A digest, so that no list of live secrets lies in memory.
        key = hashlib.blake2b(secret, digest_size=16).digest()
        now = time.monotonic()
        known = self._known.get(key)
        if known is not None and known.until >= now:
            return known.viewer
        began = self._moment
        viewer = await ask()
        if began != self._moment:
            return viewer
        self._known.pop(key, None)
        self._known[key] = _Known(viewer, now + (_LIFETIME if self._hears else _CUT_LIFETIME))
        while len(self._known) > _MOST or self._known[next(iter(self._known))].until < now:
            del self._known[next(iter(self._known))]
        return viewer


def _is_from_here(request: Request) -> bool:
    return headers_from_here(
        request.headers, address=request.address, http_version=request.scope.get("http_version", "")
    )


def _sends_token(request: Request) -> bool:
    return request.header(b"authorization").lower().startswith(("bearer ", "token "))


def _session_key(request: Request) -> str:
    """The value of the session cookie, empty where there is none."""
    raw = request.headers.get(b"cookie", b"").decode("latin-1")
    if settings.SESSION_COOKIE_NAME not in raw:
        return ""
    return parse_cookie(raw).get(settings.SESSION_COOKIE_NAME, "")
