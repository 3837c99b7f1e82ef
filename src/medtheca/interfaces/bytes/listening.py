"""Hearing from the database what has changed: a connection of its own that waits for notifications."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Protocol

import psycopg
from django.db import connections

CHANNEL = "medtheca_access"
APPLICATION_NAME = "medtheca listen"

_log = logging.getLogger(__name__)
_FIRST_PAUSE = 0.2
_LONGEST_PAUSE = 5.0
_ASK_AFTER = 5.0
_PATIENCE = 5.0


class Hearer(Protocol):
    """Who remembers something, and has to forget it when the database says so."""

    def start_hearing(self) -> None:
        """News comes in from now on."""

    def stop_hearing(self) -> None:
        """No news comes in for now."""

    def hear(self, payload: str) -> None:
        """Take one message."""


async def listen(*hearers: Hearer) -> None:
    """Pass on what the database says until cancelled, and connect again whenever the connection breaks.

    The order is what makes it safe: LISTEN first, then those who remember are told that news comes in, then they do.
    """
    pause = _FIRST_PAUSE
    while True:
        try:
            async with await _connect() as connection:
                await connection.execute(f"LISTEN {CHANNEL}")
                for hearer in hearers:
                    hearer.start_hearing()
                pause = _FIRST_PAUSE
                await _pass_on(connection, hearers)
        except (psycopg.Error, OSError, TimeoutError) as error:
            _log.warning("The connection for news of the database broke: %s. Trying again.", str(error).strip())
        finally:
            for hearer in hearers:
                hearer.stop_hearing()
        await asyncio.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)


async def _pass_on(connection: psycopg.AsyncConnection[Any], hearers: tuple[Hearer, ...]) -> None:
    while True:
        async for notification in connection.notifies(timeout=_ASK_AFTER):
            for hearer in hearers:
                hearer.hear(notification.payload)
        # A line that went dead without a word looks like silence; a question tells. What is said meanwhile is kept.
        await asyncio.wait_for(connection.execute("SELECT 1"), _PATIENCE)


async def _connect() -> psycopg.AsyncConnection[Any]:
    parameters = connections["default"].get_connection_params()
    for name in ("cursor_factory", "context", "prepare_threshold"):
        parameters.pop(name, None)
    parameters |= {"application_name": APPLICATION_NAME, "connect_timeout": 5}
    return await psycopg.AsyncConnection.connect(**parameters, autocommit=True)
