"""ZIPs that no honest program writes, byte by byte, and what each must come to.

`forge` writes any archive from `Part`s, in which every field of both headers can be made to lie. `CASES` holds one case
for each trick or oddity, with the verdicts expected of it.
"""

import bz2
import lzma
import stat
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field

from medtheca.toolkit.unpack import DEFAULT_LIMITS, Kind, Limits

STORED, DEFLATED, DEFLATE64, BZIP2, LZMA = 0, 8, 9, 12, 14
FILE = (Kind.FILE, None)
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


@dataclass(frozen=True, kw_only=True)
class Case:
    """`refusal`: the code for the whole archive; else one verdict a member, and the code on opening, if any."""

    name: str
    build: Callable[[], bytes]
    refusal: str | None = None
    verdicts: tuple[tuple[Kind, str | None], ...] = ()
    opening: dict[int, str] = field(default_factory=dict)
    limits: Limits = DEFAULT_LIMITS


def compress(content: bytes, method: int) -> bytes:
    if method == DEFLATED:
        packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
        return packer.compress(content) + packer.flush()
    if method == BZIP2:
        return bz2.compress(content)
    if method == LZMA:
        return _lzma(content, dictionary=1 << 16)
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


def _lzma(content: bytes, *, dictionary: int) -> bytes:
    chain = [{"id": lzma.FILTER_LZMA1, "dict_size": 1 << 16, "lc": 3, "lp": 0, "pb": 2}]
    packed = lzma.compress(content, format=lzma.FORMAT_RAW, filters=chain)
    return struct.pack("<BBHBL", 9, 4, 5, 3 + 9 * (0 + 5 * 2), dictionary) + packed


def _unicode_path(raw_path: bytes, text: str, *, crc: int | None = None) -> bytes:
    data = struct.pack("<BL", 1, zlib.crc32(raw_path) if crc is None else crc) + text.encode()
    return struct.pack("<HH", 0x7075, len(data)) + data


def _one(name: str, kind: Kind, code: str | None, opening: str | None = None, /, **part: object) -> Case:
    """A case of one odd member beside an honest one, which must come through."""
    return Case(
        name=name,
        build=lambda: forge([Part(**part), Part(path="honest.jpg")]),  # type: ignore[arg-type] # as given below
        verdicts=((kind, code), FILE),
        opening={0: opening} if opening else {},
    )


def _two(name: str, first: str, second: str) -> Case:
    return Case(
        name=name,
        build=lambda: forge([Part(path=first), Part(path=second, content=PICTURE[::-1])]),
        verdicts=(FILE, FILE),
    )


def _whole(name: str, code: str, build: Callable[[], bytes], limits: Limits = DEFAULT_LIMITS) -> Case:
    return Case(name=name, build=build, refusal=code, limits=limits)


def _good(name: str, build: Callable[[], bytes]) -> Case:
    return Case(name=name, build=build, verdicts=(FILE,))


_HONEST = [Part(path="honest.jpg")]
_UNSAFE_PATHS = {
    "slip": "../../etc/passwd.jpg",
    "slip in the middle": "a/../../b.jpg",
    "slip with backslashes": "..\\..\\evil.jpg",
    "absolute": "/etc/cron.d/a.jpg",
    "absolute with a backslash": "\\a.jpg",
    "network share": "\\\\server\\share\\a.jpg",
    "drive": "C:\\windows\\a.jpg",
    "relative to a drive": "C:a.jpg",
    "NTFS stream": "a.jpg:evil.exe",
}
_UNSAFE_NAMES = {
    "NUL": ("a\x00.jpg", "unsafe_name"),
    "line feed": ("a\nb.jpg", "unsafe_name"),
    "escape sequence": ("\x1b[2Ja.jpg", "unsafe_name"),
    "bidirectional override": ("lesion\u202egpj.exe", "unsafe_name"),
    "overlong name": ("n" * 252 + ".jpg", "name_too_long"),
    "no name": ("", "name_missing"),
    "blank name": ("folder/ ", "name_missing"),
    "control in a folder": ("fol\tder/a.jpg", "unsafe_name"),
    "overlong folder": ("f" * 256 + "/a.jpg", "name_too_long"),
    "overlong path": ("/".join(["f" * 200] * 6) + "/a.jpg", "path_too_long"),
}
_JUNK = {
    "Thumbs.db": "system_file",
    "a/desktop.ini": "system_file",
    ".DS_Store": "macos_metadata",
    "__MACOSX/a/._b.jpg": "macos_metadata",
    "a/._b.jpg": "macos_metadata",
    ".git/objects/a.jpg": "hidden_file",
    ".hidden.jpg": "hidden_file",
    "a.jpg.part": "temporary_file",
    "a.jpg.medtheca-part": "temporary_file",
    "~$notes.docx": "temporary_file",
}
_ARCHIVES = ("inner.zip", "inner.ZIP", "inner.7z", "inner.rar", "inner.tar", "inner.tar.gz", "inner.tgz")
_SPECIAL = {
    "symlink": (Kind.SYMLINK, stat.S_IFLNK),
    "block device": (Kind.DEVICE, stat.S_IFBLK),
    "character device": (Kind.DEVICE, stat.S_IFCHR),
    "pipe": (Kind.DEVICE, stat.S_IFIFO),
    "socket": (Kind.DEVICE, stat.S_IFSOCK),
}

CASES: list[Case] = [
    # Paths that would lead somewhere if anyone wrote to them.
    *(_one(name, Kind.UNSAFE, "unsafe_path", path=path) for name, path in _UNSAFE_PATHS.items()),
    *(_one(name, Kind.UNSAFE, code, path=path) for name, (path, code) in _UNSAFE_NAMES.items()),
    *(
        _one(name, kind, kind.value, path="a.jpg", content=b"/etc/passwd", mode=mode | 0o777)
        for name, (kind, mode) in _SPECIAL.items()
    ),
    _one("Windows link", Kind.SYMLINK, "symlink", path="a.jpg", made_by=10 << 8, mode=0, dos_attributes=0x400),
    # Names that meet: all are files here; the cohort decides.
    _two("composed and decomposed", "L\u00fcbeck.jpg", "Lu\u0308beck.jpg"),
    _two("differing in case", "IMG_1.jpg", "img_1.JPG"),
    _two("same name in two folders", "left/a.jpg", "right/a.jpg"),
    _two("same path twice", "a.jpg", "a.jpg"),
    # Odd and honest.
    _one("longest name", *FILE, path="n" * 251 + ".jpg"),
    _one("backslashes of an old program", *FILE, path="P001\\left\\a.jpg"),
    _one("here", *FILE, path="./a.jpg"),
    _one("bytes of cp437", *FILE, path="M\u00fcller.jpg".encode("cp437")),
    _one("UTF-8 without its flag", *FILE, path="\u5de6.jpg"),
    _one("UTF-8 with its flag", *FILE, path="\u5de6.jpg", flags=0x800),
    _one("flag on bytes that are not UTF-8", *FILE, path=b"M\x81ller.jpg", flags=0x800),
    _one("Unicode path field", *FILE, path=b"__.jpg", extra=_unicode_path(b"__.jpg", "\u5de6\u53f3.jpg")),
    _one("Unicode path of another name", *FILE, path=b"a.jpg", extra=_unicode_path(b"", "../b.jpg", crc=1)),
    _one(
        "Unicode path that climbs",
        Kind.UNSAFE,
        "unsafe_path",
        path=b"a.jpg",
        extra=_unicode_path(b"a.jpg", "../b.jpg"),
    ),
    _one("damaged extra field", *FILE, path="a.jpg", extra=b"\x75\x70\xff\xff\x01"),
    _one("stored", *FILE, path="a.jpg", method=STORED),
    _one("bzip2", *FILE, path="a.jpg", method=BZIP2),
    _one("LZMA", *FILE, path="a.jpg", method=LZMA),
    _one("data descriptor", *FILE, path="a.jpg", descriptor=True),
    _one("zip64 fields", *FILE, path="a.jpg", zip64=True),
    _one("compressed volume", *FILE, path="brain.nii.gz"),
    _good("zip64 end", lambda: forge(_HONEST, zip64_end=True)),
    _good("zip64 end behind a program", lambda: forge(_HONEST, zip64_end=True, prefix=b"MZ" + bytes(999))),
    _good("self-extracting", lambda: forge(_HONEST, prefix=b"MZ" + bytes(999))),
    _good(
        "self-extracting, offsets counted",
        lambda: forge(_HONEST, prefix=b"MZ" + bytes(999), count_prefix=True),
    ),
    _good("comment", lambda: forge(_HONEST, comment=b"from the clinic")),
    _good("comment with an end record", lambda: forge(_HONEST, comment=b"PK\x05\x06" + bytes(30))),
    # Skipped.
    _one("folder", Kind.DIRECTORY, "directory", path="a/", content=b"", method=STORED, mode=stat.S_IFDIR),
    _one("folder of Windows", Kind.DIRECTORY, "directory", path="a\\", content=b"", method=STORED, mode=0),
    _one("folder by attribute", Kind.DIRECTORY, "directory", path="a", content=b"", mode=0, dos_attributes=16),
    _one("empty file", Kind.JUNK, "empty_file", path="a.jpg", content=b"", method=STORED),
    *(_one(f"junk {path}", Kind.JUNK, code, path=path) for path, code in _JUNK.items()),
    # Refused, one by one.
    _one("folder with content", Kind.UNSAFE, "directory_with_content", path="a/"),
    _one("password", Kind.ENCRYPTED, "encrypted", path="a.jpg", flags=1),
    _one("strong encryption", Kind.ENCRYPTED, "encrypted", path="a.jpg", flags=0x41),
    _one("AES", Kind.ENCRYPTED, "encrypted", path="a.jpg", method=99, flags=1),
    _one("password in the header only", *FILE, "local_header_differs", path="a.jpg", local_flags=1),
    _one("Deflate64", Kind.UNSUPPORTED, "unsupported_compression", path="a.jpg", method=DEFLATE64),
    _one("unknown compression", Kind.UNSUPPORTED, "unsupported_compression", path="a.jpg", method=77),
    *(_one(f"archive {path}", Kind.NESTED_ARCHIVE, "nested_archive", path=path) for path in _ARCHIVES),
    _one("ZIP by its bytes", *FILE, "nested_archive", path="a.jpg", content=forge(_HONEST)),
    _one(
        "quine-like",
        *FILE,
        "nested_archive",
        path="r",
        content=forge([Part(path="r", content=forge(_HONEST))]),
    ),
    _one("bad checksum", *FILE, "bad_checksum", path="a.jpg", crc=1),
    _one("more than declared", *FILE, "forged_size", path="a.jpg", size=100, local_size=100),
    _one("fewer than declared", *FILE, "forged_size", path="a.jpg", size=9999, local_size=9999),
    _one("two sizes", *FILE, "forged_size", path="a.jpg", local_size=100),
    _one(
        "bomb behind a small size",
        *FILE,
        "forged_size",
        path="a.jpg",
        content=bytes(8 * ONE_MIB),
        size=5000,
        local_size=5000,
    ),
    _one(
        "bomb with a descriptor",
        *FILE,
        "forged_size",
        path="a.jpg",
        content=bytes(8 * ONE_MIB),
        size=5000,
        descriptor=True,
    ),
    _one("two names", *FILE, "local_header_differs", path="a.jpg", local_path=b"b.exe"),
    _one("two methods", *FILE, "local_header_differs", path="a.jpg", local_method=STORED),
    _one("not deflated at all", *FILE, "damaged_member", path="a.jpg", compressed=b"\xff" * 500),
    _one("cut short", *FILE, "damaged_member", path="a.jpg", compressed=compress(PICTURE, DEFLATED)[:-5]),
    _one(
        "bytes after its end",
        *FILE,
        "damaged_member",
        path="a.jpg",
        compressed=compress(PICTURE, DEFLATED) + b"x",
    ),
    _one(
        "bzip2 garbage",
        *FILE,
        "damaged_member",
        path="a.jpg",
        method=BZIP2,
        compressed=b"BZh9" + b"\xff" * 90,
    ),
    _one(
        "two bzip2 streams",
        *FILE,
        "damaged_member",
        path="a.jpg",
        method=BZIP2,
        compressed=bz2.compress(PICTURE) * 2,
    ),
    _one("LZMA garbage", *FILE, "damaged_member", path="a.jpg", method=LZMA, compressed=b"\xff" * 90),
    _one(
        "LZMA with a giant dictionary",
        *FILE,
        "dictionary_too_large",
        path="a.jpg",
        method=LZMA,
        compressed=_lzma(PICTURE, dictionary=2**32 - 1),
    ),
    _one(
        "extra field over the next member",
        *FILE,
        "overlapping_members",
        path="a.jpg",
        local_extra=bytes(30),
        descriptor=True,
        compressed=b"",
        method=STORED,
        content=b"x" * 40,
        compressed_size=40,
    ),
    Case(name="bomb by ratio", build=bomb, verdicts=((Kind.TOO_LARGE, "ratio_too_high"), FILE)),
    Case(
        name="member over the limit",
        build=lambda: forge([Part(path="a.jpg"), Part(path="b.jpg", content=b"x")]),
        verdicts=((Kind.TOO_LARGE, "member_too_large"), FILE),
        limits=Limits(max_member_bytes=2000),
    ),
    # Refused as a whole.
    _whole("no bytes", "not_a_zip", lambda: b""),
    _whole("text", "not_a_zip", lambda: b"age,sex\n40,male\n" * 100),
    _whole("no members", "empty_zip", lambda: forge([])),
    _whole("cut at half", "truncated_zip", lambda: forge(_HONEST)[:60]),
    _whole("cut in the end record", "truncated_zip", lambda: forge(_HONEST)[:-1]),
    _whole("bytes after the end", "truncated_zip", lambda: forge(_HONEST, suffix=b"trailer")),
    _whole("beginning lost", "damaged_zip", lambda: forge(_HONEST)[40:]),
    _whole("damaged directory", "damaged_zip", lambda: forge(_HONEST).replace(b"PK\x01\x02", b"PK\x01\x00")),
    _whole("more announced than listed", "damaged_zip", lambda: forge(_HONEST, entries=5)),
    _whole(
        "zip64 record missing",
        "damaged_zip",
        lambda: forge(_HONEST, zip64_end=True).replace(b"PK\x06\x06", b"PK\x06\x00"),
    ),
    _whole("offset beyond the end", "damaged_zip", lambda: forge([Part(path="a.jpg", offset=2**31)])),
    _whole(
        "compressed size beyond the end",
        "damaged_zip",
        lambda: forge([Part(path="a.jpg", compressed_size=2**31)]),
    ),
    _whole("last part of a split ZIP", "multi_disk", lambda: forge(_HONEST, disk=3)),
    _whole("first part of a split ZIP", "multi_disk", lambda: b"PK\x07\x08" + forge(_HONEST)[:60]),
    _whole("member on another disk", "multi_disk", lambda: forge([Part(path="a.jpg", disk=2)])),
    _whole("100,001 members", "too_many_members", lambda: many(100_001)),
    _whole(
        "more listed than announced",
        "too_many_members",
        lambda: forge(_HONEST * 9, entries=1),
        Limits(max_members=5),
    ),
    _whole("total over the limit", "total_too_large", lambda: forge(_HONEST * 3), Limits(max_total_bytes=5000)),
    _whole("terabytes declared", "total_too_large", lambda: forge([Part(path="a.jpg", zip64=True, size=2**50)])),
    _whole(
        "directory over the limit",
        "directory_too_large",
        lambda: forge(_HONEST * 9),
        Limits(max_directory_bytes=99),
    ),
    _whole("overlapping quotes", "overlapping_members", overlapping_quotes),
    _whole("one body listed often", "overlapping_members", overlapping_copies),
    _whole(
        "same offset twice",
        "overlapping_members",
        lambda: forge([Part(path="a.jpg"), Part(path="b.jpg", offset=0)]),
    ),
]
