"""The fork server: a small process with the decoders loaded and nothing else in it, which forks children on demand.

A child serves the files of one run (`child`), or one case (`case_child`).

Started by the pool as `python -m medtheca.toolkit.sandbox.server DESCRIPTOR OWNER`, with a clean environment: neither
secrets nor connections of the owner can be in its memory. It has one thread, so its forks are sound, and it never
looks at a file. It ends, and its children with it, when the pool closes the channel or the owner is gone.
"""

import codecs
import contextlib
import functools
import gc
import importlib
import os
import select
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

from .case_child import CaseTask, work_on_case
from .child import Task, decode_until_closed
from .fence import lock_down, lock_down_case, take_footprint
from .values import CaseLimits, Level, Limits
from .wire import receive_frame, send_frame

# Codecs are modules that load when first used, which is too late behind the fence.
_CODECS = ("ascii", "latin-1", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "cp437", "idna")
_MOST_DESCRIPTORS = 253  # the kernel passes no more at once
_Work = Callable[[], None]


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
            self._task: Task = _load(setup["task"])
            self._case_task: CaseTask | None = _load(setup["case_task"]) if setup["case_task"] else None
            _share_memory()
            self._level, self._limits = Level(setup["level"]), Limits(**setup["limits"])
            self._start = take_footprint()
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
        order, descriptors = receive_frame(self._control, most=_MOST_DESCRIPTORS)
        if "reap" in order:
            status, processor = self._reap(order["reap"])
            answer = {"status": status, "cpu": processor}
        else:
            answer = self._fork(order, descriptors)
        send_frame(self._control, answer)

    def _fork(self, order: dict[str, Any], descriptors: list[int]) -> dict[str, Any]:
        parent = os.getpid()
        locked, lock_report = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(locked)
            self._be_child(order, descriptors, lock_report, parent)
        for descriptor in (*descriptors, lock_report):
            os.close(descriptor)
        self._children.add(child)
        # The child speaks once, before it has seen a file: so this word can be trusted.
        with os.fdopen(locked, "rb") as report:
            word = report.read()
        if word == b"locked":
            return {"child": child}
        self._reap(child)
        return {"error": word.decode(errors="replace") or "the child ended while it was being locked down"}

    def _be_child(self, order: dict[str, Any], descriptors: list[int], lock_report: int, parent: int) -> None:
        try:
            channel, lock_report, others = _keep_only(descriptors[0], lock_report, descriptors[1:])
            try:
                if "case" in order:
                    work = self._prepare_case(order, channel, others, parent)
                else:
                    work = self._prepare_run(order, channel, parent)
            except BaseException as error:  # noqa: BLE001 - any failure to lock down must be told, and ends the child
                os.write(lock_report, str(error).encode() or b"unknown")
                os._exit(1)
            os.write(lock_report, b"locked")
            os.close(lock_report)
            work()
            os._exit(0)
        finally:
            os._exit(70)

    def _prepare_run(self, order: dict[str, Any], channel: socket.socket, parent: int) -> _Work:
        """Lock this child down for the files of a run."""
        limits = replace(self._limits, cpu_seconds=order["cpu_seconds"])
        room = limits.memory_bytes + order["room"]
        lock_down(self._level, limits, address_space=self._start.address_space + room, parent=parent)
        return lambda: decode_until_closed(channel, self._task, limits)

    def _prepare_case(self, order: dict[str, Any], channel: socket.socket, others: list[int], parent: int) -> _Work:
        """Lock this child down in the folder of a case."""
        task, limits = self._case_task, CaseLimits(**order["case"])
        assert task is not None  # the pool sees to it
        folder, progress, *outputs = others
        held = max(others) + 1
        lock_down_case(
            self._level, limits, folder=folder, start=self._start, room=order["room"], held=held, parent=parent
        )
        os.close(folder)
        return lambda: work_on_case(channel, task, progress, outputs, limits)

    def _reap(self, child: int) -> tuple[int | None, float]:
        """End a child, if it has not ended; its exit code, negative for a signal, and the processor time it used.

        One that is exiting keeps its own code.
        """
        if child not in self._children:
            return None, 0.0
        # Not reaped yet, so the number cannot have gone to another process.
        os.kill(child, signal.SIGKILL)
        _, status, used = os.wait4(child, 0)
        self._children.discard(child)
        return os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime

    def _end_children(self) -> None:
        for child in list(self._children):
            self._reap(child)


def _keep_only(channel: int, lock_report: int, others: list[int]) -> tuple[socket.socket, int, list[int]]:
    """Close all but these descriptors, which become 3, 4, 5 and so on; 0, 1 and 2 are the null device."""
    kept = [channel, lock_report, *others]
    after = 3 + len(kept)
    high = max(*kept, after) + 1
    for i, descriptor in enumerate(kept):
        os.dup2(descriptor, high + i)
    for i in range(len(kept)):
        os.dup2(high + i, 3 + i)
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    os.closerange(after, os.sysconf("SC_OPEN_MAX"))
    # The family is given: asking the kernel for it would be one call more.
    return socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, fileno=3), 4, list(range(5, after))


def _load(path: str) -> Any:
    """The function that a "module:function" names, with its module warmed up."""
    module_name, _, function = path.partition(":")
    module = _warm(module_name)
    task = getattr(module, function)
    if (tasks := Path("/proc/self/task")).is_dir() and len(threads := list(tasks.iterdir())) > 1:
        raise RuntimeError(f"{module_name} starts {len(threads) - 1} threads when imported; a fork would lose them")
    return task


@functools.cache
def _warm(module_name: str) -> ModuleType:
    module = importlib.import_module(module_name)
    for name in _CODECS:
        codecs.lookup(name)
    if warm_up := getattr(module, "warm_up", None):
        warm_up()
    return module


def _share_memory() -> None:
    # What is here now is shared by all children; the collector shall not touch, and so copy, its pages.
    gc.collect()
    gc.freeze()


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
