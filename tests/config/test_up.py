"""`medtheca up` with a real database and stand-ins for web, workers and demo (see `stand_in.py`)."""

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from medtheca.config.processes import inspection
from medtheca.config.processes.database import embedded_server
from medtheca.config.processes.lock import read_holder
from medtheca.config.processes.supervisor import MARK

STAND_IN = Path(__file__).with_name("stand_in.py")


class Running:
    """A started `medtheca up`, with what a person would see and do."""

    def __init__(self, data, *, port, demo=False, outside=""):
        self.data, self.port = data, port
        variables = {name: value for name, value in os.environ.items() if not name.startswith("MEDTHECA_")}
        variables |= {
            "MEDTHECA_DATA": str(data),
            "MEDTHECA_PORT": str(port),
            "MEDTHECA_DEMO": "yes" if demo else "no",
            "DATABASE_URL": outside,
        }
        self.process = subprocess.Popen(
            [sys.executable, STAND_IN, "up"],
            env=variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def is_ready(self):
        # Asked of the holder and not of the port, which a predecessor might still hold.
        holder = read_holder(self.data)
        return holder is not None and holder.process == self.process.pid and holder.ready and self.answers()

    def answers(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def ready(self):
        wait_for(lambda: self.is_ready() or self.process.poll() is not None, "up is ready")
        assert self.process.poll() is None, self.process.stdout.read()
        wait_for(lambda: f"worker {self.worker()}" in self.history(), "the worker runs")
        return self

    def ends(self):
        output, _ = self.process.communicate(timeout=300)
        return self.process.returncode, output

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.ends()

    def children(self):
        return inspection.processes_with(MARK, str(self.data.resolve()))

    def child(self, role):
        for process in self.children():
            try:
                words = Path("/proc", str(process), "cmdline").read_bytes().split(b"\0")
            except FileNotFoundError:
                continue
            if words[1:3] == [os.fsencode(STAND_IN), role.encode()]:
                return process
        return None

    def worker(self):
        return self.child("worker")

    def servers(self):
        return inspection.processes_in(self.data / "database" / "cluster", program="postgres")

    def postmaster(self):
        servers = self.servers()
        return next((one for one in servers if inspection.parent_of(one) == self.process.pid), None)

    def write(self, number):
        with psycopg.connect(embedded_server(self.data).url()) as connection:
            connection.execute("insert into kept values (%s)", [number])

    def numbers(self):
        """What is in the database, or None while it does not answer."""
        try:
            with psycopg.connect(embedded_server(self.data).url()) as connection:
                return [number for (number,) in connection.execute("select number from kept order by 1")]
        except psycopg.OperationalError:
            return None

    def history(self):
        file = self.data / "history"
        return file.read_text().splitlines() if file.exists() else []


def wait_for(condition, what, seconds=300):
    until = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < until, f"waited too long until {what}"
        time.sleep(0.05)
    return found


def kill(process):
    os.kill(process, signal.SIGKILL)


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


@pytest.fixture
def port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def up(data, port):
    started = []

    def start(**options):
        running = Running(data, **{"port": port, **options})
        started.append(running)
        return running

    yield start
    for running in started:
        if running.process.poll() is None:
            kill(running.process.pid)
        running.process.communicate()
    for left in (running.children() + running.servers() for running in started):
        inspection.signal_all(left, signal.SIGKILL)
        inspection.wait_until_gone(left, seconds=10)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_stops_all_in_order(up, data, number):
    running = up().ready()
    code, output = running.stop(number)
    assert code == 0, output
    assert running.children() == []
    assert running.servers() == []
    assert running.history()[-2:] == ["worker stops", "web stops"]
    assert "database system is shut down" in (data / "logs" / "postgres.log").read_text()
    assert read_holder(data) is None


def test_it_says_where_it_is_and_shows_each_step_once(up, port):
    running = up().ready()
    _code, output = running.stop()
    assert f"http://localhost:{port}" in output
    steps = ["Database started", "Tables up to date", "Web process started", "1 worker started", "Stopped"]
    assert [len(re.findall(f"^✓ {step}", output, re.MULTILINE)) for step in steps] == [1] * 5
    assert "\x1b" not in output


def test_a_signal_while_starting_stops_what_was_started(up, data):
    running = up()
    wait_for(running.postmaster, "the database is being started")
    code, output = running.stop()
    assert code == 0, output
    assert "Web process started" not in output
    assert running.children() == []
    assert running.servers() == []


def test_a_second_up_on_the_folder_says_where_the_first_is(up, port):
    first = up().ready()
    code, output = up(port=port + 1).ends()
    assert code == 3
    assert f"process {first.process.pid}) at http://localhost:{port}" in output
    assert first.answers()


def test_a_port_in_use_is_named_before_anything_is_started(up, port, data):
    with socket.create_server(("127.0.0.1", port)):
        code, output = up().ends()
    assert code == 4
    assert f"Port {port}" in output
    assert "--port" in output
    assert not (data / "database").exists()


def test_what_a_restore_left_half_done_is_not_started(up, data):
    (data / "restoring.json").write_text("{}")
    code, output = up().ends()
    assert code == 1
    assert "was not finished" in output
    assert not (data / "database").exists()


def test_erasures_are_repeated_before_anything_is_served(up, data):
    (data / "erasures").mkdir()
    (data / "erasures" / "0.json").write_text("{}")
    running = up().ready()
    history = running.history()
    assert history.index("erased again") < history.index(f"worker {running.worker()}")
    running.stop()


def test_where_erasures_cannot_be_repeated_nothing_is_served(up, data):
    (data / "erasures").mkdir()
    (data / "erasures" / "0.json").write_text("{}")
    (data / "erase").touch()
    code, output = up().ends()
    assert code == 1
    assert "Erasures could not be repeated, so nothing is served." in output
    assert "who is to be erased cannot be found" in output


def test_web_worker_and_postgres_are_started_again_when_they_die(up):
    running = up().ready()
    running.write(1)
    for find in (lambda: running.child("web"), running.worker, running.postmaster):
        old = wait_for(find, "it runs")
        kill(old)
        wait_for(lambda find=find, old=old: find() not in {None, old}, "it runs again")
    wait_for(lambda: running.answers() and running.numbers() == [1], "all is well again")
    code, output = running.stop()
    assert code == 0, output
    for name in ("web was ended by SIGKILL", "worker-1 was ended by SIGKILL", "postgres has ended"):
        assert name in output


def test_nothing_outlives_a_killed_up_and_the_next_one_works(up):
    running = up().ready()
    running.write(1)
    kill(running.process.pid)
    wait_for(lambda: running.children() == [] and running.servers() == [], "all children are gone", 60)

    again = up().ready()
    assert again.numbers() == [1]
    assert again.stop()[0] == 0


def test_after_all_were_killed_at_once_the_next_one_works(up):
    running = up().ready()
    running.write(1)
    for process in [running.process.pid, *running.children(), *running.servers()]:
        try:
            kill(process)
        except ProcessLookupError:
            continue

    again = up().ready()
    assert again.numbers() == [1]
    assert again.stop()[0] == 0


def test_a_stray_descendant_of_a_killed_up_is_ended_by_the_next(up, data):
    (data / "worker").write_text("leaves a child")
    running = up().ready()
    kill(running.process.pid)
    # `sleep` had a session of its own and was no direct child, so nothing told it.
    (stray,) = wait_for(lambda: (left := running.children()) and len(left) == 1 and left, "one is left")

    (data / "worker").unlink()
    again = up().ready()
    assert not inspection.is_alive(stray)
    assert again.stop()[0] == 0


def test_a_worker_that_keeps_failing_ends_up_with_its_name_and_its_words(up, data):
    (data / "worker").write_text("fails")
    running = up()
    code, output = running.ends()
    assert code == 1
    assert "worker-1 ended with code 1, for the 5th time" in output
    assert str(data / "logs" / "worker-1.log") in output
    assert "the worker has no hands" in output
    assert running.children() == []
    assert running.servers() == []


def test_a_second_signal_hurries(up, data):
    (data / "worker").write_text("is deaf")
    running = up().ready()
    running.process.send_signal(signal.SIGINT)
    wait_for(lambda: "worker hears nothing" in running.history(), "up asks its worker to end")
    assert running.process.poll() is None
    begun = time.monotonic()
    code, _output = running.stop(signal.SIGINT)
    assert code == 0
    assert time.monotonic() - begun < 18
    assert running.children() == []
    assert running.servers() == []


def test_the_demo_runs_beside_and_its_logins_are_shown(up):
    running = up(demo=True).ready()
    wait_for(lambda: "Demo: all is in" in (running.data / "logs" / "up.log").read_text(), "the demo is in")
    code, output = running.stop()
    assert code == 0
    assert "ada@example.org  a b c  (staff)" in output
    assert "a b c" not in (running.data / "logs" / "up.log").read_text()


def test_the_password_is_shown_nowhere(up, data):
    running = up().ready()
    password = (data / "database.password").read_text().strip()
    shown = subprocess.run(["ps", "-eww", "-o", "args"], check=True, capture_output=True, text=True).stdout
    assert str(STAND_IN) in shown
    assert password not in shown
    _code, output = running.stop()
    assert password not in output
    assert not [log for log in (data / "logs").iterdir() if password in log.read_text()]


def test_an_outside_database_is_used_and_none_is_started(up, data, database_url):
    running = up(outside=database_url).ready()
    code, output = running.stop()
    assert code == 0
    assert "Database reached" in output
    assert not (data / "database").exists()
    assert psycopg.conninfo.conninfo_to_dict(database_url)["password"] not in output
