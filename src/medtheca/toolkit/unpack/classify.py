"""What a member is, judged by its entry in the directory alone.

The order of the questions is the order of the verdicts: special file, unsafe path, directory, junk,
encryption, compression, nested archive, size, ratio; what is left is a file.
"""

import re
import stat
import zlib

from medtheca.toolkit.errors import Problem, Refused
from medtheca.toolkit.names import check_name, display_name, name_key
from medtheca.toolkit.unpack.decompressors import COMPRESSION_NAMES, is_supported
from medtheca.toolkit.unpack.directory import Entry, extra_fields
from medtheca.toolkit.unpack.limits import Limits
from medtheca.toolkit.unpack.members import Kind

ENCRYPTED_FLAGS = 0x0001 | 0x0040 | 0x2000  # traditional, strong, masked directory
_UTF8_FLAG = 0x0800
_AES_METHOD = 99
_UNICODE_PATH = 0x7075
_DOS_DIRECTORY = 0x10
_WINDOWS_REPARSE_POINT = 0x400
_WINDOWS_SYSTEMS = (0, 10, 11)  # FAT, NTFS, VFAT: the low half of the attributes is theirs

JUNK_NAMES = {
    "thumbs.db": "Windows keeps its previews in it",
    "ehthumbs.db": "Windows keeps its previews in it",
    "ehthumbs_vista.db": "Windows keeps its previews in it",
    "desktop.ini": "Windows keeps a folder's looks in it",
    "icon\r": "macOS keeps a folder's icon in it",
}
TEMPORARY_SUFFIXES = (".part", ".partial", ".crdownload", ".download", ".tmp", ".temp", ".medtheca-part")
"""What browsers, download tools and Medtheca itself call a file that is not finished."""

# `.gz` alone is absent: `.nii.gz` is a picture.
_ARCHIVE_NAME = re.compile(
    r"\.(zip|zipx|7z|rar|tar|tgz|tbz2?|txz|tzst|tar\.(gz|bz2|xz|zst|lz4?|z)|jar|cab|iso|dmg)$", re.IGNORECASE
)
_DRIVE = re.compile(r"^[A-Za-z]:")

_DIRECTORY = Problem("directory", "A folder; its files are listed by themselves.", "")
_EMPTY = Problem("empty_file", "The file holds no bytes.", "If it should, take it from its source again.")
_HIDDEN = Problem(
    "hidden_file",
    "The file or its folder is hidden: its name begins with a dot.",
    "Rename it if it is an image.",
)
_RESOURCE_FORK = Problem("macos_metadata", "macOS keeps a file's Finder data in it; it is no image.", "")
_TEMPORARY = Problem("temporary_file", "The name says that the file was never finished.", "Add the finished file.")
_JUNK = {name: Problem("system_file", f"No image: {reason}.", "") for name, reason in JUNK_NAMES.items()}


def decode_path(entry: Entry) -> str:
    """The path as text: the Unicode path field where it belongs to this name, else UTF-8, else cp437."""
    for tag, data in extra_fields(entry.extra):
        belongs = data[:5] == b"\x01" + zlib.crc32(entry.raw_path).to_bytes(4, "little")
        if tag == _UNICODE_PATH and belongs:
            try:
                return data[5:].decode("utf-8")
            except UnicodeDecodeError:
                break
    # Many writers store UTF-8 without saying so, and cp437 text with accents is hardly ever valid UTF-8. A
    # flag on bytes that are not UTF-8 is wrong, so it falls to cp437 too, which can read any bytes.
    try:
        return entry.raw_path.decode("utf-8")
    except UnicodeDecodeError:
        return entry.raw_path.decode("cp437")


def file_name(path: str) -> str:
    r"""The last part of a stored path, composed.

    >>> file_name("P001\\left\\t1.png"), file_name("a/b/")
    ('t1.png', 'b')
    """
    return name_key(path.replace("\\", "/").rstrip("/").rpartition("/")[2])


def classify(entry: Entry, path: str, limits: Limits) -> tuple[Kind, Problem | None]:
    """The verdict on one entry."""
    shown = display_name(path)
    found = (
        _special(entry, shown)
        or _unsafe(path, shown, limits)
        or _directory(entry, path, shown)
        or _junk(entry, path)
        or _unreadable(entry, shown)
        or _too_large(entry, shown, limits)
    )
    return found or (Kind.FILE, None)


def _special(entry: Entry, shown: str) -> tuple[Kind, Problem] | None:
    file_type = stat.S_IFMT(entry.attributes >> 16)
    windows = entry.made_by >> 8 in _WINDOWS_SYSTEMS
    if file_type == stat.S_IFLNK or (windows and entry.attributes & _WINDOWS_REPARSE_POINT):
        return Kind.SYMLINK, Problem(
            "symlink",
            f'"{shown}" is a link to another file, not a file.',
            "Put the file itself in the ZIP (with `zip`, leave out -y).",
        )
    if file_type in (stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFSOCK):
        return Kind.DEVICE, Problem(
            "device", f'"{shown}" is a device, pipe or socket, not a file.', "Leave it out of the ZIP."
        )
    return None


def _unsafe(path: str, shown: str, limits: Limits) -> tuple[Kind, Problem] | None:
    parts = path.replace("\\", "/").split("/")
    if ".." in parts:
        why = "climbs out of its folder with `..`"
    elif parts[0] == "" and path:
        why = "is absolute: it begins with a slash"
    elif _DRIVE.match(path):
        why = "begins with the letter of a drive"
    elif ":" in path:
        why = "holds a colon, which on Windows names a hidden stream of a file"
    else:
        try:
            check_name(file_name(path))
            for folder in filter(str.strip, parts[:-1]):
                check_name(folder)
        except Refused as refused:
            return Kind.UNSAFE, refused.problem
        if len(path) <= limits.max_path_length:
            return None
        return Kind.UNSAFE, Problem(
            "path_too_long",
            f'The path "{display_name(path, limit=80)}" has {len(path):,} characters; '
            f"the limit is {limits.max_path_length:,}.",
            "Put the file in fewer or shorter folders.",
        )
    return Kind.UNSAFE, Problem(
        "unsafe_path",
        f'The path "{shown}" {why}. ZIPs made in the usual way hold no such path.',
        "Rename the file and make the ZIP again from the folder that holds it.",
    )


def _directory(entry: Entry, path: str, shown: str) -> tuple[Kind, Problem] | None:
    named = path.endswith(("/", "\\"))
    marked = stat.S_ISDIR(entry.attributes >> 16) or bool(entry.attributes & _DOS_DIRECTORY)
    if not named and not marked:
        return None
    if entry.size:
        return Kind.UNSAFE, Problem(
            "directory_with_content",
            f'"{shown}" says that it is a folder and that it holds {entry.size:,} bytes; it cannot be both.',
            "Make the ZIP again with another program.",
        )
    return Kind.DIRECTORY, _DIRECTORY


def _junk(entry: Entry, path: str) -> tuple[Kind, Problem] | None:
    parts = [part for part in path.replace("\\", "/").split("/") if part not in ("", ".")]
    name = parts[-1].casefold() if parts else ""
    problem = _JUNK.get(name)
    if problem is None and (name.startswith("._") or "__MACOSX" in parts or name == ".ds_store"):
        problem = _RESOURCE_FORK
    if problem is None and any(part.startswith(".") for part in parts):
        problem = _HIDDEN
    if problem is None and (name.endswith(TEMPORARY_SUFFIXES) or name.startswith("~$")):
        problem = _TEMPORARY
    if problem is None and entry.size == 0:
        problem = _EMPTY
    return None if problem is None else (Kind.JUNK, problem)


def _unreadable(entry: Entry, shown: str) -> tuple[Kind, Problem] | None:
    if entry.flags & ENCRYPTED_FLAGS or entry.method == _AES_METHOD:
        return Kind.ENCRYPTED, Problem(
            "encrypted", f'"{shown}" is protected with a password.', "Make the ZIP again without a password."
        )
    if not is_supported(entry.method):
        name = COMPRESSION_NAMES.get(entry.method, f"method {entry.method}")
        return Kind.UNSUPPORTED, Problem(
            "unsupported_compression",
            f'"{shown}" is compressed with {name}, which is not read here.',
            "Make the ZIP again with the usual compression (Deflate) or with none.",
        )
    if _ARCHIVE_NAME.search(shown):
        return Kind.NESTED_ARCHIVE, nested_archive(shown)
    return None


def _too_large(entry: Entry, shown: str, limits: Limits) -> tuple[Kind, Problem] | None:
    if entry.size > limits.max_member_bytes:
        return Kind.TOO_LARGE, Problem(
            "member_too_large",
            f'"{shown}" is {entry.size:,} bytes long; the limit is {limits.max_member_bytes:,}.',
            "Split the file, or ask the archive's staff for a higher limit.",
        )
    if entry.size > limits.ratio_from_bytes and entry.size > limits.max_ratio * entry.compressed_size:
        return Kind.TOO_LARGE, ratio_too_high(shown, limits)
    return None


def nested_archive(shown: str) -> Problem:
    """The problem of an archive within the archive, found by name or by its first bytes."""
    return Problem(
        "nested_archive",
        f'"{shown}" is an archive inside the ZIP.',
        "Unpack it and add its files to the ZIP.",
    )


def ratio_too_high(shown: str, limits: Limits) -> Problem:
    """The problem of a member that grows too much, as declared or as found."""
    return Problem(
        "ratio_too_high",
        f'"{shown}" grows to more than {limits.max_ratio} times its compressed size, as no photograph does.',
        "Upload the file by itself, or in a compressed format of its own (PNG, .nii.gz).",
    )
