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


_EXIF_DIRECTORY, _GPS_DIRECTORY = 0x8769, 0x8825
_MOST_ENTRIES = 2000
# What tags tell about a person, by the words for it. Source: TIFF 6.0, EXIF 2.32, Microsoft's XP tags, DNG 1.6.
_TOLD_BY = {
    "date and time": {0x0132, 0x9003, 0x9004, 0xC71B},
    "camera": {0x010F, 0x0110, 0xA433, 0xA434},
    "serial number": {0xA431, 0xA435, 0xC62F},
    "name of a person": {0x013B, 0x8298, 0xA430, 0x9C9D},
    "description or comment": {0x010E, 0x9286, 0x9C9B, 0x9C9C, 0x9C9E, 0x9C9F},
    "maker's note": {0x927C},
}
POSITION = "position (GPS)"
"""The kind that tells where a picture was taken."""
PREVIEW = "preview picture"
CONTENTS = frozenset({*_TOLD_BY, POSITION, PREVIEW})
"""Every kind that `name_contents` may give."""


def name_contents(tiff: Buffer) -> tuple[str, ...]:
    """What a TIFF block tells about a person or a place, in words, never the values; sorted.

    Directories are looked at by their tags alone. One that is damaged tells nothing.

    >>> name_contents(write_orientation(6))
    ()
    """
    order = {b"II*\x00": "<", b"MM\x00*": ">"}.get(bytes(tiff[:4]))
    if order is None or len(tiff) < 8:
        return ()
    (first,) = struct.unpack_from(order + "I", tiff, 4)
    tags, second = _tags_of(tiff, order, first)
    found = {PREVIEW} if second else set()
    if _EXIF_DIRECTORY in tags:
        inner, _ = _tags_of(tiff, order, tags[_EXIF_DIRECTORY])
        tags = inner | tags
    # A directory that holds its version alone says nothing of a place.
    if _GPS_DIRECTORY in tags and set(_tags_of(tiff, order, tags[_GPS_DIRECTORY])[0]) - {0}:
        found.add(POSITION)
    found |= {words for words, numbers in _TOLD_BY.items() if numbers & set(tags)}
    return tuple(sorted(found))


def _tags_of(tiff: Buffer, order: str, offset: int) -> tuple[dict[int, int], int]:
    """The tags of a directory, each with the number that stands beside it, and where the next directory is."""
    if offset + 2 > len(tiff):
        return {}, 0
    (count,) = struct.unpack_from(order + "H", tiff, offset)
    end = offset + 2 + 12 * count
    tags = {}
    for start in range(offset + 2, offset + 2 + 12 * min(count, _MOST_ENTRIES, (len(tiff) - offset - 2) // 12), 12):
        tag, _kind, _values, value = struct.unpack_from(order + "HHII", tiff, start)
        tags[tag] = value
    (following,) = struct.unpack_from(order + "I", tiff, end) if end + 4 <= len(tiff) else (0,)
    return tags, following
