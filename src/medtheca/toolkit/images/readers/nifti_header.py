"""The header of NIfTI-1 and NIfTI-2: https://nifti.nimh.nih.gov/. Texts in it are passed over unread."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from nibabel.nifti1 import header_dtype as nifti1_fields
from nibabel.nifti2 import header_dtype as nifti2_fields

from medtheca.toolkit.deidentify.faults import corrupt, truncated, unsupported
from medtheca.toolkit.errors import Refused
from medtheca.toolkit.images.readers.grids import check_sizes
from medtheca.toolkit.images.readers.metaimage_header import MOST_CHANNELS
from medtheca.toolkit.images.volume import VolumeColour

HEADER_BYTES = 540
_SIZES = {348: 1, 540: 2}
_TYPES = {
    2: "u1",
    4: "i2",
    8: "i4",
    16: "f4",
    64: "f8",
    128: "u1",
    256: "i1",
    512: "u2",
    768: "u4",
    1024: "i8",
    1280: "u8",
    2304: "u1",
}
_COLOURS: dict[int, tuple[VolumeColour, int]] = {128: ("rgb", 3), 2304: ("rgba", 4)}
_COMPLEX = {32, 1792, 2048}
_VECTORS = {1006, 1007, 2003, 2004}
# By intent, samples and bytes of each.
_SAMPLES: dict[tuple[int, int, int], VolumeColour] = {(2003, 3, 1): "rgb", (2004, 4, 1): "rgba"}
_LINE_ENDS = (13, 10, 26, 10)
_LARGEST_EXTENSION = 1 << 26
_SECONDS = {8: 1.0, 16: 1e-3, 24: 1e-6}


@dataclass(frozen=True, slots=True)
class NiftiHeader:
    """`sizes` are (x, y, z, t). `raw` is the record itself, for what says how it lies in space.

    `channels_last`: samples are the slowest axis of the file and come last with us. `shown` are the values to show
    darkest and brightest. `offset` is where the voxels begin.
    """

    version: int
    sizes: tuple[int, int, int, int]
    dimensions: int
    channels: int
    colour: VolumeColour
    stored_type: np.dtype[Any]
    channels_last: bool
    intent: int
    offset: int
    slope: float
    intercept: float
    time_step: float | None
    shown: tuple[float, float]
    raw: Any

    @property
    def scaled(self) -> bool:
        return (self.slope, self.intercept) != (1.0, 0.0)

    @property
    def row(self) -> int:
        """Bytes of one row of voxels."""
        return self.sizes[0] * self.channels * self.stored_type.itemsize

    @property
    def size(self) -> int:
        """Bytes of all voxels."""
        return math.prod(self.sizes) * self.channels * self.stored_type.itemsize


def parse_header(head: bytes) -> NiftiHeader:
    """Read and check the header, from the first 540 bytes or all there are.

    Raises:
        Refused: `truncated`, `corrupt`, `unsupported_variant`, `missing_file` for one of a pair.
    """
    version, raw = _record(head)
    order = raw.dtype["dim"].base.byteorder
    sizes, dimensions, samples = _dimensions(raw)
    code = int(raw["datatype"])
    if code in _COMPLEX:
        raise unsupported("Its voxels are complex numbers.", "Send magnitude and phase, or real and imaginary part.")
    if code not in _TYPES:
        raise unsupported("Its voxels are of a type that is not read, such as 128-bit or single bits.", "Use float32.")
    kind = np.dtype(_TYPES[code]).newbyteorder(order)
    colour, channels = _COLOURS.get(code, ("grey", 1))
    if int(raw["bitpix"]) != 8 * channels * kind.itemsize:
        raise corrupt("its bits a voxel (bitpix) are not those of its type (datatype)")
    intent = int(raw["intent_code"])
    if samples > 1:
        if colour != "grey" or intent not in _VECTORS:
            raise unsupported(
                "It has a fifth axis that is not said to be that of vectors or colours.",
                "Send it in parts, or with the intent code of a vector (1007).",
            )
        channels = samples
        colour = _SAMPLES.get((intent, samples, kind.itemsize), "vector")
    slope, intercept = _scaling(raw) if code not in _COLOURS else (1.0, 0.0)
    return NiftiHeader(
        version=version,
        sizes=sizes,
        dimensions=dimensions,
        channels=channels,
        colour=colour,
        stored_type=kind,
        channels_last=samples > 1,
        intent=intent,
        offset=_offset(raw, version),
        slope=slope,
        intercept=intercept,
        time_step=_time_step(raw, sizes[3]),
        shown=(float(raw["cal_min"]), float(raw["cal_max"])),
        raw=raw,
    )


def _record(head: bytes) -> tuple[int, Any]:
    """The version, and the header as a record of NumPy."""
    sizes = {order: int.from_bytes(head[:4], order) for order in ("little", "big")}
    order = next((order for order, size in sizes.items() if size in _SIZES), None)
    if order is None:
        raise corrupt("its first number is not the length of a NIfTI header")
    version = _SIZES[sizes[order]]
    if len(head) < sizes[order]:
        raise truncated("its header is not whole")
    fields = (nifti1_fields, nifti2_fields)[version - 1].newbyteorder("<" if order == "little" else ">")
    raw = np.frombuffer(head, fields, count=1)[0]
    magic = bytes(raw["magic"])
    if magic.startswith(f"ni{version}".encode()):
        raise Refused(
            "missing_file",
            "It is one of a pair of files, .hdr and .img.",
            "Convert the pair to one .nii or .nii.gz file.",
        )
    if magic != f"n+{version}".encode():
        raise corrupt("it lacks the mark of NIfTI in one file; ANALYZE 7.5 is not read")
    if version == 2 and tuple(int(value) for value in raw["eol_check"]) != _LINE_ENDS:
        raise corrupt("its bytes were changed on the way, as by a transfer as text")
    return version, raw


def _dimensions(raw: Any) -> tuple[tuple[int, int, int, int], int, int]:
    """(x, y, z, t), how many axes there are, and samples a voxel."""
    count = int(raw["dim"][0])
    if not 1 <= count <= 7:
        raise corrupt("its number of dimensions is not from 1 to 7")
    used = [int(size) for size in raw["dim"][1 : count + 1]]
    check_sizes(used)
    x, y, z, t, samples, *others = (*used, *(1,) * (7 - count))
    if 3000 <= int(raw["intent_code"]) < 3100:
        raise unsupported("It is a CIFTI file, of surfaces and not of voxels.", "Send the volume it was made of.")
    if count == 1 or any(size > 1 for size in others) or samples > MOST_CHANNELS:
        raise unsupported(f"Its {count} dimensions are not read.", "Send it in parts of 2 to 4 dimensions.")
    return (x, y, z, t), 4 if t > 1 else min(count, 3), samples


def _offset(raw: Any, version: int) -> int:
    least = (352, 544)[version - 1]
    value = float(raw["vox_offset"])
    if not (value.is_integer() and (value == 0 or least <= value)):
        raise corrupt("the place of its voxels (vox_offset) is within the header, or no whole number")
    if value > _LARGEST_EXTENSION:
        raise corrupt("the place of its voxels (vox_offset) is too far behind the header")
    return int(value) or least


def _scaling(raw: Any) -> tuple[float, float]:
    """Slope and intercept. A slope of zero says that there are none, and so, as nibabel takes it, does NaN."""
    slope, intercept = float(raw["scl_slope"]), float(raw["scl_inter"])
    if slope == 0 or not math.isfinite(slope):
        return 1.0, 0.0
    if not math.isfinite(intercept):
        raise corrupt("its intercept (scl_inter) is not a number")
    return slope, intercept


def _time_step(raw: Any, timepoints: int) -> float | None:
    unit = _SECONDS.get(int(raw["xyzt_units"]) & 0x38)
    step = float(raw["pixdim"][4])
    if timepoints < 2 or unit is None or not (math.isfinite(step) and step > 0):
        return None
    return step * unit
