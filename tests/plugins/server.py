"""The real web process on a free port and a fresh database of the session's PostgreSQL, for any test that wants it.

`server` is the process, one for each test module; `world` lets the test itself speak to the server's database while it
runs. Both share the data folder, so that factories may be used as in any other test.
"""

import atexit
import contextlib
import functools
import http.client
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from tests.plugins.database import session_database
from tests.plugins.ports import reserve_port


class LiveServer:
    """`medtheca web` in a process of its own. `start` and `kill` may be called any number of times."""

    def __init__(self, database_url, **variables):
        self.database_url = database_url
        self.port = reserve_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.variables = variables
        self.prefix = []
        self.process = None
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as this object

    def start(self):
        environment = os.environ | {
            "DATABASE_URL": self.database_url,
            "MEDTHECA_HOST": "127.0.0.1",
            "MEDTHECA_PORT": str(self.port),
            "MEDTHECA_DISK_RESERVE": "0",
            **self.variables,
        }
        self.process = subprocess.Popen(
            [*self.prefix, sys.executable, "-m", "medtheca", "web"],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
        )
        until = time.monotonic() + 180
        while not self.is_healthy():
            assert self.process.poll() is None, f"the web process has ended:\n{self.log()}"
            assert time.monotonic() < until, f"the web process does not answer:\n{self.log()}"
            time.sleep(0.1)
        return self

    def is_healthy(self):
        try:
            return self.request("GET", "/healthz").status == 200
        except OSError:
            return False

    def request(self, method, path, *, headers=None, body=None):
        """One request on a connection of its own; the answer has been read, into `content`."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            answer = connection.getresponse()
            answer.content = answer.read()
        finally:
            connection.close()
        return answer

    def log(self):
        self._log.seek(0)
        return self._log.read().decode(errors="replace")[-8000:]

    def close(self):
        """End it and forget its log."""
        self.kill()
        self._log.close()

    def kill(self):
        """End it as a crash does."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def stop(self):
        """End it as Ctrl-C does, and say how it ended."""
        self.process.terminate()
        try:
            return self.process.wait(60)
        finally:
            self.kill()


@contextlib.contextmanager
def speaking_to(name):
    """Django's connection of this process goes to another database of the same server meanwhile."""
    from django.db import connections

    connection = connections["default"]
    before = connection.settings_dict["NAME"]

    def go_to(database):
        connection.close()
        connection.close_pool()
        connection.settings_dict["NAME"] = database

    go_to(name)
    try:
        yield
    finally:
        go_to(before)


# Most tests take back what they have written. PostgreSQL's own housekeeping would count such tables as empty, whatever
# later tests write into them; without it, plans are made by the size of a table.
_NO_STATISTICS = """
    DO $$ DECLARE "table" regclass; BEGIN
        FOR "table" IN SELECT oid FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace LOOP
            EXECUTE format('ALTER TABLE %s SET (autovacuum_enabled = off)', "table");
        END LOOP;
    END $$
"""


@functools.cache
def template():
    """A database with all tables, migrated once a session: PostgreSQL copies it in a moment."""
    name = f"template_{secrets.token_hex(6)}"
    _administer(f'CREATE DATABASE "{name}"')
    done = subprocess.run(
        [sys.executable, "-m", "medtheca", "migrate"],
        env=os.environ | {"DATABASE_URL": address_of(name)},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    with psycopg.connect(address_of(name), autocommit=True) as connection:
        connection.execute(_NO_STATISTICS)
    if session_database.outside:
        atexit.register(_administer, f'DROP DATABASE "{name}"')
    return name


def address_of(name):
    return urlunsplit(urlsplit(session_database.start())._replace(path=f"/{name}"))


def _administer(statement, patience=60):
    """Have a database made or dropped, for which PostgreSQL waits five seconds until nobody uses it."""
    until = time.monotonic() + patience
    with psycopg.connect(session_database.start(), autocommit=True) as admin:
        while True:
            try:
                admin.execute(statement)
            except psycopg.errors.ObjectInUse:
                if time.monotonic() > until:
                    raise
            else:
                return


@contextlib.contextmanager
def fresh_database():
    """A new database with all tables; gives its name and address."""
    name = f"live_{secrets.token_hex(6)}"
    _administer(f'CREATE DATABASE "{name}" TEMPLATE "{template()}"')
    try:
        yield name, address_of(name)
    finally:
        _administer(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(scope="module")
def server():
    Path(os.environ["MEDTHECA_DATA"]).mkdir(parents=True, exist_ok=True)
    with fresh_database() as (name, url):
        live = LiveServer(url)
        live.database = name
        try:
            yield live.start()
        finally:
            live.close()


@pytest.fixture
def world(server, django_db_blocker):
    """The test's own Django speaks to the server's database; what it commits, the server sees."""
    with django_db_blocker.unblock(), speaking_to(server.database):
        yield server


@pytest.fixture(scope="module")
def module_database(django_db_setup, django_db_blocker):
    """The module's tests have a database of their own; gives what lets a fixture write, once, what all of them read.

    A test that asks for `db` still takes its own changes with it.
    """
    with fresh_database() as (name, _), speaking_to(name):
        yield django_db_blocker.unblock
