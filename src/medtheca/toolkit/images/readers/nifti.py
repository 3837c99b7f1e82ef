"""NIfTI-1 and NIfTI-2 in one file, compressed or not."""

import numpy as np

from medtheca.toolkit.deidentify.faults import unsupported
from medtheca.toolkit.images.facts import Window
from medtheca.toolkit.images.files import Files
from medtheca.toolkit.images.readers.grids import check_cost, check_surplus, spare_bytes, stored, typed
from medtheca.toolkit.images.readers.inflating import GZIP, Octets, inflate, peek
from medtheca.toolkit.images.readers.nifti_header import HEADER_BYTES, NiftiHeader, parse_header
from medtheca.toolkit.images.readers.nifti_space import place
from medtheca.toolkit.images.readers.rescaling import rescale, rescaled_bytes
from medtheca.toolkit.images.volume import Volume, Voxels

DISPLACEMENT = 1006


class NiftiReader:
    format = "nifti"

    def read(self, files: Files, *, memory: int) -> Volume:
        view = files.view(files.main)
        packed = bytes(view[:2]) == GZIP
        header = parse_header(peek(view, HEADER_BYTES) if packed else bytes(view[:HEADER_BYTES]))
        geometry, notes = place(header)
        check_cost(header.sizes, _cost(header, packed=packed), memory)
        octets, more = _octets(view, header) if not packed else _unpacked(view, header)
        voxels = _arrange(typed(octets, header.stored_type), header)
        if header.scaled:
            voxels = rescale(voxels, header.slope, header.intercept)
        return Volume(
            voxels=voxels,
            geometry=geometry,
            colour=header.colour,
            dimensions=header.dimensions,
            time_step=header.time_step,
            rescaled=header.scaled,
            windows=_windows(header),
            notes=(*notes, *more),
        )


def _cost(header: NiftiHeader, *, packed: bool) -> int:
    """The bytes as they are or unpacked, and each copy that turns or rescales them."""
    size = header.size
    cost = size + (header.offset if packed else 0)
    if header.channels_last:
        cost += size
    if header.scaled:
        cost += size // header.stored_type.itemsize * rescaled_bytes(header.stored_type)
    if not (packed or header.stored_type.isnative):
        cost += size
    return cost


def _octets(view: memoryview, header: NiftiHeader) -> tuple[Octets, tuple[str, ...]]:
    octets = stored(view, header.offset, header.size)
    return octets, check_surplus(len(view) - header.offset - header.size, header.row)


def _unpacked(view: memoryview, header: NiftiHeader) -> tuple[Octets, tuple[str, ...]]:
    octets, surplus = inflate(view, header.offset + header.size, spare=spare_bytes(header.row))
    return octets[header.offset :], check_surplus(surplus, header.row)


def _arrange(flat: Voxels, header: NiftiHeader) -> Voxels:
    """To (t, z, y, x) or (t, z, y, x, c). Samples are the slowest axis of the file, but of colours the fastest."""
    x, y, z, t = header.sizes
    if not header.channels_last:
        return flat.reshape((t, z, y, x) if header.channels == 1 else (t, z, y, x, header.channels))
    voxels = np.ascontiguousarray(np.moveaxis(flat.reshape(header.channels, t, z, y, x), 0, -1))
    if header.intent == DISPLACEMENT and header.channels in {2, 3}:
        # Displacements are lengths in space: RAS in the file, LPS here, as ITK has it.
        if voxels.dtype.kind != "f":
            raise unsupported("Its displacements are whole numbers.", "Write them as float.")
        np.negative(voxels[..., :2], out=voxels[..., :2])
    return voxels


def _windows(header: NiftiHeader) -> tuple[Window, ...]:
    low, high = header.shown
    if header.colour != "grey" or not (np.isfinite(low) and np.isfinite(high) and low < high):
        return ()
    return (Window(centre=(low + high) / 2, width=high - low),)
