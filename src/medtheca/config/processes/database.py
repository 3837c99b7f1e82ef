"""The database that a command works on: an outside server, the one of a running `medtheca up`, or our own."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from medtheca.config.environment import Environment, environment
from medtheca.config.processes.errors import CannotRun, FolderInUse
from medtheca.config.processes.lock import FolderLock, read_holder
from medtheca.config.processes.server import Server

OLDEST_VERSION = 15
_PATIENCE_WITH_UP = 600.0


def _quiet(_message: str) -> None:
    """Say nothing."""


def embedded_server(data: Path) -> Server:
    """The server that lives in a data folder."""
    return Server(
        data / "database",
        password_file=data / "database.password",
        log=data / "logs" / "postgres.log",
    )


def use_database(url: str) -> None:
    """Make `url` the DATABASE_URL of this process and of its children, before Django's settings are read."""
    os.environ["DATABASE_URL"] = url
    environment.cache_clear()


def check_outside_server(url: str) -> None:
    """Raise `CannotRun` when the server cannot be reached or is too old. The password is never in the words."""
    try:
        connection = psycopg.connect(url, connect_timeout=10)
    except psycopg.Error as error:
        # Why a connection failed is told without the password; a URL that cannot be read is not.
        why = str(error).strip() if isinstance(error, psycopg.OperationalError) else "it cannot be read"
        raise CannotRun(f"The database of DATABASE_URL cannot be reached: {why}") from None
    with connection:
        version = connection.info.server_version // 10_000
    if version < OLDEST_VERSION:
        raise CannotRun(
            f"The server of DATABASE_URL is PostgreSQL {version}; Medtheca needs {OLDEST_VERSION} or newer. "
            "Upgrade it, or leave DATABASE_URL empty to use the server that Medtheca brings."
        )


@contextmanager
def database(settings: Environment, *, command: str, say: Callable[[str], None] = _quiet) -> Iterator[tuple[str, bool]]:
    """The address of a database that answers, and whether we started its server; put into DATABASE_URL.

    Where no `medtheca up` runs, the server of the data folder is started and stopped again, under the same
    lock. Raises `CannotRun`.
    """
    if settings.database_url:
        check_outside_server(settings.database_url)
        use_database(settings.database_url)
        yield settings.database_url, False
        return
    server = embedded_server(settings.data)
    lock = _lock_or_up(settings.data, command=command, say=say)
    try:
        if lock is not None:
            server.start(say)
            lock.mark_ready()
        url = server.url()
        use_database(url)
        yield url, lock is not None
    finally:
        server.stop()
        if lock is not None:
            lock.release()


def _lock_or_up(data: Path, *, command: str, say: Callable[[str], None]) -> FolderLock | None:
    """The lock of the folder, or None once a running `medtheca up` is ready to share its server."""
    lock = FolderLock(data, command=command)
    until, told = time.monotonic() + _PATIENCE_WITH_UP, False
    while True:
        try:
            lock.acquire()
        except FolderInUse as refusal:
            holder = read_holder(data)
            if holder is not None and holder.command == "up" and holder.ready:
                return None
            if time.monotonic() > until:
                raise
            if not told:
                say(f"waiting: {refusal}")
                told = True
            time.sleep(0.2)
        else:
            return lock
