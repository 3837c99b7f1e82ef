"""A JPEG without what could identify a person: no EXIF, XMP, IPTC, comments, previews or trailers.

Kept are frame, the tables that are used, restart intervals and scans, byte for byte; the ICC profile without words of
its own; the JFIF and Adobe segments in plain form, because decoders choose the colour transform by them; and, where the
picture is not upright, an EXIF segment of 36 bytes that holds the orientation alone. Since everything that a decoder
reads to make pixels is copied unchanged and in order, the pixels are the same.

Bytes between the last coded pixel of a scan and the next marker are not looked for here, since only decoding
finds them: the strict decoding of `toolkit.images` refuses such files.
"""

import struct
from collections.abc import Iterator

from medtheca.toolkit.deidentify import exif, icc
from medtheca.toolkit.deidentify.jpeg_segments import (
    APP0,
    APP1,
    APP2,
    APP13,
    APP14,
    COM,
    DHT,
    DQT,
    DRI,
    SOS,
    JpegLayout,
    Segment,
    parse_jpeg,
)
from medtheca.toolkit.deidentify.jpeg_tables import keep_used_tables
from medtheca.toolkit.deidentify.stripped import Buffer, Pieces, Stripped, Tally, name_trailer

RECIPE = "strip-jpeg/2"

# Not DNL, which says a height again that the frame header has said: decoders pass over it, whatever it holds.
_CODING = frozenset({0xC0, 0xC1, 0xC2, DHT, DQT, DRI, SOS})
_ONCE = frozenset({"exif", "jfif", "adobe"})
_EXIF, _ICC, _JFIF, _ADOBE = b"Exif\x00", b"ICC_PROFILE\x00", b"JFIF\x00", b"Adobe"
_ICC_CHUNK = 65519
_KINDS = (
    (APP0, b"JFXX", "preview"),
    (APP0, b"JFIF", "jfif"),
    (APP1, b"Exif", "exif"),
    (APP1, b"http://ns.adobe.com/x", "xmp"),
    (APP2, b"ICC_PROFILE", "broken icc profile"),
    (APP2, b"MPF", "mpf"),
    (APP13, b"", "iptc"),
    (APP14, b"Adobe", "adobe"),
    (COM, b"", "comment"),
)


def strip_jpeg(data: Buffer) -> Stripped:
    """A copy of a JPEG file without metadata; the input itself where there is none.

    Raises:
        Refused: `truncated`, `corrupt` or `unsupported_variant`, from walking the segments.
    """
    return strip_layout(parse_jpeg(data), data)


def strip_layout(layout: JpegLayout, source: Buffer) -> Stripped:
    """As `strip_jpeg`, for a file whose segments are known."""
    tally = Tally()
    orientation = _find_orientation(layout)
    profile, chunks = _find_profile(layout)
    tables = keep_used_tables(layout)
    pieces = Pieces()
    pieces.append(layout.data[:2], source=0)
    written: set[str] = set()
    position = 2
    for segment in layout.segments:
        tally.add("padding", segment.start - position)
        position = segment.end
        original = layout.data[segment.start : segment.end]
        kind, replacement = _replace(layout, segment, orientation, chunks)
        if segment in tables:
            kind, replacement = "unused tables", tables[segment]
        if replacement is None:
            pieces.append(original, source=segment.start)
            continue
        if kind in _ONCE and kind in written:
            replacement = b""
        written.add(kind)
        pieces.append(replacement)
        if replacement != original:
            tally.add(kind, max(len(original) - len(replacement), 1))
    tally.add("padding", layout.end - 2 - position)
    pieces.append(layout.data[layout.end - 2 : layout.end], source=layout.end - 2)
    trailer = layout.data[layout.end :]
    tally.add(name_trailer(trailer), len(trailer))
    return pieces.strip(source, tally, orientation=orientation, icc=profile)


def _replace(
    layout: JpegLayout, segment: Segment, orientation: int, chunks: dict[Segment, bytes]
) -> tuple[str, bytes | None]:
    """The kind of a segment and what to write for it; None means the segment as it is.

    Of a kind in `_ONCE` the first is replaced and the others are left out.
    """
    if segment.marker in _CODING:
        return "", None
    payload = layout.payload(segment)
    kind = _name_kind(segment.marker, payload)
    if segment.start > layout.first_scan:
        return kind, b""  # Decoders have settled colour and orientation by then.
    if segment in chunks:
        return "icc wrapping", chunks[segment]
    replacement = b""
    if kind == "exif" and orientation != exif.UPRIGHT:
        replacement = _segment(APP1, b"Exif\x00\x00" + exif.write_orientation(orientation))
    elif kind == "jfif" and len(payload) >= 14:
        replacement = _plain_jfif(payload)
    elif kind == "adobe" and len(payload) >= 12:
        replacement = _plain_adobe(layout)
    return kind, replacement


def _name_kind(marker: int, payload: Buffer) -> str:
    start = bytes(payload[:24])
    for known, prefix, kind in _KINDS:
        if marker == known and start.startswith(prefix):
            return kind
    return f"app{marker - APP0}" if APP0 <= marker <= 0xEF else f"segment {marker:02x}"


def _segment(marker: int, payload: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload


def _plain_jfif(payload: Buffer) -> bytes:
    """JFIF with the density (it may say that pixels are not square) and without the preview."""
    version = bytes(payload[5:7]) if payload[5] == 1 and payload[6] <= 2 else b"\x01\x02"
    return _segment(APP0, _JFIF + version + bytes(payload[7:12]) + b"\x00\x00")


def _before_scan(layout: JpegLayout, marker: int, prefix: bytes) -> Iterator[tuple[Segment, memoryview]]:
    for segment in layout.segments:
        if segment.start >= layout.first_scan:
            return
        if segment.marker == marker:
            payload = layout.payload(segment)
            if bytes(payload[: len(prefix)]) == prefix:
                yield segment, payload


def _plain_adobe(layout: JpegLayout) -> bytes:
    """Adobe's segment with the colour transform alone: the last one's, as decoders take it.

    A transform that is not defined is written as what decoders make of it: YCbCr or YCCK.
    """
    transform = [payload[11] for _, payload in _before_scan(layout, APP14, _ADOBE) if len(payload) >= 12][-1]
    meaning = {3: 1, 4: 2}.get(layout.frame.components, 0)
    transform = meaning if transform not in (0, meaning) else transform
    return _segment(APP14, _ADOBE + bytes((0, 100, 0, 0, 0, 0, transform)))


def _find_orientation(layout: JpegLayout) -> int:
    for _, payload in _before_scan(layout, APP1, _EXIF):
        return exif.read_orientation(payload[6:])
    return exif.UPRIGHT


def _find_profile(layout: JpegLayout) -> tuple[bytes | None, dict[Segment, bytes]]:
    """The ICC profile and what to write for each of its segments.

    Chunks in order are written as they are; others are put in order, in the place of the first.
    A profile with missing chunks, or that is none, is left out: no viewer could use it.
    """
    found = list(_before_scan(layout, APP2, _ICC))
    numbered = [(payload[12], payload[13], payload[14:]) for _, payload in found if len(payload) >= 14]
    ordered = sorted(numbered, key=lambda chunk: chunk[0])
    count = len(ordered)
    if not count or [chunk[:2] for chunk in ordered] != [(n, count) for n in range(1, count + 1)]:
        return None, {}
    whole = b"".join(chunk[2] for chunk in ordered)
    profile = icc.find_clean_profile(whole)
    if profile is None:
        return None, {}
    segments = [segment for segment, _ in found]
    if ordered == numbered and profile == whole and len(found) == count:
        return profile, {s: bytes(layout.data[s.start : s.end]) for s in segments}
    return profile, dict.fromkeys(segments, b"") | {segments[0]: _wrap_profile(profile)}


def _wrap_profile(profile: bytes) -> bytes:
    parts = [profile[at : at + _ICC_CHUNK] for at in range(0, len(profile), _ICC_CHUNK)]
    return b"".join(_segment(APP2, _ICC + bytes((number, len(parts))) + part) for number, part in enumerate(parts, 1))
