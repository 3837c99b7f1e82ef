"""Django's answers, made in threads, on the event loop: a2wsgi, with answers that are whole in one step.

By itself it sends the beginning, the body and the end of each one by one, and its thread waits for the loop each time.
"""

from __future__ import annotations

import logging
from typing import Any

from a2wsgi.asgi_typing import Receive, Scope, Send, SendEvent
from a2wsgi.wsgi import WSGIMiddleware, WSGIResponder
from a2wsgi.wsgi_typing import Environ, StartResponse

_log = logging.getLogger(__name__)


class Pages(WSGIMiddleware):
    """An ASGI application of Django's handler; `executor` has its threads."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await _Responder(self.app, self.executor, self.send_queue_size)(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


class _Responder(WSGIResponder):
    """One answer. `_kept` is what the thread has left for the loop to send when the thread is done."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._kept: list[SendEvent] = []

    def wsgi(self, environ: Environ, start_response: StartResponse) -> None:
        """Run in the thread: only what comes piece by piece is sent before its end."""
        # Any: WSGI knows nothing of Django's responses, which are what its handler returns.
        answer: Any = self.app(environ, start_response)
        try:
            if getattr(answer, "streaming", True):
                super().send(self._kept.pop())
                for chunk in answer:
                    super().send({"type": "http.response.body", "body": chunk, "more_body": True})
                super().send({"type": "http.response.body", "body": b""})
            else:
                self._kept.append({"type": "http.response.body", "body": b"".join(answer)})
        finally:
            self._close(answer)

    def _close(self, answer: Any) -> None:
        try:
            answer.close()
        except Exception:  # noqa: BLE001 - whoever listens to the end of requests may raise anything
            # The answer has been made, and what it tells of has been done: the client is to hear of it.
            _log.exception("An answer could not be closed.")

    def send(self, message: SendEvent | None) -> None:
        """What begins the answer, which Django's handler says before anybody knows what follows."""
        if message is not None:
            self._kept.append(message)

    async def sender(self, send: Send) -> None:
        """Send what comes while the thread works, and then what it has left."""
        await super().sender(send)
        for message in self._kept:
            await send(message)
