"""What the header says of the pixels, checked by itself and against the bytes that are there."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from medtheca.toolkit.deidentify.faults import corrupt, truncated, unsupported
from medtheca.toolkit.images.dicom.headers import Header
from medtheca.toolkit.images.dicom.structure import (
    DEFLATED,
    DOUBLE_PIXEL_DATA,
    EXPLICIT_BIG,
    EXPLICIT_LITTLE,
    FLOAT_PIXEL_DATA,
    IMPLICIT_LITTLE,
    PixelPlace,
)

NATIVE = frozenset((IMPLICIT_LITTLE, EXPLICIT_LITTLE, EXPLICIT_BIG, DEFLATED))
RLE = "1.2.840.10008.1.2.5"
DEFLATED_FRAMES = "1.2.840.10008.1.2.8.1"
UNCODED_FRAMES = "1.2.840.10008.1.2.1.98"
JPEG = frozenset(f"1.2.840.10008.1.2.4.{number}" for number in (50, 51, 53, 55, 57, 70))
JPEG_LS = frozenset(f"1.2.840.10008.1.2.4.{number}" for number in (80, 81))
JPEG_2000 = frozenset(f"1.2.840.10008.1.2.4.{number}" for number in (90, 91))
HTJ2K = frozenset(f"1.2.840.10008.1.2.4.{number}" for number in (201, 202, 203))
CODED = JPEG | JPEG_LS | JPEG_2000 | HTJ2K | {RLE, DEFLATED_FRAMES, UNCODED_FRAMES}

_VIDEO = frozenset(f"1.2.840.10008.1.2.4.{number}" for base in range(100, 109) for number in (base, f"{base}.1"))
_JPIP = frozenset(f"1.2.840.10008.1.2.4.{number}" for number in (94, 95, 204, 205))

GREY = frozenset(("MONOCHROME1", "MONOCHROME2"))
_COLOURS = frozenset(("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT"))
PALETTE = "PALETTE COLOR"


@dataclass(frozen=True, slots=True)
class PixelFormat:
    """One file's pixels: `rows` by `columns`, `frames` of them, `samples` for each pixel.

    `stored` bits of `allocated` end at `high_bit`; `floating` tells FloatPixelData and DoubleFloatPixelData.
    """

    syntax: str
    place: PixelPlace
    little: bool
    rows: int
    columns: int
    frames: int
    samples: int
    photometric: str
    planar: bool
    allocated: int
    stored: int
    high_bit: int
    signed: bool
    floating: bool

    @property
    def colour(self) -> bool:
        return self.samples == 3 or self.photometric == PALETTE

    @property
    def bits_per_frame(self) -> int:
        """Of a frame that is not coded."""
        if self.photometric == "YBR_FULL_422" and self.syntax in NATIVE:
            return self.rows * self.columns * 16
        return self.rows * self.columns * self.samples * self.allocated

    @property
    def dtype(self) -> np.dtype[Any]:
        """NumPy's type of a sample, native byte order."""
        if self.floating:
            return np.dtype(f"f{self.allocated // 8}")
        return np.dtype(f"{'i' if self.signed else 'u'}{max(8, self.allocated) // 8}")

    @property
    def lowest(self) -> int:
        """The lowest whole number that can be stored."""
        return -(1 << (self.stored - 1)) if self.signed else 0

    @property
    def highest(self) -> int:
        return (1 << (self.stored - self.signed)) - 1


def read_format(header: Header) -> PixelFormat:
    """What the header says of the pixels.

    Raises:
        Refused: `unsupported_variant` for what is not read (films, JPIP, unusual colours), `corrupt` where it
            contradicts itself, `truncated` where fewer bytes follow than it promises.
    """
    _refuse_syntax(header.syntax)
    place = header.pixels
    if place is None:
        raise truncated("it says that it is an image, but no pixels follow")
    floating = place.tag in {FLOAT_PIXEL_DATA, DOUBLE_PIXEL_DATA}
    bits = 0
    if floating:
        bits = 32 if place.tag == FLOAT_PIXEL_DATA else 64
    allocated = bits or _must(header, "BitsAllocated")
    stored = bits or _must(header, "BitsStored")
    high_bit = header.whole("HighBit")
    representation = header.whole("PixelRepresentation") or 0
    photometric = (header.text("PhotometricInterpretation") or ("MONOCHROME2" if floating else "")).upper()
    samples = header.whole("SamplesPerPixel")
    form = PixelFormat(
        syntax=header.syntax,
        place=place,
        little=header.little,
        rows=_must(header, "Rows"),
        columns=_must(header, "Columns"),
        frames=header.frames,
        samples=(3 if photometric in _COLOURS else 1) if samples is None else samples,
        photometric=photometric,
        planar=header.whole("PlanarConfiguration") == 1,
        allocated=allocated,
        stored=stored,
        high_bit=stored - 1 if high_bit is None or floating else high_bit,
        signed=representation == 1 and not floating,
        floating=floating,
    )
    if representation not in {0, 1}:
        raise corrupt("its PixelRepresentation is neither 0 nor 1")
    _check(form)
    _check_length(form)
    return form


def _must(header: Header, keyword: str) -> int:
    value = header.whole(keyword)
    if value is None:
        raise corrupt(f"it has pixels but no {keyword}")
    if not 1 <= value <= 65535:
        raise corrupt(f"its {keyword} is {value}")
    return value


def _refuse_syntax(syntax: str) -> None:
    if syntax in NATIVE or syntax in CODED:
        return
    if syntax in _VIDEO:
        raise unsupported(
            "Its frames are coded as a film (MPEG-2, H.264 or H.265), which is not read.",
            "Export it with single frames, such as JPEG or uncompressed.",
        )
    if syntax in _JPIP:
        raise unsupported("Its pixels are not in it but on a JPIP server.", "Export it with its pixels.")
    raise unsupported(
        "Its transfer syntax is not one that is read.", "Export it uncompressed, or as JPEG, JPEG-LS, JPEG 2000 or RLE."
    )


def _check(form: PixelFormat) -> None:
    if form.photometric in GREY or form.photometric == PALETTE:
        wanted = 1
    elif form.photometric in _COLOURS:
        wanted = 3
    else:
        raise unsupported(
            f"Its colours are {form.photometric[:32]!r}, which is not read."
            if form.photometric
            else "It does not say what its pixels mean (PhotometricInterpretation).",
            "Export it with the colours RGB, YBR_FULL or PALETTE COLOR, or in grey.",
        )
    if form.samples != wanted:
        raise corrupt(f"its {form.photometric} pixels have {form.samples} samples and not {wanted}")
    if form.floating:
        if form.syntax not in NATIVE or form.colour:
            raise unsupported("Its floating-point pixels are coded or coloured.", "Export it uncompressed.")
        return
    if form.allocated not in {1, 8, 16, 32, 64}:
        raise unsupported(
            f"Its samples take {form.allocated} bits; 1, 8, 16, 32 and 64 are read.", "Export it with 16 bits."
        )
    if not form.stored - 1 <= form.high_bit < form.allocated:
        raise corrupt(f"{form.stored} bits that end at bit {form.high_bit} are not in {form.allocated}")
    if form.samples == 3 and (form.allocated not in {8, 16, 32} or form.signed):
        raise unsupported("Its colours are signed or of unusual depth.", "Export it as RGB with 8 or 16 bits.")
    if form.photometric == "YBR_FULL_422" and form.syntax in NATIVE and (form.allocated != 8 or form.columns % 2):
        raise unsupported("Its colours are YBR_FULL_422 of odd width or depth.", "Export it as RGB.")


def _check_length(form: PixelFormat) -> None:
    """The bytes that are there against those promised, exactly."""
    if form.syntax in CODED:
        if form.place.fragments is None:
            raise corrupt("its transfer syntax says that its pixels are coded, but they are not in fragments")
        return
    if form.place.fragments is not None:
        raise corrupt("its pixels are in fragments, but its transfer syntax says that they are not coded")
    promised = -(-form.bits_per_frame * form.frames // 8)
    if form.place.length < promised:
        raise truncated(
            f"{form.columns} by {form.rows} pixels in {form.frames} frames are {promised:,} bytes, "
            f"and there are {form.place.length:,}"
        )
    if form.place.length > promised + 3:
        raise corrupt(
            f"{form.columns} by {form.rows} pixels in {form.frames} frames are {promised:,} bytes, "
            f"but there are {form.place.length:,}"
        )
