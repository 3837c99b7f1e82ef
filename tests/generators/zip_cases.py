"""ZIPs that no honest program writes, one case for each trick or oddity, and what each must come to."""

import bz2
import stat
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field

from medtheca.toolkit.unpack import DEFAULT_LIMITS, Kind, Limits
from tests.generators.zips import (
    BZIP2,
    DEFLATE64,
    DEFLATED,
    LZMA,
    ONE_MIB,
    PICTURE,
    STORED,
    Part,
    bomb,
    compress,
    forge,
    lzma_of,
    many,
    overlapping_copies,
    overlapping_quotes,
)

FILE = (Kind.FILE, None)


@dataclass(frozen=True, kw_only=True)
class Case:
    """`refusal`: the code for the whole archive; else one verdict a member, and the code on opening, if any."""

    name: str
    build: Callable[[], bytes]
    refusal: str | None = None
    verdicts: tuple[tuple[Kind, str | None], ...] = ()
    opening: dict[int, str] = field(default_factory=dict)
    limits: Limits = DEFAULT_LIMITS


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
        compressed=lzma_of(PICTURE, dictionary=2**32 - 1),
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
