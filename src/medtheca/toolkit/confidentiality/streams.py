"""Coded frames without what is written beside the pixels: comments and the like are filled with zeros where they stand.

No byte that a decoder makes pixels of changes, and nothing moves. Sources: ITU-T T.81 annex B (JPEG), T.87 (JPEG-LS),
T.800 annex A (JPEG 2000).
"""

import re

from medtheca.toolkit.deidentify.faults import corrupt, truncated, unsupported

_END = 0xD9
_SCAN = 0xDA
_ALONE = frozenset((0x01, 0xD8, *range(0xD0, 0xD8)))
# Within coded data a marker's second byte has its highest bit set, in JPEG and in JPEG-LS; restarts belong to the data.
_MARKER = re.compile(b"\xff[\x80-\xcf\xd8-\xfe]")
# Of these segments so many bytes mean something to decoders, if they begin so.
_KEPT = (
    (0xE0, b"JFIF\0", 12),
    (0xEE, b"Adobe", 12),
    (0xE8, b"mrfx", 5),
    (0xE8, b"SPIFF\0", 30),
    (0xE8, b"\0\0\0\1\xff\xd8", 6),
)
_WITHOUT_USE = frozenset(
    (*range(0xE0, 0xF0), *range(0xF0, 0xF7), *range(0xF9, 0xFF), *range(0x02, 0xC0), 0xC8, 0xDE, 0xDF)
)

_J2K_KNOWN = frozenset((*range(0x50, 0x64), 0x30, 0x74, 0x75, 0x76, 0x77, 0x78))
_TILE, _DATA, _COMMENT, _J2K_END = 0x90, 0x93, 0x64, 0xD9


def blank_jpeg(stream: bytearray) -> int:
    """Fill comments, application segments and all behind the end with zeros; how many bytes that changed.

    Raises:
        Refused: `corrupt` or `truncated` where the markers lead nowhere.
    """
    if stream[:2] != b"\xff\xd8":
        raise corrupt("a coded frame does not begin as JPEG")
    at, blanked = 2, 0
    while True:
        marker, at = _next_marker(stream, at)
        if marker == _END:
            return blanked + _zero(stream, at, len(stream))
        if marker in _ALONE:
            continue
        end = at + _length(stream, at)
        if marker in _WITHOUT_USE:
            blanked += _blank_segment(stream, marker, at, end)
        at = end
        if marker == _SCAN:
            found = _MARKER.search(stream, at)
            if found is None:
                raise truncated("the coded data of a frame have no end")
            at = found.start()


def _next_marker(stream: bytearray, at: int) -> tuple[int, int]:
    """The second byte of a marker, and where what follows it begins; bytes that fill up are passed."""
    while stream[at : at + 2] == b"\xff\xff":
        at += 1
    if at + 2 > len(stream):
        raise truncated("a coded frame has no end")
    if stream[at] != 0xFF:
        raise corrupt("a coded frame has bytes that belong to nothing")
    return stream[at + 1], at + 2


def _blank_segment(stream: bytearray, marker: int, at: int, end: int) -> int:
    kept = next((size for known, begins, size in _KEPT if known == marker and stream.startswith(begins, at + 2)), 0)
    return _zero(stream, min(end, at + 2 + kept), end)


def blank_jpeg_2000(stream: bytearray) -> int:
    """Fill comments, unknown segments and all behind the end with zeros; how many bytes that changed.

    Raises:
        Refused: as `blank_jpeg`; `unsupported_variant` for a codestream that is wrapped in boxes.
    """
    if stream[:4] == b"\0\0\0\x0c":
        raise unsupported("Its frames are JPEG 2000 files in boxes, which DICOM does not have.", "Export it anew.")
    if stream[:2] != b"\xff\x4f":
        raise corrupt("a coded frame does not begin as JPEG 2000")
    at, blanked, next_tile = 2, 0, 0
    while True:
        marker, at = _next_marker(stream, at)
        if marker == _J2K_END:
            return blanked + _zero(stream, at, len(stream))
        if marker == _DATA:
            at = next_tile or stream.rfind(b"\xff\xd9")
            if not 0 < at <= len(stream):
                raise truncated("a tile of a coded frame is cut off")
            continue
        end = at + _length(stream, at)
        if marker == _TILE:
            next_tile = _tile_end(stream, at, end)
        elif marker not in _J2K_KNOWN:
            # Of a comment, the two bytes that say which kind it is are kept.
            blanked += _zero(stream, min(end, at + (4 if marker == _COMMENT else 2)), end)
        at = end


def _tile_end(stream: bytearray, at: int, end: int) -> int:
    """Where the next tile begins; 0 for the last one, which need not say how long it is."""
    size = int.from_bytes(stream[at + 4 : at + 8], "big")
    if size and at - 2 + size < end:
        raise corrupt("a tile of a coded frame is shorter than its header")
    return at - 2 + size if size else 0


def _length(stream: bytearray, at: int) -> int:
    length = int.from_bytes(stream[at : at + 2], "big")
    if length < 2 or at + length > len(stream):
        raise truncated("a segment of a coded frame is cut off")
    return length


def _zero(stream: bytearray, start: int, end: int) -> int:
    """How many bytes were not zero before. A last byte that only fills up to an even number may be anything."""
    part = stream[start:end]
    changed = len(part) - part.count(0)
    if changed:
        stream[start:end] = bytes(end - start)
    return changed
