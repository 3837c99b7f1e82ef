"""The fork server: a small process with the decoders loaded and nothing else in it, which forks children on demand.

Started by the pool as `python -m medtheca.toolkit.sandbox.server DESCRIPTOR OWNER`, with a clean environment: neither
secrets nor connections of the owner can be in its memory. It has one thread, so its forks are sound, and it never
looks at a file. It ends, and its children with it, when the pool closes the channel or the owner is gone.
"""

import codecs
import contextlib
import gc
import importlib
import os
import select
import signal
import socket
import sys
import traceback
from pathlib import Path
from typing import Any

from .child import Task, decode_until_closed
from .fence import count_address_space, lock_down
from .values import Level, Limits
from .wire import receive_frame, send_frame

# Codecs are modules that load when first used, which is too late behind the fence.
_CODECS = ("ascii", "latin-1", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "cp437", "idna")


class ForkServer:
    """Obeys the pool: fork a child around a channel; end a child and tell how it ended."""

    def __init__(self, control: socket.socket, owner: int) -> None:
        self._control = control
        self._owner = owner
        self._children: set[int] = set()

    def run(self) -> None:
        """Serve until the pool or its process has gone."""
        watched = self._watch_owner()
        try:
            setup, _ = receive_frame(self._control)
            self._task = _load(setup["task"])
            self._level, self._limits = Level(setup["level"]), Limits(**setup["limits"])
            self._address_space = count_address_space() + self._limits.memory_bytes
            send_frame(self._control, {"ready": True})
            while True:
                readable, _, _ = select.select([self._control.fileno(), *watched], [], [])
                if set(watched) & set(readable):
                    return
                self._obey()
        except (EOFError, ConnectionError):
            return
        finally:
            self._end_children()

    def _watch_owner(self) -> list[int]:
        """A descriptor that wakes us when the owner dies, even if a fork of its keeps our channel open."""
        if not hasattr(os, "pidfd_open"):
            return []
        descriptor = os.pidfd_open(self._owner)
        if os.getppid() != self._owner:
            raise EOFError  # it died before we looked; the number may be another's by now
        return [descriptor]

    def _obey(self) -> None:
        order, descriptor = receive_frame(self._control)
        if descriptor is not None:
            answer = self._fork(descriptor, order["room"])
        else:
            answer = {"status": self._reap(order["reap"])}
        send_frame(self._control, answer)

    def _fork(self, descriptor: int, room: int) -> dict[str, Any]:
        parent = os.getpid()
        locked, lock_report = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(locked)
            self._be_child(descriptor, lock_report, parent, room)
        os.close(descriptor)
        os.close(lock_report)
        self._children.add(child)
        # The child speaks once, before it has seen a file: so this word can be trusted.
        with os.fdopen(locked, "rb") as report:
            word = report.read()
        if word == b"locked":
            return {"child": child}
        self._reap(child)
        return {"error": word.decode(errors="replace") or "the child ended while it was being locked down"}

    def _be_child(self, descriptor: int, lock_report: int, parent: int, room: int) -> None:
        try:
            channel, lock_report = _keep_only(descriptor, lock_report)
            try:
                lock_down(self._level, self._limits, address_space=self._address_space + room, parent=parent)
            except BaseException as error:  # noqa: BLE001 - any failure to lock down must be told, and ends the child
                os.write(lock_report, str(error).encode() or b"unknown")
                os._exit(1)
            os.write(lock_report, b"locked")
            os.close(lock_report)
            decode_until_closed(channel, self._task, self._limits)
            os._exit(0)
        finally:
            os._exit(70)

    def _reap(self, child: int) -> int | None:
        """End a child, if it has not ended; its exit code, negative for a signal. One that is exiting keeps its own."""
        if child not in self._children:
            return None
        # Not reaped yet, so the number cannot have gone to another process.
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        self._children.discard(child)
        return os.waitstatus_to_exitcode(status)

    def _end_children(self) -> None:
        for child in list(self._children):
            self._reap(child)


def _keep_only(descriptor: int, lock_report: int) -> tuple[socket.socket, int]:
    """Close all but two descriptors, which become 3 and 4; 0, 1 and 2 are the null device."""
    high = max(descriptor, lock_report, 10) + 1
    os.dup2(descriptor, high)
    os.dup2(lock_report, high + 1)
    os.dup2(high, 3)
    os.dup2(high + 1, 4)
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    os.closerange(5, os.sysconf("SC_OPEN_MAX"))
    # The family is given: asking the kernel for it would be one call more.
    return socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, fileno=3), 4


def _load(path: str) -> Task:
    module_name, _, function = path.partition(":")
    module = importlib.import_module(module_name)
    task: Task = getattr(module, function)
    for name in _CODECS:
        codecs.lookup(name)
    if warm_up := getattr(module, "warm_up", None):
        warm_up()
    if (tasks := Path("/proc/self/task")).is_dir() and len(threads := list(tasks.iterdir())) > 1:
        raise RuntimeError(f"{module_name} starts {len(threads) - 1} threads when imported; a fork would lose them")
    # What is here now is shared by all children; the collector shall not touch, and so copy, its pages.
    gc.collect()
    gc.freeze()
    return task


def _main(descriptor: str, owner: str) -> None:
    with contextlib.suppress(OSError):
        # If memory runs out, the system should end a decoder, not the archive.
        Path("/proc/self/oom_score_adj").write_text("500", encoding="ascii")
    control = socket.socket(fileno=int(descriptor))
    try:
        ForkServer(control, int(owner)).run()
    except Exception:
        with contextlib.suppress(OSError):
            send_frame(control, {"error": traceback.format_exc(limit=-4)})
        raise


if __name__ == "__main__":
    _main(*sys.argv[1:])
