"""A real `medtheca up` on a fresh data folder, for tests that stand outside of it."""

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import time


class Archive:
    """`medtheca up` in a process of its own."""

    def __init__(self, data):
        self.data = data
        self.port = _free_port()
        self.url = f"http://localhost:{self.port}"
        kept = {name: value for name, value in os.environ.items() if not name.startswith("MEDTHECA_")}
        kept.pop("DATABASE_URL", None)
        self.variables = kept | {
            "MEDTHECA_DATA": str(data),
            "MEDTHECA_PORT": str(self.port),
            "MEDTHECA_DISK_RESERVE": "0",
        }
        self.output = (data.parent / "up.log").open("w+")

    def start(self):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "medtheca", "up"],
            env=self.variables,
            stdin=subprocess.DEVNULL,
            stdout=self.output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        until = time.monotonic() + 120
        while not self._answers():
            assert self.process.poll() is None, f"medtheca up has ended:\n{self.said()}"
            assert time.monotonic() < until, f"medtheca up does not answer:\n{self.said()}"
            time.sleep(0.2)

    def _answers(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
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

    def stop(self):
        """End it as Ctrl-C does; return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(60)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
