"""The outermost layer of a DICOM file: every element's place and length, checked before a library reads any of it.

PS3.5 section 7 and PS3.10 section 7. The walk has no recursion, takes nothing but numbers from the file and stops at
the pixels, whose bytes it does not copy. What it has passed, pydicom reads without surprises: no length points outside,
nesting and number of elements are bounded, and a deflated data set is unpacked up to a limit only.
"""

import struct
import zlib
from dataclasses import dataclass
from typing import NamedTuple

from pydicom.datadict import dictionary_VR

from medtheca.toolkit.deidentify.faults import corrupt, truncated
from medtheca.toolkit.deidentify.stripped import Buffer
from medtheca.toolkit.errors import Refused

MOST_ELEMENTS = 400_000
DEEPEST = 64
MOST_HEADER_BYTES = 200_000_000

IMPLICIT_LITTLE = "1.2.840.10008.1.2"
EXPLICIT_LITTLE = "1.2.840.10008.1.2.1"
EXPLICIT_BIG = "1.2.840.10008.1.2.2"
DEFLATED = "1.2.840.10008.1.2.1.99"

PIXEL_DATA = 0x7FE00010
FLOAT_PIXEL_DATA = 0x7FE00008
DOUBLE_PIXEL_DATA = 0x7FE00009
_PIXELS = frozenset({PIXEL_DATA, FLOAT_PIXEL_DATA, DOUBLE_PIXEL_DATA})
_TRANSFER_SYNTAX = 0x00020010

_ITEM = 0xFFFEE000
_ITEM_END = 0xFFFEE00D
_SEQUENCE_END = 0xFFFEE0DD
_UNDEFINED = 0xFFFFFFFF
_PREAMBLE = 128

# Explicit VRs whose length takes four bytes after two reserved ones (PS3.5 table 7.1-1); all others take two.
_LONG = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
_SHORT = frozenset(b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split())


@dataclass(frozen=True, slots=True)
class Encoding:
    """How elements are written."""

    implicit: bool
    little: bool


@dataclass(frozen=True, slots=True)
class PixelPlace:
    """Where the pixels lie in `Layout.body`: one run of bytes, or fragments, the first of which is the offset table."""

    tag: int
    vr: str
    start: int
    length: int
    fragments: tuple[tuple[int, int], ...] | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """What the walk found. `start` to `end` of `body` are the elements before the pixels.

    `body` is the file itself, or what a deflated data set unpacks to.
    """

    syntax: str
    encoding: Encoding
    body: Buffer
    start: int
    end: int
    pixels: PixelPlace | None
    has_meta: bool


def looks_like_dicom(head: Buffer) -> bool:
    """Whether a file without the preamble begins like a data set: as files of old scanners do.

    >>> looks_like_dicom(bytes.fromhex("0800050043530a00") + b"ISO_IR 100")
    True
    """
    if len(head) < 132:
        head = bytes(head).ljust(132, b"\0")
    if bytes(head[_PREAMBLE : _PREAMBLE + 4]) == b"DICM":
        return True
    for order in ("<", ">"):
        group, number, vr, short = struct.unpack_from(f"{order}HH2sH", head)
        (long,) = struct.unpack_from(f"{order}L", head, 4)
        if group == 0x0002 and order == "<" and number == 0 and vr == b"UL":
            return True
        if group == 0x0008 and number <= 0x0070:
            if vr in _SHORT and short <= 1024:
                return True
            if vr not in _SHORT | _LONG and number in (0, 1, 5, 8, 0x12, 0x16) and long <= 1024:
                return order == "<"
    return False


def read_layout(data: Buffer, *, memory: int) -> Layout:
    """Walk a file up to its pixels.

    Raises:
        Refused: `unsupported_format` if it does not begin like DICOM, `truncated`, `corrupt`, `too_many_pixels` if a
            deflated data set unpacks to more than `memory` bytes, `unsupported_variant`.
    """
    if len(data) < 8 or not looks_like_dicom(data[:132]):
        raise Refused("unsupported_format", "This is not a DICOM file.", "Send it with the extension that it has.")
    at = _PREAMBLE + 4 if bytes(data[_PREAMBLE : _PREAMBLE + 4]) == b"DICM" else 0
    at, syntax, has_meta = _read_meta(data, at)
    body: Buffer = data
    if syntax == DEFLATED:
        body, at = _inflate(data[at:], memory), 0
    if syntax is None:
        encoding = _guess(body, at)
        syntax = _syntax_of(encoding)
    else:
        encoding = Encoding(implicit=syntax == IMPLICIT_LITTLE, little=syntax != EXPLICIT_BIG)
        encoding = _as_written(body, at, encoding)
    end, pixels = _Walk(body, encoding).run(at)
    if end - at > MOST_HEADER_BYTES:
        raise Refused(
            "unsupported_variant",
            f"Its header alone has {end - at:,} bytes; at most {MOST_HEADER_BYTES:,} are read.",
            "Export the images from their source in smaller files.",
        )
    return Layout(syntax, encoding, body, at, end, pixels, has_meta)


def _read_meta(data: Buffer, at: int) -> tuple[int, str | None, bool]:
    """Where the data set begins, and its transfer syntax as the file meta information names it."""
    syntax, found = None, False
    for _ in range(MOST_ELEMENTS):
        head = bytes(data[at : at + 12])
        if head[:2] != b"\x02\x00" or len(head) < 8:
            break
        found = True
        vr, size = head[4:6], 8
        if vr in _LONG and len(head) == 12:
            length, size = int.from_bytes(head[8:12], "little"), 12
        elif vr in _SHORT:
            length = int.from_bytes(head[6:8], "little")
        else:
            raise corrupt("its file meta information is not explicit little-endian")
        if at + size + length > len(data):
            raise truncated("its file meta information is cut off")
        if head[:4] == b"\x02\x00\x10\x00":
            raw = bytes(data[at + size : at + size + min(length, 65)])
            syntax = raw.rstrip(b"\0 ").decode("ascii", "replace")
        at += size + length
    return at, syntax or None, found


def _inflate(data: Buffer, memory: int) -> bytes:
    """A deflated data set, unpacked. Refused as soon as it is known to be more than `memory`."""
    unpacking = zlib.decompressobj(-zlib.MAX_WBITS)
    memory //= 2  # the pixels are copied out of it
    try:
        body = unpacking.decompress(data, memory)
        if not unpacking.eof and (unpacking.unconsumed_tail or unpacking.decompress(b"", 1)):
            raise Refused(
                "too_many_pixels",
                f"{len(data):,} bytes of its deflated data set unpack to more than {memory:,}, which is not read.",
                "Send it with another transfer syntax, or in parts.",
            )
    except zlib.error as error:
        raise corrupt("its deflated data set cannot be unpacked") from error
    if not unpacking.eof:
        raise truncated("its deflated data set is cut off")
    return body


def _guess(body: Buffer, at: int) -> Encoding:
    head = bytes(body[at : at + 8]).ljust(8, b"\0")
    little = int.from_bytes(head[:2], "little") <= int.from_bytes(head[:2], "big")
    return Encoding(implicit=head[4:6] not in _SHORT | _LONG, little=little)


def _syntax_of(encoding: Encoding) -> str:
    if encoding.implicit:
        if not encoding.little:
            raise corrupt("it is neither implicit little-endian nor explicit")
        return IMPLICIT_LITTLE
    return EXPLICIT_LITTLE if encoding.little else EXPLICIT_BIG


def _as_written(body: Buffer, at: int, encoding: Encoding) -> Encoding:
    """As the first element is written: some writers name explicit and write implicit, or the other way round."""
    vr = bytes(body[at + 4 : at + 6])
    if len(vr) < 2:
        return encoding
    implicit = not all(0x40 < byte < 0x5B for byte in vr)
    if implicit and not encoding.little:
        raise corrupt("its first element is not written as its transfer syntax says")
    return Encoding(implicit=implicit, little=encoding.little)


@dataclass(slots=True)
class _Level:
    """A data set or a sequence that is being walked. `end` is None where a delimiter ends it."""

    is_sequence: bool
    implicit: bool
    end: int | None
    limit: int


class _Element(NamedTuple):
    tag: int
    vr: bytes  # empty where the file does not write it
    length: int
    at: int


class _Walk:
    def __init__(self, body: Buffer, encoding: Encoding) -> None:
        self._body = body
        order = "<" if encoding.little else ">"
        self._tag = struct.Struct(f"{order}HH")
        self._long = struct.Struct(f"{order}L")
        self._short = struct.Struct(f"{order}H")
        self._implicit = encoding.implicit
        self._elements = 0

    def run(self, at: int) -> tuple[int, PixelPlace | None]:
        """Where the header ends, and where the pixels are."""
        size = len(self._body)
        stack = [_Level(is_sequence=False, implicit=self._implicit, end=size, limit=size)]
        while stack:
            level = stack[-1]
            if level.end is not None and at >= level.end:
                if at > level.end:
                    raise corrupt("an element is longer than the sequence that holds it")
                stack.pop()
                continue
            if len(stack) == 1 and self._is_padding(at):
                break
            self._count(stack)
            if level.is_sequence:
                at = self._enter_item(at, level, stack)
                continue
            start = at
            tag, vr, length, at = self._read_element(at, level)
            if tag == _ITEM_END and level.end is None:
                stack.pop()
            elif len(stack) == 1 and tag in _PIXELS:
                return start, self._place_pixels(tag, vr, length, at)
            else:
                at = self._pass_value(_Element(tag, vr, length, at), level, stack)
        return at, None

    def _count(self, stack: list[_Level]) -> None:
        self._elements += 1
        if self._elements > MOST_ELEMENTS:
            raise corrupt(f"its header has more than {MOST_ELEMENTS:,} elements")
        if len(stack) > 2 * DEEPEST:
            raise corrupt(f"its sequences are nested more than {DEEPEST} deep")

    def _is_padding(self, at: int) -> bool:
        """Zeros after the last element, to fill a block of some disc."""
        rest = self._body[at:]
        return len(rest) < 8 and not any(rest)

    def _unpack(self, kind: struct.Struct, at: int, limit: int) -> tuple[int, ...]:
        if at + kind.size > limit:
            raise truncated("an element of its header is cut off")
        return kind.unpack_from(self._body, at)

    def _read_element(self, at: int, level: _Level) -> tuple[int, bytes, int, int]:
        """Tag, VR (empty if implicit), length, and where the value begins."""
        group, number = self._unpack(self._tag, at, level.limit)
        tag = group << 16 | number
        if group == 0xFFFE or level.implicit:
            (length,) = self._unpack(self._long, at + 4, level.limit)
            return tag, b"", length, at + 8
        vr = bytes(self._body[at + 4 : at + 6])
        if vr in _LONG:
            (length,) = self._unpack(self._long, at + 8, level.limit)
            return tag, vr, length, at + 12
        if vr not in _SHORT:
            raise corrupt(f"its element ({group:04X},{number:04X}) has no value representation that exists")
        (length,) = self._unpack(self._short, at + 6, level.limit)
        return tag, vr, length, at + 8

    def _pass_value(self, element: _Element, level: _Level, stack: list[_Level]) -> int:
        """Where the walk goes on: behind the value, or inside of it where it is a sequence."""
        tag, vr, length, at = element
        is_sequence = vr == b"SQ" or (not vr and _is_sequence(tag))
        if tag >> 16 == 0xFFFE:
            raise corrupt("a delimiter stands where none belongs")
        if length != _UNDEFINED:
            if at + length > level.limit:
                raise (truncated if len(stack) == 1 else corrupt)(
                    f"its element {_words(tag)} is longer than what holds it"
                )
            if is_sequence and length:
                stack.append(_Level(is_sequence=True, implicit=level.implicit, end=at + length, limit=at + length))
                return at
            return at + length
        if not (is_sequence or vr in {b"UN", b""}):
            raise corrupt(f"its element {_words(tag)} has no length")
        # PS3.5 6.2.2: UN of undefined length is a sequence written implicitly.
        implicit = level.implicit or vr == b"UN"
        stack.append(_Level(is_sequence=True, implicit=implicit, end=None, limit=level.limit))
        return at

    def _enter_item(self, at: int, level: _Level, stack: list[_Level]) -> int:
        group, number = self._unpack(self._tag, at, level.limit)
        (length,) = self._unpack(self._long, at + 4, level.limit)
        tag, at = group << 16 | number, at + 8
        if tag == _SEQUENCE_END:
            if level.end is not None and at != level.end:
                raise corrupt("a sequence ends before its end")
            stack.pop()
            return at
        if tag != _ITEM:
            raise corrupt("a sequence holds something other than items")
        end = None if length == _UNDEFINED else at + length
        if end is not None and end > level.limit:
            raise corrupt("an item is longer than the sequence that holds it")
        implicit = level.implicit
        limit = level.limit if end is None else end
        if not implicit and at + 6 <= limit and (end is None or length):
            # Some writers put implicit items into explicit files; pydicom goes by the first element too.
            vr = self._body[at + 4 : at + 6]
            is_end = self._tag.unpack_from(self._body, at)[0] == 0xFFFE
            implicit = not is_end and not all(0x40 < byte < 0x5B for byte in vr)
        stack.append(_Level(is_sequence=False, implicit=implicit, end=end, limit=limit))
        return at

    def _place_pixels(self, tag: int, vr: bytes, length: int, at: int) -> PixelPlace:
        name = vr.decode("ascii") or {FLOAT_PIXEL_DATA: "OF", DOUBLE_PIXEL_DATA: "OD"}.get(tag, "OW")
        if length != _UNDEFINED:
            if at + length > len(self._body):
                raise truncated(f"of {length:,} bytes of pixel data {max(0, len(self._body) - at):,} are there")
            return PixelPlace(tag, name, at, length)
        start, fragments = at, []
        while True:
            if at + 8 > len(self._body):
                raise truncated("its pixel data have no end")
            group, number = self._tag.unpack_from(self._body, at)
            (length,) = self._long.unpack_from(self._body, at + 4)
            item, at = group << 16 | number, at + 8
            if item == _SEQUENCE_END:
                break
            if item != _ITEM or length == _UNDEFINED:
                raise corrupt("its pixel data hold something other than fragments")
            if at + length > len(self._body):
                raise truncated("the last fragment of its pixel data is cut off")
            fragments.append((at, length))
            if len(fragments) > MOST_ELEMENTS:
                raise corrupt(f"its pixel data have more than {MOST_ELEMENTS:,} fragments")
            at += length
        if not fragments:
            raise corrupt("its pixel data have no offset table")
        return PixelPlace(tag, name, start, at - start, tuple(fragments))


def _is_sequence(tag: int) -> bool:
    try:
        return dictionary_VR(tag) == "SQ"
    except KeyError:
        return False


def _words(tag: int) -> str:
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X})"
