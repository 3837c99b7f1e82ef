"""The owner's handle on one child, and what the way a child ended says about its file."""

import contextlib
import secrets
import signal
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .launcher import ServerHandle
from .values import Limits, Refusal
from .wire import Reply, ReplyReader, send_frame

_LEAST_ROOM = 64_000_000  # mapped input a child can take without being replaced by a roomier one
_BUFFER = 1_000_000


@dataclass(slots=True)
class Job:
    """A file on its way through the pool."""

    key: str
    path: Path
    deaths: int = 0  # children that died of it, or full of others before it
    losses: int = 0  # times the fork server was lost under it

    @property
    def is_suspect(self) -> bool:
        """It is tried alone, so that it neither suffers from its neighbours nor harms them."""
        return self.deaths > 0


class Decoder:
    """One child process, serving one run."""

    def __init__(self, server: ServerHandle, limits: Limits, *, size: int) -> None:
        self.room = max(size, _LEAST_ROOM)
        self.job: Job | None = None
        self.served = 0
        self.deadline = 0.0
        self.limits = limits
        self._server = server
        self.channel, theirs = socket.socketpair()
        with theirs:
            theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER)
            try:
                self.pid = server.fork_child(theirs, room=self.room, cpu_seconds=limits.cpu_seconds)
            except BaseException:
                self.channel.close()
                raise
        self.channel.setblocking(False)

    def give(
        self,
        job: Job,
        descriptor: int,
        size: int,
        options: dict[str, Any],
        *,
        pieces: Sequence[tuple[int, int]] | None = None,
    ) -> None:
        """Send a file, or these `pieces` of it (offset, length). A child that cannot take it has died or misbehaves;
        `pump` then says so.
        """
        self.job = job
        self.served += 1
        self.deadline = time.monotonic() + self.limits.wall_seconds
        # Not to be guessed, so that no file can have an answer to the next one wait in the channel.
        serial = secrets.token_hex(8)
        self._reader = ReplyReader(self.limits, serial)
        try:
            request = {"size": size, "options": options, "serial": serial}
            send_frame(self.channel, request if pieces is None else request | {"pieces": pieces}, descriptor)
        except OSError:
            with contextlib.suppress(OSError):
                self.channel.shutdown(socket.SHUT_RDWR)

    def pump(self) -> Reply | None:
        """The reply, once it is whole. EOFError or ConnectionError if the child has gone; BadReply."""
        return self._reader.pump(self.channel)

    def end(self) -> int:
        """End the child; its exit code, negative for a signal. ServerLost."""
        self.channel.close()
        return self._server.reap_child(self.pid).status


def judge_death(status: int, limits: Limits) -> Refusal:
    """What to tell the owner of a file whose decoder ended by itself with this exit code."""
    if status == -signal.SIGXCPU:
        return Refusal(
            code="decoder_timeout",
            message=f"Decoding this file takes more than the {limits.cpu_seconds} seconds of processor time allowed.",
            remedy="Upload a smaller image, or ask for a higher limit.",
        )
    how = f"ended early with code {status}"
    if status < 0:
        with contextlib.suppress(ValueError):
            how = f"was ended by {signal.Signals(-status).name}"
    return Refusal(
        code="decoder_crashed",
        message=f"The decoder {how} on this file, twice.",
        remedy="The file is damaged or made to do harm. Check that it opens in another program; export it again.",
    )


def refuse_overrun(limits: Limits) -> Refusal:
    """For a file whose decoder gave no answer in time."""
    return Refusal(
        code="decoder_timeout",
        message=f"Decoding this file gave no result within {limits.wall_seconds:g} seconds, twice.",
        remedy="Check that the file opens in another program, or ask for a higher limit.",
    )
