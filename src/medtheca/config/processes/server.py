"""One PostgreSQL server on one cluster: start it, wait for it, stop it, put away what a killed one left."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import psycopg

from medtheca.config.processes import cluster as clusters
from medtheca.config.processes import inspection, logs
from medtheca.config.processes.account import Account, account_for, give_to
from medtheca.config.processes.binaries import programs_for
from medtheca.config.processes.errors import CannotRun
from medtheca.config.processes.launch import launch_command

Say = Callable[[str], None]

_LONGEST_SOCKET_PATH = 107  # bytes that fit into sockaddr_un beside the closing zero
_SOCKET_NAME = ".s.PGSQL.5432"
_PATIENCE_WITHOUT_PROGRESS = 300.0
# PostgreSQL 18 hangs for ever when it is told to stop amid crash recovery (7 of 10 tries). Stopping it at once, after
# this, is as safe, and the next start recovers.
_PATIENCE_FAST_STOP = 30.0
# What was left behind was told to stop when its parent died.
_PATIENCE_WITH_REMAINS = 10.0
_PATIENCE_IMMEDIATE_STOP = 20.0


def _quiet(_message: str) -> None:
    """Say nothing."""


class Server:
    """The server on `folder / "cluster"`; whoever starts one holds the lock of the data folder.

    `durable=False` is for tests: a crash may lose the cluster.
    """

    def __init__(self, folder: Path, *, password_file: Path, log: Path, durable: bool = True) -> None:
        self.folder = folder
        self.cluster = folder / "cluster"
        self.socket_folder = folder / "socket"
        self.password_file = password_file
        self.log = log
        self.durable = durable
        self.process: subprocess.Popen[bytes] | None = None
        self._account: Account | None = None
        self._link: Path | None = None

    # -- addresses --------------------------------------------------------------------------------------

    @property
    def reachable_socket_folder(self) -> Path:
        """The folder of the socket by a path short enough for the system; a link where it must be."""
        if len(os.fsencode(self.socket_folder / _SOCKET_NAME)) <= _LONGEST_SOCKET_PATH:
            return self.socket_folder
        if self._link is None or not self._link.is_symlink():
            self._link = Path(tempfile.mkdtemp(prefix="medtheca-")) / "socket"
            self._link.symlink_to(self.socket_folder)
        return self._link

    def url(self) -> str:
        """Address of the database, password included: for environments, never for arguments or logs."""
        password = self.password_file.read_text().strip()
        host = quote(str(self.reachable_socket_folder), safe="")
        return f"postgresql://{clusters.ROLE}:{password}@/{clusters.DATABASE}?host={host}"

    # -- start ------------------------------------------------------------------------------------------

    def start(self, say: Say = _quiet, *, give_up: Callable[[], bool] = lambda: False) -> None:
        """Start the server, making its cluster first where there is none, and wait until it answers.

        Crash recovery may take minutes; `say` is told what the server does meanwhile. Raises `CannotRun`,
        also when `give_up` says that nobody wants it any more.
        """
        self._prepare_folder()
        programs = programs_for(self._account)
        self.put_away_remains(say)
        new = not clusters.exists(self.cluster)
        password_lost = not self.password_file.exists()
        password = self._write_password() if password_lost else self.password_file.read_text().strip()
        if new:
            say("making the database")
            clusters.make_cluster(
                self.cluster,
                programs=programs,
                account=self._account,
                password=password,
                durable=self.durable,
            )
        else:
            clusters.check_version(self.cluster, programs=programs)
            clusters.write_settings(self.cluster, account=self._account, durable=self.durable)
            if password_lost:
                clusters.set_password(self.cluster, programs=programs, account=self._account, password=password)
        self._spawn(programs)
        self._wait_until_it_answers(say, give_up)

    def _prepare_folder(self) -> None:
        self._account = account_for(self.cluster)
        for folder in (self.folder, self.socket_folder):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.chmod(0o700)
            if self._account:
                os.chown(folder, self._account.user, self._account.group)
        if self._account and self.cluster.exists() and self.cluster.stat().st_uid == 0:
            give_to(self._account, self.cluster)  # A copy or an unpacked backup belongs to root.
        logs.rotate_at_start(self.log)

    def _write_password(self) -> str:
        password = clusters.new_password()
        temporary = self.password_file.with_name(self.password_file.name + ".new")
        temporary.unlink(missing_ok=True)
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(password + "\n")
            file.flush()
            os.fsync(handle)
        temporary.rename(self.password_file)
        return password

    def _spawn(self, programs: Path) -> None:
        command = launch_command(
            [str(programs / "postgres"), "-D", clusters.as_seen(self.cluster, self._account)],
            folder=self.cluster,
            user=self._account.user if self._account else None,
            group=self._account.group if self._account else None,
            # When we are killed, the server ends by itself in an orderly way.
            signal_on_orphaning=signal.SIGINT,
        )
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={"LC_ALL": "C"},
                # Ctrl-C reaches the whole foreground group; the server must be the last to go.
                start_new_session=True,
            )

    def _wait_until_it_answers(self, say: Say, give_up: Callable[[], bool]) -> None:
        url, begun, size, moved = self.url(), time.monotonic(), 0, time.monotonic()
        told = ""
        while True:
            try:
                psycopg.connect(url, connect_timeout=5).close()
            except psycopg.OperationalError as error:
                refusal = error
            else:
                return
            if not self.is_running():
                raise CannotRun(f"The database server ended while starting. {self._log_end()}")
            if give_up():
                raise CannotRun("The start of the database server was broken off.")
            now = time.monotonic()
            if self.log.stat().st_size != size:
                size, moved = self.log.stat().st_size, now
            if now - moved > _PATIENCE_WITHOUT_PROGRESS:
                self.stop()
                raise CannotRun(
                    f"The database server has not moved on for {now - moved:.0f} s ({refusal}). " + self._log_end()
                )
            if now - begun > 3:
                message = "recovering the database: " + self._last_line()
                if message != told:
                    say(message)
                    told = message
            time.sleep(0.03 if now - begun < 2 else 0.3)

    # -- stop -------------------------------------------------------------------------------------------

    def is_running(self) -> bool:
        """Whether the server process that we started is alive."""
        return self.process is not None and self.process.poll() is None

    def request_stop(self) -> None:
        """Ask the server to stop in order: work in progress is rolled back, all else written."""
        if self.is_running():
            assert self.process is not None
            self.process.send_signal(signal.SIGINT)

    def stop(self, *, hurry: Callable[[], bool] = lambda: False) -> None:
        """Stop the server: in order first, by force when that takes too long or `hurry` says so.

        By force is safe too; the next start then recovers from the log.
        """
        self.request_stop()
        if self.process is not None:
            self._wait_or(signal.SIGQUIT, seconds=_PATIENCE_FAST_STOP, hurry=hurry)
            self._wait_or(signal.SIGKILL, seconds=_PATIENCE_IMMEDIATE_STOP)
            self.process.wait()
            self.process = None
        if self._link is not None:
            shutil.rmtree(self._link.parent, ignore_errors=True)
            self._link = None

    def _wait_or(self, number: signal.Signals, *, seconds: float, hurry: Callable[[], bool] = lambda: False) -> None:
        assert self.process is not None
        until = time.monotonic() + seconds
        while self.process.poll() is None:
            if time.monotonic() > until or hurry():
                self.process.send_signal(number)
                return
            time.sleep(0.02)

    def put_away_remains(self, say: Say = _quiet) -> None:
        """End every server process on this cluster that a killed predecessor left behind.

        Two servers on one cluster would destroy it. PostgreSQL's own check reads a process number, which
        another program may have by now; the working directory of a process is no guess.
        """
        left = self._server_processes()
        if not left:
            self._forget_stale_files()
            return
        say("stopping a database server that was left behind")
        # The postmaster is the one whose parent is not among them; it stops the others.
        heads = [process for process in left if inspection.parent_of(process) not in left]
        postmasters = [process for process in heads if process == self._recorded_postmaster()]
        if postmasters:
            inspection.signal_all(postmasters, signal.SIGINT, still=self._server_processes)
            inspection.wait_until_gone(left, seconds=_PATIENCE_WITH_REMAINS)
        for number, patience in ((signal.SIGQUIT, 5.0), (signal.SIGKILL, 10.0)):
            left = self._server_processes()
            if not left:
                break
            inspection.signal_all(left, number, still=self._server_processes)
            inspection.wait_until_gone(left, seconds=patience)
        if left := self._server_processes():
            raise CannotRun(
                f"Server processes {', '.join(map(str, left))} still use the database in {self.cluster} and "
                "cannot be ended. Once they are gone, start again."
            )
        self._forget_stale_files()

    def _server_processes(self) -> list[int]:
        return inspection.processes_in(self.cluster, program="postgres")

    def _recorded_postmaster(self) -> int | None:
        try:
            return int((self.cluster / "postmaster.pid").read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            return None

    def _forget_stale_files(self) -> None:
        # No server process works in the cluster, so whatever has the recorded number now is a stranger.
        # Elsewhere than on Linux we cannot look, and PostgreSQL's own check must do.
        if Path("/proc/self/cwd").exists():
            (self.cluster / "postmaster.pid").unlink(missing_ok=True)
            for name in (_SOCKET_NAME, f"{_SOCKET_NAME}.lock"):
                (self.socket_folder / name).unlink(missing_ok=True)

    # -- words ------------------------------------------------------------------------------------------

    def _last_line(self) -> str:
        return logs.end_of(self.log).splitlines()[-1].rpartition(":  ")[2]

    def _log_end(self) -> str:
        return f"The end of {self.log}:\n{logs.end_of(self.log)}"
