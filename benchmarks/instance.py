"""A real `medtheca up` on a data folder of its own: PostgreSQL with fsync, a web process, a worker, as by default."""

import atexit
import base64
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from benchmarks.processes import kind, tree

_EMAIL = "bench@example.org"
_PART = 16 << 20


class Instance:
    """Started on entering, stopped and removed on leaving."""

    def __enter__(self) -> Self:
        # Not the temporary folder, which may lie in memory, where syncing costs nothing.
        place = Path("/var/tmp") if os.access("/var/tmp", os.W_OK) else None
        self.folder = Path(tempfile.mkdtemp(prefix="medtheca-bench-", dir=place))
        self.data = self.folder / "data"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        kept = {name: value for name, value in os.environ.items() if not name.startswith("MEDTHECA_")}
        self.variables = kept | {"DATABASE_URL": "", "MEDTHECA_DATA": str(self.data), "MEDTHECA_PORT": str(self.port)}
        try:
            self._start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    @property
    def pid(self) -> int:
        """The process of `medtheca up`, above all others."""
        return self.process.pid

    def command(self, *words: str) -> str:
        """Run a command of Medtheca on this instance; its output."""
        done = subprocess.run(
            [sys.executable, "-m", "medtheca", *words],
            env=self.variables,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"medtheca {words[0]} ended with {done.returncode}: {done.stderr}{done.stdout[-2000:]}")
        return done.stdout

    def prepare(self, first: Path) -> int:
        """A user with a token, and a cohort into which `first` goes. The cohort's id.

        Afterwards all is warm: the decoders are loaded, and the web process has done once what it does in `deliver`
        and `wait`. What a process costs once is seen in its start, and shall not depend on how many images follow.
        """
        self.command("user", "create", _EMAIL, "--random-password")
        words = ["token", "create", _EMAIL, "--name", "bench", "--scope", "write", "--json"]
        self.token: str = json.loads(self.command(*words))["secret"]
        words = ["ingest", str(first), "--cohort", "Benchmark", "--contributor", "Benchmark", "--as", _EMAIL, "--json"]
        cohort: int = json.loads(self.command(*words))["cohort"]
        self.wait(self.deliver(first, cohort))
        return cohort

    def deliver(self, path: Path, cohort: int) -> str:
        """Upload a file by tus; the upload's id."""
        metadata = {"filename": path.name, "cohort": str(cohort)}
        encoded = ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in metadata.items())
        tus = {"Tus-Resumable": "1.0.0"}
        length = str(path.stat().st_size)
        made = self.request(
            "POST", "/uploads/tus/", headers=tus | {"Upload-Length": length, "Upload-Metadata": encoded}
        )
        place = made.headers["Location"]
        with path.open("rb") as file:
            while part := file.read(_PART):
                offset = str(file.tell() - len(part))
                headers = tus | {"Upload-Offset": offset, "Content-Type": "application/offset+octet-stream"}
                self.request("PATCH", place, headers=headers, body=part)
        return place.rstrip("/").rpartition("/")[2]

    def wait(self, upload: str, *, seconds: float = 900) -> dict[str, Any]:
        """Wait until every file of an upload has its verdict; what became of them."""
        until = time.monotonic() + seconds
        while True:
            state = self.json(f"/api/v2/uploads/{upload}/")
            if state["is_final"]:
                return state
            if time.monotonic() > until:
                raise RuntimeError(f"upload {upload} is not done after {seconds:.0f} s: {state}")
            time.sleep(1.0)

    def json(self, path: str) -> Any:
        return json.loads(self.request("GET", path).content)

    def request(self, method: str, path: str, *, headers: dict[str, str] | None = None, body: bytes = b"") -> Any:
        """One request with the token; the answer, read into `content`. RuntimeError where it is a refusal."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            sent = {"Authorization": f"Bearer {self.token}", "Host": f"localhost:{self.port}"} | (headers or {})
            connection.request(method, path, body=body, headers=sent)
            answer: Any = connection.getresponse()
            answer.content = answer.read()
        finally:
            connection.close()
        if answer.status >= 400:
            raise RuntimeError(f"{method} {path} was answered by {answer.status}: {answer.content[:500]!r}")
        return answer

    def blobs(self) -> dict[str, int]:
        """Sizes of all blobs in the store, by name."""
        store = next(self.data.rglob("sha256"))
        return {path.name: path.stat().st_size for path in store.rglob("*") if path.is_file()}

    def database_bytes(self) -> int:
        return sum(path.stat().st_size for path in (self.data / "database").rglob("*") if path.is_file())

    def _start(self) -> None:
        with (self.folder / "up.log").open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "medtheca", "up"],
                env=self.variables,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        until = time.monotonic() + 180
        while "worker" not in {kind(process) for process in tree(self.pid)}:
            if self.process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"medtheca up does not come up:\n{(self.folder / 'up.log').read_text()[-3000:]}")
            time.sleep(0.1)

    def _stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=90)
            except subprocess.TimeoutExpired:
                self.process.kill()  # The kernel ends its children with it.
                self.process.wait()
        # At the very end: some file systems are slow to make files where others have just been deleted.
        atexit.register(shutil.rmtree, self.folder, ignore_errors=True)
