"""NRRD, versions 1 to 5: attached, or a header whose one data file came with it.

pynrrd is not used: it reads a data file from any path, unpacks before it counts, and takes fields that are none.
"""

import binascii
from typing import Any

import numpy as np

from medtheca.toolkit.deidentify.faults import corrupt, truncated, unsupported
from medtheca.toolkit.images.files import Files
from medtheca.toolkit.images.readers.grids import check_cost, check_surplus, spare_bytes, stored, typed, written
from medtheca.toolkit.images.readers.inflating import Packing, inflate
from medtheca.toolkit.images.readers.metaimage import sample_colour
from medtheca.toolkit.images.readers.nrrd_axes import Axes, read_axes
from medtheca.toolkit.images.readers.nrrd_header import NrrdHeader, parse_header
from medtheca.toolkit.images.volume import Volume, VolumeColour, Voxels, native


class NrrdReader:
    format = "nrrd"

    def read(self, files: Files, *, memory: int) -> Volume:
        view = files.view(files.main)
        header = parse_header(view)
        axes = read_axes(header)
        start = header.end
        if header.data_file is not None:
            folder = files.main.rpartition("/")[0]
            view = files.view(f"{folder}/{header.data_file}" if folder else header.data_file)
            start = 0
        size, start = header.size, _skip_lines(header, view, start)
        check_cost(header.sizes, size * (1 + axes.moved), memory)
        flat, notes = _voxels(header, view, start, memory)
        voxels = native(flat.reshape(header.sizes[::-1]).transpose(axes.order).reshape(axes.shape))
        return Volume(
            voxels=voxels,
            geometry=axes.geometry,
            colour=_colour(axes, header.stored_type),
            dimensions=axes.dimensions,
            time_step=axes.time_step,
            notes=(*axes.notes, *notes),
        )


def _colour(axes: Axes, stored_type: np.dtype[Any]) -> VolumeColour:
    if axes.samples is None or axes.channels == 1:
        return "grey"
    if axes.samples in {"list", "point"}:
        return "vector"
    return sample_colour(axes.channels, stored_type.name)


def _skip_lines(header: NrrdHeader, view: memoryview, start: int) -> int:
    # What is mapped is searched in place; an empty file is plain bytes.
    data: Any = view.obj
    for _ in range(header.line_skip):
        stop = data.find(b"\n", start)
        if stop < 0:
            raise truncated("it has fewer lines before its voxels than it says")
        start = stop + 1
    return start


def _voxels(header: NrrdHeader, view: memoryview, start: int, memory: int) -> tuple[Voxels, tuple[str, ...]]:
    """The values in the order of the file."""
    size, kind = header.size, header.stored_type
    skip = header.byte_skip
    if header.encoding in {"gzip", "bzip2"}:
        return _unpacked(header, view[start:], memory)
    if skip == -1:
        if header.encoding != "raw":
            raise unsupported("Its byte skip is -1, which goes with raw voxels only.", "Write it anew.")
        start = max(start, len(view) - size)
    else:
        start += skip
    if header.encoding == "raw":
        octets = stored(view, start, size)
        if not kind.isnative:
            check_cost(header.sizes, 2 * size, memory)
        return typed(octets, kind), check_surplus(len(view) - start - size, header.row)
    if header.encoding == "ascii":
        return written(view[start:], size // kind.itemsize, kind.newbyteorder("=")), ()
    check_cost(header.sizes, 2 * size, memory)
    return typed(_from_hex(view[start:], size), kind), ()


def _unpacked(header: NrrdHeader, source: memoryview, memory: int) -> tuple[Voxels, tuple[str, ...]]:
    """Compressed voxels; `byte skip` counts unpacked bytes."""
    if (skip := header.byte_skip) < 0:
        raise unsupported("Its byte skip is -1, which goes with raw voxels only.", "Write it anew.")
    check_cost(header.sizes, header.size + skip, memory)
    packing: Packing = "deflate" if header.encoding == "gzip" else "bzip2"
    spare = spare_bytes(header.row)
    octets, surplus = inflate(source, header.size + skip, packing=packing, spare=spare)
    return typed(octets[skip:], header.stored_type), check_surplus(surplus, header.row)


def _from_hex(text: memoryview, size: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    if len(text) < 2 * size:
        raise truncated(f"its voxels are {size:,} bytes, and {len(text):,} hexadecimal digits cannot hold them")
    out = np.empty(size, np.uint8)
    done, rest = 0, b""
    for at in range(0, len(text), 1 << 20):
        digits = rest + b"".join(bytes(text[at : at + (1 << 20)]).split())
        even = len(digits) & ~1
        digits, rest = digits[:even], digits[even:]
        try:
            piece = binascii.unhexlify(digits)
        except binascii.Error as error:
            raise corrupt("a voxel is not a hexadecimal number") from error
        if done + len(piece) > size:
            raise corrupt("more voxels are in it than its header says")
        out[done : done + len(piece)] = np.frombuffer(piece, np.uint8)
        done += len(piece)
    if done < size or rest:
        raise truncated(f"its voxels are {size:,} bytes, and {done:,} are there")
    return out
