"""ZIPs byte by byte: `forge` writes any archive from `Part`s, in which every field of both headers can be made to lie.

What each trick must come to is in `zip_cases`.
"""

import bz2
import lzma
import stat
import struct
import zlib
from dataclasses import dataclass

STORED, DEFLATED, DEFLATE64, BZIP2, LZMA = 0, 8, 9, 12, 14
PICTURE = bytes(range(256)) * 8
ONE_MIB = 1 << 20


@dataclass(kw_only=True)
class Part:
    """One member, honest by default; `local_` fields go to the header beside the data, the rest to the directory."""

    path: str | bytes
    content: bytes = PICTURE
    method: int = DEFLATED
    flags: int = 0
    made_by: int = 3 << 8 | 20
    mode: int = stat.S_IFREG | 0o644
    dos_attributes: int = 0
    extra: bytes = b""
    compressed: bytes | None = None
    size: int | None = None
    compressed_size: int | None = None
    crc: int | None = None
    offset: int | None = None
    disk: int = 0
    zip64: bool = False
    descriptor: bool = False
    local_path: bytes | None = None
    local_method: int | None = None
    local_flags: int | None = None
    local_size: int | None = None
    local_extra: bytes | None = None

    def raw_path(self) -> bytes:
        return self.path if isinstance(self.path, bytes) else self.path.encode()

    def packed(self) -> bytes:
        return self.compressed if self.compressed is not None else compress(self.content, self.method)


def compress(content: bytes, method: int) -> bytes:
    if method == DEFLATED:
        packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
        return packer.compress(content) + packer.flush()
    if method == BZIP2:
        return bz2.compress(content)
    if method == LZMA:
        return lzma_of(content, dictionary=1 << 16)
    return content


def forge(
    parts: list[Part],
    *,
    prefix: bytes = b"",
    count_prefix: bool = False,
    comment: bytes = b"",
    zip64_end: bool = False,
    entries: int | None = None,
    disk: int = 0,
    suffix: bytes = b"",
) -> bytes:
    """The archive. `count_prefix`: offsets are from the start of the file, else from the first header."""
    body = bytearray(prefix)
    directory = bytearray()
    base = 0 if count_prefix else len(prefix)
    for part in parts:
        offset = len(body) - base if part.offset is None else part.offset
        body += _local(part)
        directory += _central(part, offset)
    count = len(parts) if entries is None else entries
    start = len(body) - base
    body += directory
    if zip64_end:
        record = len(body) - base
        body += struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, disk, disk, count, count, len(directory), start)
        body += struct.pack("<4sLQL", b"PK\x06\x07", 0, record, 1)
        body += struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 65535, 65535, 2**32 - 1, 2**32 - 1, len(comment))
    else:
        body += _end(count, len(directory), start, len(comment), disk)
    return bytes(body + comment + suffix)


def many(count: int) -> bytes:
    """`count` tiny files in folders of ten, as a cohort of patients would be."""
    parts = [Part(path=f"P{i // 10:05d}/IMG_{i:06d}.jpg", content=b"x", method=STORED) for i in range(count)]
    return forge(parts, zip64_end=True)


def bomb(size: int = 300 * ONE_MIB) -> bytes:
    """`size` zero bytes in about a thousandth of it."""
    return forge([Part(path="zeros.png", content=bytes(size)), Part(path="honest.jpg")])


def overlapping_quotes(layers: int = 20, kernel: int = ONE_MIB) -> bytes:
    """Fifield's construction: each member's deflate stream quotes the next header and goes on into its data."""
    packed, content, directory = compress(bytes(kernel), DEFLATED), bytes(kernel), []
    body = b""
    for layer in reversed(range(layers)):
        part = Part(path=f"{layer:03d}.png", content=content, compressed=packed)
        header = _local(part)[: -len(packed)]
        directory.append((part, len(header)))
        body = header + (body or packed)
        quote = struct.pack("<BHH", 0, len(header), len(header) ^ 0xFFFF)
        if layer:
            packed, content, body = quote + header + packed, header + content, quote + body
    offset, entries = 0, b""
    for part, header_length in reversed(directory):
        entries += _central(part, offset)
        offset += header_length + 5
    return body + entries + _end(layers, len(entries), len(body), 0, 0)


def overlapping_copies(copies: int = 1000) -> bytes:
    """One body, listed a thousand times."""
    kernel = Part(path="kernel.png", content=bytes(ONE_MIB))
    body, packed = _local(kernel), kernel.packed()
    entries = b"".join(
        _central(Part(path=f"{i}.png", content=b"", compressed=packed, size=ONE_MIB), 0) for i in range(copies)
    )
    return body + entries + _end(copies, len(entries), len(body), 0, 0)


def _local(part: Part) -> bytes:
    packed, raw_path = part.packed(), part.raw_path()
    raw_path = raw_path if part.local_path is None else part.local_path
    flags = part.flags if part.local_flags is None else part.local_flags
    crc = zlib.crc32(part.content) if part.crc is None else part.crc
    size = len(part.content) if part.local_size is None else part.local_size
    compressed_size = len(packed)
    extra = part.extra if part.local_extra is None else part.local_extra
    tail = b""
    if part.zip64:
        extra = struct.pack("<HHQQ", 1, 16, size, compressed_size) + extra
        size = compressed_size = 2**32 - 1
    if part.descriptor:
        tail = struct.pack("<4s3L", b"PK\x07\x08", crc, compressed_size, size)
        flags, crc, compressed_size, size = flags | 8, 0, 0, 0
    method = part.method if part.local_method is None else part.local_method
    header = struct.pack(
        "<4s5H3L2H",
        b"PK\x03\x04",
        20,
        flags,
        method,
        0,
        33,
        crc,
        compressed_size,
        size,
        len(raw_path),
        len(extra),
    )
    return header + raw_path + extra + packed + tail


def _central(part: Part, offset: int) -> bytes:
    raw_path, extra = part.raw_path(), part.extra
    crc = zlib.crc32(part.content) if part.crc is None else part.crc
    size = len(part.content) if part.size is None else part.size
    compressed_size = len(part.packed()) if part.compressed_size is None else part.compressed_size
    if part.zip64:
        extra = struct.pack("<HHQQQ", 1, 24, size, compressed_size, offset) + extra
        size = compressed_size = offset = 2**32 - 1
    return (
        struct.pack(
            "<4s6H3L5H2L",
            b"PK\x01\x02",
            part.made_by,
            20,
            part.flags | (8 if part.descriptor else 0),
            part.method,
            0,
            33,
            crc,
            compressed_size,
            size,
            len(raw_path),
            len(extra),
            0,
            part.disk,
            0,
            part.mode << 16 | part.dos_attributes,
            offset,
        )
        + raw_path
        + extra
    )


def _end(count: int, size: int, start: int, comment_length: int, disk: int) -> bytes:
    return struct.pack(
        "<4s4H2LH", b"PK\x05\x06", disk, disk, count & 0xFFFF, count & 0xFFFF, size, start, comment_length
    )


def lzma_of(content: bytes, *, dictionary: int) -> bytes:
    chain = [{"id": lzma.FILTER_LZMA1, "dict_size": 1 << 16, "lc": 3, "lp": 0, "pb": 2}]
    packed = lzma.compress(content, format=lzma.FORMAT_RAW, filters=chain)
    return struct.pack("<BBHBL", 9, 4, 5, 3 + 9 * (0 + 5 * 2), dictionary) + packed
