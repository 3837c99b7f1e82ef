"""`medtheca up`: the database server, the tables, the web process, the workers and the demo, kept running."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import ssl
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from types import FrameType

from medtheca.config.environment import Environment
from medtheca.config.processes import logs
from medtheca.config.processes.database import check_outside_server, embedded_server
from medtheca.config.processes.errors import CannotRun, FolderInUse, PortInUse
from medtheca.config.processes.lock import FolderLock, read_holder
from medtheca.config.processes.server import Server
from medtheca.config.processes.supervisor import Child, Supervisor, put_away_orphans
from medtheca.config.processes.terminal import Terminal
from medtheca.domains.storage.reserve import RESTORING, ensure_reserve, release_reserve_when_full

_PATIENCE_WITH_COMMANDS = 30.0
_PATIENCE_WITH_WEB = 300.0
_SECONDS_FOR_A_WORKER_TO_STOP = 20.0
# Requests in progress may end; endless ones, such as a page that listens for news, are cut off.
_SECONDS_FOR_WEB_TO_STOP = 5.0
_TURNS_A_MINUTE = 300
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class _AskedToStop(Exception):
    """A signal came while something was being started."""


class Wishes:
    """What signals have asked for: to stop, and to stop at once."""

    def __init__(self) -> None:
        self._asked = 0

    def stopping(self) -> bool:
        return self._asked > 0

    def hurrying(self) -> bool:
        return self._asked > 1

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Take signals as wishes while inside."""

        def note(_number: int, _frame: FrameType | None) -> None:
            self._asked += 1

        before = {number: signal.signal(number, note) for number in _SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


class DatabaseMember:
    """The embedded server, as the supervisor sees it."""

    name = "postgres"

    def __init__(self, server: Server, *, say: Callable[[str], None], give_up: Callable[[], bool]) -> None:
        self.server = server
        self.log = server.log
        self.say = say
        self._give_up = give_up

    def start(self) -> None:
        self.server.start(self.say, give_up=self._give_up)

    def is_running(self) -> bool:
        return self.server.is_running()

    def is_ready(self) -> bool:
        return True  # `start` waits until the server answers.

    def describe_death(self) -> str:
        return "has ended"

    def request_stop(self) -> None:
        self.server.request_stop()

    def wait_until_stopped(self, *, hurry: Callable[[], bool]) -> None:
        self.server.stop(hurry=hurry)


def medtheca_program(name: str) -> list[str]:
    """The command line of one of our own commands."""
    return [sys.executable, "-m", "medtheca", name]


class Up:
    """One run of `medtheca up`.

    `program` gives the command line of each child by the name of its command: migrate, web, worker, demo.
    """

    def __init__(
        self, settings: Environment, *, demo: bool, program: Callable[[str], list[str]] = medtheca_program
    ) -> None:
        self.settings = settings
        self.demo = demo
        self.program = program
        self.logs = settings.data / "logs"
        self.terminal = Terminal(self.logs / "up.log")
        self.wishes = Wishes()
        self.supervisor = Supervisor(
            say=self.terminal.warn, stopping=self.wishes.stopping, hurrying=self.wishes.hurrying
        )
        self.address = settings.address
        self.variables = dict(os.environ)
        self._demo_child: Child | None = None
        self._demo_read = 0
        self._logins_shown = False

    def run(self) -> None:
        """Start everything, watch over it until a signal, stop everything. Raises `CannotRun`."""
        with ExitStack() as stack:
            stack.enter_context(self.wishes.listening())
            stack.enter_context(suppress(_AskedToStop))
            lock = self._lock()
            stack.callback(lock.release)
            self.logs.mkdir(mode=0o700, exist_ok=True)
            self._refuse_half_restored()
            put_away_orphans(self._mark)
            check_port_is_free(self.settings.host, self.settings.port)
            self._prepare_tls()
            stack.callback(self._stop)
            self._start_database()
            self._migrate()
            self._erase_again()
            lock.mark_ready()
            self._start_web()
            self._start_workers()
            self._start_demo()
            self._announce()
            self._watch()

    def _go_on(self) -> None:
        """Raise `_AskedToStop` if somebody wants us to stop; asked wherever a step has waited."""
        if self.wishes.stopping():
            raise _AskedToStop

    @property
    def _mark(self) -> str:
        # Resolved, because a folder may be called by several names.
        return str(self.settings.data.resolve())

    # -- start ------------------------------------------------------------------------------------------

    def _lock(self) -> FolderLock:
        """The folder's lock; commands that hold it for a moment are waited for, another `up` is not."""
        lock = FolderLock(self.settings.data, command="up", address=self.address)
        until, told = time.monotonic() + _PATIENCE_WITH_COMMANDS, False
        while True:
            try:
                lock.acquire()
            except FolderInUse as refusal:
                holder = read_holder(self.settings.data)
                another_up = holder is not None and holder.command == "up"
                self._go_on()
                if another_up or time.monotonic() > until:
                    raise
                if not told:
                    self.terminal.line(f"Waiting: {refusal}")
                    told = True
                time.sleep(0.1)
            else:
                return lock

    def _refuse_half_restored(self) -> None:
        if (self.settings.data / RESTORING).exists():
            raise CannotRun(
                f"A restore into {self.settings.data} was not finished, so what is there is not whole. "
                "Empty the folder and run `medtheca restore` again."
            )

    def _prepare_tls(self) -> bool:
        """Have a certificate to serve; return whether it is a new one."""
        if not self.settings.serves_tls:
            return False
        from medtheca.config.processes import tls  # The library takes a while to load, and few need it.

        outcome = tls.prepare(self.settings)
        for sentence in outcome.told:
            self.terminal.warn(sentence)
        return outcome.changed

    def _start_database(self) -> None:
        if freed := release_reserve_when_full(self.settings.data):
            self.terminal.warn(f"The disk is full; {freed / 1e6:,.0f} MB of reserve were given up to start")
        if self.settings.database_url:
            with self.terminal.step("Reaching the database", "Database reached"):
                check_outside_server(self.settings.database_url)
            return
        server = embedded_server(self.settings.data)
        with self.terminal.step("Starting the database", "Database started") as say:
            member = DatabaseMember(server, say=say, give_up=self.wishes.stopping)
            try:
                self.supervisor.add(member)
            except CannotRun:
                self._go_on()
                raise
            self._go_on()
        member.say = self.terminal.line  # The step is over; a restart tells by lines.
        self.variables["DATABASE_URL"] = server.url()
        ensure_reserve(self.settings.data, disk_reserve=self.settings.disk_reserve)

    def _migrate(self) -> None:
        child = self._child("migrate", "migrate", grace=30.0)
        with self.terminal.step("Bringing the tables up to date", "Tables up to date"):
            self._run_to_end(child, "The tables could not be brought up to date.")

    def _erase_again(self) -> None:
        """After a restore by other means than ours: who was erased must be so again before anything is served."""
        if not any((self.settings.data / "erasures").glob("*.json")):
            return
        child = self._child("erase", "erase", grace=30.0)
        child.command = [*child.command, "pending"]
        with self.terminal.step("Looking for erasures to repeat", "Erasures are as they were"):
            self._run_to_end(child, "Erasures could not be repeated, so nothing is served.")

    def _run_to_end(self, child: Child, failure: str) -> None:
        child.start()
        assert child.process is not None
        while child.process.poll() is None and not self.wishes.stopping():
            self.supervisor.watch_once()
            time.sleep(0.05)
        child.request_stop()
        child.wait_until_stopped(hurry=self.wishes.hurrying)
        self._go_on()
        if child.process.returncode != 0:
            raise CannotRun(f"{failure} The end of {child.log}:\n{logs.end_of(child.log)}")

    def _start_web(self) -> None:
        web = self._web = self._child("web", "web", grace=_SECONDS_FOR_WEB_TO_STOP)
        web.ready = lambda: is_healthy(self.settings.host, self.settings.port, tls=self.settings.serves_tls)
        with self.terminal.step("Starting the web process", "Web process started"):
            self.supervisor.add(web)
            self.supervisor.wait_until_ready(web, seconds=_PATIENCE_WITH_WEB)
            self._go_on()

    def _start_workers(self) -> None:
        count = self.settings.workers
        words = f"{count} worker{'' if count == 1 else 's'}"
        with self.terminal.step(f"Starting {words}", f"{words} started"):
            for number in range(1, count + 1):
                self.supervisor.add(self._child(f"worker-{number}", "worker", grace=_SECONDS_FOR_A_WORKER_TO_STOP))

    def _start_demo(self) -> None:
        if self.demo:
            self._demo_child = self._child("demo", "demo", grace=5.0)
            self._demo_read = self._demo_child.log.stat().st_size if self._demo_child.log.exists() else 0
            self._demo_child.start()

    def _child(self, name: str, command: str, *, grace: float) -> Child:
        return Child(
            name=name,
            command=self.program(command),
            log=self.logs / f"{name}.log",
            mark=self._mark,
            environment=self.variables,
            grace=grace,
        )

    # -- watch ------------------------------------------------------------------------------------------

    def _announce(self) -> None:
        self.terminal.blank()
        self.terminal.blank(f"  {self.settings.name} is at {self.address}")
        if self.settings.serves_tls and self.settings.tls_cert is None:
            self.terminal.blank("  Its certificate is of an authority of its own: `medtheca tls` says how to trust it")
        self.terminal.blank(f"  Data in {self.settings.data}; Ctrl-C stops it")
        self.terminal.blank()

    def _watch(self) -> None:
        turn = 0
        while not self.wishes.stopping():
            self.supervisor.watch_once()
            self._follow_demo()
            turn += 1
            if turn % _TURNS_A_MINUTE == 0:
                self.supervisor.rotate_logs()
            if turn % (_TURNS_A_MINUTE * 60) == 0 and self._prepare_tls():
                self.terminal.line("The certificate was renewed; the web process starts again to show it")
                self._web.request_stop()
            time.sleep(0.2)

    def _follow_demo(self) -> None:
        child = self._demo_child
        if child is None:
            return
        # Asked before reading: what it wrote last is then surely read.
        running = child.is_running()
        if child.log.exists() and child.log.stat().st_size > self._demo_read:
            with child.log.open("rb") as log:
                log.seek(self._demo_read)
                text = log.read()
            self._demo_read += len(text)
            lines = text.decode(errors="replace").splitlines()
            if lines and lines[-1].strip():
                self.terminal.progress(f"Demo: {lines[-1].strip()}")
        self._show_logins()
        if not running:
            self.terminal.end_progress()
            assert child.process is not None
            if child.process.returncode == 0:
                self.terminal.line("Demo: all is in")
            else:
                self.terminal.warn(f"The demo {child.describe_death()}; all else goes on (see {child.log})")
            self._demo_child = None

    def _show_logins(self) -> None:
        file = self.settings.data / "demo" / "logins.json"
        if self._logins_shown or not file.exists():
            return
        try:
            logins = json.loads(file.read_text())
        except ValueError:
            return  # It is just being written.
        self._logins_shown = True
        self.terminal.end_progress()
        scheme = "https" if self.settings.serves_tls else "http"
        self.terminal.blank(f"  Demo logins, on this machine only, at {scheme}://localhost:{self.settings.port}:")
        for login in logins:
            role = f"  ({login['role']})" if login.get("role") else ""
            self.terminal.blank(f"    {login['email']}  {login['password']}{role}")
        self.terminal.blank()

    # -- stop -------------------------------------------------------------------------------------------

    def _stop(self) -> None:
        with self.terminal.step("Stopping", "Stopped"):
            if self._demo_child is not None:
                self._demo_child.request_stop()
                self._demo_child.wait_until_stopped(hurry=self.wishes.hurrying)
            workers = [f"worker-{number}" for number in range(1, self.settings.workers + 1)]
            self.supervisor.stop([workers, ["web"], ["postgres"]])


def check_port_is_free(host: str, port: int) -> None:
    """Raise `PortInUse` or `CannotRun` when the web process could not listen there."""
    try:
        family, kind, _protocol, _name, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            # Connections that are just closing do not count; another listener does.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except socket.gaierror as error:
        raise CannotRun(f"The address {host!r} of --host cannot be found: {error.strerror}") from None
    except PermissionError:
        raise CannotRun(f"Port {port} needs more rights. Choose one above 1023 with --port.") from None
    except OSError as error:
        raise PortInUse(
            f"Port {port} on {host} cannot be used: {error.strerror}. Choose another with --port, "
            "or stop the program that listens there."
        ) from None


def is_healthy(host: str, port: int, *, tls: bool = False) -> bool:
    """Whether the web process answers that it and the database are well."""
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - a name to look up, not to listen on
    connection = http.client.HTTPConnection(reachable, port, timeout=5)
    if tls:
        # It is our own child, asked nothing secret: whom its certificate is for does not matter here.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection = http.client.HTTPSConnection(reachable, port, timeout=5, context=context)
    try:
        connection.request("GET", "/healthz", headers={"Host": f"localhost:{port}"})
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
