"""The pool: what callers hold. It keeps the fork server alive and lets runs share its children."""

import contextlib
import json
import os
import threading
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from .batch import Batch
from .detect import detect_level
from .launcher import ServerHandle
from .places import Places
from .values import Level, Limits, Outcome, SandboxUnavailable

_LONGEST_OPTIONS = 64_000  # so that a request always fits an empty channel


class DecoderPool:
    """Decodes files in locked children: `task` is "module:function", imported there and never here.

    The task is called as `task(data: memoryview, options: dict)` and returns a report that JSON can hold (without
    NUL characters) and a dict of named parts, bytes or any buffer; it may raise `medtheca.toolkit.errors.Refused`.
    Its module may have a `warm_up()`, called before the fence goes up, to import what is imported late, and best also
    to decode something small: its pages are then shared. At most `size` children run at once.

    Raises SandboxUnavailable if the machine cannot enforce `Level.FULL` (or `level`, which tests set) and
    `allow_unsafe` is false, or if the task cannot be imported.
    """

    def __init__(
        self,
        task: str,
        *,
        size: int = 1,
        limits: Limits = Limits(),  # noqa: B008 - frozen
        allow_unsafe: bool = False,
        level: Level | None = None,
    ) -> None:
        self.level = level or detect_level()
        if self.level is not Level.FULL and not allow_unsafe:
            raise SandboxUnavailable(
                f"Decoders can only be fenced by {self.level} here; {Level.FULL} is needed. "
                "Use a Linux kernel of 5.13 or newer with Landlock and seccomp switched on, "
                "or accept the risk with --unsafe-decoders."
            )
        self._task = task
        self._limits = limits
        self._places = Places(size)
        self._lock = threading.Lock()
        self._closed = False
        self._owner = os.getpid()
        self._server = self._start_server()

    def run(self, items: Iterable[tuple[str, Path]], options: Mapping[str, Any] | None = None) -> Iterator[Outcome]:
        """Decode the files of one upload; one outcome an item, in the order they are finished.

        Items are taken as there is room for them, and opened here: no path reaches a decoder. Children serve this run
        only, so files of different owners never meet. `options` is JSON, at most 64 kB, the same for all. Code
        "input_unreadable" means that the path could not be opened. Close the iterator if you stop early. A run inside
        the loop of another needs a place of its own.
        """
        choices = dict(options or {})
        if len(json.dumps(choices)) > _LONGEST_OPTIONS:
            raise ValueError(f"options for decoders may take {_LONGEST_OPTIONS:,} bytes as JSON, not more")
        if os.getpid() != self._owner:
            raise RuntimeError("a decoder pool cannot be used in a fork of the process that made it; make another")
        batch = Batch(items, choices, limits=self._limits, places=self._places, find_server=self.find_server)
        with contextlib.closing(batch):
            yield from batch.decode()

    def find_server(self) -> ServerHandle:
        """The fork server, started anew if it has died. RuntimeError once the pool is closed."""
        with self._lock:
            if self._closed:
                raise RuntimeError("the decoder pool is closed")
            if not self._server.is_alive():
                self._server.close()
                self._server = self._start_server()
            return self._server

    def close(self) -> None:
        """End the server and every child; runs under way end with RuntimeError. Idempotent."""
        with self._lock:
            self._closed = True
            self._server.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _start_server(self) -> ServerHandle:
        return ServerHandle(task=self._task, level=self.level, limits=self._limits)
