"""A JPEG file as its segments. Source: ITU-T T.81 annex B; JFIF 1.02 (T.871).

The scans are walked, so the end of the image is where it is and not where the last FF D9 happens to be:
phones put a second picture, a film or a depth map behind it.
"""

import re
from dataclasses import dataclass
from typing import NamedTuple

from medtheca.toolkit.deidentify.faults import corrupt, truncated, unsupported
from medtheca.toolkit.deidentify.stripped import Buffer

SOI, EOI, SOS, DQT, DHT, DRI, DNL, COM = 0xD8, 0xD9, 0xDA, 0xDB, 0xC4, 0xDD, 0xDC, 0xFE
APP0, APP1, APP2, APP13, APP14 = 0xE0, 0xE1, 0xE2, 0xED, 0xEE
BASELINE, EXTENDED, PROGRESSIVE = 0xC0, 0xC1, 0xC2

_PARAMETERLESS = frozenset({0x01, *range(0xD0, 0xD8)})
_FRAMES = frozenset(range(0xC0, 0xD0)) - {DHT, 0xC8, 0xCC}
_PROCESS = {0xC3: "lossless", 0xC9: "arithmetic", 0xCA: "arithmetic", 0xCB: "arithmetic lossless"}
# Inside coded data FF 00 is a byte, FF D0-D7 a restart and FF FF padding; anything else ends it.
_END_OF_SCAN = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
# Real progressive files have about ten. Each scan costs a pass over the whole picture.
MAX_SCANS = 100


class Segment(NamedTuple):
    """One marker with its parameters and, for SOS, the coded data that follows. Offsets into the file."""

    marker: int
    start: int
    end: int


class Frame(NamedTuple):
    """The header of the picture."""

    process: int
    height: int
    width: int
    components: int


@dataclass(frozen=True, slots=True)
class JpegLayout:
    """Where everything is. `segments` excludes SOI and EOI; `end` is the offset just behind EOI."""

    data: memoryview
    segments: tuple[Segment, ...]
    frame: Frame
    first_scan: int
    scans: int
    end: int

    def payload(self, segment: Segment) -> memoryview:
        return self.data[segment.start + 4 : segment.end]


def parse_jpeg(source: Buffer) -> JpegLayout:
    """Walk a JPEG file from SOI to EOI.

    Raises:
        Refused: `truncated`, `corrupt` or `unsupported_variant` (lossless, arithmetic, 12 bits, …).
    """
    data = memoryview(source)
    if bytes(data[:2]) != b"\xff\xd8":
        raise corrupt("it does not begin with a JPEG start marker")
    segments, end = _walk(data)
    frames = [segment for segment in segments if segment.marker in _FRAMES]
    scans = [segment for segment in segments if segment.marker == SOS]
    if not frames or not scans:
        raise corrupt("it holds no picture")
    if len(frames) > 1:
        raise corrupt("it has two frame headers")
    if scans[0].start < frames[0].start:
        raise corrupt("a scan comes before the frame header")
    frame = _read_frame(data, frames[0])
    return JpegLayout(data, tuple(segments), frame, scans[0].start, len(scans), end)


def _walk(data: memoryview) -> tuple[list[Segment], int]:
    """All segments up to EOI, and the offset behind it."""
    segments: list[Segment] = []
    scans, position = 0, 2
    while True:
        start = _next_marker(data, position)
        marker = data[start + 1]
        position = start + 2
        if marker == EOI:
            return segments, position
        if marker == SOI:
            raise corrupt(f"a second picture begins inside the first, at byte {start}")
        if marker in _PARAMETERLESS:
            continue
        position = _parameters_end(data, start)
        if marker == SOS:
            position = _scan_end(data, position)
            scans += 1
            if scans > MAX_SCANS:
                raise corrupt(f"it has more than {MAX_SCANS} scans")
        segments.append(Segment(marker, start, position))


def _next_marker(data: memoryview, position: int) -> int:
    """Offset of the next marker's FF; stray bytes and fill bytes before it are passed over."""
    size = len(data)
    while position + 1 < size:
        if data[position] == 0xFF:
            code = data[position + 1]
            if code not in (0x00, 0xFF):
                return position
        position += 1
    raise truncated("the end marker of the picture is missing")


def _parameters_end(data: memoryview, start: int) -> int:
    if start + 4 > len(data):
        raise truncated("a segment header is cut off")
    length = int.from_bytes(data[start + 2 : start + 4], "big")
    if length < 2:
        raise corrupt(f"the segment at byte {start} has an impossible length")
    end = start + 2 + length
    if end > len(data):
        raise truncated(f"the segment at byte {start} is cut off")
    return end


def _scan_end(data: memoryview, position: int) -> int:
    found = _END_OF_SCAN.search(data, position)
    if found is None:
        raise truncated("the coded picture is cut off")
    end = found.start()
    while end > position and data[end - 1] == 0xFF:
        end -= 1
    return end


def _read_frame(data: memoryview, segment: Segment) -> Frame:
    process, payload = segment.marker, data[segment.start + 4 : segment.end]
    if process not in (BASELINE, EXTENDED, PROGRESSIVE):
        name = _PROCESS.get(process, "hierarchical or otherwise rare")
        raise unsupported(f"This JPEG uses {name} coding, which is not read.", "Save it as an ordinary JPEG or as PNG.")
    if len(payload) < 6 or len(payload) != 6 + 3 * payload[5]:
        raise corrupt("the frame header has the wrong length")
    bits, components = payload[0], payload[5]
    height, width = int.from_bytes(payload[1:3], "big"), int.from_bytes(payload[3:5], "big")
    if bits != 8:
        raise unsupported(f"This JPEG has {bits} bits per sample; 8 are read.", "Save it as 16-bit PNG.")
    if components not in (1, 3, 4):
        raise unsupported(
            f"This JPEG has {components} colour components; 1, 3 or 4 are read.", "Save it as RGB or grey."
        )
    if not width or not height:
        raise unsupported("This JPEG does not say its size in its header.", "Save it as an ordinary JPEG.")
    return Frame(process, height, width, components)
