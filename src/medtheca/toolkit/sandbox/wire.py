"""Frames between the pool, its fork server and the children: a length, a JSON header, then bytes. Never pickle.

Requests may carry open file descriptors. What a child answers is untrusted: its sizes are checked before they
are believed, and its JSON is read with every surprise turned into `BadReply`.
"""

import json
import math
import os
import re
import socket
import struct
from dataclasses import dataclass
from typing import Any

from .values import Limits, Refusal

_LENGTH = struct.Struct("!I")
_DESCRIPTOR = struct.Struct("i")
MOST_PARTS = 10_000
_PIECES_AT_ONCE = 64  # the kernel takes 1,024
_TABLE_ROOM = 1_000_000  # for the names and sizes of the parts, beside the report
_CODE = re.compile(r"[a-z][a-z0-9_.-]{0,39}")  # as long as verdicts keep them
_LONGEST_TEXT = 1_000
_DEEPEST = 64
_MOST_THINGS = 500_000  # values in one header; an empty list takes thirty times its text in memory
# Verdicts that only the pool can come to. As a child's own word the first would make a file be tried for ever.
_CODES_OF_THE_POOL = frozenset({"input_unreadable", "decoder_crashed", "decoder_timeout", "disk_full"})


class BadReply(Exception):
    """A child's answer breaks the rules or the limits."""


class LateReply(BadReply):
    """An answer without the number of the present request: to an earlier file, or made up before this one came."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A child's answer, checked: either `report` and `parts` or `refusal`. `log` is for the operator."""

    report: dict[str, Any] | None
    parts: dict[str, bytes]
    refusal: Refusal | None
    log: str
    last: bool  # the child ends after this one
    again: bool  # it is worth trying the file in a fresh child
    full: bool = False  # it says that the disk is full


def send_frame(channel: socket.socket, header: dict[str, Any], *descriptors: int) -> None:
    """Send a header, and descriptors with it. BlockingIOError if a non-blocking channel is full."""
    body = json.dumps(header).encode()
    rights = [_rights(descriptors)] if descriptors else []
    frame = memoryview(_LENGTH.pack(len(body)) + body)
    sent = channel.sendmsg([frame], rights)
    while sent < len(frame):
        sent += channel.send(frame[sent:])


def receive_frame(channel: socket.socket, *, most: int = 1) -> tuple[dict[str, Any], list[int]]:
    """Wait for a frame from a trusted peer, with `most` descriptors. EOFError once it has gone.

    Uses no system call but recvmsg.
    """
    prefix, ancillary, _, _ = channel.recvmsg(_LENGTH.size, socket.CMSG_SPACE(most * _DESCRIPTOR.size))
    descriptors: list[int] = []
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            whole = len(data) - len(data) % _DESCRIPTOR.size
            descriptors += [number for (number,) in _DESCRIPTOR.iter_unpack(data[:whole])]
    prefix += _receive_exactly(channel, _LENGTH.size - len(prefix)) if prefix else b""
    if not prefix:
        raise EOFError
    header = json.loads(_receive_exactly(channel, _LENGTH.unpack(prefix)[0]))
    return header, descriptors


def write_reply(descriptor: int, header: bytes, parts: list[memoryview]) -> None:
    """Write a reply with plain calls, which are all that a locked child has: many pieces at once, so that the reader is
    not woken for each.
    """
    pieces = [memoryview(_LENGTH.pack(len(header)) + header), *parts]
    for start in range(0, len(pieces), _PIECES_AT_ONCE):
        left = [piece for piece in pieces[start : start + _PIECES_AT_ONCE] if len(piece)]
        while left:
            written = os.writev(descriptor, left)
            while left and written >= len(left[0]):
                written -= len(left.pop(0))
            if written:
                left[0] = left[0][written:]


class ReplyReader:
    """Collects one reply from a non-blocking channel, as it comes. `serial` is the number of the request."""

    def __init__(self, limits: Limits, serial: str) -> None:
        self._limits = limits
        self._serial = serial
        self._header: dict[str, Any] | None = None
        self._sizes: dict[str, int] = {}
        self._prefix = True
        self._expect(_LENGTH.size)

    def pump(self, channel: socket.socket) -> Reply | None:
        """Read what is there; the reply once it is whole. EOFError, ConnectionError: the child has gone. BadReply."""
        while True:
            while self._got < len(self._buffer):
                try:
                    count = channel.recv_into(self._view[self._got :])
                except BlockingIOError:
                    return None
                if count == 0:
                    raise EOFError
                self._got += count
            if reply := self._advance():
                return reply

    def _expect(self, size: int) -> None:
        self._buffer = bytearray(size)
        self._view = memoryview(self._buffer)
        self._got = 0

    def _advance(self) -> Reply | None:
        if self._prefix:
            self._prefix = False
            (size,) = _LENGTH.unpack(self._buffer)
            if size > self._limits.report_bytes + _TABLE_ROOM:
                raise BadReply(f"its report is {size:,} bytes long; {self._limits.report_bytes:,} are allowed")
            self._expect(size)
            return None
        if self._header is None:
            self._header = _parse(bytes(self._buffer))
            self._sizes = _sizes(self._header, self._limits.output_bytes - len(self._buffer))
            self._expect(sum(self._sizes.values()))
            return None
        return self._finish(self._header)

    def _finish(self, header: dict[str, Any]) -> Reply:
        parts, start = {}, 0
        for name, size in self._sizes.items():
            parts[name] = bytes(self._view[start : start + size])
            start += size
        log = tidy(header.get("log", ""), lines=True)
        last = header.get("last") is True
        report, refusal = header.get("report"), header.get("refusal")
        if refusal is None and not isinstance(report, dict):
            raise BadReply("it has neither a report nor a refusal")
        checked = None if refusal is None else _refusal(refusal)
        if header.get("serial") != self._serial:
            raise LateReply("it belongs to another file")
        if checked is not None:
            again, full = header.get("again") is True, header.get("full") is True
            return Reply(None, {}, checked, log, last, again, full)
        return Reply(report, parts, None, log, last, again=False)


def tidy(text: object, *, lines: bool = False) -> str:
    r"""Text from an untrusted place, made short and printable.

    >>> tidy("bad\x1b[31m\nfile")
    'bad [31m file'
    """
    kept = "\n" if lines else ""
    cleaned = "".join(c if c.isprintable() or c in kept else " " for c in str(text)[: 4 * _LONGEST_TEXT])
    return cleaned if lines else " ".join(cleaned.split())[:_LONGEST_TEXT]


def _parse(raw: bytes) -> dict[str, Any]:
    things = sum(raw.count(sign) for sign in (b",", b"[", b"{"))
    if things > _MOST_THINGS:
        raise BadReply(f"its report holds about {things:,} values; {_MOST_THINGS:,} are allowed")
    try:
        header = json.loads(raw.decode())
        _check(header, levels=_DEEPEST)
    except (ValueError, RecursionError) as error:
        raise BadReply(f"its JSON is not sound ({tidy(error)})") from None
    if not isinstance(header, dict):
        raise BadReply("its header is not an object")
    return header


def _check(value: object, *, levels: int) -> None:
    """ValueError for what JSON can carry and a database or a later writer of JSON cannot."""
    if levels == 0:
        raise ValueError(f"it is nested more than {_DEEPEST} deep")
    match value:
        case str():
            if "\0" in value:
                raise ValueError("a text holds a NUL character")
            value.encode()  # fails for half a surrogate pair
        case float() if not math.isfinite(value):
            raise ValueError(f"{value} is not a number")
        case int() if not -(1 << 63) <= value < 1 << 63:
            raise ValueError("a whole number in it is not a number of 64 bits")
        case list():
            for item in value:
                _check(item, levels=levels - 1)
        case dict():
            for name, item in value.items():
                _check(name, levels=levels)
                _check(item, levels=levels - 1)


def _sizes(header: dict[str, Any], room: int) -> dict[str, int]:
    table = header.get("parts", [])
    if not isinstance(table, list) or len(table) > MOST_PARTS:
        raise BadReply(f"its table of parts is not a list of at most {MOST_PARTS:,}")
    sizes: dict[str, int] = {}
    for entry in table:
        match entry:
            case [str(name), int(size)] if size >= 0 and not isinstance(size, bool) and name not in sizes:
                sizes[name] = size
            case _:
                raise BadReply("its table of parts is damaged")
    if sum(sizes.values()) > room:
        raise BadReply(f"its parts are {sum(sizes.values()):,} bytes; there is room for {max(0, room):,}")
    return sizes


def _refusal(values: object) -> Refusal:
    match values:
        case {"code": str(code), "message": str(message), "remedy": str(remedy)} if (
            _CODE.fullmatch(code) and code not in _CODES_OF_THE_POOL and tidy(message)
        ):
            return Refusal(code=code, message=tidy(message), remedy=tidy(remedy))
    raise BadReply("its refusal is damaged")


def _rights(descriptors: tuple[int, ...]) -> tuple[int, int, bytes]:
    return (socket.SOL_SOCKET, socket.SCM_RIGHTS, b"".join(map(_DESCRIPTOR.pack, descriptors)))


def _receive_exactly(channel: socket.socket, size: int) -> bytes:
    pieces = bytearray()
    while len(pieces) < size:
        piece, _, _, _ = channel.recvmsg(size - len(pieces))
        if not piece:
            raise EOFError
        pieces += piece
    return bytes(pieces)
