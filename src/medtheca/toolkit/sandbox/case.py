"""One case: the files of one image in a folder, through a child of its own, to outputs that the owner has opened.

A child is fresh for each case, forked from the same server on the same bytes, with the same limits. So what it dies of
by itself (a wild pointer, processor time, memory) it would die of again, and the verdict is final. Only what comes
from outside is tried once more: an end by SIGKILL, which the system gives when memory is short and a case cannot give
itself; a disk said to be full that is not; a fork server lost.
"""

import contextlib
import logging
import os
import secrets
import selectors
import signal
import socket
import tempfile
import textwrap
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .case_child import FRACTION
from .case_files import Survey, count_bytes, empty, is_disk_full
from .launcher import Death, ServerHandle, ServerLost
from .values import CaseLimits, CaseOutcome, Limits, Refusal
from .wire import BadReply, Reply, ReplyReader, send_frame

_logger = logging.getLogger(__name__)
_MOST_LOSSES = 3
_TICK_SECONDS = 0.25
_LAST_WORDS_SECONDS = 1.0  # from hanging up to having ended
_SLOWEST_END_SECONDS = 600.0
_SMALLER = "Upload a smaller image, or ask for a higher limit."


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What one trial came to. `again`: something outside may have done it; `retry`: as in `CaseOutcome`."""

    report: dict[str, Any] | None = None
    refusal: Refusal | None = None
    again: bool = False
    retry: bool = False


class _Overrun(Exception):
    """The child has used up its time on the clock."""


class _Overfull(Exception):
    """The outputs together are larger than allowed; the kernel watches each of them only."""


class CaseRun:
    """A case on its way. `folder` and `outputs` are open descriptors, which stay the caller's."""

    def __init__(
        self,
        key: str,
        *,
        folder: int,
        survey: Survey,
        outputs: Mapping[str, int],
        options: dict[str, Any],
        limits: CaseLimits,
        progress: Callable[[float], None] | None,
        find_server: Callable[[], ServerHandle],
    ) -> None:
        self._key = key
        self._folder = folder
        # A reader maps a file for its header and once more for its data; a writer may map its outputs.
        self._room = 2 * survey.mapped_bytes + limits.output_bytes
        self._outputs = dict(outputs)
        self._options = options
        self._limits = limits
        self._progress = progress
        self._find_server = find_server

    def decode(self) -> CaseOutcome:
        """Try the case, once or twice. Whatever `progress` raises ends the child and comes through."""
        trials = losses = 0
        while True:
            empty(self._outputs.values())
            try:
                verdict = self._try()
            except ServerLost:
                losses += 1
                if losses == _MOST_LOSSES:
                    words = f"The decoder service was lost {losses} times while it worked on this image."
                    return self._conclude(_Verdict(refusal=_crashed(words, "Try again later."), retry=True))
                continue
            trials += 1
            if verdict.refusal:
                # Not in its words: those of a reader may quote a header.
                _logger.warning("Decoder on %s: %s", self._key, verdict.refusal.code)
            if not verdict.again or trials == 2:
                return self._conclude(verdict)

    def _conclude(self, verdict: _Verdict) -> CaseOutcome:
        sizes = {name: os.fstat(descriptor).st_size for name, descriptor in self._outputs.items()}
        return CaseOutcome(verdict.report, sizes, verdict.refusal, verdict.retry)

    def _try(self) -> _Verdict:
        with _open_progress_file() as progress:
            descriptors = (self._folder, progress.fileno(), *self._outputs.values())
            child = _CaseChild(self._find_server(), descriptors, limits=self._limits, room=self._room)
            try:
                child.give(self._options, list(self._outputs))
                reply = self._watch(child, progress.fileno())
            except (EOFError, ConnectionError):
                return self._judge_death(child.bury(), ended=child.has_ended)
            except BadReply as wrong:
                message = f"What the decoder made of this image cannot be used: {wrong}."
                remedy = "Check that the image opens in another program; export it again."
                return _Verdict(refusal=Refusal("decoder_output", message, remedy))
            except _Overrun:
                # Not tried again: a case that hangs would hold a place as long once more.
                message = f"Decoding this image gave no result within {self._limits.wall_seconds:g} seconds."
                remedy = "Check that the image opens in another program, or ask for a higher limit."
                return _Verdict(refusal=Refusal("decoder_timeout", message, remedy))
            except _Overfull:
                return _Verdict(refusal=self._too_large())
            finally:
                # Before anybody looks at the outputs: until it has ended, a child can change them.
                child.end()
        return self._judge_reply(reply)

    # -- while the child works

    def _watch(self, child: "_CaseChild", progress: int) -> Reply:
        """Wait for the answer; look at the progress and the outputs a few times a second meanwhile."""
        deadline = time.monotonic() + self._limits.wall_seconds
        look_at = time.monotonic() + _TICK_SECONDS
        furthest = 0.0
        with selectors.DefaultSelector() as selector:
            selector.register(child.channel, selectors.EVENT_READ)
            while True:
                wait = min(deadline, look_at) - time.monotonic()
                if selector.select(max(0.0, wait)) and (reply := child.pump()):
                    return reply
                now = time.monotonic()
                if now >= deadline:
                    raise _Overrun
                if now >= look_at:
                    furthest = self._look(progress, furthest)
                    spent = time.monotonic() - now
                    deadline += spent
                    look_at = now + spent + _TICK_SECONDS

    def _look(self, progress: int, furthest: float) -> float:
        if count_bytes(self._outputs.values()) > self._limits.output_bytes:
            raise _Overfull
        if self._progress is None:
            return furthest
        raw = os.pread(progress, FRACTION.size, 0)
        fraction = FRACTION.unpack(raw)[0] if len(raw) == FRACTION.size else 0.0
        # Whatever is no fraction, or goes back, is not worth telling: it is the word of a stranger's file.
        if not furthest < fraction <= 1.0:
            return furthest
        self._progress(fraction)
        return float(fraction)

    # -- verdicts

    def _judge_reply(self, reply: Reply) -> _Verdict:
        if reply.log:
            # Indented, so that no line of it can pass for one of ours.
            _logger.warning("Decoder on %s:\n%s", self._key, textwrap.indent(reply.log, "    | ", lambda _: True))
        size = count_bytes(self._outputs.values())
        if size > self._limits.output_bytes:
            return _Verdict(refusal=self._too_large())
        if reply.parts:
            message = "What the decoder made of this image cannot be used: a case has no parts."
            return _Verdict(refusal=Refusal("decoder_output", message, "Check that the image opens elsewhere."))
        if reply.refusal and reply.refusal.code == "decoder_error":
            return self._judge_error(reply.refusal, size, says_full=reply.full)
        return _Verdict(reply.report, reply.refusal)

    def _judge_error(self, refusal: Refusal, size: int, *, says_full: bool) -> _Verdict:
        # An error on its way out loses its number in some libraries. Nor is a child's word for a full disk enough.
        if is_disk_full(self._outputs.values()):
            return self._blame_disk()
        if size == self._limits.output_bytes:
            return _Verdict(refusal=self._too_large())
        return _Verdict(refusal=refusal, again=says_full)

    def _judge_death(self, death: Death, *, ended: bool) -> _Verdict:
        if not ended:
            return _Verdict(refusal=_crashed("The decoder hung up on this image."))
        # At the end of its time a child gets SIGXCPU, and SIGKILL if it will not hear that.
        if death.status == -signal.SIGXCPU or death.cpu_seconds >= self._limits.cpu_seconds:
            seconds = self._limits.cpu_seconds
            message = f"Decoding this image takes more than the {seconds} seconds of processor time allowed."
            return _Verdict(refusal=Refusal("decoder_timeout", message, _SMALLER))
        if death.status == -signal.SIGKILL:
            words = "The decoder was ended from outside while it worked on this image, twice; memory may be short."
            return _Verdict(refusal=_crashed(words, "Try again later."), again=True, retry=True)
        if death.status == -signal.SIGBUS and is_disk_full(self._outputs.values()):
            return self._blame_disk()  # it had mapped an output
        how = f"ended early with code {death.status}"
        if death.status < 0:
            with contextlib.suppress(ValueError):
                how = f"was ended by {signal.Signals(-death.status).name}"
        return _Verdict(refusal=_crashed(f"The decoder {how} on this image."))

    def _too_large(self) -> Refusal:
        allowed = self._limits.output_bytes
        message = f"What is made of this image is larger than the {allowed:,} bytes that are allowed."
        return Refusal("decoder_output", message, _SMALLER)

    @staticmethod
    def _blame_disk() -> _Verdict:
        message = "There is no space left on the disk for what is made of this image; nothing is wrong with the image."
        return _Verdict(refusal=Refusal("disk_full", message, "Make space, then try again."), retry=True)


class _CaseChild:
    """The owner's handle on one child, which serves one case."""

    def __init__(self, server: ServerHandle, descriptors: tuple[int, ...], *, limits: CaseLimits, room: int) -> None:
        self._server = server
        # Not to be guessed; see `Decoder`.
        self._serial = secrets.token_hex(8)
        table = 1_000_000  # nothing comes beside the report, but a reader of replies wants room for it
        self._reader = ReplyReader(
            Limits(report_bytes=limits.report_bytes, output_bytes=limits.report_bytes + table), self._serial
        )
        self.has_ended = False
        self._is_buried = False
        self.channel, theirs = socket.socketpair()
        with theirs:
            try:
                self._pid = server.fork_case_child(theirs, *descriptors, limits=limits, room=room)
            except BaseException:
                self.channel.close()
                raise
        self._watch = _watch_process(self._pid, server)

    def give(self, options: dict[str, Any], outputs: list[str]) -> None:
        """Send the request. A child that cannot take it has died; `pump` then says so."""
        with contextlib.suppress(OSError):
            send_frame(self.channel, {"options": options, "outputs": outputs, "serial": self._serial})
        self.channel.setblocking(False)

    def pump(self) -> Reply | None:
        """The reply, once it is whole. EOFError or ConnectionError if the child has gone; BadReply."""
        return self._reader.pump(self.channel)

    def bury(self) -> Death:
        """How a child ended that has gone; `has_ended` says whether it did before we ended it. ServerLost."""
        # Its channel is closed a moment before it has ended.
        self.has_ended = self._wait(_LAST_WORDS_SECONDS)
        self._kill()
        self._is_buried = True
        return self._server.reap_child(self._pid)

    def end(self) -> None:
        """End the child, if it is still there; when this returns it writes no more."""
        self.channel.close()
        if not self._is_buried:
            self._is_buried = True
            self._kill()
            # A server that is lost has taken its children along.
            with contextlib.suppress(ServerLost):
                self._server.reap_child(self._pid)
        if self._watch is not None:
            os.close(self._watch)
            self._watch = None

    def _kill(self) -> None:
        """End it from here and wait: it may be in the middle of writing gigabytes to a slow disk, and the server,
        which others need, would have to wait for that.
        """
        if self._watch is not None:
            with contextlib.suppress(OSError):
                signal.pidfd_send_signal(self._watch, signal.SIGKILL)
            self._wait(_SLOWEST_END_SECONDS)

    def _wait(self, seconds: float) -> bool:
        """Whether the child has ended within that time; yes, where that cannot be watched."""
        if self._watch is None:
            return True
        with selectors.DefaultSelector() as selector:
            selector.register(self._watch, selectors.EVENT_READ)
            return bool(selector.select(seconds))


def _watch_process(pid: int, server: ServerHandle) -> int | None:
    """A descriptor of a child of the server, where there are such."""
    if not hasattr(os, "pidfd_open"):
        return None
    try:
        watch = os.pidfd_open(pid)
    except OSError:
        return None
    if not server.is_alive():
        # Then nobody kept the number for the child: it may be another's by now.
        os.close(watch)
        return None
    return watch


def _open_progress_file() -> Any:
    """A file of one fraction. In memory where that can be had, and then of a size that cannot be changed."""
    if not hasattr(os, "memfd_create"):
        return tempfile.TemporaryFile()
    import fcntl  # only where there is a memfd

    file = os.fdopen(os.memfd_create("progress", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING), "w+b", buffering=0)
    file.write(FRACTION.pack(0.0))
    fcntl.fcntl(file, fcntl.F_ADD_SEALS, fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL)
    return file


def _crashed(message: str, remedy: str = "") -> Refusal:
    remedy = remedy or (
        "The image is damaged or made to do harm. Check that it opens in another program; export it again."
    )
    return Refusal("decoder_crashed", message, remedy)
