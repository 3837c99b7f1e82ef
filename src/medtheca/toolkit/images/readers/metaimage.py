"""MetaImage: `.mha`, and `.mhd` with its voxels in a second file, as ITK reads them."""

import numpy as np

from medtheca.toolkit.deidentify.faults import corrupt, truncated, unsupported
from medtheca.toolkit.images.files import Files
from medtheca.toolkit.images.readers.grids import check_cost, check_surplus, spare_bytes, stored, typed, written
from medtheca.toolkit.images.readers.inflating import inflate
from medtheca.toolkit.images.readers.metaimage_header import LOCAL, MetaHeader, parse_header
from medtheca.toolkit.images.volume import Volume, VolumeColour, Voxels


class MetaImageReader:
    format = "mha"

    def read(self, files: Files, *, memory: int) -> Volume:
        view = files.view(files.main)
        header = parse_header(view)
        start = header.end
        if header.data_file != LOCAL:
            view, start = files.view(_beside(files, header.data_file)), 0
        flat, notes = _voxels(header, view, start, memory)
        shape = (*reversed((*header.sizes, *(1,) * (4 - len(header.sizes)))),)
        if header.channels > 1:
            shape = (*shape, header.channels)
        return Volume(
            voxels=flat.reshape(shape),
            geometry=header.geometry,
            colour=sample_colour(header.channels, header.stored_type.name),
            dimensions=len(header.sizes),
            time_step=header.time_step,
            windows=header.windows,
            facts=header.facts,
            notes=notes,
        )


def sample_colour(channels: int, type_name: str) -> VolumeColour:
    """What several samples a voxel are, where the file does not say: ITK writes colours as three or four bytes."""
    if channels == 1:
        return "grey"
    if type_name in {"uint8", "uint16"} and channels in {3, 4}:
        return "rgb" if channels == 3 else "rgba"
    return "vector"


def _beside(files: Files, name: str) -> str:
    """The name among the files, of a file that the header names as it lies from there."""
    folder = files.main.rpartition("/")[0]
    return f"{folder}/{name}" if folder else name


def _voxels(header: MetaHeader, view: memoryview, start: int, memory: int) -> tuple[Voxels, tuple[str, ...]]:
    size, row = header.size, header.row
    if not header.binary:
        check_cost(header.sizes, size, memory)
        return written(view[start:], size // header.stored_type.itemsize, header.stored_type.newbyteorder("=")), ()
    start = _first_byte(header, view, start)
    if header.compressed:
        source = _compressed(header, view, start)
        check_cost(header.sizes, size, memory)
        octets, surplus = inflate(source, size, spare=spare_bytes(row))
    else:
        octets = stored(view, start, size)
        surplus = len(view) - start - size
        check_cost(header.sizes, size if header.stored_type.isnative else 2 * size, memory)
    return typed(octets, np.dtype(header.stored_type)), check_surplus(surplus, row)


def _first_byte(header: MetaHeader, view: memoryview, start: int) -> int:
    """HeaderSize counts from the first byte of the file with the voxels, or, as -1, says that they are its end."""
    if header.header_size == -1:
        if header.compressed:
            raise unsupported(
                "HeaderSize is -1, which cannot be with compressed voxels.", "Write it anew, without HeaderSize."
            )
        if len(view) - start < header.size:
            raise truncated(f"its voxels are {header.size:,} bytes, and {len(view) - start:,} are there")
        return len(view) - header.size
    if 0 < header.header_size < start:
        raise corrupt("HeaderSize points into the header itself")
    return header.header_size or start


def _compressed(header: MetaHeader, view: memoryview, start: int) -> memoryview:
    there = max(len(view) - start, 0)
    promised = header.compressed_size
    if promised is None:
        return view[start:]
    if promised > there:
        raise truncated(f"its compressed voxels are {promised:,} bytes, and {there:,} are there")
    return view[start : start + promised]
