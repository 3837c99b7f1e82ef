"""JPEG: baseline, extended and progressive with 8 bits; grey, RGB, YCbCr, CMYK and YCCK."""

import numpy as np
import simplejpeg

from medtheca.toolkit.deidentify.faults import corrupt, truncated
from medtheca.toolkit.deidentify.jpeg import RECIPE, strip_layout
from medtheca.toolkit.deidentify.jpeg_segments import PROGRESSIVE, SOS, JpegLayout, parse_jpeg
from medtheca.toolkit.deidentify.stripped import Buffer
from medtheca.toolkit.images.raster import ColourModel, Pixels, Raster
from medtheca.toolkit.images.readers.reading import Reading, check_memory

_MODELS: dict[int, tuple[ColourModel, str]] = {1: ("grey", "GRAY"), 3: ("rgb", "RGB"), 4: ("cmyk", "CMYK")}
_SEQUENTIAL_SCAN = bytes((0, 63, 0))


class JpegReader:
    format = "jpeg"
    media_type = "image/jpeg"

    def read(self, data: Buffer, *, memory: int) -> Reading:
        layout = parse_jpeg(data)
        frame = layout.frame
        check_memory(width=frame.width, height=frame.height, bytes_per_pixel=_bytes_per_pixel(layout), memory=memory)
        public = strip_layout(layout, data)
        model, colour_space = _MODELS[frame.components]
        pixels = _decode(_with_plain_scans(layout, public.data), colour_space)
        if pixels.shape != (frame.height, frame.width, frame.components):
            raise corrupt("its header and its coded picture differ in size")
        if model == "cmyk":
            # Files of four colours hold them inverted, as Adobe does; every common decoder assumes it.
            np.subtract(255, pixels, out=pixels)
        raster = Raster(pixels, model, 8, public.orientation, public.icc)
        return Reading(raster, public, RECIPE)


def _bytes_per_pixel(layout: JpegLayout) -> int:
    """Samples, and with several scans the coefficients of the whole picture, 16 bits each."""
    samples = layout.frame.components
    whole = layout.frame.process == PROGRESSIVE or layout.scans > 1
    return 3 * samples if whole else samples + 1


def _decode(data: Buffer, colour_space: str) -> Pixels:
    try:
        pixels: Pixels = simplejpeg.decode_jpeg(data, colour_space, strict=True)
    except ValueError as error:
        reason = str(error).removeprefix("Corrupt JPEG data: ")
        if "remature end" in reason:
            raise truncated(f"decoding says “{reason}”") from error
        raise corrupt(f"decoding says “{reason}”") from error
    return pixels


def _with_plain_scans(layout: JpegLayout, public: Buffer) -> Buffer:
    """The file with the scan parameters that sequential decoding assumes.

    Some cameras leave them zero. Decoders take no notice of them but warn, and a warning is a refusal
    here; the file itself keeps what it has.
    """
    if layout.frame.process == PROGRESSIVE or all(
        bytes(layout.payload(segment)[1 + 2 * layout.payload(segment)[0] :][:3]) == _SEQUENTIAL_SCAN
        for segment in layout.segments
        if segment.marker == SOS
    ):
        return public
    patched = bytearray(public)
    for segment in parse_jpeg(public).segments:
        if segment.marker == SOS:
            at = segment.start + 5 + 2 * patched[segment.start + 4]
            patched[at : at + 3] = _SEQUENTIAL_SCAN
    return bytes(patched)
