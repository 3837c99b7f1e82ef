"""The byte plane's own threads: the event loop never waits for the database or for a disk."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from django.db import InterfaceError, OperationalError, close_old_connections, connection

_P = ParamSpec("_P")
_T = TypeVar("_T")
# After the database was restarted each idle connection of the pool (12 at most) fails once. A question may be asked
# again; where the database is away altogether, the pool itself is slow to say so, and once is enough.
_ATTEMPTS = 14


class Threads:
    """Bounded pools: what comes in faster waits its turn in the event loop, where waiting costs little."""

    def __init__(self, *, database: int = 6, disk: int = 8) -> None:
        self._database = ThreadPoolExecutor(database, thread_name_prefix="bytes-database")
        self._disk = ThreadPoolExecutor(disk, thread_name_prefix="bytes-disk")
        # Its own thread, so that a full pool does not look like a dead database.
        self._health = ThreadPoolExecutor(1, thread_name_prefix="bytes-health")

    async def ask(self, function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Read from the database. Repeated where the connection turns out to be broken: never for changes."""
        call = partial(_asking, partial(function, *args, **kwargs))
        return await asyncio.get_running_loop().run_in_executor(self._database, call)

    async def change(self, function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Change the database, once, on a connection that was just found to work."""
        call = partial(_changing, partial(function, *args, **kwargs))
        return await asyncio.get_running_loop().run_in_executor(self._database, call)

    async def on_disk(self, function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Do something that may wait for a disk."""
        return await asyncio.get_running_loop().run_in_executor(self._disk, partial(function, *args, **kwargs))

    async def database_answers(self, seconds: float = 3.0) -> bool:
        """Whether the database answers within so many seconds."""
        loop = asyncio.get_running_loop()
        try:
            await asyncio.wait_for(loop.run_in_executor(self._health, partial(_asking, _select_one)), seconds)
        except (OperationalError, InterfaceError, TimeoutError):
            return False
        return True

    def close(self) -> None:
        """Let running work end; start nothing more."""
        for pool in (self._database, self._disk, self._health):
            pool.shutdown(wait=False, cancel_futures=True)


def _with_connection(call: Callable[[], _T]) -> _T:
    try:
        return call()
    finally:
        close_old_connections()


def _changing(call: Callable[[], _T]) -> _T:
    for _ in range(_ATTEMPTS):
        connection.ensure_connection()
        if connection.is_usable():
            break
        connection.close()
    return _with_connection(call)


def _asking(call: Callable[[], _T]) -> _T:
    for _ in range(_ATTEMPTS - 1):
        try:
            return _with_connection(call)
        except (OperationalError, InterfaceError):
            connection.close()
    return _with_connection(call)


def _select_one() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
