"""The inside of a decoder of a case: do the task in the folder, write the answer, end. Runs behind the fence."""

import errno
import io
import os
import socket
import struct
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from medtheca.toolkit.errors import Refused

from .child import encode, encode_refusal, join_fields
from .values import CaseLimits
from .wire import receive_frame, write_reply

CaseTask = Callable[[Path, Mapping[str, BinaryIO], dict[str, Any], Callable[[float], None]], dict[str, Any]]
FRACTION = struct.Struct("=d")

_SMALLER = "Upload a smaller image, or ask for a higher limit."
_DISK_FULL = {errno.ENOSPC, errno.EDQUOT}


def work_on_case(channel: socket.socket, task: CaseTask, progress: int, outputs: list[int], limits: CaseLimits) -> None:
    """Answer one request. The outputs come as descriptors, in the order of their names in the request."""
    request, _ = receive_frame(channel)
    files: dict[str, BinaryIO] = {
        name: _open(name, descriptor) for name, descriptor in zip(request["outputs"], outputs, strict=True)
    }

    def tell(fraction: float) -> None:
        os.pwrite(progress, FRACTION.pack(fraction), 0)

    fields = _answer(task, files, request["options"], tell, limits)
    write_reply(channel.fileno(), join_fields(fields | {"last": b"true", "serial": encode(request["serial"])}), [])


def _open(name: str, descriptor: int) -> BinaryIO:
    raw = io.FileIO(descriptor, "w+")
    # It would be a number, at which libraries stumble that want to know what a file is called (tifffile).
    raw.name = name
    return io.BufferedRandom(raw)


def _answer(
    task: CaseTask,
    files: Mapping[str, BinaryIO],
    options: dict[str, Any],
    tell: Callable[[float], None],
    limits: CaseLimits,
) -> dict[str, bytes]:
    try:
        report = encode(task(Path(), files, options, tell))
        for file in files.values():
            file.close()  # here, so that what is still unwritten can fail
    except Refused as refusal:
        return encode_refusal(refusal.code, refusal.message, refusal.remedy)
    except BaseException as error:  # noqa: BLE001 - whatever a decoder throws is a verdict on the case, not on the pool
        return _judge(error, limits) | {"log": encode("\n".join(_places(error)))}
    if len(report) > limits.report_bytes:
        message = f"This image gives a report of {len(report):,} bytes; {limits.report_bytes:,} are allowed."
        return encode_refusal("decoder_output", message, _SMALLER)
    return {"report": report}


def _judge(error: BaseException, limits: CaseLimits) -> dict[str, bytes]:
    errors = list(_chain(error))
    numbers = {each.errno for each in errors if isinstance(each, OSError)}
    if isinstance(error, MemoryError) or errno.ENOMEM in numbers:
        message = f"Decoding this image needs more memory than the {limits.memory_bytes:,} bytes that are allowed."
        return encode_refusal("decoder_memory", message, _SMALLER)
    if errno.EFBIG in numbers:
        return encode_refusal(
            "decoder_output",
            f"What is made of this image is larger than the {limits.output_bytes:,} bytes that are allowed.",
            _SMALLER,
        )
    # The kind of the error and the system's words only: its own may quote a file's name or header, and so a patient.
    kind = type(error).__name__
    if isinstance(error, OSError) and error.errno:
        kind += f", {os.strerror(error.errno)}"
    message = f"The image cannot be decoded: {kind}."
    refusal = encode_refusal("decoder_error", message, "Check that it opens in another program; export it again.")
    return refusal | {"full": encode(bool(numbers & _DISK_FULL))}


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and what brought it about: libraries wrap what the system said."""
    seen: set[int] = set()
    each: BaseException | None = error
    while each is not None and id(each) not in seen:
        seen.add(id(each))
        yield each
        each = each.__cause__ or each.__context__


def _places(error: BaseException) -> list[str]:
    """Where it happened, without the lines of code: those would be looked for in the folder of the case."""
    steps = [(frame.f_code, line) for frame, line in traceback.walk_tb(error.__traceback__)][-8:]
    return [*(f"{code.co_filename}:{line}, in {code.co_name}" for code, line in steps), type(error).__name__]
