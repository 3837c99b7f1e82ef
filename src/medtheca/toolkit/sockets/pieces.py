"""Files that are judged by their first and last bytes and by how they are put together: nothing in them is decoded."""

from __future__ import annotations

import struct

from medtheca.toolkit.errors import Refused
from medtheca.toolkit.images.identify import FORMAT_WORDS, identify
from medtheca.toolkit.ranges.readers import RangeReader

_HEAD, _TAIL = 4096, 2048
_MOST_PIECES = 1_000_000
_AGAIN = "Send it again, or export it again."
_BOXES = frozenset({b"moov", b"mdat"})


def check_pdf(file: RangeReader) -> None:
    """Raise `Refused` unless it begins and ends as a PDF does."""
    if b"%PDF-" not in file.read(0, 1024):
        raise _another(file, "a PDF")
    if b"%%EOF" not in _last(file):
        raise _cut("PDF", "its last bytes have no %%EOF")


def check_png(file: RangeReader) -> None:
    """Raise `Refused` unless its chunks follow each other from IHDR to IEND, and it has a size."""
    if file.read(0, 8) != b"\x89PNG\r\n\x1a\n":
        raise _another(file, "a PNG")
    at, first = 8, True
    for _ in range(_MOST_PIECES):
        head = file.read(at, 16)
        if len(head) < 8:
            raise _cut("PNG", "it ends before IEND")
        length, name = struct.unpack(">I4s", head[:8])
        if first and (name != b"IHDR" or length != 13 or 0 in struct.unpack(">II", head[8:16].ljust(8, b"\0"))):
            raise _cut("PNG", "it does not begin with a size")
        first = False
        at += 12 + length
        if at > file.size:
            raise _cut("PNG", f"it ends within a chunk {name.decode('latin-1')}")
        if name == b"IEND":
            return
    raise _cut("PNG", f"it has more than {_MOST_PIECES:,} chunks")


def check_jpeg(file: RangeReader) -> None:
    """Raise `Refused` unless its segments follow each other up to a scan, with a size, and its end is marked."""
    if file.read(0, 3) != b"\xff\xd8\xff":
        raise _another(file, "a JPEG")
    at, sized = 2, False
    for _ in range(_MOST_PIECES):
        head = file.read(at, 9)
        if len(head) < 9 or head[0] != 0xFF:
            raise _cut("JPEG", "its segments do not follow each other")
        marker = head[1]
        if marker == 0xFF:
            at += 1  # Fill bytes may stand before a marker.
            continue
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            sized = 0 not in struct.unpack(">HH", head[5:9])
        if marker == 0xDA:
            break
        at += 2 + int.from_bytes(head[2:4], "big")
    if not sized:
        raise _cut("JPEG", "it says no size")
    if b"\xff\xd9" not in _last(file):
        raise _cut("JPEG", "its end is not marked")


def check_mp4(file: RangeReader) -> None:
    """Raise `Refused` unless its boxes follow each other to its end, and a description and data are among them."""
    if file.read(4, 4) != b"ftyp":
        raise _another(file, "an MP4")
    at, seen = 0, set()
    for _ in range(_MOST_PIECES):
        if at == file.size:
            break
        head = file.read(at, 16)
        if len(head) < 8:
            raise _cut("MP4", "it ends within a box")
        size, name = int.from_bytes(head[:4], "big"), head[4:8]
        if size == 1:
            size = int.from_bytes(head[8:16], "big")
        elif size == 0:
            size = file.size - at
        if size < 8 or at + size > file.size:
            raise _cut("MP4", f"its box {name.decode('latin-1')} reaches beyond its end")
        seen.add(name)
        at += size
    if not seen >= _BOXES:
        raise _cut("MP4", "it lacks moov or mdat, which hold the description and the film")


def check_sqlite(file: RangeReader) -> None:
    """Raise `Refused` unless the header is that of SQLite 3, and says as many pages as there are."""
    head = file.read(0, 100)
    if len(head) < 100 or not head.startswith(b"SQLite format 3\0"):
        raise _another(file, "a database of SQLite 3, which SQREG is")
    page = int.from_bytes(head[16:18], "big")
    page = 65536 if page == 1 else page
    if page < 512 or page & (page - 1) or file.size % page:
        raise _cut("SQREG file", "its size is no multiple of its pages'")
    changed, pages, valid_for = (int.from_bytes(head[at : at + 4], "big") for at in (24, 28, 92))
    # Only where the counters agree the number of pages was written by a library that keeps it.
    if changed == valid_for and pages and pages * page > file.size:
        raise _cut("SQREG file", f"it says {pages:,} pages, and has {file.size // page:,}")


def _last(file: RangeReader) -> bytes:
    return file.read(max(0, file.size - _TAIL), _TAIL)


def _another(file: RangeReader, wanted: str) -> Refused:
    found = identify(file.read(0, _HEAD))
    what = f"It is {FORMAT_WORDS[found]}" if found in FORMAT_WORDS else "Its first bytes are of no format known here"
    return Refused("wrong_content", f"{what}, and has to be {wanted}.", "Choose another file, or another socket.")


def _cut(name: str, why: str) -> Refused:
    return Refused("damaged", f"The {name} is cut off or damaged: {why}.", _AGAIN)
