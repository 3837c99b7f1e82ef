"""Sending a file, whole or in part, without holding up the event loop or filling the memory."""

from __future__ import annotations

import asyncio
import logging
import os
from pathlib import Path
from typing import Any

from medtheca.interfaces.bytes.conditions import Span, wanted_span
from medtheca.interfaces.bytes.threads import Threads
from medtheca.interfaces.bytes.wire import Headers, Problem, Request
from medtheca.toolkit.ranges.readers import RangeReader
from medtheca.toolkit.ranges.recipe import Damaged

_CHUNK = 256 * 1024
_log = logging.getLogger(__name__)

_UNAVAILABLE = "The bytes of this file are not available at the moment."


def unavailable() -> Problem:
    """The answer where a file should be and is not, or is not what it should be."""
    return Problem(
        503,
        "file_unavailable",
        _UNAVAILABLE,
        remedy="Try again later; if it stays so, tell the support.",
        headers={"Retry-After": "60"},
    )


def wanted_part(request: Request, *, etag: str, size: int, headers: Headers) -> Span | None:
    """The part that a GET asks for, None for the whole; the headers get to say which. Raises `Problem` 416."""
    if b"range" not in request.headers or request.method != "GET":
        return None
    try:
        span = wanted_span(range_=request.header(b"range"), if_range=request.header(b"if-range"), etag=etag, size=size)
    except ValueError:
        raise Problem(
            416,
            "range_not_satisfiable",
            f"The file has {size} bytes; the range lies behind them.",
            headers={"Content-Range": f"bytes */{size}"},
        ) from None
    if span is not None:
        headers.append((b"content-range", b"bytes %d-%d/%d" % (span.first, span.last, size)))
    return span


async def send_file(
    request: Request, threads: Threads, *, path: Path, size: int, headers: Headers, span: Span | None
) -> None:
    """Answer with a file of `size` bytes, or the part `span` of it.

    Raises `Problem` before anything is sent where the file is missing or has another size.
    """
    if request.method == "HEAD" or (span is None and "http.response.pathsend" in request.scope.get("extensions", {})):
        await _send_whole(request, path, size, headers)
        return
    handle = await threads.on_disk(open_sized, path, size)
    try:
        part = span or Span(0, size - 1)
        await send_start(request, 200 if span is None else 206, headers, part.length)
        await _send_part(request, threads, handle, part)
    finally:
        os.close(handle)


async def send_ranges(
    request: Request, threads: Threads, *, reader: RangeReader, headers: Headers, span: Span | None
) -> None:
    """As `send_file`, from what is read by ranges: what the system has in memory without changing threads.

    Where reading fails once an answer has begun, it breaks off, which the client notices.
    """
    part = span or Span(0, reader.size - 1)
    if request.method == "HEAD":
        await send_start(request, 200, headers, reader.size)
        await request.send({"type": "http.response.body", "body": b""})
        return
    gone = asyncio.ensure_future(until_gone(request)) if part.length > _CHUNK else None
    position, end = part.first, part.last + 1
    try:
        chunk = await _read_chunk(threads, reader, position, end)
        await send_start(request, 200 if span is None else 206, headers, part.length)
        while not (gone and gone.done()):
            position += len(chunk)
            await request.send({"type": "http.response.body", "body": chunk, "more_body": position < end})
            if position >= end:
                return
            chunk = await _read_chunk(threads, reader, position, end)
    finally:
        if gone:
            gone.cancel()


async def _read_chunk(threads: Threads, reader: RangeReader, position: int, end: int) -> bytes:
    count = min(_CHUNK, end - position)
    try:
        chunk = reader.read_now(position, count)
        if chunk is None:
            chunk = await threads.on_disk(reader.read, position, count)
    except (Damaged, OSError) as error:
        _log.error("A file composed of others cannot be read: %s", error)
        raise unavailable() from None
    if len(chunk) < count:
        raise unavailable()
    return chunk


async def _send_whole(request: Request, path: Path, size: int, headers: Headers) -> None:
    try:
        # A look at the inode, hardly ever more than a few microseconds: cheaper than a thread.
        found = os.stat(path).st_size  # noqa: PTH116 - the shortest way to a size, on the hottest path
    except OSError:
        found = -1
    if found != size:
        raise unavailable()
    await send_start(request, 200, headers, size)
    if request.method == "HEAD":
        await request.send({"type": "http.response.body", "body": b""})
    else:
        # The server reads and sends it. A file that is gone by now becomes its 404.
        await request.send({"type": "http.response.pathsend", "path": str(path)})


async def send_start(request: Request, status: int, headers: Headers, length: int) -> None:
    """Begin an answer of so many bytes."""
    request.answered = True
    start = [*headers, (b"content-length", b"%d" % length)]
    await request.send({"type": "http.response.start", "status": status, "headers": start})


async def _send_part(request: Request, threads: Threads, handle: int, part: Span) -> None:
    gone = asyncio.ensure_future(until_gone(request)) if part.length > _CHUNK else None
    position, end = part.first, part.last + 1
    try:
        while position < end and not (gone and gone.done()):
            chunk = await threads.on_disk(os.pread, handle, min(_CHUNK, end - position), position)
            if not chunk:
                # Shorter than promised: the connection breaks off, which the client notices.
                raise ConnectionError("the file ended early")
            position += len(chunk)
            await request.send({"type": "http.response.body", "body": chunk, "more_body": position < end})
    finally:
        if gone:
            gone.cancel()


async def until_gone(request: Request) -> None:
    """Ends when the client has gone."""
    # To a server that has lost its client, sending is no error; only this tells.
    message: Any = {}
    while message.get("type") != "http.disconnect":
        message = await request.receive()


def open_sized(path: Path | str, size: int) -> int:
    """An open descriptor of a file that has `size` bytes. Raises `Problem` where it is missing or has another size."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        raise unavailable() from None
    if os.fstat(handle).st_size != size:
        os.close(handle)
        raise unavailable()
    return handle
