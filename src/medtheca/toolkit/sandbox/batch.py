"""One run of the pool: the files of one upload, through one or more children, to one outcome each."""

import contextlib
import logging
import os
import selectors
import stat
import textwrap
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from .decoder import Decoder, Job, judge_death, refuse_overrun
from .launcher import ServerHandle, ServerLost
from .places import Places
from .values import Limits, Outcome, Refusal
from .wire import BadReply, LateReply, Reply

_logger = logging.getLogger(__name__)
_MOST_LOSSES = 3
_HEAD = 4096


class Batch:
    """Feeds children, watches their time, replaces the dead, and tries a killer once more alone.

    Works in the thread of whoever asks for the next outcome; children compute meanwhile.
    """

    def __init__(
        self,
        items: Iterable[tuple[str, Path]],
        options: dict[str, Any],
        *,
        limits: Limits,
        seconds: Callable[[bytes, int], int] | None,
        places: Places,
        find_server: Callable[[], ServerHandle],
    ) -> None:
        self._items = iter(items)
        self._options = options
        self._limits = limits
        self._seconds = seconds
        self._places = places
        self._find_server = find_server
        self._held = 0  # places taken
        self._idle: list[Decoder] = []
        self._working: list[Decoder] = []
        self._again: deque[Job] = deque()
        self._finished: deque[Outcome] = deque()
        self._selector = selectors.DefaultSelector()

    def decode(self) -> Iterator[Outcome]:
        """Outcomes as they come. Children are fed before an outcome is handed out, so that they need not wait."""
        self._places.take()
        self._held = 1
        while True:
            self._feed()
            while self._finished:
                suspended = time.monotonic()
                yield self._finished.popleft()
                # While nobody listens, a child may be stuck on a full channel: that time is not its own.
                for decoder in self._working:
                    decoder.deadline += time.monotonic() - suspended
            if not self._working:
                return
            self._listen()

    def close(self) -> None:
        """End all children and give the places back."""
        for decoder in [*self._working, *self._idle]:
            self._end(decoder)
        self._selector.close()
        while self._held:
            self._give_place_back()

    # -- feeding

    def _feed(self) -> None:
        """Give every child that is free, and every child that may be made, a file."""
        while True:
            if self._held > max(1, len(self._working)) and self._places.are_wanted():
                if self._held == len(self._working) + len(self._idle):
                    self._end(self._idle[-1])
                self._give_place_back()
                continue
            if self._held == len(self._working):
                if not self._places.try_take():
                    return
                self._held += 1
            job = self._next_job()
            if job is None:
                return
            self._start(job)

    def _next_job(self) -> Job | None:
        if self._again:
            return self._again.popleft()
        item = next(self._items, None)
        return None if item is None else Job(*item)

    def _start(self, job: Job) -> None:
        try:
            descriptor = os.open(job.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError as error:
            self._refuse_unread(job, error.strerror or type(error).__name__)
            return
        try:
            facts = os.fstat(descriptor)
            if not stat.S_ISREG(facts.st_mode):
                self._refuse_unread(job, "it is not a regular file")
                return
            limits = self._limits_for(descriptor, facts.st_size)
            decoder = self._find_decoder(job, facts.st_size, limits)
            decoder.give(job, descriptor, facts.st_size, self._options)
        except ServerLost:
            self._lose(job)
            return
        finally:
            os.close(descriptor)
        self._working.append(decoder)
        self._selector.register(decoder.channel, selectors.EVENT_READ, decoder)

    def _limits_for(self, descriptor: int, size: int) -> Limits:
        """The limits for a file of this size; time on the clock grows with processor time, and is never less."""
        if self._seconds is None:
            return self._limits
        head = b""
        with contextlib.suppress(OSError):
            head = os.pread(descriptor, _HEAD, 0)
        processor = self._seconds(head, size)
        clock = self._limits.wall_seconds * max(1.0, processor / self._limits.cpu_seconds)
        return replace(self._limits, cpu_seconds=processor, wall_seconds=clock)

    def _find_decoder(self, job: Job, size: int, limits: Limits) -> Decoder:
        """A child fit for the job: an idle one, or a new one if it must be fresh, have more room or other limits."""
        if self._idle:
            fit = (one for one in self._idle if size <= one.room and one.limits == limits and not job.is_suspect)
            if decoder := next(fit, None):
                self._idle.remove(decoder)
                return decoder
            self._end(self._idle.pop())
        return Decoder(self._find_server(), limits, size=size)

    # -- listening

    def _listen(self) -> None:
        """Wait until a child has answered, died or run out of time."""
        soonest = min(decoder.deadline for decoder in self._working)
        for key, _ in self._selector.select(max(0.0, soonest - time.monotonic())):
            self._hear(key.data)
        now = time.monotonic()
        for decoder in [late for late in self._working if late.deadline <= now]:
            job = self._take_from(decoder)
            self._end(decoder)
            self._blame(job, refuse_overrun(decoder.limits), final=False)

    def _hear(self, decoder: Decoder) -> None:
        try:
            reply = decoder.pump()
        except (EOFError, ConnectionError):
            self._mourn(decoder)
        except BadReply as wrong:
            job = self._take_from(decoder)
            self._end(decoder)
            message = f"What the decoder made of this file cannot be used: {wrong}."
            remedy = "Upload a smaller image, or check that the file opens in another program."
            # A late answer may be an earlier file's doing: then this one is well in a fresh child.
            late = isinstance(wrong, LateReply)
            self._blame(job, Refusal(code="decoder_output", message=message, remedy=remedy), final=not late)
        else:
            if reply:
                self._accept(decoder, reply)

    def _accept(self, decoder: Decoder, reply: Reply) -> None:
        job = self._take_from(decoder)
        if reply.last or job.is_suspect:
            self._end(decoder)
        else:
            self._idle.append(decoder)
        if reply.log:
            # Indented, so that no line of it can pass for one of ours.
            _logger.warning("Decoder on %s:\n%s", job.key, textwrap.indent(reply.log, "    | ", lambda _: True))
        if reply.refusal and reply.again:
            self._blame(job, reply.refusal, final=False)
            return
        self._finished.append(Outcome(job.key, reply.report, reply.parts, reply.refusal))

    def _mourn(self, decoder: Decoder) -> None:
        """A child has gone in the middle of a file."""
        job = self._take_from(decoder)
        try:
            status = decoder.end()
        except ServerLost:
            self._lose(job)
            return
        verdict = judge_death(status, decoder.limits)
        # Processor time does not depend on the neighbours: a second trial would only cost as much again.
        self._blame(job, verdict, final=verdict.code == "decoder_timeout")

    # -- verdicts

    def _blame(self, job: Job, refusal: Refusal, *, final: bool) -> None:
        """The file did it. Unless `final`, it gets a second trial, alone in a fresh child."""
        job.deaths += 1
        _logger.warning("Decoder on %s: %s %s", job.key, refusal.code, refusal.message)
        if final or job.deaths > 1:
            self._finished.append(Outcome(job.key, None, {}, refusal))
        else:
            self._again.append(job)

    def _lose(self, job: Job) -> None:
        """The fork server has gone, which no file can bring about: try again, but not for ever."""
        job.losses += 1
        if job.losses < _MOST_LOSSES:
            self._again.append(job)
            return
        message = f"The decoder service was lost {job.losses} times while it worked on this file."
        refusal = Refusal(code="decoder_crashed", message=message, remedy="Try again later.")
        self._finished.append(Outcome(job.key, None, {}, refusal))

    def _refuse_unread(self, job: Job, why: str) -> None:
        message = f"The file of {job.key} cannot be opened for decoding: {why}."
        refusal = Refusal(code="input_unreadable", message=message, remedy="Check the store, then try again.")
        self._finished.append(Outcome(job.key, None, {}, refusal))

    # -- children and places

    def _take_from(self, decoder: Decoder) -> Job:
        self._working.remove(decoder)
        self._selector.unregister(decoder.channel)
        job, decoder.job = decoder.job, None
        assert job is not None
        return job

    def _end(self, decoder: Decoder) -> None:
        if decoder in self._idle:
            self._idle.remove(decoder)
        try:
            decoder.end()
        except ServerLost:
            return  # then the child has gone with its server

    def _give_place_back(self) -> None:
        self._held -= 1
        self._places.give_back()
