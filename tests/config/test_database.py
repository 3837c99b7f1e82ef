import os

import psycopg
import pytest

from medtheca.config.environment import environment, read_environment
from medtheca.config.processes import database as databases
from medtheca.config.processes.database import database
from medtheca.config.processes.errors import CannotRun, FolderInUse
from medtheca.config.processes.lock import FolderLock, read_holder


@pytest.fixture(autouse=True)
def own_environment(monkeypatch):
    # `database` changes both for the rest of its process; a test must not.
    monkeypatch.setenv("DATABASE_URL", os.environ["DATABASE_URL"])
    yield
    monkeypatch.undo()
    environment.cache_clear()


def settings_for(data, url=""):
    return read_environment({"MEDTHECA_DATA": str(data), "DATABASE_URL": url})


def test_a_command_alone_starts_the_server_and_stops_it_again(tmp_path):
    with database(settings_for(tmp_path), command="check") as (url, started_here):
        assert started_here
        assert os.environ["DATABASE_URL"] == url == environment().database_url
        assert read_holder(tmp_path).command == "check"
        psycopg.connect(url).close()
    assert read_holder(tmp_path) is None
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)


def test_a_command_beside_up_uses_its_server_and_leaves_it_running(tmp_path):
    lock = FolderLock(tmp_path, command="up", address="http://localhost:8000")
    server = databases.embedded_server(tmp_path)
    with lock:
        server.start()
        lock.mark_ready()
        try:
            with database(settings_for(tmp_path), command="check") as (url, started_here):
                assert not started_here
                psycopg.connect(url).close()
            assert server.is_running()
        finally:
            server.stop()


def test_a_command_waits_for_another_command_and_says_so(tmp_path):
    said = []
    lock = FolderLock(tmp_path, command="scrub")
    lock.acquire()

    def say(words):
        said.append(words)
        lock.release()

    with database(settings_for(tmp_path), command="check", say=say) as (_url, started_here):
        assert started_here
    assert "`medtheca scrub`" in said[0]


def test_an_outside_server_is_used_and_nothing_is_started(tmp_path, database_url):
    with database(settings_for(tmp_path, database_url), command="check") as (url, started_here):
        assert (url, started_here) == (database_url, False)
    assert list(tmp_path.iterdir()) == []


def test_an_outside_server_that_is_too_old_is_refused(tmp_path, database_url, monkeypatch):
    monkeypatch.setattr(databases, "OLDEST_VERSION", 99)
    with (
        pytest.raises(CannotRun, match=r"is PostgreSQL \d+; Medtheca needs 99"),
        database(settings_for(tmp_path, database_url), command="check"),
    ):
        pass


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://ada:secret@127.0.0.1:1/medtheca",
        "postgresql://ada:secret@127.0.0.1:1/medtheca?connect_timeout=soon",
    ],
)
def test_an_outside_server_that_is_not_there_is_named_without_its_password(tmp_path, url):
    with (
        pytest.raises(CannotRun, match="DATABASE_URL") as refusal,
        database(settings_for(tmp_path, url), command="check"),
    ):
        pass
    assert "secret" not in str(refusal.value)


def test_the_lock_ends_with_its_holder_and_names_it_before(tmp_path):
    lock = FolderLock(tmp_path, command="up", address="http://localhost:8000")
    with lock, pytest.raises(FolderInUse, match=r"`medtheca up` \(process \d+\) at http://localhost:8000"):
        FolderLock(tmp_path, command="up").acquire()
    with FolderLock(tmp_path, command="check"):
        assert read_holder(tmp_path).command == "check"
