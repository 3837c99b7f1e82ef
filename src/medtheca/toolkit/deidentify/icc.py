"""Which bytes are a colour profile, and a profile without the words in it. Source: ICC.1:2022, 7.2 and 7.3, 10."""

import re

from medtheca.toolkit.deidentify.stripped import Buffer

HEADER_BYTES = 128
_ENTRY = 12
_MOST_TAGS = 200
# Tags that colours are computed from, or that are numbers and single codes; all others may hold words.
_COLOUR = frozenset(
    b"rXYZ gXYZ bXYZ rTRC gTRC bTRC kTRC wtpt bkpt lumi chad chrm A2B0 A2B1 A2B2 A2B3 B2A0 B2A1 B2A2 B2A3 D2B0 D2B1 "
    b"D2B2 D2B3 B2D0 B2D1 B2D2 B2D3 gamt pre0 pre1 pre2 view meas tech cicp vcgt aarg aabg aagg rig0 rig2 clrt "
    b"clro".split()
)
# What widespread profiles say of themselves, longest first: words that are in millions of pictures tell nothing of one.
_SAID = """
sRGB IEC61966-2.1|sRGB IEC61966-2-1 black scaled|sRGB built-in|sRGB|Adobe RGB (1998)|Display P3|ProPhoto RGB
Generic RGB Profile|Generic Gray Profile|Generic Gray Gamma 2.2 Profile|Gray Gamma 2.2|Dot Gain 20%|uRGB|CC0
U.S. Web Coated (SWOP) v2|GIMP built-in sRGB|Artifex Software sRGB ICC Profile|RGB built-in|gray built-in
IEC http://www.iec.ch|Google Inc. 2016|Public Domain|No copyright, use freely
IEC 61966-2.1 Default RGB colour space - sRGB|IEC 61966-2-1 Default RGB Colour Space - sRGB
Reference Viewing Condition in IEC61966-2.1|Reference Viewing Condition in IEC 61966-2-1
Copyright (c) 1998 Hewlett-Packard Company|Copyright International Color Consortium, 2009
Copyright International Color Consortium, 2015|Copyright 1999 Adobe Systems Incorporated
Copyright 2000 Adobe Systems Incorporated
"""
_WIDESPREAD = sorted((said for line in _SAID.split("\n") for said in line.split("|") if said), key=len, reverse=True)
_STRUCTURE = (b"enUS", b"mluc", b"desc", b"text", b"\0e\0n\0U\0S")
_WORDS = re.compile(rb"[\x20-\x7e\x80-\xff]{3,}|(?:\0[\x20-\x7e]){3,}|(?:[\x20-\x7e]\0){3,}")


def find_profile(data: Buffer) -> bytes | None:
    """The ICC profile at the start of the data, cut to the length it declares; None if it is none.

    The check keeps other things from travelling under its label; `clean_profile` takes the words out.
    """
    if len(data) < HEADER_BYTES + 4 or bytes(data[36:40]) != b"acsp":
        return None
    size = int.from_bytes(data[:4], "big")
    if not HEADER_BYTES + 4 <= size <= len(data):
        return None
    return bytes(data[:size])


def find_clean_profile(data: Buffer) -> bytes | None:
    """As `find_profile`, and cleaned."""
    profile = find_profile(data)
    return None if profile is None else clean_profile(profile)


def clean_profile(profile: bytes) -> bytes | None:
    """The profile with zeros where it holds words that are not those of a widespread profile; nothing moves.

    Numbers that colours are computed from stay bit for bit, so every pixel is shown as before. The very object that
    came in where there is nothing to take out; None where its table of tags is damaged.
    """
    if find_profile(profile) != profile:
        return None
    count = int.from_bytes(profile[HEADER_BYTES : HEADER_BYTES + 4], "big")
    directory = HEADER_BYTES + 4 + _ENTRY * count
    if count > _MOST_TAGS or directory > len(profile):
        return None
    used = bytearray(len(profile))
    used[:100] = b"\1" * 100
    used[HEADER_BYTES:directory] = b"\1" * (directory - HEADER_BYTES)
    blanked: list[tuple[int, int]] = []
    for at in range(HEADER_BYTES + 4, directory, _ENTRY):
        start, size = int.from_bytes(profile[at + 4 : at + 8], "big"), int.from_bytes(profile[at + 8 : at + 12], "big")
        if start < directory or start + size > len(profile):
            return None
        if profile[at : at + 4] in _COLOUR or not _has_words(profile[start : start + size]):
            used[start : start + size] = b"\1" * size
        else:
            blanked.append((start, size))
    clean = bytearray(byte if kept else 0 for byte, kept in zip(profile, used, strict=True))
    for start, size in blanked:
        _write_nothing(clean, profile, start, size)
    if clean == profile:
        return profile
    clean[84:100] = bytes(16)  # its checksum: zeros say that there is none
    return bytes(clean)


def _has_words(content: bytes) -> bool:
    """Whether anything but widespread words stands in a tag."""
    rest = content
    for words in _WIDESPREAD:
        for spelling in (words.encode(), words.encode("utf-16-be"), words.encode("utf-16-le")):
            rest = rest.replace(spelling, b"\0" * 4)
    for known in _STRUCTURE:
        rest = rest.replace(known, b"\0" * 4)
    return bool(_WORDS.search(rest))


def _write_nothing(clean: bytearray, profile: bytes, start: int, size: int) -> None:
    """An empty text of the kind that was there, as far as it fits and no colour lies in the same place."""
    kind = bytes(profile[start : start + 4])
    empty = {b"desc": b"desc\0\0\0\0\0\0\0\1\0", b"mluc": b"mluc\0\0\0\0\0\0\0\0\0\0\0\x0c", b"text": b"text\0\0\0\0\0"}
    said = empty.get(kind, b"")[:size]
    if not any(clean[start : start + size]):
        clean[start : start + len(said)] = said
