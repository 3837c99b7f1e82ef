"""Whole slides by OpenSlide: Aperio, Hamamatsu, Leica, MIRAX, Ventana, DICOM and others that it knows.

Only its levels are ever read. Label, macro and thumbnail ("associated images") have no way out of this module.
"""

import contextlib
from pathlib import PurePosixPath

import numpy as np
import openslide
from numpy.typing import NDArray

from medtheca.toolkit.deidentify.faults import corrupt, unsupported
from medtheca.toolkit.errors import Refused
from medtheca.toolkit.images.files import Files
from medtheca.toolkit.images.readers.slide_facts import MAKERS, read_microns, read_slide_facts
from medtheca.toolkit.images.readers.slide_parts import check_parts
from medtheca.toolkit.images.readers.tiff_jpeg import find_jpeg_tiles
from medtheca.toolkit.images.readers.tiff_page import read_page
from medtheca.toolkit.images.readers.tiff_structure import Structure, is_tiff, read_structure
from medtheca.toolkit.images.slide import JpegTiles, Level, Slide

GENERIC = "generic-tiff"
VENDORS = frozenset({"aperio", "hamamatsu", "leica", "mirax", "ventana", "dicom", "philips-tiff", "trestle"})
SUFFIXES = {
    ".svs": "aperio", ".ndpi": "hamamatsu", ".vms": "hamamatsu", ".vmu": "hamamatsu", ".scn": "leica",
    ".mrxs": "mirax", ".bif": "ventana",
}  # fmt: skip
_MOST_SIDE = 1 << 24
_PROBE = 64
# Tissue has some 20, white glass in JPEG some 200, and what the scanner left out none at all.
_MOST_PIXELS_PER_BYTE = 20_000
_CLASSIC_LIMIT = 1 << 32


def detect(files: Files) -> str | None:
    """What OpenSlide takes the main file for, by its content: `generic-tiff`, one of `VENDORS`, or None."""
    found = openslide.OpenSlide.detect_format(str(files.path(files.main)))
    return found if found in VENDORS or found == GENERIC else None


def refuse_misnamed(files: Files, vendor: str | None) -> None:
    """Refuse a file with a scanner's suffix whose content is not that scanner's.

    Read as a plain TIFF, its first picture may well be the label.
    """
    promised = SUFFIXES.get(PurePosixPath(files.main).suffix.lower())
    if promised is not None and vendor != promised:
        raise unsupported(
            f"The file is called a slide of {MAKERS[promised]}, and its content is not one that can be read.",
            "Send all files of the slide as the scanner wrote them.",
        )


class SlideReader:
    """Opens what OpenSlide knows; the names within its key file must be among the files."""

    format = "slide"

    def read(self, files: Files, *, memory: int) -> Slide:
        vendor = detect(files)
        refuse_misnamed(files, vendor)
        if vendor is None or vendor == GENERIC:
            raise unsupported("The content is not that of a slide scanner that is known here.", "Send it as TIFF.")
        return open_slide(files, vendor)


def open_slide(files: Files, vendor: str) -> "OpenedSlide":
    """Open and probe a slide.

    Raises:
        Refused: `corrupt`, `truncated`, `missing_file` or `unsupported_variant`.
    """
    check_parts(files, vendor)
    data = files.view(files.main)
    # Hamamatsu writes larger files than classic TIFF can address, in a way of its own.
    structure = read_structure(data) if is_tiff(data) and len(data) < _CLASSIC_LIMIT else None
    if structure is not None and vendor != "hamamatsu":
        for directory in structure.pages:
            assert read_page(directory).places  # Everything must lie within the file.
    try:
        handle = openslide.OpenSlide(str(files.path(files.main)))
    except (openslide.OpenSlideError, ValueError, OSError) as error:
        # What OpenSlide says may quote the file.
        raise corrupt("OpenSlide cannot open it") from error
    try:
        slide = OpenedSlide(handle, vendor, structure)
        slide.probe(sum(len(files.view(name)) for name in files.names))
    except BaseException:
        handle.close()
        raise
    return slide


def _readable(handle: openslide.OpenSlide) -> dict[str, str]:
    """The properties whose names are UTF-8: by other names openslide-python lists them, and does not find them."""
    found: dict[str, str] = {}
    for name in list(handle.properties.keys()):
        with contextlib.suppress(KeyError, UnicodeError):
            found[name] = handle.properties[name]
    return found


class OpenedSlide:
    """See `Slide`. Keeps the whole level, also where the scanner says that tissue fills only a part (`bounds`)."""

    def __init__(self, handle: openslide.OpenSlide, vendor: str, structure: Structure | None) -> None:
        self._handle = handle
        self._structure = structure
        self.vendor = vendor
        sizes, downsamples = handle.level_dimensions, handle.level_downsamples
        self.levels = tuple(
            Level(width, height, downsample) for (width, height), downsample in zip(sizes, downsamples, strict=True)
        )
        properties = _readable(handle)
        self.facts = read_slide_facts(properties, vendor)
        self.microns_per_pixel = read_microns(properties)

    def probe(self, size: int) -> None:
        """Check the levels against each other and decode the first and the last pixels of each (`corrupt`).

        `size` is the bytes of all its files: a few of them must not promise days of work.
        """
        finest = self.levels[0]
        if finest.width * finest.height > _MOST_PIXELS_PER_BYTE * size:
            raise corrupt(f"it says to be {finest.width:,} by {finest.height:,} pixels large, and has {size:,} bytes")
        for at, level in enumerate(self.levels):
            if not 1 <= level.width <= _MOST_SIDE or not 1 <= level.height <= _MOST_SIDE:
                raise corrupt(f"level {at} says to be {level.width:,} by {level.height:,} pixels large")
            across, down = finest.width / level.width, finest.height / level.height
            slack = max(across, down) * 2 / min(level.width, level.height)
            if abs(across - down) > max(0.05 * across, slack) or (at and level.width > self.levels[at - 1].width):
                raise corrupt(f"level {at} ({level.width:,} by {level.height:,}) is no smaller version of the first")
            self.region(at, 0, 0, min(_PROBE, level.width), min(_PROBE, level.height))
            x, y = max(0, level.width - _PROBE), max(0, level.height - _PROBE)
            self.region(at, x, y, level.width - x, level.height - y)

    @property
    def jpeg_tiles(self) -> JpegTiles | None:
        """Aperio's first page is the finest level; Leica and Ventana lay their tiles out on a larger canvas."""
        if self.vendor != "aperio" or self._structure is None:
            return None
        page = read_page(self._structure.pages[0])
        if (page.width, page.height) != (self.levels[0].width, self.levels[0].height):
            return None
        return find_jpeg_tiles(page)

    def region(self, level: int, x: int, y: int, width: int, height: int) -> NDArray[np.uint8]:
        scale = self.levels[level].downsample
        try:
            picture = self._handle.read_region((round(x * scale), round(y * scale)), level, (width, height))
        except (openslide.OpenSlideError, ValueError, OSError) as error:
            raise corrupt("a tile of it cannot be decoded") from error
        samples = np.asarray(picture)
        colours, alpha = samples[:, :, :3], samples[:, :, 3:]
        if alpha.min() == 255:
            return np.ascontiguousarray(colours)
        opacity = alpha.astype(np.uint16)
        return ((colours * opacity + 255 * (255 - opacity) + 127) // 255).astype(np.uint8)

    def close(self) -> None:
        self._handle.close()


def warm_up(files: Files) -> None:
    """Open one slide and read from it, so that the library has loaded everything it needs."""
    try:
        vendor = detect(files)
        if vendor:
            open_slide(files, vendor).close()
    except Refused:
        return
