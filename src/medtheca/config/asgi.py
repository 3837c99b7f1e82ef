"""One ASGI application with two planes: bytes are answered here and now, everything else by Django in threads."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import re
from typing import Any, cast
from urllib.parse import quote

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "medtheca.config.settings")

from django.core.wsgi import get_wsgi_application
from django.db import connections
from django.template.loader import get_template
from django.urls import get_resolver

from medtheca.interfaces.http.bridge import Pages

# Django has to be set up before anything that knows its tables is imported.
_django = get_wsgi_application()
# Every view and both APIs are imported now, not while somebody waits: gcapi's first question gives up after 5 seconds.
_ = get_resolver().reverse_dict

from medtheca.interfaces.bytes.bodies import ClientGone, body_limit, take_body  # noqa: E402 - after the set-up above
from medtheca.interfaces.bytes.plane import BytePlane  # noqa: E402 - after the set-up above
from medtheca.interfaces.bytes.wire import Problem, Receive, Request, Scope, Send  # noqa: E402 - after the set-up above

_log = logging.getLogger(__name__)
_DJANGO_THREADS = 10
_LAST_SECONDS = 2.0
_BEYOND_ASCII = re.compile(rb"[\x80-\xff]+")


class Application:
    """Both planes, and their start and end."""

    def __init__(self) -> None:
        self._bytes = BytePlane()
        # Any: its own types of WSGI and ASGI are narrower than Django's and ours.
        self._pages: Any = Pages(cast("Any", _django), workers=_DJANGO_THREADS)
        self._under_way = 0
        self._idle = asyncio.Event()
        self._idle.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        self._under_way += 1
        self._idle.clear()
        try:
            await self._answer(scope, receive, send)
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._idle.set()

    async def finish(self) -> None:
        """Let answers end whose last bytes are sent: a server that has stopped would cut them off, and complain."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), _LAST_SECONDS)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1000})
        elif self._bytes.serves(scope["path"]):
            await self._bytes(scope, receive, send)
        else:
            await self._answer_page(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        await self._bytes.start()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._bytes.stop()
        self._pages.executor.shutdown(wait=False, cancel_futures=True)
        # Only a pool has this; without one there is nothing to close.
        getattr(connections["default"], "close_pool", lambda: None)()
        await send({"type": "lifespan.shutdown.complete"})

    async def _answer_page(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request.of(scope, receive, send)
        try:
            body = await take_body(request, self._bytes.threads, limit=body_limit(request))
        except ClientGone:
            return
        except Problem as problem:
            await self._refuse(request, problem)
            return
        try:
            await self._pages(_for_wsgi(scope), body.receive, send)
        finally:
            body.close()

    async def _refuse(self, request: Request, problem: Problem) -> None:
        if problem.status == 413 and "text/html" in request.header(b"accept"):
            page = await self._bytes.threads.on_disk(get_template("413.html").render)
            await request.answer(413, [(b"content-type", b"text/html; charset=utf-8")], page.encode())
            await request.drain()
        else:
            await request.answer_problem(problem)


def _for_wsgi(scope: Scope) -> Scope:
    """A scope that WSGI's names can hold without confusion.

    Headers with an underscore would pass for ones with a hyphen, among them those that only a proxy may send.
    """
    headers = [(name, value) for name, value in scope["headers"] if b"_" not in name]
    query = _BEYOND_ASCII.sub(lambda found: quote(found[0]).encode(), scope["query_string"])
    return {**scope, "headers": headers, "query_string": query}


application = Application()
