"""A real `medtheca up` on a fresh data folder, for tests that stand outside of it."""

import atexit
import contextlib
import functools
import http.client
import json
import os
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.plugins.ports import is_free, reserve_port


class Archive:
    """`medtheca up` in a process of its own. With `tls` it is at https, and `ca` is the authority to be trusted.

    Its first start finds the empty tables that another archive has made, as those take many times as long as
    everything else; where it is `bare`, it makes its own, as for a new user.
    """

    def __init__(self, data, *, port=0, tls=False, bare=False):
        self.data = data
        self.bare = bare
        self.port = port if port and is_free(port) else reserve_port()
        self.tls = tls
        self.url = f"{'https' if tls else 'http'}://localhost:{self.port}"
        self.ca = data / "tls" / "authority.crt"
        kept = {name: value for name, value in os.environ.items() if not name.startswith("MEDTHECA_")}
        kept.pop("DATABASE_URL", None)
        self.variables = kept | {
            "MEDTHECA_DATA": str(data),
            "MEDTHECA_PORT": str(self.port),
            "MEDTHECA_DISK_RESERVE": "0",
            **({"MEDTHECA_TLS": "yes"} if tls else {}),
        }
        self._people = set()
        self.output = (data.parent / "up.log").open("w+")

    def start(self):
        if not self.bare and not self.data.exists():
            shutil.copytree(_empty_archive(), self.data, ignore=_OF_ONE_ARCHIVE)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "medtheca", "up", *(["--tls"] if self.tls else [])],
            # What `--tls` does is what is tried; other commands are told by the variable that there is https.
            env={name: value for name, value in self.variables.items() if name != "MEDTHECA_TLS"},
            stdin=subprocess.DEVNULL,
            stdout=self.output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        until = time.monotonic() + 400
        while not self._answers():
            assert self.process.poll() is None, f"medtheca up has ended:\n{self.said()}"
            assert time.monotonic() < until, f"medtheca up does not answer:\n{self.said()}"
            time.sleep(0.2)

    def _answers(self):
        if self.tls and not self.ca.exists():
            return False
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        if self.tls:
            context = ssl.create_default_context(cafile=self.ca)
            connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=5, context=context)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def said(self):
        """The end of what it has printed, and of what its processes have."""
        self.output.seek(0)
        logs = sorted((self.data / "logs").glob("*.log"))
        ends = [f"--- {log.name}\n{log.read_text(errors='replace')[-3000:]}" for log in logs]
        return "\n".join([self.output.read()[-3000:], *ends])

    def command(self, *words, **options):
        """Run one of Medtheca's commands on this archive; return what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "medtheca", *words],
            env=self.variables,
            capture_output=True,
            text=True,
            check=False,
            **options,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def tell(self, module, *words):
        """Run a module of the tests in Django's shell on this archive; return what its last line says as JSON.

        It finds `words` behind its own name in `sys.argv`.
        """
        root = Path(__file__).resolve().parents[2]
        code = f"import sys; sys.argv = {[module, *words]!r}; import {module}"
        variables = self.variables | {"PYTHONPATH": str(root)}
        done = subprocess.run(
            [sys.executable, "-m", "medtheca", "manage", "shell", "--no-imports", "-c", code],
            env=variables,
            cwd=root,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    def token(self, name, *, scope="write"):
        """The secret of a new token of somebody, with an account if they have none: `alice` is alice@example.org."""
        email = f"{name}@example.org"
        if name not in self._people:
            words = ["--name", f"{name.title()} Example", "--accepted-terms", "--random-password"]
            self.command("user", "create", email, *words, *(["--staff"] if name == "sam" else []))
            self._people.add(name)
        made = self.command("token", "create", email, "--name", "test", "--scope", scope, "--json")
        return json.loads(made)["secret"]

    def stop(self):
        """End it as Ctrl-C does; return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(180)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)


_OF_ONE_ARCHIVE = shutil.ignore_patterns("run", "logs", "secret.key", "signing.pem", "tls")


@functools.cache
def _empty_archive():
    """The data folder of an archive that was started once and stopped; its keys are not copied."""
    folder = Path(tempfile.mkdtemp(prefix="medtheca-empty-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    first = Archive(folder / "data", bare=True)
    try:
        first.start()
    finally:
        first.stop()
        first.output.close()
    return first.data
