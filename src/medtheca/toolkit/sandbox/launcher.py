"""The owner's side of the fork server: start it, ask it for children, have them ended."""

import contextlib
import os
import socket
import subprocess
import sys
import threading
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .values import CaseLimits, Level, Limits, SandboxUnavailable
from .wire import receive_frame, send_frame

_START_SECONDS = 120
_ANSWER_SECONDS = 30
_PASSED_ON = ("LD_LIBRARY_PATH", "LANG", "TZ")


class ServerLost(Exception):
    """The fork server has died; its children died with it."""


@dataclass(frozen=True, slots=True)
class Death:
    """How a child ended: its exit code, negative for a signal, and the processor time it had used."""

    status: int
    cpu_seconds: float


class ServerHandle:
    """A running fork server. Thread-safe: one question at a time."""

    def __init__(self, *, task: str, case_task: str | None, level: Level, limits: Limits) -> None:
        tasks = " and ".join(filter(None, (task, case_task)))
        self._lock = threading.Lock()
        self._lost = False
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-P",
                    "-m",
                    "medtheca.toolkit.sandbox.server",
                    str(theirs.fileno()),
                    str(os.getpid()),
                ],
                env=_clean_environment(),
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # Ctrl-C in a terminal is the owner's to handle
            )
        self._control = ours
        ours.settimeout(_START_SECONDS)
        try:
            setup = {"task": task, "case_task": case_task, "level": level.value, "limits": asdict(limits)}
            answer = self._ask(setup)
        except ServerLost:
            self.close()
            raise SandboxUnavailable(f"The decoder service for {tasks} ended while it was starting.") from None
        if "error" in answer:
            self.close()
            raise SandboxUnavailable(f"The decoder {tasks} cannot be loaded:\n{answer['error']}")
        ours.settimeout(_ANSWER_SECONDS)

    @property
    def pid(self) -> int:
        return self._process.pid

    def fork_child(self, channel: socket.socket, *, room: int, cpu_seconds: int) -> int:
        """The process id of a new, locked child that answers on `channel`. `room`: bytes for its mapped input."""
        return self._fork({"room": room, "cpu_seconds": cpu_seconds}, channel.fileno())

    def fork_case_child(self, channel: socket.socket, *descriptors: int, limits: CaseLimits, room: int) -> int:
        """The process id of a new, locked child for one case.

        `descriptors` are those of the folder, the progress and the outputs; `room` is bytes for what it maps of them.
        """
        return self._fork({"room": room, "case": asdict(limits)}, channel.fileno(), *descriptors)

    def _fork(self, order: dict[str, Any], *descriptors: int) -> int:
        answer = self._ask(order, *descriptors)
        if "error" in answer:
            raise SandboxUnavailable(f"A decoder could not be locked down: {answer['error']}")
        child: int = answer["child"]
        return child

    def reap_child(self, child: int) -> Death:
        """End a child, if it has not ended."""
        answer = self._ask({"reap": child})
        return Death(answer["status"], answer["cpu"])

    def is_alive(self) -> bool:
        return not self._lost and self._process.poll() is None

    def close(self) -> None:
        """End the server and all its children; idempotent."""
        with contextlib.suppress(OSError):
            self._control.shutdown(socket.SHUT_RDWR)  # wakes a thread that waits for an answer
        with self._lock:
            self._control.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _ask(self, question: dict[str, Any], *descriptors: int) -> dict[str, Any]:
        with self._lock:
            try:
                send_frame(self._control, question, *descriptors)
                answer, _ = receive_frame(self._control)
            except (EOFError, OSError):
                # Closed, or silent for so long that it is as good as dead: a half-read answer must not be taken up.
                self._lost = True
                self._process.kill()
                raise ServerLost from None
            return answer


def _clean_environment() -> dict[str, str]:
    """What the server may know: where Python's modules are, and that one thread is enough."""
    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    single = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    path = os.pathsep.join(str(Path(entry).absolute()) for entry in sys.path)
    return environment | single | {"PYTHONPATH": path, "PYTHONUTF8": "1"}
