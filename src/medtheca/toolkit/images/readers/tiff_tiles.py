"""Strips and tiles of a TIFF page, decoded: never to more than their page says that they hold.

imagecodecs' codecs are called here and not through tifffile, which takes a JPEG that breaks off for a whole one.
"""

from collections.abc import Callable
from typing import Any

import imagecodecs
import numpy as np
import simplejpeg
from numpy.typing import NDArray

from medtheca.toolkit.deidentify.faults import corrupt, truncated, unsupported
from medtheca.toolkit.errors import Refused
from medtheca.toolkit.images.readers.tiff_jpeg import join_tables
from medtheca.toolkit.images.readers.tiff_page import JPEG, YCBCR, Page

_BYTE_CODECS: dict[int, Callable[..., Any]] = {
    5: imagecodecs.lzw_decode,
    8: imagecodecs.zlib_decode,
    32946: imagecodecs.zlib_decode,
    32773: imagecodecs.packbits_decode,
    34925: imagecodecs.lzma_decode,
    50000: imagecodecs.zstd_decode,
    34926: imagecodecs.zstd_decode,
}
_FAX = {2: imagecodecs.ccittrle_decode, 3: imagecodecs.ccittfax3_decode, 4: imagecodecs.ccittfax4_decode}
_JPEG_2000 = frozenset({33003, 33004, 33005, 34712})
_WEBP = frozenset({50001, 34927})
_REMEDY = "Save it as an ordinary TIFF (uncompressed, LZW, Deflate or JPEG)."
_PACKED = frozenset({10, 12, 14})


def check_coding(page: Page) -> None:
    """Refuse what is not decoded here, in words (`unsupported_variant`)."""
    known = page.compression in {1, JPEG} | _BYTE_CODECS.keys() | _FAX.keys() | _JPEG_2000 | _WEBP
    if not known:
        raise unsupported(f"This TIFF uses compression {page.compression}, which is not read.", _REMEDY)
    if page.bits not in {1, 2, 4, 8, 16, 32, 64} | _PACKED or (page.bits < 8 and page.sample_format != 1):
        raise unsupported(f"This TIFF has {page.bits} bits a sample.", _REMEDY)
    if page.sample_format not in {1, 2, 3} or (page.sample_format == 3 and page.bits < 16):
        raise unsupported("This TIFF has samples that are neither whole nor real numbers.", _REMEDY)
    if page.photometric == YCBCR and page.compression not in {JPEG} | _JPEG_2000 | _WEBP:
        raise unsupported("This TIFF holds YCbCr colours that are not in JPEG.", "Save it as RGB.")
    if page.compression in _FAX and (page.bits, page.samples) != (1, 1):
        raise corrupt("it uses fax compression for something other than black and white")
    if page.compression == JPEG and page.bits != 8:
        raise unsupported(f"This TIFF holds JPEG of {page.bits} bits.", _REMEDY)
    if page.predictor not in {1, 2, 3} or (page.predictor == 3) > (page.sample_format == 3):
        raise unsupported(f"This TIFF uses predictor {page.predictor} in a way that is not read.", _REMEDY)
    if page.predictor == 2 and page.bits not in {8, 16, 32, 64}:
        raise unsupported(f"This TIFF uses a predictor on samples of {page.bits} bits.", _REMEDY)


def dtype_of(page: Page) -> np.dtype[Any]:
    """What its samples are once unpacked, in native byte order."""
    kind = {1: "u", 2: "i", 3: "f"}[page.sample_format]
    return np.dtype(f"{kind}{page.item_bytes}")


def decode_tile(page: Page, index: int) -> NDArray[Any]:
    """The samples of a strip or tile: (rows, columns, samples), the padding of tiles included; strips may be short.

    Colours of JPEG come as RGB. Raises `Refused` (`truncated`, `corrupt`, `unsupported_variant`).
    """
    place = index % (page.columns * page.rows)
    height = page.tile_height
    if not page.tiled:
        height = min(height, page.height - place // page.columns * page.tile_height)
    shape = (height, page.tile_width, page.tile_samples)
    offset, count = page.places[index]
    if not count:
        return np.zeros(shape, dtype_of(page))
    try:
        return _decode(page, page.directory.data[offset : offset + count], shape)
    except Refused:
        raise
    except MemoryError:
        raise
    except Exception as error:
        raise corrupt(f"strip or tile {index:,} cannot be decoded ({type(error).__name__})") from error


def _decode(page: Page, data: memoryview, shape: tuple[int, int, int]) -> NDArray[Any]:
    if page.compression == JPEG:
        return _decode_jpeg(page, data, shape)
    if page.directory.number(266, 1) == 2 and page.compression not in _JPEG_2000 | _WEBP:
        data = memoryview(imagecodecs.bitorder_decode(bytes(data)))
    if page.compression in _FAX:
        return _decode_fax(page, data, shape)
    if page.compression in _JPEG_2000 | _WEBP:
        return _decode_picture(page, data, shape)
    expected = -(-shape[1] * shape[2] * page.bits // 8) * shape[0]
    codec = _BYTE_CODECS.get(page.compression)
    decoded = codec(bytes(data), out=expected) if codec else data
    if len(decoded) < expected:
        raise truncated(f"a strip or tile holds {len(decoded):,} bytes of {expected:,}")
    return _unpack(page, decoded[:expected], shape)


def _unpack(page: Page, data: Any, shape: tuple[int, int, int]) -> NDArray[Any]:
    dtype = dtype_of(page)
    if page.bits == 1:
        rows = np.frombuffer(data, np.uint8).reshape(shape[0], -1)
        return np.unpackbits(rows, axis=1, count=shape[1] * shape[2]).reshape(shape)
    if page.bits < 8 or page.bits in _PACKED:
        unpacked = imagecodecs.packints_decode(bytes(data), dtype, page.bits, runlen=shape[1] * shape[2])
        return np.asarray(unpacked).reshape(shape)
    stored = np.frombuffer(data, dtype.newbyteorder(page.directory.order)).reshape(shape)
    if page.predictor == 3:
        # It works on bytes of a row that were sorted by significance, whatever the byte order of the file.
        return np.asarray(imagecodecs.floatpred_decode(stored.copy(), axis=1)).astype(dtype, copy=False)
    if page.predictor == 2:
        # Differences of whole numbers: a float's bits are taken for one.
        whole = stored.astype(dtype).view(f"u{dtype.itemsize}")
        return np.cumsum(whole, axis=1, dtype=whole.dtype).view(dtype)
    return stored.astype(dtype)


def _decode_jpeg(page: Page, data: memoryview, shape: tuple[int, int, int]) -> NDArray[np.uint8]:
    ycbcr = page.photometric == YCBCR
    stream = join_tables(data, page.directory.text(347), shape[2], ycbcr=ycbcr)
    if shape[2] == 4:
        raise unsupported("This TIFF holds JPEG of four colours.", _REMEDY)
    height, width, colourspace, _ = simplejpeg.decode_jpeg_header(stream)
    _check_size((height, width), shape, tiled=page.tiled)
    wanted = "GRAY" if shape[2] == 1 else "RGB"
    if (colourspace == "Gray") != (wanted == "GRAY") or shape[2] not in {1, 3}:
        raise corrupt("a JPEG tile has another number of colours than its picture")
    return np.asarray(simplejpeg.decode_jpeg(stream, wanted))[: shape[0]]


def _decode_fax(page: Page, data: memoryview, shape: tuple[int, int, int]) -> NDArray[np.uint8]:
    options: dict[str, Any] = {"t4options": page.directory.number(292, 0)} if page.compression == 3 else {}
    bits = np.asarray(_FAX[page.compression](bytes(data), height=shape[0], width=shape[1], **options))
    if bits.size < shape[0] * shape[1]:
        raise truncated("a strip of fax rows is too short")
    return np.asarray(bits.reshape(-1)[: shape[0] * shape[1]].reshape(shape) != 0, np.uint8)


def _decode_picture(page: Page, data: memoryview, shape: tuple[int, int, int]) -> NDArray[Any]:
    webp = page.compression in _WEBP
    size = _webp_size(data) if webp else _jpeg_2000_size(data)
    _check_size(size, shape, tiled=page.tiled)
    if webp:
        decoded = np.asarray(imagecodecs.webp_decode(bytes(data), hasalpha=shape[2] == 4))
    else:
        decoded = np.asarray(imagecodecs.jpeg2k_decode(bytes(data), numthreads=1))
    decoded = decoded.reshape(*size, -1)
    if page.compression == 33003:
        decoded = _ycc_to_rgb(decoded)
    if decoded.shape[2] != shape[2] or decoded.dtype.newbyteorder("=") != dtype_of(page):
        raise corrupt("a tile has other samples than its picture")
    return decoded


def _check_size(found: tuple[int, int], shape: tuple[int, int, int], *, tiled: bool) -> None:
    """A coded tile must be as large as its page says: the last strip may be coded at full height."""
    if found == shape[:2] or (not tiled and found[1] == shape[1] and shape[0] <= found[0] <= shape[0] + 4096):
        return
    raise corrupt(f"a tile of {shape[1]:,} by {shape[0]:,} pixels says to have {found[1]:,} by {found[0]:,}")


def _ycc_to_rgb(samples: NDArray[Any]) -> NDArray[np.uint8]:
    """Aperio's 33003 keeps YCbCr of 8 bits (ITU-T T.871) without saying so inside the stream."""
    if samples.dtype != np.uint8 or samples.shape[2] != 3:
        raise corrupt("a tile of YCbCr has other samples")
    y, blue, red = (samples[:, :, i].astype(np.float32) for i in range(3))
    blue, red = blue - 128, red - 128
    rgb = np.stack([y + 1.402 * red, y - 0.344136 * blue - 0.714136 * red, y + 1.772 * blue], axis=2)
    return np.asarray(np.clip(np.rint(rgb), 0, 255), np.uint8)


def _jpeg_2000_size(data: memoryview) -> tuple[int, int]:
    """Height and width from the SIZ marker (ITU-T T.800, A.5.1)."""
    head = bytes(data[:4096])
    at = head.find(b"\xff\x4f\xff\x51")
    if at < 0 or len(head) < at + 24:
        raise corrupt("a tile is no JPEG 2000 stream")
    x, y, x0, y0 = (int.from_bytes(head[at + 8 + 4 * i : at + 12 + 4 * i], "big") for i in range(4))
    return y - y0, x - x0


def _webp_size(data: memoryview) -> tuple[int, int]:
    """Height and width (RFC 9649)."""
    head = bytes(data[:30])
    if head[:4] != b"RIFF" or head[8:12] != b"WEBP" or len(head) < 30:
        raise corrupt("a tile is no WebP picture")
    if head[12:16] == b"VP8 ":
        return int.from_bytes(head[28:30], "little") & 0x3FFF, int.from_bytes(head[26:28], "little") & 0x3FFF
    if head[12:16] == b"VP8L":
        bits = int.from_bytes(head[21:25], "little")
        return (bits >> 14 & 0x3FFF) + 1, (bits & 0x3FFF) + 1
    return int.from_bytes(head[27:30], "little") + 1, int.from_bytes(head[24:27], "little") + 1
