"""Which tables of a JPEG its scans use. Others are room for words, so a copy goes without them.

Source: ITU-T T.81, B.2.3 (scan header), B.2.4.1 (quantisation tables), B.2.4.2 (Huffman tables).
"""

from typing import NamedTuple

from medtheca.toolkit.deidentify.faults import corrupt
from medtheca.toolkit.deidentify.jpeg_segments import DHT, DQT, DRI, SOS, JpegLayout, Segment

_DC, _AC = 0, 16


class _Table(NamedTuple):
    """A table's kind and number (DHT: class and number), and where it lies in its segment's parameters."""

    key: tuple[int, int]
    start: int
    end: int


def keep_used_tables(layout: JpegLayout) -> dict[Segment, bytes]:
    """What to write for each segment of tables and intervals: all of it, the tables that are used, or nothing.

    Raises:
        Refused: `corrupt` where a table or a scan header has another length than it says.
    """
    tables: dict[Segment, list[_Table]] = {}
    current: dict[tuple[int, int], tuple[Segment, _Table]] = {}
    used: set[tuple[Segment, _Table]] = set()
    last_scan = max(segment.start for segment in layout.segments if segment.marker == SOS)
    quantisers = _quantisers(layout)
    for segment in layout.segments:
        if segment.marker in (DHT, DQT):
            tables[segment] = _read_tables(layout, segment)
            current |= {table.key: (segment, table) for table in tables[segment]}
        elif segment.marker == SOS:
            used |= {current[key] for key in _keys_of_scan(layout, segment, quantisers) if key in current}
        elif segment.marker == DRI and segment.end - segment.start != 6:
            raise corrupt(f"the restart interval at byte {segment.start} has the wrong length")
    kept = {segment: _write_used(layout, segment, found, used) for segment, found in tables.items()}
    return kept | {segment: b"" for segment in layout.segments if segment.marker == DRI and segment.start > last_scan}


def _write_used(layout: JpegLayout, segment: Segment, found: list[_Table], used: set[tuple[Segment, _Table]]) -> bytes:
    whole = layout.data[segment.start : segment.end]
    wanted = [table for table in found if (segment, table) in used]
    if len(wanted) == len(found):
        return bytes(whole)
    body = b"".join(bytes(layout.payload(segment)[table.start : table.end]) for table in wanted)
    return bytes(whole[:2]) + (len(body) + 2).to_bytes(2, "big") + body if body else b""


def _read_tables(layout: JpegLayout, segment: Segment) -> list[_Table]:
    payload, tables, start = layout.payload(segment), list[_Table](), 0
    while start < len(payload):
        first = payload[start]
        if segment.marker == DHT:
            end = start + 17 + sum(payload[start + 1 : start + 17])
        else:
            end = start + 1 + (128 if first >> 4 else 64)
            first &= 15  # Its precision is no part of its number.
        tables.append(_Table((segment.marker, first), start, end))
        start = end
    if not tables or start != len(payload):
        raise corrupt(f"the tables at byte {segment.start} have the wrong length")
    return tables


def _quantisers(layout: JpegLayout) -> dict[int, int]:
    """The quantisation table of each component, from the frame header."""
    frame = next(segment for segment in layout.segments if segment.marker == layout.frame.process)
    payload = layout.payload(frame)
    return {payload[at]: payload[at + 2] for at in range(6, len(payload), 3)}


def _keys_of_scan(layout: JpegLayout, segment: Segment, quantisers: dict[int, int]) -> list[tuple[int, int]]:
    """Every table that decoding this scan may look at; a few too many where the scan is progressive."""
    length = int.from_bytes(layout.data[segment.start + 2 : segment.start + 4], "big")
    header = layout.payload(segment)[: length - 2]
    count = header[0] if header else 0
    if not 1 <= count <= 4 or len(header) != 4 + 2 * count:
        raise corrupt(f"the scan header at byte {segment.start} has the wrong length")
    keys = []
    for at in range(1, 1 + 2 * count, 2):
        component, numbers = header[at], header[at + 1]
        keys += [(DHT, _DC + (numbers >> 4)), (DHT, _AC + (numbers & 15))]
        if component in quantisers:
            keys.append((DQT, quantisers[component]))
    return keys
