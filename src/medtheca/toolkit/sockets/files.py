"""Whether a file is one that a socket can hold, by its name and its bytes. No picture or film is decoded here."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import PurePosixPath

from medtheca.toolkit.errors import Refused
from medtheca.toolkit.ranges.readers import RangeReader
from medtheca.toolkit.sockets.biom import check_biom
from medtheca.toolkit.sockets.bounded import Schema
from medtheca.toolkit.sockets.json_text import parse_json
from medtheca.toolkit.sockets.kinds import KINDS, Kind
from medtheca.toolkit.sockets.newick import check_newick
from medtheca.toolkit.sockets.pieces import check_jpeg, check_mp4, check_pdf, check_png, check_sqlite
from medtheca.toolkit.sockets.tables import check_csv, check_obj
from medtheca.toolkit.sockets.values import check_value
from medtheca.toolkit.unpack.members import Kind as Entry
from medtheca.toolkit.unpack.scanning import scan

LARGEST_JSON = 64 << 20
"""Bytes of a JSON file: it is read whole, and takes some ten times as much memory meanwhile."""

_CHUNK = 1 << 20


def check_file(code: str, file: RangeReader, *, filename: str, schema: Schema | None = None) -> None:
    """Raise `Refused` unless the file is one of the kind. `schema` is the socket's own, for JSON."""
    kind = KINDS[code]
    _check_name(kind, filename)
    if not file.size:
        raise Refused("empty", "The file is empty.", "Send it again.")
    if kind.is_json:
        check_value(code, parse_json(_whole(file, LARGEST_JSON)), schema=schema)
    else:
        _CHECKS[code](file)


def _check_name(kind: Kind, filename: str) -> None:
    suffix = PurePosixPath(filename).suffix.lower()
    if suffix not in kind.suffixes:
        right = " or ".join(kind.suffixes)
        words = f"{filename[:100]} ends with {suffix or 'nothing'}, and files of kind {kind.label} end with {right}."
        raise Refused("wrong_extension", words, "Choose the right file, or name it so if it is one.")


def _whole(file: RangeReader, most: int) -> bytes:
    if file.size > most:
        words = f"The file has {file.size:,} bytes, and {most:,} are the most that is read of JSON."
        raise Refused("too_large", words, "Split it, or keep it in a socket for ZIP files.")
    return file.read(0, file.size)


def _check_zip(file: RangeReader) -> None:
    """That it opens, and holds no bombs and no paths that lead out of it. Archives in it are not opened."""
    for member in scan(io.BufferedReader(Seekable(file), _CHUNK)).members:
        if member.problem is not None and member.kind not in _HARMLESS:
            raise Refused(member.problem.code, member.problem.message, member.problem.remedy)


_HARMLESS = (Entry.DIRECTORY, Entry.JUNK, Entry.NESTED_ARCHIVE)

_CHECKS: dict[str, Callable[[RangeReader], None]] = {
    "PDF": check_pdf,
    "SQREG": check_sqlite,
    "JPEG": check_jpeg,
    "PNG": check_png,
    "OBJ": lambda file: check_obj(Seekable(file)),
    "MP4": check_mp4,
    "NEWCK": check_newick,
    "BIOM": check_biom,
    "CSV": lambda file: check_csv(Seekable(file)),
    "ZIP": _check_zip,
}


class Seekable(io.RawIOBase):
    """Ranges as a file that is read from its beginning to its end, or sought in."""

    def __init__(self, file: RangeReader) -> None:
        super().__init__()
        self._file = file
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._file.size}[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # typeshed says Buffer
        found = self._file.read(self._at, len(buffer))
        buffer[: len(found)] = found
        self._at += len(found)
        return len(found)
