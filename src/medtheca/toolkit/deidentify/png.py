"""A PNG without what could identify a person: no text, no EXIF, no dates, no unknown chunks, no trailers.

Kept are the pixels, the palette where they need one, transparency, and chunks of fixed length that say how colours and
pixel shape are meant. The ICC profile stays, without words of its own, under a neutral name. Where the picture is not
upright, an eXIf chunk of 26 bytes holds the orientation alone. The compressed pixels are copied as they
are, unless something is hidden in them behind the last row: then they are packed anew without it.
"""

import struct
import zlib
from collections.abc import Iterator

from medtheca.toolkit.deidentify import exif, icc
from medtheca.toolkit.deidentify.faults import corrupt, truncated
from medtheca.toolkit.deidentify.png_chunks import PALETTE, SIGNATURE, Chunk, PngLayout, parse_png
from medtheca.toolkit.deidentify.stripped import Buffer, Pieces, Stripped, Tally, name_trailer
from medtheca.toolkit.errors import Refused

RECIPE = "strip-png/2"

# Chunks without room for words: the lengths they may have. Others of the same name are left out.
_FIXED = {
    b"gAMA": (4,),
    b"cHRM": (32,),
    b"sRGB": (1,),
    b"cICP": (4,),
    b"mDCV": (24,),
    b"cLLI": (8,),
    b"sBIT": (1, 2, 3, 4),
    b"pHYs": (9,),
    b"bKGD": (1, 2, 6),
}
_TRANSPARENCY = {0: 2, 2: 6}
_KINDS = {b"eXIf": "exif", b"tEXt": "text", b"zTXt": "text", b"iTXt": "text", b"tIME": "time"}
_ANIMATION = frozenset({b"acTL", b"fcTL", b"fdAT"})
_PROFILE_NAME = b"icc"
# Profiles of printers reach a few megabytes.
MAX_PROFILE_BYTES = 32_000_000
_STEP = 1 << 20


def strip_png(data: Buffer) -> Stripped:
    """A copy of a PNG file without metadata; the input itself where there is none.

    Raises:
        Refused: `truncated`, `corrupt`, `animated` or `unsupported_variant`.
    """
    return strip_layout(parse_png(data), data)


def strip_layout(layout: PngLayout, source: Buffer) -> Stripped:
    """As `strip_png`, for a file whose chunks are known."""
    _refuse_animation(layout)
    tally = Tally()
    orientation = exif.read_orientation(layout.find(b"eXIf") or b"")
    profile, profile_chunk = _find_profile(layout)
    hidden = _count_hidden(layout)
    pieces = Pieces()
    pieces.append(SIGNATURE, source=0)
    seen: set[bytes] = set()
    for chunk in layout.chunks:
        original = layout.data[chunk.start : chunk.end]
        if chunk.name == b"IDAT" and hidden:
            if chunk.name not in seen:
                pieces.append(_chunk(b"IDAT", _pack_pixels(layout)))
                tally.add("hidden behind pixels", hidden)
        elif chunk.name == b"PLTE":
            palette = _plain_palette(layout)
            pieces.append(palette)
            if palette != original:
                tally.add("unused palette", max(len(original) - len(palette), 1))
        elif _keeps(layout, chunk, seen):
            pieces.append(original, source=chunk.start)
        else:
            replacement = b""
            if chunk.name == b"eXIf" and orientation != exif.UPRIGHT and chunk.name not in seen:
                replacement = _chunk(b"eXIf", exif.write_orientation(orientation))
            elif chunk.name == b"iCCP" and chunk.name not in seen:
                replacement = profile_chunk
            pieces.append(replacement)
            if replacement != original:
                tally.add(_name_kind(chunk.name), max(len(original) - len(replacement), 1))
        seen.add(chunk.name)
    trailer = layout.data[layout.end :]
    tally.add(name_trailer(trailer), len(trailer))
    return pieces.strip(source, tally, orientation=orientation, icc=profile)


def _refuse_animation(layout: PngLayout) -> None:
    # One accession is one image: showing the first frame would lose the others without a word.
    if any(chunk.name in _ANIMATION for chunk in layout.chunks):
        raise Refused(
            "animated",
            "This PNG is an animation; an accession is one still image.",
            "Save the frames that matter as PNG files of their own.",
        )


def _keeps(layout: PngLayout, chunk: Chunk, seen: set[bytes]) -> bool:
    """Whether a chunk goes over as it is."""
    if chunk.name in (b"IHDR", b"IDAT"):
        return True
    length = chunk.end - chunk.start - 12
    if chunk.name == b"IEND":
        if length:
            raise corrupt("its end chunk is not empty")
        return True
    if chunk.name in seen:
        return False
    if chunk.name == b"tRNS":
        return _transparency_fits(layout, length)
    return length in _FIXED.get(chunk.name, ())


def _plain_palette(layout: PngLayout) -> bytes:
    """The palette's chunk with the entries that pixels can name; nothing where pixels name none."""
    if layout.header.colour != PALETTE:
        return b""
    palette = layout.find(b"PLTE") or b""
    if not palette or len(palette) % 3 or len(palette) > 3 * 256:
        raise corrupt(f"its palette has {len(palette)} bytes; it takes three for each of 1 to 256 colours")
    return _chunk(b"PLTE", bytes(palette[: 3 << layout.header.depth]))


def _transparency_fits(layout: PngLayout, length: int) -> bool:
    if layout.header.colour == PALETTE:
        palette = layout.find(b"PLTE")
        return palette is not None and length <= min(len(palette) // 3, 1 << layout.header.depth)
    if _TRANSPARENCY.get(layout.header.colour) != length:
        raise corrupt("its transparency does not fit its colours")
    return True


def _name_kind(name: bytes) -> str:
    if name == b"iCCP":
        return "icc wrapping"
    return _KINDS.get(name, f"{name.decode()} chunk")


def _chunk(name: bytes, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload)) + name + payload + struct.pack(">I", zlib.crc32(name + payload))


def _find_profile(layout: PngLayout) -> tuple[bytes | None, bytes]:
    """The ICC profile and its chunk under a neutral name, since the name is free text."""
    payload = layout.find(b"iCCP")
    if payload is None:
        return None, b""
    name, separator, _ = bytes(payload[:80]).partition(b"\x00")
    packed = payload[len(name) + 1 :]
    if not separator or len(packed) < 2 or packed[0] != 0:
        return None, b""
    inflater = zlib.decompressobj()
    try:
        whole = inflater.decompress(packed[1:], MAX_PROFILE_BYTES)
    except zlib.error:
        return None, b""
    profile = icc.find_clean_profile(whole)
    if profile is None or not inflater.eof:
        return None, b""
    exact = profile == whole and not inflater.unused_data
    stream = bytes(packed[1:]) if exact else zlib.compress(profile, 9)
    return profile, _chunk(b"iCCP", _PROFILE_NAME + b"\x00\x00" + stream)


def _inflate_pixels(layout: PngLayout) -> Iterator[tuple[bytes, int]]:
    """The filtered rows in steps, each with the count of compressed bytes that lie behind the stream's end."""
    inflater = zlib.decompressobj()
    behind = 0
    for chunk in layout.chunks:
        if chunk.name != b"IDAT":
            continue
        packed = layout.payload(chunk)
        for at in range(0, len(packed), _STEP):
            piece: Buffer = packed[at : at + _STEP]
            if inflater.eof:
                behind += len(piece)
                continue
            for step in _inflate(inflater, piece):
                yield step, behind
            behind += len(inflater.unused_data)
    if not inflater.eof:
        raise truncated("its compressed pixels stop before their end")
    yield b"", behind


def _inflate(inflater: "zlib._Decompress", piece: Buffer) -> Iterator[bytes]:
    while not inflater.eof:
        try:
            step = inflater.decompress(piece, _STEP)
        except zlib.error as error:
            raise corrupt("its compressed pixels cannot be unpacked") from error
        yield step
        piece = inflater.unconsumed_tail
        if not piece and len(step) < _STEP:
            return


def _count_hidden(layout: PngLayout) -> int:
    """Bytes in the pixel chunks that belong to no pixel: rows too many, or data behind the stream."""
    length = behind = 0
    for step, behind in _inflate_pixels(layout):  # noqa: B007 - the last count is the total
        length += len(step)
    expected = layout.header.filtered_bytes
    if length < expected:
        raise truncated(f"it holds {length:,} of the {expected:,} bytes of its pixels")
    return length - expected + behind


def _pack_pixels(layout: PngLayout) -> bytes:
    """The filtered rows that belong to pixels, compressed again."""
    left = layout.header.filtered_bytes
    packer = zlib.compressobj(6)
    pieces = []
    for step, _ in _inflate_pixels(layout):
        pieces.append(packer.compress(step[:left]))
        left -= len(step[:left])
    return b"".join([*pieces, packer.flush()])
