"""Coded frames, decoded by imagecodecs. What a frame's own header promises is compared with DICOM's before decoding."""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import simplejpeg
from imagecodecs import htj2k_decode, jpeg2k_decode, jpeg8_decode, jpegls_decode, packbits_decode
from numpy.typing import NDArray

from medtheca.toolkit.deidentify.faults import corrupt, truncated
from medtheca.toolkit.deidentify.stripped import Buffer
from medtheca.toolkit.images.dicom.formats import HTJ2K, JPEG, JPEG_2000, JPEG_LS, RLE, PixelFormat
from medtheca.toolkit.images.dicom.wholeness import check_whole

Samples = NDArray[Any]

LOSSY_JPEG = frozenset(f"1.2.840.10008.1.2.4.{number}" for number in (50, 51, 53, 55))
_LOSSLESS_SOF = frozenset((0xC3, 0xC7, 0xCB, 0xCF))
_JPEG_LS_SOF = 0xF7
_SOF = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC} | {_JPEG_LS_SOF}
_SIZ = b"\xff\x4f\xff\x51"
_ADOBE = b"\xff\xee\x00\x0eAdobe\x00\x64\0\0\0\0"
_TILE_PART = b"\xff\x90\x00\x0a"
_END = b"\xff\xd9"  # of JPEG and of JPEG 2000
_RLE_HEADER = 64


@dataclass(frozen=True, slots=True)
class Coded:
    """What a coded frame says of itself. `rgb` is None where its markers do not say how its colours are meant."""

    width: int
    height: int
    components: int
    precision: int
    signed: bool = False
    lossless: bool = False
    rgb: bool | None = None


def begins(head: Buffer, syntax: str) -> bool:
    """Whether a fragment begins like a frame."""
    first = bytes(head)
    if syntax in JPEG | JPEG_LS:
        return first[:3] == b"\xff\xd8\xff"
    if syntax in JPEG_2000 | HTJ2K:
        return first == _SIZ or first[:4] == b"\0\0\0\x0c"
    return True


def decode(data: Buffer, form: PixelFormat) -> Samples:
    """A frame coded by JPEG, JPEG-LS or JPEG 2000: (rows, columns) or (rows, columns, 3) of `form.dtype`.

    Lossy JPEG comes back as RGB; others as they were stored.

    Raises:
        Refused: `corrupt` if the frame has other sizes than the header says, or cannot be decoded.
    """
    data = bytes(data)
    is_2000 = form.syntax in JPEG_2000 | HTJ2K
    coded = _read_siz(data) if is_2000 else _read_sof(data)
    if (coded.width, coded.height, coded.components) != (form.columns, form.rows, form.samples):
        raise corrupt(
            f"a frame is coded as {coded.width} by {coded.height} with {coded.components} samples, "
            f"but the header says {form.columns} by {form.rows} with {form.samples}"
        )
    if coded.precision > form.allocated:
        raise corrupt(f"a frame has {coded.precision} bits a sample, but the header says {form.allocated}")
    # Most decoders fill up what is missing and say nothing. Padding differs: zero, or the first half of a marker.
    if form.syntax in JPEG | HTJ2K and not data.rstrip(b"\0\xff").endswith(_END):
        raise truncated("a coded frame has no end")
    if form.syntax in HTJ2K:
        _check_tile_parts(data)
    try:
        samples = _decode(data, form, coded)
    except (MemoryError, AssertionError):
        raise
    except Exception as error:
        if "remature end" in str(error):
            raise truncated("a coded frame ends too early") from error
        raise corrupt("a coded frame cannot be decoded") from error
    if form.syntax in JPEG and (coded.lossless or coded.precision != 8):
        # Of eight bits, the decoder says itself when it had to guess.
        check_whole(data, np.asarray(samples), lambda changed: _decode(changed, form, coded))
    expected = (form.rows, form.columns, 3)[: 2 + (form.samples == 3)]
    if samples.shape != expected:
        raise corrupt("a coded frame decodes to another size than it says")
    return _as_stored(samples, form, coded)


def _decode(data: bytes, form: PixelFormat, coded: Coded) -> Samples:
    if form.syntax in HTJ2K:
        result = htj2k_decode(data)
    elif form.syntax in JPEG_2000:
        result = jpeg2k_decode(data, numthreads=1)
    elif form.syntax in JPEG_LS:
        result = jpegls_decode(data)
    elif coded.lossless:
        # The samples as stored: the decoder must not turn colours that PhotometricInterpretation describes.
        space = "RGB" if form.samples == 3 else None
        result = jpeg8_decode(data, colorspace=space, outcolorspace=space)
    else:
        result = _decode_lossy(data, form, coded)
    return np.asarray(result)


def _decode_lossy(data: bytes, form: PixelFormat, coded: Coded) -> Samples:
    is_rgb = form.photometric == "RGB" if coded.rgb is None else coded.rgb
    if coded.precision == 8:
        plain = data if form.samples == 1 else _with_transform(data, rgb=is_rgb)
        try:
            # The only decoder at hand that says when libjpeg had to guess.
            found: Samples = simplejpeg.decode_jpeg(plain, "GRAY" if form.samples == 1 else "RGB", strict=True)
        except ValueError as error:
            if "Invalid SOS parameters" not in str(error):  # which cameras leave zero, and decoders do not need
                raise
        else:
            return found[:, :, 0] if form.samples == 1 else found
    if form.samples == 1:
        return np.asarray(jpeg8_decode(data))
    return np.asarray(jpeg8_decode(data, colorspace="RGB" if is_rgb else "YCBCR", outcolorspace="RGB"))


def _with_transform(data: bytes, *, rgb: bool) -> bytes:
    """The same stream with its colours named once, by an Adobe marker; markers that name them otherwise are blotted."""
    named = bytearray(data)
    for marker, body, at in _segments(data):
        if (marker == 0xEE and body[:5] == b"Adobe") or (marker == 0xE0 and body[:5] == b"JFIF\0"):
            named[at : at + 4] = b"----"
    return b"\xff\xd8" + _ADOBE + (b"\0" if rgb else b"\1") + bytes(named[2:])


def _check_tile_parts(data: bytes) -> None:
    """Follow the lengths of tile-parts to the end of the codestream: all of them must be there."""
    at = data.find(_TILE_PART, _find_codestream(data))
    while at >= 0 and data[at : at + 4] == _TILE_PART:
        length = int.from_bytes(data[at + 6 : at + 10], "big")
        if length == 0:  # the last one, up to the end
            return
        if length < 14 or at + length + 2 > len(data):
            raise truncated("a tile of a coded frame is cut off")
        at += length
    if at < 0 or data[at : at + 2] != _END:
        raise corrupt("the tiles of a coded frame do not lead to its end")


def _as_stored(samples: Samples, form: PixelFormat, coded: Coded) -> Samples:
    """The numbers in the type that the header says. What the codestream holds is bits; the header says their sign."""
    if samples.dtype.kind not in "iu":
        raise corrupt("a coded frame decodes to something other than whole numbers")
    if form.samples == 3 or samples.dtype.kind == form.dtype.kind:
        return samples.astype(form.dtype, copy=False)
    bits = samples.astype(np.dtype(f"u{form.dtype.itemsize}"))
    shift = form.allocated - min(coded.precision, form.allocated)
    if not form.signed:
        shift = form.allocated - form.stored
    moved: Samples = np.left_shift(bits, shift).view(form.dtype) >> np.array(shift, form.dtype)
    return moved


def _read_sof(data: Buffer) -> Coded:
    """The frame header of a JPEG or JPEG-LS stream, and what APP14 or JFIF say of its colours."""
    if bytes(data[:2]) != b"\xff\xd8":
        raise corrupt("a frame is not the JPEG that its transfer syntax says")
    adobe: bool | None = None
    jfif = False
    for marker, body, _ in _segments(data):
        if marker == 0xEE and body[:5] == b"Adobe" and len(body) >= 12:
            adobe = body[11] == 0
        elif marker == 0xE0 and body[:5] == b"JFIF\0":
            jfif = True
        elif marker in _SOF:
            if len(body) < 6:
                break
            precision, height, width, components = struct.unpack_from(">BHHB", body)
            named = body[6:15:3] == b"RGB" or None
            lossless = marker in _LOSSLESS_SOF or marker == _JPEG_LS_SOF
            rgb = adobe if adobe is not None else False if jfif else named
            return Coded(width, height, components, precision, lossless=lossless, rgb=rgb)
    raise corrupt("a JPEG frame has no frame header")


def _segments(data: Buffer) -> Iterator[tuple[int, bytes, int]]:
    """Marker and first bytes of each segment before the scan, and where the bytes begin."""
    at = 2
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            raise corrupt("a JPEG frame has no marker where one belongs")
        marker = data[at + 1]
        if marker == 0xFF:  # fill bytes may stand before a marker
            at += 1
            continue
        if marker in {0xDA, 0xD9}:
            return
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if length < 2 or at + 2 + length > len(data):
            raise truncated("a JPEG frame ends in its header")
        yield marker, bytes(data[at + 4 : at + 2 + min(length, 64)]), at + 4
        at += 2 + length


def _read_siz(data: Buffer) -> Coded:
    """The SIZ segment of a JPEG 2000 codestream, bare or in the boxes of a JP2 file."""
    at = _find_codestream(data)
    head = bytes(data[at : at + 45])
    if len(head) < 45 or head[:4] != _SIZ:
        raise corrupt("a frame is not the JPEG 2000 that its transfer syntax says")
    width, height, left, top = struct.unpack_from(">4L", head, 8)
    (components,) = struct.unpack_from(">H", head, 40)
    depth, across, down = head[42], head[43], head[44]
    if across != 1 or down != 1 or left >= width or top >= height:
        raise corrupt("a JPEG 2000 frame has an unusual grid")
    return Coded(width - left, height - top, components, (depth & 0x7F) + 1, signed=bool(depth & 0x80))


def _find_codestream(data: Buffer) -> int:
    at = 0
    if bytes(data[4:8]) != b"jP  ":
        return at
    for _ in range(64):
        length = int.from_bytes(data[at : at + 4], "big")
        name = bytes(data[at + 4 : at + 8])
        if name == b"jp2c":
            return at + (16 if length == 1 else 8)
        if length < 8:
            break
        at += length
    raise corrupt("a JP2 frame has no codestream")


def decode_rle(data: Buffer, form: PixelFormat) -> Samples:
    """PS3.5 annex G: one PackBits segment for each byte of a sample, the highest first; samples in planes."""
    size, count = form.rows * form.columns, form.samples * form.allocated // 8
    if len(data) < _RLE_HEADER:
        raise truncated("an RLE frame is shorter than its header")
    number, *offsets = struct.unpack_from("<16L", data)
    if form.allocated < 8 or number != count or count > 15:
        raise corrupt(f"an RLE frame has {number} segments and not {count}")
    ends = [*offsets[1:count], len(data)]
    planes = np.empty((form.samples, form.allocated // 8, size), np.uint8)
    for index, (start, end) in enumerate(zip(offsets[:count], ends, strict=True)):
        if not _RLE_HEADER <= start < end <= len(data):
            raise corrupt("an RLE frame's segments lie outside of it")
        segment = _unpack_bits(data[start:end], size)
        planes[index // planes.shape[1], index % planes.shape[1]] = segment
    samples = np.ascontiguousarray(planes.transpose(0, 2, 1)).view(f">u{form.allocated // 8}")
    return samples.reshape(form.samples, form.rows, form.columns).astype(f"u{form.allocated // 8}")


def _unpack_bits(data: Buffer, size: int) -> NDArray[np.uint8]:
    out = bytearray(size + 2)
    try:
        # An odd segment is padded by a zero, which would begin a run: what is beyond the promised size is not wanted.
        unpacked = packbits_decode(bytes(data), out=out)
    except MemoryError:
        raise
    except Exception as error:
        raise corrupt("an RLE segment cannot be unpacked") from error
    if len(unpacked) < size:
        raise truncated(f"an RLE segment unpacks to {len(unpacked):,} bytes and not {size:,}")
    return np.frombuffer(unpacked, np.uint8)[:size]


def inflate(data: Buffer, size: int) -> Buffer:
    """A frame that is deflated by itself, of exactly this size but for a byte of padding."""
    try:
        raw = zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, size + 2)
    except zlib.error as error:
        raise corrupt("a deflated frame cannot be unpacked") from error
    return exactly(raw, size)


def exactly(raw: Buffer, size: int) -> Buffer:
    """The bytes of a frame that is not coded, of exactly this size but for a byte of padding."""
    if len(raw) < size:
        raise truncated(f"a frame has {len(raw):,} bytes and not {size:,}")
    if len(raw) > size + 1:
        raise corrupt(f"a frame has more than its {size:,} bytes")
    return raw[:size]


__all__ = ["LOSSY_JPEG", "RLE", "Coded", "begins", "decode", "decode_rle", "exactly", "inflate"]
