"""Whether a JPEG frame holds the data of all its samples, for codings whose decoder does not say when it had to guess.

A decoder that runs out of coded data fills up with zeros and hands out a picture. So the frame is decoded again, once
with words of no meaning behind the data of each scan, which must change nothing, and once with its last bytes changed,
which must change something: data are missing in the first case and left over in the second, as after a loss in between.
"""

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medtheca.toolkit.deidentify.faults import corrupt, truncated

Samples = NDArray[Any]
Decode = Callable[[bytes], Samples]

# Of all symbols a few, in no order that a picture would have; 0xFF would begin a marker.
_NOISE = bytes(value for value in np.random.default_rng(1).integers(0, 0xFF, 256).tolist())
# So many bytes behind the last sample may be an encoder's own way of filling up.
_LAST = 4
_MARKER = re.compile(rb"\xff+([^\x00\xff])", re.DOTALL)
_RESTARTS = range(0xD0, 0xD8)
_SCAN, _END, _INTERVAL, _TABLES = 0xDA, 0xD9, 0xDD, frozenset((0xC4, 0xC8, 0xCC))
_LOSSLESS = frozenset((0xC3, 0xC7, 0xCB, 0xCF))


@dataclass(slots=True)
class _Scan:
    """Where the pieces of a scan's coded data begin and end; restart markers are between them."""

    pieces: list[tuple[int, int]]
    restarts: list[int]
    interval: int


def check_whole(data: bytes, samples: Samples, decode: Decode) -> None:
    """Compare what `decode` made of a whole frame with what it makes of the frame changed.

    Raises:
        Refused: `truncated` where coded data are missing, `corrupt` where some are left over or cannot be decoded.
    """
    try:
        scans, units = _find_scans(data)
    except (IndexError, struct.error) as error:
        raise corrupt("a JPEG frame ends in its header") from error
    for scan in scans:
        _check_restarts(scan, units)
    ends = [end for scan in scans for _, end in scan.pieces]
    cuts = [0, *ends, len(data)]
    stretched = _NOISE.join(data[one:two] for one, two in pairwise(cuts))
    if not _gives(decode, stretched, samples):
        raise truncated("coded data are missing within a frame")
    if len(scans) > 1:
        return  # the last of several may refine what rounding takes away again
    begin, end = scans[-1].pieces[-1]
    last = min(_LAST, end - begin)
    for noise in (_NOISE[:last], _NOISE[_LAST : _LAST + last]):
        if not _gives(decode, data[: end - last] + noise + data[end:], samples):
            return
    raise corrupt("coded data are left over within a frame")


def _gives(decode: Decode, data: bytes, samples: Samples) -> bool:
    try:
        return np.array_equal(decode(data), samples)
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - whatever a decoder throws, it is not the same picture
        return False


def _find_scans(data: bytes) -> tuple[list[_Scan], int | None]:
    """The scans, and how many units (MCU) each component has; None where components differ in size."""
    scans: list[_Scan] = []
    at, interval, units = 2, 0, None
    while found := _MARKER.match(data, at):
        marker, at = found[1][0], found.end()
        if marker == _END:
            break
        length = int.from_bytes(data[at : at + 2], "big")
        if marker == _INTERVAL:
            interval = int.from_bytes(data[at + 2 : at + 4], "big")
        elif 0xC0 <= marker < 0xD0 and marker not in _TABLES:
            units = _count_units(data[at + 2 : at + length], lossless=marker in _LOSSLESS)
        at += length
        if marker == _SCAN:
            scan = _Scan([], [], interval)
            at = _follow(data, at, scan)
            scans.append(scan)
    if not scans or not scans[-1].pieces:
        raise truncated("a coded frame has no data")
    return scans, units


def _follow(data: bytes, at: int, scan: _Scan) -> int:
    """Note the pieces of a scan; where the marker behind it begins."""
    while found := _MARKER.search(data, at):
        scan.pieces.append((at, found.start()))
        if found[1][0] not in _RESTARTS:
            return found.start()
        scan.restarts.append(found[1][0])
        at = found.end()
    raise truncated("the coded data of a frame have no end")


def _count_units(frame: bytes, *, lossless: bool) -> int | None:
    _, height, width, count = struct.unpack_from(">BHHB", frame)
    if len({frame[7 + 3 * place] for place in range(count)}) > 1:
        return None
    side = 1 if lossless else 8
    # The factors of one component, or of several that agree, do not matter (ITU-T T.81, A.2.2).
    one = frame[7] if count > 1 else 0x11
    across, down = side * (one >> 4), side * (one & 15)
    return -(-width // across) * -(-height // down) if across and down else None


def _check_restarts(scan: _Scan, units: int | None) -> None:
    if any(marker != _RESTARTS[place % 8] for place, marker in enumerate(scan.restarts)):
        raise truncated("coded data are missing between two restart markers of a frame")
    if scan.interval and units is not None and len(scan.restarts) != -(-units // scan.interval) - 1:
        raise truncated(f"a frame has {len(scan.restarts)} restart markers, which is not what its size needs")
