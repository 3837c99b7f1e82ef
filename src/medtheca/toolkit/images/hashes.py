"""What makes two images the same: sample by sample, or to the eye."""

import hashlib

import numpy as np
from PIL import Image

from medtheca.toolkit.images.raster import Raster

PIXEL_HASH = "medtheca-pixels/1"
PERCEPTUAL_HASH = "medtheca-phash/1"

_SIDE = 32
_KEPT = 8
# Whole numbers make the hash the same on every machine, and einsum keeps out of BLAS and its threads.
_COSINES = np.rint(
    (1 << 12) * np.cos(np.outer(np.arange(1, _KEPT + 1), 2 * np.arange(_SIDE) + 1) * (np.pi / (2 * _SIDE)))
).astype(np.int64)


def pixel_hash(raster: Raster) -> bytes:
    """SHA-256 over the samples as read, in 32 bytes; equal for equal pixels whatever the file around them.

    Hashed are one line of ASCII, `medtheca-pixels/1 MODEL DTYPE HEIGHTxWIDTHxCHANNELS` and a line feed
    (`medtheca-pixels/1 rgb uint8 768x1024x3`), then the samples row by row, channels together, 16-bit
    ones with the low byte first. Orientation and colour profile do not enter. JPEG is decoded as libjpeg
    does by default: exact integer DCT and smooth chroma upsampling.
    """
    samples = np.ascontiguousarray(raster.pixels)
    if samples.dtype != np.uint8:
        samples = samples.astype("<u2", copy=False)
    shape = f"{raster.height}x{raster.width}x{raster.channels}"
    digest = hashlib.sha256(f"{PIXEL_HASH} {raster.colour_model} {samples.dtype.name} {shape}\n".encode())
    digest.update(samples.data)
    return digest.digest()


def perceptual_hash(picture: Image.Image) -> int:
    """A 64-bit hash that stays nearly the same when a picture is rescaled or compressed again.

    Takes the upright sRGB or grey picture of a thumbnail. It is made grey (Pillow's L), 32 by 32 by box
    filter, and transformed by a DCT-II in whole numbers; of the coefficients of frequency 1 to 8 in both
    directions each gives a bit, one where it exceeds the median, most significant first, row by row.
    (After C. Zauner, 2010.) Compare with `hamming_distance`; up to 8 of 64 is a likely match. A picture
    of one colour has hash 0, and near-empty pictures match each other.
    """
    grey = picture.convert("L").resize((_SIDE, _SIDE), Image.Resampling.BOX)
    samples = np.asarray(grey, dtype=np.int64)
    rows = np.einsum("ui,ij->uj", _COSINES, samples)
    coefficients = np.einsum("uj,vj->uv", rows, _COSINES).ravel()
    ordered = np.sort(coefficients)
    # Twice the median, so that it stays whole.
    bits = 2 * coefficients > ordered[_KEPT * _KEPT // 2 - 1] + ordered[_KEPT * _KEPT // 2]
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


def hamming_distance(one: int, other: int) -> int:
    """How many bits differ.

    >>> hamming_distance(0b1011, 0b0010)
    2
    """
    return (one ^ other).bit_count()
