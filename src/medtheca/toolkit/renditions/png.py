"""Pixels as a PNG file, every sample kept: 8 or 16 bits, grey or colour, with or without alpha."""

import struct
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from medtheca.toolkit.images.raster import Raster

MEDIA_TYPE = "image/png"
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_COLOURS = {"grey": 0, "rgb": 2, "grey+alpha": 4, "rgb+alpha": 6}
_LEVEL = 6
# Filters look at whole rows; bands of them keep the copies small.
_BAND_BYTES = 8_000_000
_SUB, _UP, _AVERAGE, _PAETH = 1, 2, 3, 4


def encode_png(raster: "Raster") -> bytes:
    """The pixels as they are stored in the raster, with its profile and nothing else about them.

    CMYK has no place in PNG: raises `KeyError`.
    """
    colour = _COLOURS[raster.colour_model]
    depth = raster.pixels.dtype.itemsize * 8
    chunks = [_chunk(b"IHDR", struct.pack(">IIBBBBB", raster.width, raster.height, depth, colour, 0, 0, 0))]
    if raster.icc:
        chunks.append(_chunk(b"iCCP", b"ICC profile\0\0" + zlib.compress(raster.icc, _LEVEL)))
    chunks += [_chunk(b"IDAT", part) for part in _compress(raster)]
    chunks.append(_chunk(b"IEND", b""))
    return _SIGNATURE + b"".join(chunks)


def _chunk(name: bytes, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload)) + name + payload + struct.pack(">I", zlib.crc32(payload, zlib.crc32(name)))


def _compress(raster: "Raster") -> Iterator[bytes]:
    packer = zlib.compressobj(_LEVEL, strategy=zlib.Z_FILTERED)
    step = raster.channels * raster.pixels.dtype.itemsize
    width = raster.width * step
    rows = max(1, _BAND_BYTES // width)
    above = np.zeros((1, width), np.uint8)
    for top in range(0, raster.height, rows):
        band = raster.pixels[top : top + rows]
        samples = np.ascontiguousarray(band, band.dtype.newbyteorder(">")).view(np.uint8).reshape(len(band), width)
        if packed := packer.compress(_filter(samples, above, step).tobytes()):
            yield packed
        above = samples[-1:].copy()
    yield packer.flush()


def _filter(samples: NDArray[np.uint8], above: NDArray[np.uint8], step: int) -> NDArray[np.uint8]:
    """Rows with their filter types: of each row the filter that leaves the smallest numbers."""
    up = np.vstack([above, samples[:-1]])
    left, corner = _shifted(samples, step), _shifted(up, step)
    average = ((left.astype(np.uint16) + up) >> 1).astype(np.uint8)
    best = np.empty((len(samples), samples.shape[1] + 1), np.uint8)
    least = np.full(len(samples), np.iinfo(np.int64).max)
    predictions = ((_SUB, left), (_UP, up), (_AVERAGE, average), (_PAETH, _paeth(left, up, corner)))
    for kind, predicted in predictions:
        rest = samples - predicted
        cost = np.abs(rest.view(np.int8).astype(np.int16)).sum(axis=1, dtype=np.int64)
        better = cost < least
        best[better, 0] = kind
        best[better, 1:] = rest[better]
        least = np.minimum(least, cost)
    return best


def _shifted(samples: NDArray[np.uint8], step: int) -> NDArray[np.uint8]:
    """The sample of the pixel to the left of each; zero before the first."""
    shifted = np.zeros_like(samples)
    shifted[:, step:] = samples[:, :-step]
    return shifted


def _paeth(left: NDArray[np.uint8], up: NDArray[np.uint8], corner: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Of the three the one nearest to left + up - corner; ties in this order, as the standard has it."""
    a, b, c = left.astype(np.int16), up.astype(np.int16), corner.astype(np.int16)
    to_left, to_up, to_corner = np.abs(b - c), np.abs(a - c), np.abs(a + b - 2 * c)
    nearest = np.where(to_up <= to_corner, b, c)
    nearest = np.where((to_left <= to_up) & (to_left <= to_corner), a, nearest)
    return nearest.astype(np.uint8)
