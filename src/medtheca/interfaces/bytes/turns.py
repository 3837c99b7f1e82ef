"""One request at a time for each upload, the newest first.

A client whose connection went dead comes back while the server still listens to the old one. So the newcomer asks the
old request to stop; that one acknowledges what it has and makes way.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from medtheca.interfaces.bytes.parts import busy

_PATIENCE = 8.0


class Turn:
    """A request's time with an upload. `ended` says that somebody else wants it."""

    def __init__(self) -> None:
        self.ended = asyncio.get_running_loop().create_future()
        self._over = asyncio.Event()

    def end(self) -> None:
        """Ask the request to make way."""
        if not self.ended.done():
            self.ended.set_result(None)

    def finish(self) -> None:
        """Let the next one in."""
        self.end()
        self._over.set()

    async def wait_until_over(self) -> None:
        """Return once the request has made way."""
        await self._over.wait()


class Turns:
    """The turns that are under way in this process."""

    def __init__(self) -> None:
        self._turns: dict[UUID, Turn] = {}

    @asynccontextmanager
    async def take(self, upload_id: UUID) -> AsyncIterator[Turn]:
        """Have an upload to oneself. Raises `Problem` 423 where the holder does not make way."""
        while (holder := self._turns.get(upload_id)) is not None:
            holder.end()
            try:
                await asyncio.wait_for(holder.wait_until_over(), _PATIENCE)
            except TimeoutError:
                raise busy() from None
        turn = self._turns[upload_id] = Turn()
        try:
            yield turn
        finally:
            del self._turns[upload_id]
            turn.finish()
