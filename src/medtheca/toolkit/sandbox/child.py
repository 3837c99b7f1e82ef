"""The inside of a decoder: take an open file, run the task on it, write the answer. Runs behind the fence."""

import gc
import json
import mmap
import os
import socket
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from medtheca.toolkit.errors import Refused

from .fence import RETIRING_SHARE
from .values import Limits
from .wire import MOST_PARTS, receive_frame, tidy, write_reply

Task = Callable[[memoryview, dict[str, Any]], tuple[dict[str, Any], Mapping[str, Any]]]


@dataclass(frozen=True, slots=True)
class _Answer:
    fields: dict[str, bytes]  # each value is JSON already
    parts: list[memoryview]
    worn: bool  # this child should end after it


def decode_until_closed(channel: socket.socket, task: Task, limits: Limits) -> None:
    """Answer requests until the pool closes the channel or this child is worn out."""
    retire_at = time.process_time() + max(1, limits.cpu_seconds // RETIRING_SHARE)
    fresh = True
    while True:
        try:
            request, descriptors = receive_frame(channel)
        except (EOFError, ConnectionError):
            return
        if not descriptors:
            return
        answer = _answer(task, descriptors[0], request, limits, fresh=fresh)
        last = answer.worn or time.process_time() >= retire_at
        fields = answer.fields | {"last": encode(last), "serial": encode(request["serial"])}
        write_reply(channel.fileno(), join_fields(fields), answer.parts)
        if last:
            return
        fresh = False


def _answer(task: Task, descriptor: int, request: dict[str, Any], limits: Limits, *, fresh: bool) -> _Answer:
    data, release = _gather(descriptor, request["pieces"]) if "pieces" in request else _map(descriptor, request["size"])
    try:
        try:
            report, parts = task(data, request["options"])
            fields, pieces = _check(report, parts, limits)
        finally:
            released = release()
    except Refused as refusal:
        return _Answer(encode_refusal(refusal.code, refusal.message, refusal.remedy), [], worn=False)
    except MemoryError:
        message = f"Decoding this file needs more memory than the {limits.memory_bytes:,} bytes that are allowed."
        fields = encode_refusal("decoder_memory", message, "Upload a smaller image, or ask for a higher limit.")
        # A child that has decoded other files may be full of them: then the pool tries again in a fresh one.
        return _Answer(fields | {"again": encode(not fresh)}, [], worn=True)
    except BaseException as error:  # noqa: BLE001 - whatever a decoder throws is a verdict on the file, not on the pool
        message = f"The file cannot be decoded: {type(error).__name__}: {error}"
        fields = encode_refusal(
            "decoder_error", message, "Check that the file opens in another program; export it again."
        )
        # The place only: an error's own words may quote a patient's data, which have no business in a log.
        log = "".join(traceback.format_tb(error.__traceback__, limit=-8)) + type(error).__name__
        return _Answer(fields | {"log": encode(log)}, [], worn=False)
    return _Answer(fields, pieces, worn=not released)


def _gather(descriptor: int, pieces: list[list[int]]) -> tuple[memoryview, Callable[[], bool]]:
    """These parts of the file (offset, length), one after another; nothing of it stays open or mapped.

    What lies behind its end is left out, so less than is asked for means that the file is cut off.
    """
    try:
        data = b"".join([os.pread(descriptor, length, offset) for offset, length in pieces])
    finally:
        os.close(descriptor)
    return memoryview(data), lambda: True


def _map(descriptor: int, size: int) -> tuple[memoryview, Callable[[], bool]]:
    """The bytes of the file, and a function that gives them back and says whether all of them are free."""
    if size == 0:
        os.close(descriptor)
        return memoryview(b""), lambda: True
    try:
        # With the length given, Python needs no stat, which the fence would not allow.
        mapping = mmap.mmap(descriptor, size, access=mmap.ACCESS_READ)
    finally:
        os.close(descriptor)
    view = memoryview(mapping)

    def release() -> bool:
        for attempt in (1, 2):
            try:
                view.release()
                mapping.close()
            except BufferError:
                # The task left arrays that look into the file; most go with the garbage.
                if attempt == 1:
                    gc.collect()
            else:
                return True
        return False

    return view, release


def _check(
    report: dict[str, Any], parts: Mapping[str, Any], limits: Limits
) -> tuple[dict[str, bytes], list[memoryview]]:
    encoded = encode(report)
    pieces = [memoryview(part).cast("B") for part in parts.values()]
    sizes = [len(piece) for piece in pieces]
    total = len(encoded) + sum(sizes)
    if len(encoded) > limits.report_bytes or total > limits.output_bytes or len(sizes) > MOST_PARTS:
        raise Refused(
            "decoder_output",
            f"Decoding this file gives a report of {len(encoded):,} bytes and {len(sizes):,} parts, {total:,} bytes in "
            f"all; at most {limits.report_bytes:,} bytes, {MOST_PARTS:,} parts and {limits.output_bytes:,} bytes are "
            "allowed.",
            "Upload a smaller image, or ask for a higher limit.",
        )
    return {"report": encoded, "parts": encode(list(zip(parts, sizes, strict=True)))}, pieces


def join_fields(fields: Mapping[str, bytes]) -> bytes:
    """The header of a reply; the values are JSON already."""
    return b"{" + b",".join(encode(name) + b":" + value for name, value in fields.items()) + b"}"


def encode(value: object) -> bytes:
    """As JSON. ValueError for what is no number, TypeError for what JSON does not know."""
    return json.dumps(value, allow_nan=False, ensure_ascii=False).encode()


def encode_refusal(code: str, message: str, remedy: str) -> dict[str, bytes]:
    """The field of a reply that refuses the input."""
    # What a decoder says may quote the file: what cannot be printed is not passed on.
    return {"refusal": encode({"code": code, "message": tidy(message), "remedy": tidy(remedy)})}
