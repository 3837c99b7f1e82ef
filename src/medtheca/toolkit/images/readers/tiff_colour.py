"""What the samples of a TIFF page mean: grey values, or colours as RGB with or without alpha."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from medtheca.toolkit.deidentify.faults import corrupt, unsupported
from medtheca.toolkit.images.readers.tiff_page import (
    MIN_IS_BLACK,
    MIN_IS_WHITE,
    PALETTE,
    RGB,
    SEPARATED,
    YCBCR,
    Page,
)
from medtheca.toolkit.images.volume import VolumeColour
from medtheca.toolkit.renditions.colour import to_srgb

_ASSOCIATED, _UNASSOCIATED = 1, 2
_COLOURS = {MIN_IS_WHITE: 1, MIN_IS_BLACK: 1, RGB: 3, PALETTE: 1, SEPARATED: 4, YCBCR: 3}
_WORDS = {4: "a mask", 8: "CIELab colours", 9: "ICCLab colours", 10: "ITULab colours", 32803: "a raw sensor's mosaic"}
_REMEDY = "Save it as grey or RGB."
_TURNS: dict[int, Callable[[NDArray[Any]], NDArray[Any]]] = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: a.swapaxes(0, 1)[:, ::-1],
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: lambda a: a.swapaxes(0, 1)[::-1],
}


@dataclass(frozen=True, slots=True)
class Meaning:
    """Samples (height, width, channels) with what they are; `notes` say what was changed."""

    samples: NDArray[Any]
    colour: VolumeColour
    inverted: bool = False
    notes: tuple[str, ...] = ()


def check_colour(page: Page) -> None:
    """Refuse colours that are not understood (`unsupported_variant`), before anything is decoded."""
    needed = _COLOURS.get(page.photometric)
    if needed is None:
        found = _WORDS.get(page.photometric, f"colours of kind {page.photometric}")
        raise unsupported(f"This TIFF holds {found}, which is not read.", _REMEDY)
    if page.samples < needed:
        raise corrupt(f"its colours need {needed} samples a pixel and it has {page.samples}")
    if page.photometric == PALETTE and (page.samples > 1 or page.bits > 16 or page.sample_format != 1):
        raise unsupported("This TIFF's palette goes with other samples.", _REMEDY)
    if needed > 1 and (page.sample_format != 1 or page.bits not in {8, 16}):
        raise unsupported("This TIFF holds colours that are not whole numbers of 8 or 16 bits.", _REMEDY)


def turn(samples: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Rows and columns as they should be seen."""
    return _TURNS[orientation](samples)


def interpret(page: Page, samples: NDArray[Any]) -> Meaning:
    """What samples (height, width, samples) of a page mean. Bilevel and other shallow grey is stretched to 8 bits."""
    photometric = page.photometric
    if photometric == PALETTE:
        return Meaning(_look_up(page, samples), "rgb")
    if photometric == SEPARATED:
        return _inks(page, samples)
    if photometric in {RGB, YCBCR}:
        return _rgb(page, samples)
    if page.bits < 8:
        samples = samples * np.uint8(255 // ((1 << page.bits) - 1))
    inverted = photometric == MIN_IS_WHITE
    if page.samples == 1:
        return Meaning(samples, "grey", inverted)
    alpha = page.extra[0] if page.extra else 0
    if page.samples == 2 and alpha in {_ASSOCIATED, _UNASSOCIATED} and page.sample_format == 1 and not inverted:
        return _with_alpha(np.repeat(samples[:, :, :1], 3, axis=2), samples[:, :, 1:], alpha)
    return Meaning(samples, "vector", inverted)


def _rgb(page: Page, samples: NDArray[Any]) -> Meaning:
    colours, notes = samples[:, :, :3], tuple[str, ...]()
    icc = page.directory.text(34675)
    if icc and colours.dtype == np.uint8:
        height, width = colours.shape[:2]
        packed = np.ascontiguousarray(colours)
        picture = to_srgb(Image.frombuffer("RGB", (width, height), packed, "raw", "RGB", 0, 1), icc)
        converted = np.asarray(picture)
        if not np.array_equal(converted, packed):
            notes = ("The colours were converted from the file's own profile to sRGB.",)
        colours = converted
    extra = page.extra[0] if page.extra else 0
    if page.samples == 4 and extra in {_ASSOCIATED, _UNASSOCIATED}:
        meaning = _with_alpha(colours, samples[:, :, 3:], extra)
        return Meaning(meaning.samples, meaning.colour, notes=notes)
    if page.samples > 3:
        notes += (f"Beside red, green and blue the file holds {page.samples - 3} more samples, which are not shown.",)
    return Meaning(colours, "rgb", notes=notes)


def _with_alpha(colours: NDArray[Any], alpha: NDArray[Any], kind: int) -> Meaning:
    if kind == _ASSOCIATED:
        # Colours were multiplied by alpha: undone, as everything else here has them apart.
        full = np.iinfo(alpha.dtype).max
        wide = np.maximum(alpha.astype(np.uint64), 1)
        colours = np.minimum((colours.astype(np.uint64) * full + wide // 2) // wide, full).astype(alpha.dtype)
    return Meaning(np.concatenate([colours, alpha], axis=2), "rgba")


def _look_up(page: Page, samples: NDArray[Any]) -> NDArray[np.uint8]:
    stored = np.array(page.directory.numbers(320), np.uint16)
    if len(stored) != 3 << page.bits:
        raise corrupt("its palette is missing or has the wrong length")
    # Some writers put 8 bits where 16 belong.
    table = (stored if stored.max() < 256 else stored >> 8).astype(np.uint8).reshape(3, -1).T
    return np.asarray(table[samples[:, :, 0]])


def _inks(page: Page, samples: NDArray[Any]) -> Meaning:
    if page.directory.number(332, 1) != 1 or page.samples > 5:
        raise unsupported("This TIFF is separated into inks other than those of CMYK.", _REMEDY)
    inks = samples[:, :, :4] if samples.dtype == np.uint8 else (samples[:, :, :4] >> 8).astype(np.uint8)
    height, width = inks.shape[:2]
    picture = Image.frombuffer("CMYK", (width, height), np.ascontiguousarray(inks), "raw", "CMYK", 0, 1)
    shown = np.asarray(to_srgb(picture, page.directory.text(34675) or None).convert("RGB"))
    return Meaning(shown, "rgb", notes=("The inks (CMYK) were converted to sRGB.",))


def show_tile(page: Page, samples: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Samples of a page of 8 bits as RGB on white, (height, width, 3): what `Slide.region` gives."""
    if page.photometric == PALETTE:
        return _look_up(page, samples)
    if page.photometric in {MIN_IS_WHITE, MIN_IS_BLACK}:
        grey = 255 - samples[:, :, :1] if page.photometric == MIN_IS_WHITE else samples[:, :, :1]
        return np.repeat(grey, 3, axis=2)
    colours = samples[:, :, :3]
    extra = page.extra[0] if page.extra else 0
    if page.samples == 3 or extra not in {_ASSOCIATED, _UNASSOCIATED}:
        return colours
    alpha = samples[:, :, 3:].astype(np.uint16)
    shown = colours.astype(np.uint16) * (255 if extra == _ASSOCIATED else alpha) + 255 * (255 - alpha)
    return np.asarray(np.minimum((shown + 127) // 255, 255), np.uint8)
