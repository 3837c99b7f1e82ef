"""One child that stays: it works on one source again and again, and the event loop hears its answers."""

import asyncio
import contextlib
import os
import resource
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .decoder import Decoder, Job
from .launcher import ServerLost
from .wire import BadReply, Reply

_JOB = Job("a picture for an answer", Path())  # a studio keeps its own account of trials
_PAGE = resource.getpagesize()


@dataclass(frozen=True, slots=True)
class Rendering:
    """Something that a child shall make of a source.

    `open` gives an open descriptor of the source, at once or awaited, anew for each rendering, so that nobody holds
    what is erased; what it raises comes through. `pieces` are the parts (offset, length) that are needed, None for all
    its `size` bytes. `keeps` is how many bytes a child would keep of the source, to be quick next time; the task is
    told in the option `keep` how many it may.
    """

    source: str
    open: Callable[[], int | Awaitable[int]]
    size: int
    options: dict[str, Any]
    pieces: Sequence[tuple[int, int]] | None = None
    keeps: int = 0


class ChildLost(Exception):
    """A child has gone, or said what it must not, in the middle of a rendering."""


class Resident:
    """The owner's handle on a child. In the event loop, but for `end`, which waits for the kernel."""

    def __init__(self, decoder: Decoder, *, on_noise: Callable[["Resident"], None]) -> None:
        self.decoder = decoder
        self.source: str | None = None
        self.grant = 0  # bytes that it may keep
        self.idle_since = time.monotonic()
        self.is_detached = False
        self._on_noise = on_noise
        self._answer: asyncio.Future[Reply] | None = None
        self._loop = asyncio.get_running_loop()
        # Looked at before the child has seen a file.
        self._statm = _open_statm(decoder.pid)
        self._start = self._read_size()
        self._loop.add_reader(decoder.channel, self._hear)

    async def work(self, rendering: Rendering, *, seconds: float) -> Reply:
        """The child's answer. Raises ChildLost, TimeoutError; after either, the child has to be ended."""
        found = rendering.open()
        descriptor = found if isinstance(found, int) else await found
        try:
            if self.is_detached:  # While the source was opened, or before.
                raise ChildLost("its decoder has ended")
            options = rendering.options | {"source": rendering.source, "keep": self.grant}
            self.decoder.give(_JOB, descriptor, rendering.size, options, pieces=rendering.pieces)
        finally:
            os.close(descriptor)
        answer: asyncio.Future[Reply] = self._loop.create_future()
        self._answer = answer
        clock = self._loop.call_later(seconds, _give_up, answer)
        try:
            return await answer
        finally:
            clock.cancel()
            self._answer = None
            self.idle_since = time.monotonic()

    def holds(self) -> int:
        """Bytes of address space beyond what it began with: all that it may have kept, however it came by it."""
        return self._read_size() - self._start

    def detach(self) -> bool:
        """Hear nothing of it any more. Whether this was the first time."""
        if self.is_detached:
            return False
        self.is_detached = True
        self._loop.remove_reader(self.decoder.channel)
        if self._statm is not None:
            os.close(self._statm)
            self._statm = None
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ChildLost("it was ended"))
        return True

    def end(self) -> None:
        """End the process, after `detach`; in a thread."""
        # A server that is lost has taken its children along.
        with contextlib.suppress(ServerLost):
            self.decoder.end()

    def _hear(self) -> None:
        answer = self._answer
        if answer is None or answer.done():
            # Nobody has asked it: it has died, or it is up to something.
            self._on_noise(self)
            return
        try:
            reply = self.decoder.pump()
        except (EOFError, ConnectionError):
            answer.set_exception(ChildLost("its decoder has ended"))
        except BadReply as wrong:
            answer.set_exception(ChildLost(str(wrong)))
        else:
            if reply is not None:
                answer.set_result(reply)

    def _read_size(self) -> int:
        if self._statm is None:
            return 0
        try:
            return int(os.pread(self._statm, 200, 0).split()[0]) * _PAGE
        except (OSError, IndexError):
            return 0  # It has gone, which shows elsewhere.


def _open_statm(pid: int) -> int | None:
    try:
        return os.open(f"/proc/{pid}/statm", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None  # No /proc, where there is no real fence either.


def _give_up(answer: asyncio.Future[Reply]) -> None:
    if not answer.done():
        answer.set_exception(TimeoutError())
