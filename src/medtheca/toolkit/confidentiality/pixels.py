"""Pixels, byte for byte, without what hides beside them: bits that no value has, padding, comments in coded frames."""

import struct
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from medtheca.toolkit.confidentiality.streams import blank_jpeg, blank_jpeg_2000
from medtheca.toolkit.deidentify.faults import corrupt, unsupported
from medtheca.toolkit.deidentify.stripped import Buffer
from medtheca.toolkit.images.dicom.formats import HTJ2K, JPEG, JPEG_2000, JPEG_LS, NATIVE, RLE, PixelFormat

_ITEM, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE0DD
_UNDEFINED = 0xFFFFFFFF
_RLE_HEADER = 64


@dataclass(frozen=True, slots=True)
class CleanPixels:
    """The value of the pixel element (with items and delimiter if coded), and what was taken from it, in words."""

    value: bytes
    coded: bool
    taken: tuple[str, ...]
    lengths: tuple[int, ...] = ()
    """Of the coded fragments."""


def clean_pixels(body: Buffer, form: PixelFormat) -> CleanPixels:
    """The pixel data as they are, but for what is no pixel.

    Raises:
        Refused: `unsupported_variant` where the coding is not known well enough to look beside the pixels.
    """
    if form.syntax in NATIVE:
        return _clean_native(body, form)
    fragments = form.place.fragments or ()
    taken: tuple[str, ...] = ()
    table, *parts = (bytes(body[at : at + length]) for at, length in fragments)
    if form.syntax == RLE:
        cleaned = [_clean_rle(part) for part in parts]
    elif form.syntax in JPEG | JPEG_LS:
        cleaned, taken = _clean_streams(parts, b"\xff\xd8", blank_jpeg)
    elif form.syntax in JPEG_2000 | HTJ2K:
        cleaned, taken = _clean_streams(parts, b"\xff\x4f", blank_jpeg_2000)
    else:
        raise unsupported(
            "Its frames are coded in a way whose every byte is not known to be of a picture.",
            "Export it uncompressed, or as JPEG, JPEG-LS, JPEG 2000 or RLE.",
        )
    offsets = _check_table(table, cleaned)
    items = [struct.pack("<LL", _swap(_ITEM), len(part)) + part for part in (offsets, *cleaned)]
    value = b"".join([*items, struct.pack("<LL", _swap(_SEQUENCE_END), 0)])
    if table and not offsets:
        taken = (*taken, "a table of frames that was wrong")
    return CleanPixels(value, coded=True, taken=taken, lengths=tuple(map(len, cleaned)))


def _swap(tag: int) -> int:
    """Group first, then element, each with the low byte first."""
    return (tag & 0xFFFF) << 16 | tag >> 16


def _clean_native(body: Buffer, form: PixelFormat) -> CleanPixels:
    place = form.place
    promised = -(-form.bits_per_frame * form.frames // 8)
    value = bytearray(body[place.start : place.start + promised])
    rest = bytes(body[place.start + promised : place.start + place.length])
    taken = ["padding behind the pixels"] if any(rest) else []
    if _clear_unused_bits(value, form):
        taken.append("bits that no value has")
    value += bytes(len(value) % 2)
    return CleanPixels(bytes(value), coded=False, taken=tuple(taken))


def _clear_unused_bits(value: bytearray, form: PixelFormat) -> bool:
    """Clear the bits beside those of the values, unless they only repeat the sign; whether any were set."""
    if form.floating or form.allocated < 8 or form.stored == form.allocated:
        return False
    order = "<" if form.little else ">"
    samples = np.frombuffer(value, f"{order}u{form.allocated // 8}")
    kind = np.dtype(f"u{form.allocated // 8}").type
    low = form.high_bit + 1 - form.stored
    mask = ((1 << form.stored) - 1) << low
    above = ((1 << form.allocated) - 1) >> (form.high_bit + 1) << (form.high_bit + 1)
    hidden = samples & kind(~mask & ((1 << form.allocated) - 1))
    if form.signed:
        negative = (samples & kind(1 << form.high_bit)) != 0
        hidden = np.where(negative & (hidden == kind(above)), kind(0), hidden)
    places = hidden != 0
    if not places.any():
        return False
    samples[places] &= kind(mask)
    return True


def _clean_streams(
    parts: list[bytes], begins: bytes, blank: Callable[[bytearray], int]
) -> tuple[list[bytes], tuple[str, ...]]:
    """Each frame's stream, which may lie in several fragments, blanked; fragments keep their lengths."""
    streams: list[list[bytes]] = []
    for part in parts:
        if part.startswith(begins) or not streams:
            streams.append([])
        streams[-1].append(part)
    cleaned, blanked = [], 0
    for pieces in streams:
        stream = bytearray(b"".join(pieces))
        blanked += blank(stream)
        at = 0
        for piece in pieces:
            cleaned.append(bytes(stream[at : at + len(piece)]))
            at += len(piece)
    return cleaned, (("comments in coded frames",) if blanked else ())


def _clean_rle(part: bytes) -> bytes:
    """PS3.5 annex G: what the header of a frame does not need is zero."""
    if len(part) < _RLE_HEADER:
        raise corrupt("a frame coded by RLE has no header")
    count = int.from_bytes(part[:4], "little")
    if not 1 <= count <= 15:
        raise corrupt("a frame coded by RLE has an impossible number of segments")
    used = 4 + 4 * count
    return part[:used] + bytes(_RLE_HEADER - used) + part[_RLE_HEADER:]


def _check_table(table: bytes, parts: list[bytes]) -> bytes:
    """The basic offset table if each of its entries is the beginning of a fragment; else none."""
    starts, at = set(), 0
    for part in parts:
        starts.add(at)
        at += 8 + len(part)
    entries = struct.unpack(f"<{len(table) // 4}L", table[: len(table) // 4 * 4])
    sound = len(table) % 4 == 0 and set(entries) <= starts and list(entries) == sorted(set(entries))
    return table if sound else b""
