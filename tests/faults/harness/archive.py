"""A running `medtheca up` on a data folder of its own, seen from outside: its processes, its database, its port."""

import http.client
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg

from medtheca.config.processes import inspection
from medtheca.config.processes.database import embedded_server
from medtheca.config.processes.lock import read_holder
from medtheca.config.processes.supervisor import MARK
from tests.faults.harness.steps import SOURCE, Steps, is_alive, wait_for
from tests.plugins.ports import reserve_port

ROOT = Path(__file__).parents[3]
INSIDER = ["-m", "tests.faults.harness.insider"]
_READY = 400


class Archive:
    """`medtheca up`, started again and again on one folder. `variables` are further settings."""

    def __init__(self, folder, **variables):
        self.folder = folder
        self.data = folder / "data"
        self.history = folder / "history"
        self.steps = Steps(folder / "steps")
        self.port = reserve_port()
        self.variables = {
            **{name: value for name, value in os.environ.items() if not name.startswith("MEDTHECA_")},
            # The source whose steps are read, wherever it was imported from.
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(SOURCE.parent)]),
            "DATABASE_URL": "",
            "MEDTHECA_DATA": str(self.data),
            "MEDTHECA_PORT": str(self.port),
            "MEDTHECA_WORKERS": "1",
            "MEDTHECA_DISK_RESERVE": "1M",
            "MEDTHECA_FAULT_STEPS": str(self.steps.folder),
            **variables,
        }
        self.process = None
        self.starts = 0

    # -- life

    def start(self):
        """Start `up` and wait until it is ready, starting it again where it is killed meanwhile."""
        self.starts += 1
        with (self.folder / "up.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "medtheca", "up"],
                env=self.variables,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return self

    def ready(self):
        def look():
            assert self.process.poll() is None, f"up ended with {self.process.returncode}\n{self.log_end()}"
            return self.is_ready()

        wait_for(look, f"up is ready\n{self.log_end()}", seconds=_READY)
        return self

    def is_ready(self):
        """Whether all three are at work: the database, the web process, the worker."""
        holder = read_holder(self.data)
        if holder is None or holder.process != self.process.pid or not holder.ready or not self._answers():
            return False
        newest = self.ask("SELECT max(id) FROM procrastinate_workers WHERE last_heartbeat > now() - interval '3 s'")
        return bool(newest and newest[0][0])

    def _answers(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def stop(self):
        """Stop `up` in order, then make sure that nothing is left."""
        if self.is_running():
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=60)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.end_by_force()

    def end_by_force(self):
        """Kill every process of this folder."""
        if self.process is not None:
            if self.process.poll() is None:
                self.process.kill()
            self.process.wait()
        left = inspection.processes_with(MARK, self._mark) + self.servers()
        inspection.signal_all(left, signal.SIGKILL)
        assert not inspection.wait_until_gone(left, seconds=20), f"processes {left} cannot be ended"

    # -- processes

    @property
    def _mark(self):
        return str(self.data.resolve())

    def child(self, role):
        for process in inspection.processes_with(MARK, self._mark):
            words = _command(process)
            if b"medtheca" in words and role.encode() in words:
                return process
        return None

    def web(self):
        return self.child("web")

    def worker(self):
        return self.child("worker")

    def decoder(self):
        """The fork server of the worker's decoders; its environment is clean, so its parent tells whose it is."""
        worker = self.worker()
        for process in Path("/proc").iterdir() if worker else ():
            if process.name.isdigit() and inspection.parent_of(int(process.name)) == worker:
                words = _command(int(process.name))
                if b"medtheca.toolkit.sandbox.server" in words:
                    return int(process.name)
        return None

    def servers(self):
        return inspection.processes_in(self.data / "database" / "cluster", program="postgres")

    def postmaster(self):
        servers = self.servers()
        return next((one for one in servers if inspection.parent_of(one) not in servers), None)

    def backend(self):
        """A server process that serves a client just now."""
        heads = [one for one in self.servers() if b"medtheca" in b" ".join(_command(one))]
        return heads[-1] if heads else None

    def kill(self, *processes):
        """Kill processes at once; return the names of the steps in which they stood, and count them as hits."""
        victims = [process for process in processes if process and is_alive(process)]
        killed_at = time.time()
        inspection.signal_all(victims, signal.SIGKILL)
        stood = [name for process in victims for name in self.steps.stood_in(process, killed_at)]
        self.steps.hits.update(stood)
        return stood

    # -- what it says

    def url(self):
        return embedded_server(self.data).url()

    def ask(self, sql):
        """Rows, or None while the database does not answer."""
        try:
            with psycopg.connect(self.url(), connect_timeout=5) as connection:
                return connection.execute(sql).fetchall()
        except (psycopg.OperationalError, psycopg.errors.UndefinedTable, FileNotFoundError):
            return None

    def inside(self):
        """The environment of a process that works on the archive beside `up`."""
        return self.variables | {"DATABASE_URL": self.url()}

    def log_end(self):
        log = self.folder / "up.log"
        return log.read_text(errors="replace")[-3000:] if log.exists() else ""

    def waiting_jobs(self):
        rows = self.ask("SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing')")
        return None if rows is None else rows[0][0]

    def run(self, *arguments, **options):
        """A program of Python with the settings of this archive and the address of its database."""
        options = {"capture_output": True, "text": True, "timeout": 120, **options}
        return subprocess.run([sys.executable, *arguments], env=self.inside(), check=False, **options)


def _command(process):
    try:
        return Path("/proc", str(process), "cmdline").read_bytes().split(b"\0")
    except OSError:
        return []
