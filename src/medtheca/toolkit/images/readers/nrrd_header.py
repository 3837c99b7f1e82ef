"""The header of an NRRD file: http://teem.sourceforge.net/nrrd/format.html.

Comments and key/value pairs, where other programs keep whatever they like, are passed over unread; so are fields
that say nothing of voxels or space (content, labels, ...).
"""

import math
import re
import sys
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from medtheca.toolkit.deidentify.faults import corrupt, truncated, unsupported
from medtheca.toolkit.errors import Refused
from medtheca.toolkit.images.readers.grids import check_sizes, whole

_LONGEST_HEADER = 1 << 20
_LONGEST_LINE = 10_000
_MOST_AXES = 16
_TYPES = {
    "i1": ("signed char", "int8", "int8_t"),
    "u1": ("uchar", "unsigned char", "uint8", "uint8_t"),
    "i2": ("short", "short int", "signed short", "signed short int", "int16", "int16_t"),
    "u2": ("ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"),
    "i4": ("int", "signed int", "int32", "int32_t"),
    "u4": ("uint", "unsigned int", "uint32", "uint32_t"),
    "i8": ("longlong", "long long", "long long int", "signed long long", "signed long long int", "int64", "int64_t"),
    "u8": ("ulonglong", "unsigned long long", "unsigned long long int", "uint64", "uint64_t"),
    "f4": ("float",),
    "f8": ("double",),
}
_CODES = {name: code for code, names in _TYPES.items() for name in names}
_ENCODINGS = {
    "raw": "raw",
    "gzip": "gzip",
    "gz": "gzip",
    "bzip2": "bzip2",
    "bz2": "bzip2",
    "ascii": "ascii",
    "text": "ascii",
    "txt": "ascii",
    "hex": "hex",
}
# What the same field may be called, and the fields that are passed over.
_OTHER_NAMES = {
    "datafile": "data file",
    "lineskip": "line skip",
    "byteskip": "byte skip",
    "axismins": "axis mins",
    "axismaxs": "axis maxs",
    "centers": "centerings",
    "oldmin": "old min",
    "oldmax": "old max",
    "sampleunits": "sample units",
    "blocksize": "block size",
}
_USED = {
    "type",
    "dimension",
    "sizes",
    "encoding",
    "endian",
    "data file",
    "line skip",
    "byte skip",
    "space",
    "space dimension",
    "space directions",
    "space origin",
    "space units",
    "spacings",
    "axis mins",
    "centerings",
    "kinds",
    "units",
}
_PASSED_OVER = {
    "content",
    "number",
    "block size",
    "min",
    "max",
    "old min",
    "old max",
    "sample units",
    "axis maxs",
    "thicknesses",
    "labels",
    "measurement frame",
}
_PATTERN = re.compile(r"%\d*[du]")


@dataclass(frozen=True, slots=True)
class NrrdHeader:
    """`sizes` are those of the file, the fastest axis first. `fields` are the texts of fields about axes and space."""

    sizes: tuple[int, ...]
    stored_type: np.dtype[Any]
    encoding: str
    line_skip: int
    byte_skip: int
    data_file: str | None
    end: int
    fields: dict[str, str]

    @property
    def size(self) -> int:
        """Bytes of all voxels."""
        return math.prod(self.sizes) * self.stored_type.itemsize

    @property
    def row(self) -> int:
        """Bytes of the fastest axis."""
        return self.sizes[0] * self.stored_type.itemsize


def parse_header(view: memoryview) -> NrrdHeader:
    """Read and check the header, but for the axes.

    Raises:
        Refused: `truncated`, `corrupt`, `unsupported_variant`; `missing_file` where it names a file outside.
    """
    fields, end = _fields(view)
    count = whole(_need(fields, "dimension"), "dimension")
    if not 1 <= count <= _MOST_AXES:
        raise corrupt(f"its dimension is not from 1 to {_MOST_AXES}")
    words = _need(fields, "sizes").split()
    if len(words) != count:
        raise corrupt(f"its header has {len(words):,} sizes for {count} dimensions")
    sizes = tuple(whole(word, "size") for word in words)
    check_sizes(sizes)
    if (encoding := _ENCODINGS.get(_need(fields, "encoding").lower())) is None:
        raise unsupported("Its encoding is not raw, gzip, bzip2, ascii or hex.", "Write it anew with gzip.")
    line_skip = whole(fields.get("line skip", "0"), "line skip")
    byte_skip = whole(fields.get("byte skip", "0"), "byte skip")
    if not 0 <= line_skip <= _LONGEST_HEADER or byte_skip < -1:
        raise corrupt("its line skip or byte skip is negative or too large")
    return NrrdHeader(
        sizes=sizes,
        stored_type=_stored_type(fields, encoding),
        encoding=encoding,
        line_skip=line_skip,
        byte_skip=byte_skip,
        data_file=_data_file(fields.get("data file")),
        end=end,
        fields=fields,
    )


def _fields(view: memoryview) -> tuple[dict[str, str], int]:
    """The fields that are used, and where the voxels begin: behind an empty line."""
    head = bytes(view[:_LONGEST_HEADER])
    if not re.match(rb"NRRD000[1-5]\r?\n", head):
        raise corrupt("its first line is not that of NRRD 1 to 5")
    fields: dict[str, str] = {}
    at, line = head.index(b"\n") + 1, 1
    while at < len(head):
        line += 1
        stop = head.find(b"\n", at)
        stop = len(head) if stop < 0 else stop
        text = head[at:stop].rstrip(b"\r")
        at = min(stop + 1, len(head))
        if not text:
            return fields, at
        if len(text) > _LONGEST_LINE and b":=" not in text:
            raise corrupt(f"line {line:,} of its header is longer than {_LONGEST_LINE:,} bytes")
        if not text.startswith(b"#"):
            _take(fields, text.decode("latin-1"), line)
    if len(view) > len(head):
        raise corrupt(f"its header is longer than {_LONGEST_HEADER:,} bytes, or has no end")
    if "data file" in fields:
        return fields, at
    raise truncated("its header has no end")


def _take(fields: dict[str, str], text: str, line: int) -> None:
    """Keep a field (`name: value`), and pass over a key (`key:=value`), in which a colon may stand as well."""
    name, sign, value = text.partition(":")
    name = _OTHER_NAMES.get(name.strip().lower(), name.strip().lower())
    if not sign or value.startswith("=") or name not in _USED | _PASSED_OVER:
        if ":=" in text:
            return
        raise corrupt(f"line {line:,} of its header is no field of NRRD")
    if name in fields:
        raise corrupt(f"its header says {name} twice")
    if name in _USED:
        fields[name] = value.strip()


def _need(fields: dict[str, str], name: str) -> str:
    if not (value := fields.get(name)):
        raise corrupt(f"its header does not say {name}")
    return value


def _stored_type(fields: dict[str, str], encoding: str) -> np.dtype[Any]:
    if (code := _CODES.get(_need(fields, "type").lower())) is None:
        raise unsupported("Its type is not one of whole or decimal numbers.", "Write it with short or float, say.")
    kind = np.dtype(code)
    order = fields.get("endian", "").lower()
    if order not in {"", "little", "big"}:
        raise corrupt("its endian is neither little nor big")
    if not order and kind.itemsize > 1 and encoding != "ascii":
        raise corrupt("its header does not say endian")
    return kind.newbyteorder(">" if (order or sys.byteorder) == "big" else "<")


def _data_file(value: str | None) -> str | None:
    """The one data file of a header on its own: looked up among the files of the image, nowhere else."""
    if value is None:
        return None
    if value.split()[:1] == ["LIST"] or _PATTERN.search(value):
        raise unsupported(
            "Its voxels are in a list of files.", "Write it anew as one .nrrd file, or with one data file."
        )
    path = PurePosixPath(value)
    if not value:
        raise corrupt("its data file has no name")
    if path.is_absolute() or ".." in path.parts or "\\" in value or ":" in value or "\0" in value:
        raise Refused(
            "missing_file",
            "Its data file points out of the folder of the header.",
            "Put both files into one folder, and the bare name of the data file into the header.",
        )
    return str(path)
