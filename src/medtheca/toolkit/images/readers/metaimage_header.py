"""The header of a MetaImage file: lines of a name and a value, ending with the line that says where the voxels are.

What is not needed to show the image (comments, names, fields of other programs) is read and dropped.
"""

import math
import sys
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from medtheca.toolkit.deidentify.faults import corrupt, truncated, unsupported
from medtheca.toolkit.errors import Refused
from medtheca.toolkit.images.facts import Facts, Laterality, Window
from medtheca.toolkit.images.readers.grids import (
    check_origin,
    check_sizes,
    check_spacing,
    decimal,
    direction_of,
    whole,
)
from medtheca.toolkit.images.volume import Geometry, Triple

LOCAL = "LOCAL"
MOST_CHANNELS = 4096

_LONGEST_HEADER = 1 << 20
_LONGEST_LINE = 10_000
_END = "ElementDataFile"
# MET_LONG has four bytes in MetaIO on every machine; eight are called MET_LONG_LONG.
_TYPES = {
    "MET_CHAR": "i1",
    "MET_UCHAR": "u1",
    "MET_SHORT": "i2",
    "MET_USHORT": "u2",
    "MET_INT": "i4",
    "MET_UINT": "u4",
    "MET_LONG": "i4",
    "MET_ULONG": "u4",
    "MET_LONG_LONG": "i8",
    "MET_ULONG_LONG": "u8",
    "MET_FLOAT": "f4",
    "MET_DOUBLE": "f8",
}
_MODALITIES = {"MET_MOD_CT": "CT", "MET_MOD_MR": "MR", "MET_MOD_NM": "NM", "MET_MOD_US": "US"}
_SIDES: dict[str, Laterality] = {"L": "L", "R": "R", "B": "B", "U": "U"}
_USED = {
    "ObjectType",
    "NDims",
    "DimSize",
    "ElementType",
    "ElementNumberOfChannels",
    "BinaryData",
    "BinaryDataByteOrderMSB",
    "ElementByteOrderMSB",
    "CompressedData",
    "CompressedDataSize",
    "HeaderSize",
    "Offset",
    "Position",
    "Origin",
    "TransformMatrix",
    "Rotation",
    "Orientation",
    "ElementSpacing",
    "ElementSize",
    "ElementToIntensityFunctionSlope",
    "ElementToIntensityFunctionOffset",
    "Modality",
    "Laterality",
    "WindowCenter",
    "WindowWidth",
    _END,
}


@dataclass(frozen=True, slots=True)
class MetaHeader:
    """`sizes` are (x, y), (x, y, z) or (x, y, z, t). `end` is the first byte behind the header."""

    sizes: tuple[int, ...]
    channels: int
    stored_type: np.dtype[Any]
    data_file: str
    end: int
    geometry: Geometry
    binary: bool = True
    compressed: bool = False
    compressed_size: int | None = None
    header_size: int = 0
    time_step: float | None = None
    windows: tuple[Window, ...] = ()
    facts: Facts = field(default_factory=Facts)

    @property
    def size(self) -> int:
        """Bytes of all voxels."""
        return math.prod(self.sizes) * self.channels * self.stored_type.itemsize

    @property
    def row(self) -> int:
        """Bytes of one row of voxels."""
        return self.sizes[0] * self.channels * self.stored_type.itemsize


def parse_header(view: memoryview) -> MetaHeader:
    """Read and check the header.

    Raises:
        Refused: `truncated`, `corrupt`, `unsupported_variant`; `missing_file` where it names a file outside.
    """
    fields, end = _fields(view)
    _check_variant(fields)
    count = whole(_need(fields, "NDims"), "NDims")
    if count not in {2, 3, 4}:
        raise unsupported(f"It has {count} dimensions; 2, 3 and 4 are read.", "Send it in parts of 3 dimensions.")
    sizes = tuple(whole(word, "DimSize") for word in _words(fields, "DimSize", count))
    check_sizes(sizes)
    channels = whole(fields.get("ElementNumberOfChannels", "1"), "ElementNumberOfChannels")
    if not 1 <= channels <= MOST_CHANNELS:
        raise corrupt(f"its ElementNumberOfChannels is not from 1 to {MOST_CHANNELS:,}")
    geometry, time_step = _geometry(fields, count)
    compressed_size = fields.get("CompressedDataSize")
    header_size = whole(fields.get("HeaderSize", "0"), "HeaderSize")
    if header_size < -1:
        raise corrupt("its HeaderSize is negative")
    return MetaHeader(
        sizes=sizes,
        channels=channels,
        stored_type=_stored_type(fields),
        data_file=_data_file(fields[_END]),
        end=end,
        geometry=geometry,
        binary=_flag(fields, "BinaryData", default=True),
        compressed=_flag(fields, "CompressedData", default=False),
        compressed_size=None if compressed_size is None else abs(whole(compressed_size, "CompressedDataSize")),
        header_size=header_size,
        time_step=time_step,
        windows=_windows(fields),
        facts=Facts(
            modality=_MODALITIES.get(fields.get("Modality", "")),
            laterality=_SIDES.get(fields.get("Laterality", "")),
        ),
    )


def _fields(view: memoryview) -> tuple[dict[str, str], int]:
    """The fields that are used, and where the voxels begin."""
    head = bytes(view[:_LONGEST_HEADER])
    fields: dict[str, str] = {}
    at, line = 0, 0
    while at < len(head):
        line += 1
        stop = head.find(b"\n", at)
        stop = len(head) if stop < 0 else stop
        if stop - at > _LONGEST_LINE:
            raise corrupt(f"line {line:,} of its header is longer than {_LONGEST_LINE:,} bytes")
        name, sign, value = head[at:stop].decode("utf-8", "replace").partition("=")
        at = stop + 1
        if not (name := name.strip()) and not sign:
            continue
        if not sign:
            raise corrupt(f"line {line:,} of its header is not a name, “=” and a value")
        if name in _USED:
            if name in fields:
                raise corrupt(f"its header says {name} twice")
            fields[name] = value.strip()
        if name == _END:
            if at > len(head) and fields[_END] != LOCAL and LOCAL.startswith(fields[_END]):
                break
            return fields, min(at, len(head))
    if len(view) > len(head):
        raise corrupt(f"its header is longer than {_LONGEST_HEADER:,} bytes, or does not say {_END}")
    raise truncated(f"its header does not say {_END}")


def _check_variant(fields: dict[str, str]) -> None:
    if fields.get("ObjectType", "Image") != "Image":
        raise unsupported("It is a MetaIO object that is not an image.", "Send an image: ObjectType = Image.")
    slope = decimal(fields.get("ElementToIntensityFunctionSlope", "1"), "ElementToIntensityFunctionSlope")
    offset = decimal(fields.get("ElementToIntensityFunctionOffset", "0"), "ElementToIntensityFunctionOffset")
    if (slope, offset) != (1, 0):
        raise unsupported(
            "It has a function of intensities, which programs apply or do not apply.",
            "Write it anew with the values themselves.",
        )


def _need(fields: dict[str, str], name: str) -> str:
    if not (value := fields.get(name)):
        raise corrupt(f"its header does not say {name}")
    return value


def _words(fields: dict[str, str], name: str, count: int) -> list[str]:
    words = _need(fields, name).split()
    if len(words) != count:
        raise corrupt(f"its {name} has {len(words):,} values, and should have {count}")
    return words


def _numbers(fields: dict[str, str], name: str, count: int) -> list[float]:
    return [decimal(word, name) for word in _words(fields, name, count)]


def _flag(fields: dict[str, str], name: str, *, default: bool) -> bool:
    if (value := fields.get(name)) is None:
        return default
    if value.lower() not in {"true", "false", "t", "f", "1", "0"}:
        raise corrupt(f"its {name} is neither True nor False")
    return value[0] in "Tt1"


def _stored_type(fields: dict[str, str]) -> np.dtype[Any]:
    name = _need(fields, "ElementType")
    if name not in _TYPES:
        raise unsupported("Its ElementType is not one of whole or decimal numbers.", "Write it as MET_SHORT, say.")
    default = sys.byteorder == "big"
    said = [key for key in ("BinaryDataByteOrderMSB", "ElementByteOrderMSB") if key in fields]
    orders = {_flag(fields, key, default=default) for key in said} or {default}
    if len(orders) > 1:
        raise corrupt("BinaryDataByteOrderMSB and ElementByteOrderMSB say different things")
    return np.dtype(_TYPES[name]).newbyteorder(">" if orders.pop() else "<")


def _data_file(value: str) -> str:
    """LOCAL, or a name to be looked up among the files of the image: nowhere else."""
    if value.upper() == LOCAL:
        return LOCAL
    if value.split()[:1] == ["LIST"] or "%" in value:
        raise unsupported(
            "Its voxels are in a list of files.", "Write it anew as one .mha file, or as .mhd with one data file."
        )
    path = PurePosixPath(value)
    if not value:
        raise corrupt(f"its header does not say {_END}")
    if path.is_absolute() or ".." in path.parts or "\\" in value or ":" in value or "\0" in value:
        raise Refused(
            "missing_file",
            "Its ElementDataFile points out of the folder of the header.",
            "Put both files into one folder, and the bare name of the data file into the header.",
        )
    return str(path)


def _one_of(fields: dict[str, str], names: tuple[str, ...], count: int) -> list[float] | None:
    """The one field that goes by several names. ITK takes the last; a file that says two things is refused."""
    said = {tuple(_numbers(fields, name, count)) for name in names if name in fields}
    if len(said) > 1:
        raise corrupt(f"its header says different things by {', '.join(name for name in names if name in fields)}")
    return list(said.pop()) if said else None


def _geometry(fields: dict[str, str], count: int) -> tuple[Geometry, float | None]:
    """Where the grid lies, and seconds between time points."""
    name = "ElementSpacing" if "ElementSpacing" in fields else "ElementSize"
    spacing = _numbers(fields, name, count) if name in fields else None
    if spacing is not None:
        check_spacing(spacing)
    origin = _one_of(fields, ("Offset", "Position", "Origin"), count)
    if origin is not None:
        check_origin(origin)
    rows = _one_of(fields, ("TransformMatrix", "Rotation", "Orientation"), count * count)
    # A row of the file is the direction of an axis; a column here.
    matrix = np.eye(count) if rows is None else np.array(rows).reshape(count, count).T
    space = np.eye(3)
    most = min(count, 3)
    space[:most, :most] = matrix[:most, :most]
    if count == 4 and (matrix[3, 3] != 1 or matrix[:3, 3].any() or matrix[3, :3].any()):
        raise unsupported("Its axes of space and time are mixed.", "Write it with time as an axis of its own.")
    geometry = Geometry(
        spacing=None if spacing is None else _triple(spacing, 1.0),
        origin=None if origin is None else _triple(origin, 0.0),
        direction=direction_of(space),
    )
    # Writers put 1 where they know nothing of time. What ITK puts otherwise are seconds.
    known = count == 4 and spacing is not None and spacing[3] != 1
    return geometry, spacing[3] if known and spacing is not None else None


def _triple(values: list[float], missing: float) -> Triple:
    x, y, z = (*values, missing)[:3]
    return x, y, z


def _windows(fields: dict[str, str]) -> tuple[Window, ...]:
    """Window presets as Grand Challenge keeps them: a number each, or lists in brackets. Others are dropped."""
    try:
        centres, widths = (
            [decimal(word, name) for word in fields.get(name, "").strip("[]").replace(",", " ").split()]
            for name in ("WindowCenter", "WindowWidth")
        )
    except Refused:
        return ()
    if len(centres) != len(widths) or not all(width > 0 for width in widths):
        return ()
    return tuple(Window(centre, width) for centre, width in zip(centres, widths, strict=True))
