"""Terms, numbers, moments and circles as bytes: a head in JSON, then bitmaps in the portable format of Roaring.

Arrays are differences of neighbours, deflated: moments and sizes of neighbours differ by little.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from medtheca.toolkit.bitmaps.circles import Circle
from medtheca.toolkit.bitmaps.numbers import Numbers
from medtheca.toolkit.bitmaps.order import Order
from medtheca.toolkit.bitmaps.terms import Terms, Value

FORMAT = 1
"""Of these bytes. Others are not read but made anew."""

_HEAD = struct.Struct("<4sHI")
_MAGIC = b"MTbm"

Packable = Terms | Numbers | Order | BitMap | dict[int, Circle]


class Unreadable(ValueError):
    """Bytes that are none of these, or of another format."""


def pack(thing: Packable) -> bytes:
    """The thing as bytes."""
    if isinstance(thing, Terms):
        values = sorted(thing.bitmaps, key=repr)
        return _join({"terms": [_write_value(value) for value in values]}, [_write(thing.bitmaps[v]) for v in values])
    if isinstance(thing, Numbers):
        return _join({"numbers": len(thing.values)}, [_deflate(thing.values)])
    if isinstance(thing, Order):
        return _join({"order": len(thing.moments)}, [_deflate(thing.moments)])
    if isinstance(thing, BitMap):
        return _join({"set": len(thing)}, [_write(thing)])
    ids = sorted(thing)
    parts = []
    for key in ids:
        waiting = sorted(thing[key].waiting.items())
        parts += [_write(thing[key].placed), np.array(waiting, "<i8").tobytes()]
    return _join({"circles": ids}, parts)


def unpack(data: bytes) -> Packable:
    """The thing that `pack` was given. Raises `Unreadable`."""
    try:
        head, parts = _split(data)
        if "terms" in head:
            values = [_read_value(value) for value in head["terms"]]
            return Terms(dict(zip(values, map(BitMap.deserialize, parts), strict=True)))
        if "numbers" in head:
            return Numbers(_inflate(parts[0], head["numbers"]))
        if "order" in head:
            return Order(_inflate(parts[0], head["order"]))
        if "set" in head:
            return BitMap.deserialize(parts[0])
        return {key: _read_circle(*parts[2 * at : 2 * at + 2]) for at, key in enumerate(head["circles"])}
    except (ValueError, KeyError, IndexError, TypeError, struct.error, zlib.error) as error:
        raise Unreadable(f"These bytes are no part of an index: {error}") from error


def _join(head: dict[str, Any], parts: Sequence[bytes]) -> bytes:
    text = json.dumps({**head, "sizes": [len(part) for part in parts]}).encode()
    return b"".join([_HEAD.pack(_MAGIC, FORMAT, len(text)), text, *parts])


def _split(data: bytes) -> tuple[dict[str, Any], list[bytes]]:
    magic, written, length = _HEAD.unpack_from(data)
    if magic != _MAGIC or written != FORMAT:
        raise Unreadable(f"They are of format {written}, not {FORMAT}.")
    at = _HEAD.size + length
    head = json.loads(data[_HEAD.size : at])
    view, parts = memoryview(data), []
    for size in head["sizes"]:
        parts.append(bytes(view[at : at + size]))
        at += size
    if at != len(data):
        raise Unreadable("They are cut off.")
    return head, parts


def _write(found: BitMap) -> bytes:
    found.run_optimize()
    return found.serialize()


def _deflate(values: NDArray[np.int64]) -> bytes:
    return zlib.compress(np.diff(values, prepend=np.int64(0)).astype("<i8").tobytes(), 1)


def _inflate(data: bytes, length: int) -> NDArray[np.int64]:
    values = np.cumsum(np.frombuffer(zlib.decompress(data), "<i8")).astype(np.int64)
    if len(values) != length:
        raise Unreadable("An array has another length.")
    return values


def _read_circle(placed: bytes, waiting: bytes) -> Circle:
    pairs = np.frombuffer(waiting, "<i8").reshape(-1, 2).tolist()
    return Circle(BitMap.deserialize(placed), {int(number): int(end) for number, end in pairs})


def _write_value(value: Value) -> list[Any]:
    if isinstance(value, tuple):
        return ["p", [repr(part) for part in value]]
    if isinstance(value, float):
        return ["f", repr(value)]
    return ["b" if isinstance(value, bool) else "s", value]


def _read_value(written: list[Any]) -> Value:
    kind, value = written
    if kind == "p":
        low, high = map(float, value)
        return low, high
    if kind == "f":
        return float(value)
    found: Value = bool(value) if kind == "b" else str(value)
    return found
