"""The pool: what callers hold. It keeps the fork server alive and lets runs share its children."""

import contextlib
import json
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from .batch import Batch
from .case import CaseRun
from .case_files import open_outputs, survey_folder
from .detect import detect_level
from .launcher import ServerHandle
from .places import Places
from .values import CaseLimits, CaseOutcome, Level, Limits, Outcome, Refusal, SandboxUnavailable

_LONGEST_OPTIONS = 64_000  # so that a request always fits an empty channel


class DecoderPool:
    """Decodes files in locked children: `task` is "module:function", imported there and never here.

    The task is called as `task(data: memoryview, options: dict)` and returns a report that JSON can hold (without
    NUL characters) and a dict of named parts, bytes or any buffer; it may raise `medtheca.toolkit.errors.Refused`.
    Its module may have a `warm_up()`, called before the fence goes up, to import what is imported late, and best also
    to decode something small: its pages are then shared. At most `size` children run at once.

    `case_task` is called as `task(folder: Path, outputs: Mapping[str, BinaryIO], options: dict, progress)` for what
    `run_case` is given: `folder` is the working directory, `outputs` are open for writing (and reading, if the owner's
    are), `progress(fraction)` may be called as often as it likes. It returns a report or raises `Refused`.

    `seconds` gives the processor seconds that a file may take by its first bytes and its size; without it all may take
    as many as `limits` say. `most_seconds` is for who makes limits of cases: no case shall be given more.

    Raises SandboxUnavailable if the machine cannot enforce `Level.FULL` (or `level`, which tests set) and
    `allow_unsafe` is false, or if the task cannot be imported.
    """

    def __init__(
        self,
        task: str,
        *,
        case_task: str | None = None,
        size: int = 1,
        limits: Limits = Limits(),  # noqa: B008 - frozen
        seconds: Callable[[bytes, int], int] | None = None,
        most_seconds: int = 3600,
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
        self._case_task = case_task
        self._limits = limits
        self._seconds = seconds
        self.most_seconds = most_seconds
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
        choices = self._prepare(options)
        batch = Batch(
            items,
            choices,
            limits=self._limits,
            seconds=self._seconds,
            places=self._places,
            find_server=self.find_server,
        )
        with contextlib.closing(batch):
            yield from batch.decode()

    def run_case(
        self,
        options: Mapping[str, Any] | None = None,
        *,
        folder: Path,
        outputs: Mapping[str, Path | int] = {},
        limits: CaseLimits = CaseLimits(),  # noqa: B008 - frozen
        progress: Callable[[float], None] | None = None,
        key: str = "a case",
    ) -> CaseOutcome:
        """Decode the files of one image in a child of its own; waits for a place, then for the outcome.

        `folder` holds the image's files and nothing else, under names of its own choice; hard links will do. The child
        can read it and nothing beside it. As root, children become nobody: then others must be allowed to read files
        (0444 will do) and folders (0755), which for a hard link to a blob means the blob. That opens nothing to people
        of the machine as long as a folder above is 0700; the folder is handed over open, so those above do not matter.
        Under an ordinary account children keep it, and modes for the owner alone are enough.

        `outputs` are paths (files are made, 0600; not links, not within `folder`) or descriptors open for writing. They
        are emptied first. They belong to the caller, also after a refusal or an error; syncing them to disk does too.
        What a child writes there is as untrusted as its report.

        `progress` is told a growing fraction up to 1 at most four times a second, in the caller's thread, while the
        child works; to cancel, let it raise: the child is ended and the error comes through. `key` is what logs
        call the case. `outcome.retry` tells our faults from the files'; who tries again should do so a few times only.

        Raises ValueError for outputs or options that cannot be, OSError for an output that cannot be opened,
        RuntimeError without a `case_task` or when the pool is closed.
        """
        if self._case_task is None:
            raise RuntimeError("this decoder pool was made without a task for cases")
        choices = self._prepare(options)
        with contextlib.ExitStack() as stack:
            descriptors = stack.enter_context(open_outputs(outputs))
            try:
                survey = survey_folder(folder)
                opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            except OSError as error:
                return _refuse_folder(error.strerror or type(error).__name__)
            stack.callback(os.close, opened)
            if os.geteuid() == 0 and survey.closed:
                return _refuse_folder(f"{survey.closed} of its files and folders cannot be read by others than root")
            self._places.take()
            stack.callback(self._places.give_back)
            case = CaseRun(
                key,
                folder=opened,
                survey=survey,
                outputs=descriptors,
                options=choices,
                limits=limits,
                progress=progress,
                find_server=self.find_server,
            )
            return case.decode()

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
        return ServerHandle(task=self._task, case_task=self._case_task, level=self.level, limits=self._limits)

    def _prepare(self, options: Mapping[str, Any] | None) -> dict[str, Any]:
        choices = dict(options or {})
        if len(json.dumps(choices)) > _LONGEST_OPTIONS:
            raise ValueError(f"options for decoders may take {_LONGEST_OPTIONS:,} bytes as JSON, not more")
        if os.getpid() != self._owner:
            raise RuntimeError("a decoder pool cannot be used in a fork of the process that made it; make another")
        return choices


def _refuse_folder(why: str) -> CaseOutcome:
    message = f"The folder of the case cannot be opened for decoding: {why}."
    refusal = Refusal("input_unreadable", message, "Check the store, then try again.")
    return CaseOutcome(None, {}, refusal, retry=True)
