"""PNG: every colour type and depth, interlaced or not. Pillow unpacks; all 16 bits are kept."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import PngImagePlugin

from medtheca.toolkit.deidentify.faults import corrupt
from medtheca.toolkit.deidentify.png import RECIPE, strip_layout
from medtheca.toolkit.deidentify.png_chunks import (
    GREY,
    GREY_ALPHA,
    PALETTE,
    RGB,
    RGB_ALPHA,
    ImageHeader,
    PngLayout,
    parse_png,
)
from medtheca.toolkit.deidentify.stripped import Buffer
from medtheca.toolkit.images.raster import ColourModel, Pixels, Raster
from medtheca.toolkit.images.readers.reading import Reading, check_memory

# Pillow holds colour in 4 bytes a pixel, hands it over in pieces and then whole.
_BYTES_PER_PIXEL = {
    (GREY, 8): 4,
    (GREY, 16): 8,
    (PALETTE, 8): 8,
    (GREY_ALPHA, 8): 10,
    (GREY_ALPHA, 16): 14,
    (RGB, 8): 11,
    (RGB, 16): 20,
    (RGB_ALPHA, 8): 13,
    (RGB_ALPHA, 16): 26,
}


class PngReader:
    format = "png"
    media_type = "image/png"

    def read(self, data: Buffer, *, memory: int) -> Reading:
        layout = parse_png(data)
        header = layout.header
        cost = _BYTES_PER_PIXEL[header.colour, max(8, header.depth)] + _ALPHA_COST * (b"tRNS" in _names(layout))
        check_memory(width=header.width, height=header.height, bytes_per_pixel=cost, memory=memory)
        public = strip_layout(layout, data)
        model, pixels = _interpret(layout, _unpack(public.data, header))
        return Reading(Raster(pixels, model, header.depth, public.orientation, public.icc), public, RECIPE)


_ALPHA_COST = 8


def _names(layout: PngLayout) -> set[bytes]:
    return {chunk.name for chunk in layout.chunks}


def _unpack(data: Buffer, header: ImageHeader) -> Pixels:
    """Samples as stored, (height, width, channels): palette indices, or grey and colours at full range."""
    if header.depth < 16:
        samples = _pillow(data)
        if samples.dtype == np.bool_:
            samples = np.where(samples, np.uint8(255), np.uint8(0))
        return samples.reshape(header.height, header.width, header.channels)
    if header.colour == GREY:
        return _pillow(data).reshape(header.height, header.width, 1)
    if header.colour == GREY_ALPHA:
        # Two samples of 16 bits are four bytes, which Pillow hands through unchanged as RGBA.
        quads = _pillow(data, mode="RGBA", raw_mode="RGBA")
        return np.ascontiguousarray(quads).view(">u2").astype(np.uint16)
    # Pillow cuts 16-bit colour to the high bytes. Read as little-endian, the same file gives the low bytes.
    mode = "RGB" if header.colour == RGB else "RGBA"
    samples = _pillow(data, mode=mode, raw_mode=f"{mode};16B").astype(np.uint16)
    samples <<= 8
    samples |= _pillow(data, mode=mode, raw_mode=f"{mode};16L")
    return samples


def _pillow(data: Buffer, *, mode: str | None = None, raw_mode: str | None = None) -> NDArray[np.uint8]:
    """Decode by Pillow's PNG plugin, taken directly: our own limit has been checked, and no other plugin is asked."""
    try:
        with PngImagePlugin.PngImageFile(io.BytesIO(data)) as image:
            if mode is not None:
                image._mode = mode  # noqa: SLF001 - plugins set it so; there is no other way to ask for a mode
                image.tile = [image.tile[0]._replace(args=raw_mode)]
            image.load()
            return np.asarray(image)
    except (OSError, SyntaxError, ValueError) as error:
        raise corrupt(f"decoding says “{error}”") from error


def _interpret(layout: PngLayout, samples: Pixels) -> tuple[ColourModel, Pixels]:
    """Look up palettes and turn a transparent colour into alpha."""
    header = layout.header
    transparency = layout.find(b"tRNS")
    if header.colour == PALETTE:
        return _look_up(layout, samples[:, :, 0], transparency)
    if header.colour in (GREY, RGB) and transparency is not None:
        key = np.frombuffer(transparency, ">u2").astype(np.uint16)
        if header.depth < 8:
            key = key * (255 // ((1 << header.depth) - 1))
        opaque = (samples != key).any(axis=2, keepdims=True)
        full = np.iinfo(samples.dtype).max
        alpha = np.where(opaque, full, 0).astype(samples.dtype)
        model: ColourModel = "grey+alpha" if header.colour == GREY else "rgb+alpha"
        return model, np.concatenate([samples, alpha], axis=2)
    models: dict[int, ColourModel] = {
        GREY: "grey",
        RGB: "rgb",
        GREY_ALPHA: "grey+alpha",
        RGB_ALPHA: "rgb+alpha",
    }
    return models[header.colour], samples


def _look_up(layout: PngLayout, indices: Pixels, transparency: memoryview | None) -> tuple[ColourModel, Pixels]:
    stored = layout.find(b"PLTE")
    if stored is None or not len(stored) or len(stored) % 3 or len(stored) > 768:
        raise corrupt("its palette is missing or has the wrong length")
    palette = np.frombuffer(stored, np.uint8).reshape(-1, 3)
    if int(indices.max()) >= len(palette):
        raise corrupt(f"a pixel points at colour {int(indices.max())} of a palette of {len(palette)}")
    if transparency is None or len(transparency) > len(palette):
        return "rgb", palette[indices]
    alpha = np.full((len(palette), 1), 255, np.uint8)
    alpha[: len(transparency), 0] = np.frombuffer(transparency, np.uint8)
    return "rgb+alpha", np.hstack([palette, alpha])[indices]
