"""Topcon's .fda and .fds: the tomogram of an eye, from 3D OCT devices.

The format is not published. A file is `FOCT`, `FDA` or `FDS`, two numbers of 32 bits, then blocks: a byte with the
length of a name, the name, a length of 32 bits, that many bytes; a name of no length ends it. All numbers have the
low byte first. Layouts of the blocks are those that users of the devices have found out and published.
Photographs of the fundus beside the tomogram, and what the device measured in it, stay in the original.
"""

import math
import struct
from dataclasses import dataclass

import imagecodecs
import numpy as np

from medtheca.toolkit.deidentify.faults import corrupt, truncated
from medtheca.toolkit.errors import Refused
from medtheca.toolkit.images.devices import device_facts
from medtheca.toolkit.images.facts import Code, Facts, Laterality
from medtheca.toolkit.images.files import Files
from medtheca.toolkit.images.readers.reading import check_memory
from medtheca.toolkit.images.volume import Geometry, Volume, Voxels

_HEAD, _MOST_BLOCKS, _LONGEST_NAME = 15, 10_000, 64
_RAW = struct.Struct("<xIIIIxI")  # scan mode, width, height, bits, slices, ?, size
_CODED = struct.Struct("<x8xIIII")  # scan mode, ?, width, height, slices, ?
_SIZES = struct.Struct("<12xddd")  # ?, mm across, mm over all slices, µm in depth
_SIZ = struct.Struct(">4s2x2xIIII16xH")  # SOC and SIZ, its length, capabilities, extent, offset, tiles, components
_MOST_MM = 1000.0
_EYE = Code("81745001", "SCT", "Eye")


@dataclass(frozen=True, slots=True)
class _Block:
    name: str
    data: memoryview


class OctReader:
    format = "oct"

    def read(self, files: Files, *, memory: int) -> Volume:
        """The tomogram: x along a scan line, y in depth, z from line to line."""
        blocks = _list_blocks(files.view(files.main))
        raw, coded = _all(blocks, "@IMG_SCAN_03"), _all(blocks, "@IMG_JPEG")
        if not raw and not coded:
            raise Refused(
                "unsupported_variant",
                "The file holds no tomogram that is known here.",
                "Export the volume scan from the device.",
            )
        voxels = _read_raw(raw[0], memory) if raw else _read_coded(coded[0], memory)
        notes = []
        if (others := len(raw) + len(coded) - 1) > 0:
            notes.append(f"The file holds {others + 1} tomograms; the first is shown.")
        spacing = _spacing(blocks, voxels)
        if spacing is None:
            notes.append("The file does not say how large the scan is.")
        return Volume(voxels, Geometry(spacing), facts=_facts(blocks), notes=tuple(notes))


def _list_blocks(data: memoryview) -> list[_Block]:
    blocks: list[_Block] = []
    at = _HEAD
    while at < len(data) and (length := data[at]):
        if length > _LONGEST_NAME or len(blocks) == _MOST_BLOCKS:
            raise corrupt("its list of blocks is damaged")
        if at + 5 + length > len(data):
            raise truncated("it ends within the name of a block")
        name = bytes(data[at + 1 : at + 1 + length]).decode("ascii", "replace")
        size = int.from_bytes(data[at + 1 + length : at + 5 + length], "little")
        at += 5 + length
        if at + size > len(data):
            raise truncated(f"it ends within the block {name[:20]!r}")
        blocks.append(_Block(name, data[at : at + size]))
        at += size
    if at >= len(data):
        raise truncated("the block that ends it is missing")
    return blocks


def _all(blocks: list[_Block], name: str) -> list[memoryview]:
    return [block.data for block in blocks if block.name == name]


def _read_raw(data: memoryview, memory: int) -> Voxels:
    if len(data) < _RAW.size:
        raise corrupt("the block of its tomogram is too short")
    width, height, bits, slices, size = _RAW.unpack_from(data)
    _check_size(width, height, slices, memory)
    if bits != 16:
        raise Refused("unsupported_variant", f"Its samples have {bits} bits; 16 are read.", "Export the scan again.")
    if size != 2 * width * height * slices or len(data) - _RAW.size < size:
        raise corrupt("its tomogram is not as large as its header says")
    samples = np.frombuffer(data, "<u2", width * height * slices, _RAW.size)
    return samples.reshape(1, slices, height, width).astype(np.uint16)


def _read_coded(data: memoryview, memory: int) -> Voxels:
    """Slices in JPEG 2000, each with its length before it."""
    if len(data) < _CODED.size:
        raise corrupt("the block of its tomogram is too short")
    width, height, slices, _ = _CODED.unpack_from(data)
    _check_size(width, height, slices, memory)
    voxels: Voxels | None = None
    at = _CODED.size
    for place in range(slices):
        size = int.from_bytes(data[at : at + 4], "little")
        coded = data[at + 4 : at + 4 + size]
        if len(coded) < size or size < _SIZ.size:
            raise truncated(f"slice {place + 1} of {slices} is cut off")
        decoded = _decode_slice(coded, width, height, place)
        if voxels is None:
            voxels = np.empty((1, slices, height, width), decoded.dtype)
        elif voxels.dtype != decoded.dtype:
            raise corrupt(f"slice {place + 1} has another depth than those before it")
        voxels[0, place] = decoded
        at += 4 + size
    assert voxels is not None
    return voxels


def _decode_slice(coded: memoryview, width: int, height: int, place: int) -> Voxels:
    # Read before decoding, which would make room for whatever the stream says.
    start, right, bottom, left, top, components = _SIZ.unpack_from(coded)
    if start != b"\xff\x4f\xff\x51" or (right - left, bottom - top, components) != (width, height, 1):
        raise corrupt(f"slice {place + 1} is not a picture of {width} by {height} pixels")
    try:
        decoded = np.asarray(imagecodecs.jpeg2k_decode(bytes(coded), numthreads=1))
    except (RuntimeError, ValueError) as error:
        raise corrupt(f"decoding slice {place + 1} fails") from error
    if decoded.shape != (height, width) or decoded.dtype not in (np.uint8, np.uint16):
        raise corrupt(f"slice {place + 1} decodes to another size")
    return decoded


def _check_size(width: int, height: int, slices: int, memory: int) -> None:
    if not (width and height and slices):
        raise corrupt("its tomogram has no size")
    check_memory(width=width, height=height, bytes_per_pixel=4 * slices, memory=memory)


def _spacing(blocks: list[_Block], voxels: Voxels) -> tuple[float, float, float] | None:
    found = _all(blocks, "@PARAM_SCAN_04")
    if not found or len(found[0]) < _SIZES.size:
        return None
    across, over, depth = _SIZES.unpack_from(found[0])
    if not all(math.isfinite(value) and 0 < value <= _MOST_MM for value in (across, over, depth)):
        return None
    return across / voxels.shape[3], depth / 1000, over / voxels.shape[1]


def _facts(blocks: list[_Block]) -> Facts:
    sides: dict[int, Laterality] = {0: "R", 1: "L"}
    captured, hardware = _all(blocks, "@CAPTURE_INFO_02"), _all(blocks, "@HW_INFO_03")
    model = bytes(hardware[0][:16]).split(b"\0")[0].decode("ascii", "replace") if hardware else ""
    return Facts(
        modality="OPT",
        body_part=_EYE,
        laterality=sides.get(captured[0][0]) if captured and len(captured[0]) else None,
        **device_facts("Topcon", model if model.isprintable() else None),
    )
