"""Colours: luminance and chroma to RGB, palettes looked up (PS3.3 C.7.6.3.1.2, C.7.9)."""

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medtheca.toolkit.deidentify.faults import corrupt
from medtheca.toolkit.images.dicom.headers import Header

Samples = NDArray[Any]

_NAMES = ("Red", "Green", "Blue")
_MOST_ENTRIES = 65536


def from_ybr(samples: Samples, stored: int) -> Samples:
    """YBR_FULL as RGB of the same type, rounded."""
    most = (1 << stored) - 1
    middle = 1 << (stored - 1)
    y, b, r = (samples[..., index].astype(np.float32) for index in range(3))
    b -= middle
    r -= middle
    rgb = np.stack([y + 1.402 * r, y - 0.344136 * b - 0.714136 * r, y + 1.772 * b], axis=-1)
    clipped: Samples = np.clip(np.rint(rgb), 0, most).astype(samples.dtype)
    return clipped


def widen(pairs: Samples) -> Samples:
    """YBR_FULL_422, which stores Y Y B R for two pixels, as (rows, columns, 3)."""
    rows, half, _ = pairs.shape
    wide = np.empty((rows, half, 2, 3), np.uint8)
    wide[..., 0] = pairs[..., :2]
    wide[..., 1] = pairs[..., 2:3]
    wide[..., 2] = pairs[..., 3:4]
    return wide.reshape(rows, half * 2, 3)


@dataclass(frozen=True, slots=True)
class Palette:
    """`colours` is (entries, 3); `first` is the stored value that the first entry is for."""

    first: int
    colours: Samples

    def look_up(self, indices: Samples) -> Samples:
        """(rows, columns, 3). Values below and above the table take its ends, as the standard says."""
        places = indices.astype(np.int64)
        places -= self.first
        np.clip(places, 0, len(self.colours) - 1, out=places)
        return self.colours[places]


def read_palette(header: Header) -> Palette:
    """The palette of a PALETTE COLOR image, segmented or not. 8 bits where 16 hold no more than 8 do.

    Raises:
        Refused: `corrupt` where tables are missing, differ in length, or are shorter than they say.
    """
    first, tables = 0, []
    for name in _NAMES:
        descriptor = header.wholes(f"{name}PaletteColorLookupTableDescriptor")
        if descriptor is None or len(descriptor) != 3:
            raise corrupt("its palette is missing or not described")
        entries, first, bits = (descriptor[0] or _MOST_ENTRIES) & 0xFFFF or _MOST_ENTRIES, descriptor[1], descriptor[2]
        if bits not in {8, 16}:
            raise corrupt(f"its palette has entries of {bits} bits")
        tables.append(_read_table(header, name, entries, bits))
    # Read with the sign of the pixels; pydicom gives it unsigned where it cannot know.
    if header.whole("PixelRepresentation") == 1 and first >= 1 << 15:
        first -= 1 << 16
    if len({len(table) for table in tables}) != 1:
        raise corrupt("the three colours of its palette differ in length")
    return Palette(first, _narrow(np.stack(tables, axis=1)))


def _read_table(header: Header, name: str, entries: int, bits: int) -> Samples:
    order = "<" if header.little else ">"
    segmented = header.raw(f"Segmented{name}PaletteColorLookupTableData")
    if segmented:
        return _expand(struct.unpack(f"{order}{len(segmented) // 2}H", segmented[: len(segmented) // 2 * 2]), entries)
    raw = header.raw(f"{name}PaletteColorLookupTableData")
    if not raw:
        raise corrupt("its palette is missing")
    if len(raw) >= 2 * entries:
        words = np.frombuffer(raw, f"{order}u2", entries).astype(np.uint16)
        # 8 bits in words of 16: the value is in the lower half, or by some writers in the upper.
        return words if bits == 16 or not words.max(initial=0) <= 255 else words * 257
    if bits == 8 and len(raw) >= entries:
        return np.frombuffer(raw, np.uint8, entries).astype(np.uint16) * 257
    raise corrupt(f"its palette has {len(raw):,} bytes for {entries:,} entries")


def _expand(words: tuple[int, ...], entries: int) -> Samples:
    """PS3.3 C.7.9.2: discrete and linear segments, and repetitions of earlier ones."""
    table: list[int] = []
    _expand_segments(words, table, 0, len(words), entries, nested=False)
    if len(table) != entries:
        raise corrupt(f"its segmented palette has {len(table):,} entries and not {entries:,}")
    return np.array(table, np.uint16)


def _expand_segments(
    words: tuple[int, ...], table: list[int], at: int, end: int, most: int, *, nested: bool, count: int | None = None
) -> None:
    done = 0
    while at + 2 <= end and (count is None or done < count):
        kind, length = words[at], words[at + 1]
        done += 1
        if len(table) + (0 if kind == 2 else length) > most or (kind == 2 and nested):
            raise corrupt("its segmented palette is longer than it says")
        if kind == 0 and at + 2 + length <= end:
            table.extend(words[at + 2 : at + 2 + length])
            at += 2 + length
        elif kind == 1 and at + 3 <= end and table and length:
            last, goal = table[-1], words[at + 2]
            table.extend(round(last + (goal - last) * step / length) for step in range(1, length + 1))
            at += 3
        elif kind == 2 and at + 4 <= end:
            start = (words[at + 2] | words[at + 3] << 16) // 2
            _expand_segments(words, table, start, end, most, nested=True, count=length)
            at += 4
        else:
            raise corrupt("its segmented palette has a segment of no known kind")


def _narrow(table: Samples) -> Samples:
    """16 bits as 8 where nothing is lost: both bytes equal, or the lower always empty."""
    high, low = table >> 8, table & 0xFF
    if np.array_equal(high, low) or not low.any():
        return high.astype(np.uint8)
    return table
