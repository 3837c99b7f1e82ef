"""A throw-away PostgreSQL server for one test session, in a folder of its own, so that sessions never meet.

Importing this decides the address and puts it into the environment; the server itself starts when the first
test asks for it, so that tests without a database cost nothing. With DATABASE_URL set, that server is used.
"""

import atexit
import fcntl
import os
import shutil
import signal
import tempfile
from pathlib import Path

from medtheca.config.processes.cluster import new_password
from medtheca.config.processes.server import Server

_PREFIX = "medtheca-tests-"


class SessionDatabase:
    def __init__(self) -> None:
        _remove_folders_of_killed_sessions()
        made = Path(tempfile.mkdtemp(prefix=f"new-{_PREFIX}"))
        self._lock = (made / "lock").open("w")
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Under this name it may be taken for one that a killed session left, unless it is locked.
        self.folder = made.rename(made.with_name(made.name.removeprefix("new-")))
        self._owner = os.getpid()
        self._started = False
        self.server = Server(
            self.folder / "database",
            password_file=self.folder / "database.password",
            log=self.folder / "logs" / "postgres.log",
            durable=False,
        )
        self.outside = bool(os.environ.get("DATABASE_URL"))
        if not self.outside:
            # The address is known before the server runs; it makes its cluster with this password.
            self.server.password_file.write_text(new_password())
            self.server.password_file.chmod(0o600)
        self.url = os.environ["DATABASE_URL"] if self.outside else self.server.url()

    def prepare_environment(self) -> None:
        os.environ["DATABASE_URL"] = self.url
        os.environ["MEDTHECA_DATA"] = str(self.folder / "data")
        os.environ.setdefault("MEDTHECA_SECRET_KEY", "a key for tests and nothing else, long enough")

    def start(self) -> str:
        if not self.outside and not self._started:
            self.server.start()
            self._started = True
        return self.url

    def stop(self) -> None:
        # A child made by fork inherits the exit hook; only the session itself may clean up.
        if os.getpid() != self._owner:
            return
        if self.server.process is not None:
            # Nothing here is worth keeping: the immediate stop skips the last checkpoint.
            self.server.process.send_signal(signal.SIGQUIT)
        self.server.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def _remove_folders_of_killed_sessions() -> None:
    for folder in Path(tempfile.gettempdir()).glob(_PREFIX + "*"):
        try:
            with (folder / "lock").open("r+") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                Server(folder / "database", password_file=folder / "p", log=folder / "l").put_away_remains()
                shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            continue  # In use, being made, or somebody else's.


session_database = SessionDatabase()
session_database.prepare_environment()
atexit.register(session_database.stop)
