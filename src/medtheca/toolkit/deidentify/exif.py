"""The one EXIF value that changes how pixels are shown. Source: TIFF 6.0, EXIF 2.32 tag 0x0112."""

import struct

from medtheca.toolkit.deidentify.stripped import Buffer

ORIENTATION_TAG = 0x0112
SHORT = 3
UPRIGHT = 1


def read_orientation(tiff: Buffer) -> int:
    """EXIF orientation, 1 to 8, of the first directory of a TIFF block; 1 where it is absent or malformed.

    As browsers do, only a single SHORT counts. Orientation written in XMP alone is not honoured, as
    browsers do not honour it either.
    """
    order = {b"II*\x00": "<", b"MM\x00*": ">"}.get(bytes(tiff[:4]))
    if order is None or len(tiff) < 8:
        return UPRIGHT
    (offset,) = struct.unpack_from(order + "I", tiff, 4)
    if offset + 2 > len(tiff):
        return UPRIGHT
    (count,) = struct.unpack_from(order + "H", tiff, offset)
    last = min(count, (len(tiff) - offset - 2) // 12)
    for start in range(offset + 2, offset + 2 + 12 * last, 12):
        tag, kind, values, value = struct.unpack_from(order + "HHIH", tiff, start)
        if tag == ORIENTATION_TAG:
            return value if kind == SHORT and values == 1 and 1 <= value <= 8 else UPRIGHT
    return UPRIGHT


def write_orientation(orientation: int) -> bytes:
    """A TIFF block of 26 bytes that says the orientation and nothing else."""
    header = struct.pack(">2sHI", b"MM", 42, 8)
    return header + struct.pack(">HHHIHHI", 1, ORIENTATION_TAG, SHORT, 1, orientation, 0, 0)
