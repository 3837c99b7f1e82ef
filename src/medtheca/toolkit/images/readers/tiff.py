"""TIFF: plain, tiled, pyramidal, several pages, OME-TIFF, ImageJ; slides of scanners are handed to OpenSlide.

Plain pictures and stacks become a `Volume` of the values that the file holds. Pyramids and large pictures of 8 bits
become a `Slide`. Those of more bits are read whole where there is room, and otherwise refused: made poorer, they would
be another picture.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medtheca.toolkit.deidentify.faults import corrupt, truncated, unsupported
from medtheca.toolkit.images.facts import Facts
from medtheca.toolkit.images.files import Files
from medtheca.toolkit.images.readers import slides
from medtheca.toolkit.images.readers.reading import check_memory
from medtheca.toolkit.images.readers.tiff_colour import Meaning, check_colour, interpret, turn
from medtheca.toolkit.images.readers.tiff_layout import Layout, Plane, read_imagej, read_ome
from medtheca.toolkit.images.readers.tiff_page import Page, read_page
from medtheca.toolkit.images.readers.tiff_slide import TiffSlide, agrees, can_be_slide
from medtheca.toolkit.images.readers.tiff_structure import Structure, read_structure
from medtheca.toolkit.images.readers.tiff_tiles import check_coding, decode_tile, dtype_of
from medtheca.toolkit.images.slide import Slide
from medtheca.toolkit.images.volume import VALUE_TYPES, Geometry, Volume, native

LARGE_PIXELS = 50_000_000
_HAMAMATSU = 65420
_LEICA = b"www.leica-microsystems.com/scn/"
_SEVERAL = "Send each picture as a file of its own, or pages of one size as a stack."


class TiffReader:
    format = "tiff"

    def read(self, files: Files, *, memory: int) -> Volume | Slide:
        vendor = slides.detect(files)
        slides.refuse_misnamed(files, vendor)
        if vendor is not None and vendor != slides.GENERIC:
            return slides.open_slide(files, vendor)
        structure = read_structure(files.view(files.main))
        _refuse_unread_slide(structure)
        pages = [read_page(directory) for directory in structure.pages]
        layout = _stated_layout(pages)
        if layout is None:
            full = [page for page in pages if not page.is_reduced] or pages[:1]
            finest = full[0]
            if all(page.kind == finest.kind for page in full):
                planes = tuple(Plane(pages.index(page)) for page in full)
                layout = Layout(1, len(full), 1, planes)
            elif not _is_unmarked_pyramid(full):
                raise unsupported(f"This TIFF holds {len(full)} different pictures.", _SEVERAL)
        if layout is None or len(layout.planes) == 1:
            page = _own_page(pages, layout)
            slide = _as_slide(structure, pages, page) if page else None
            if slide is not None:
                return slide
            layout = layout or Layout(1, 1, 1, (Plane(0),))
        return _Stack(files, pages, layout, memory).read()


def _refuse_unread_slide(structure: Structure) -> None:
    """A scanner's file that OpenSlide does not take must not be read as a plain TIFF: its first page may be a label."""
    for directory in structure.pages:
        words, packet = directory.text(270), directory.text(700)
        claims = words.startswith((b"Aperio", b"level=", b"Label_Image", b"Label Image", b"Macro")) or _LEICA in words
        if claims or _HAMAMATSU in directory.entries or b"<iScan" in packet or b"DPUfsImport" in words:
            raise unsupported(
                "The file is a slide of a scanner, and damaged or of a kind that is not read.",
                "Send all files of the slide as the scanner wrote them.",
            )


def _stated_layout(pages: list[Page]) -> Layout | None:
    description = pages[0].description
    ratios = [pages[0].directory.ratio(tag) for tag in (282, 283)]
    x, y = (ratio[0] / ratio[1] if ratio and ratio[0] and ratio[1] else None for ratio in ratios)
    return read_ome(description, pages=len(pages)) or read_imagej(description, pages=len(pages), ratios=(x, y))


def _is_unmarked_pyramid(full: list[Page]) -> bool:
    """Whether all further pages are tiled and smaller versions of the first, by their shape."""
    return all(page.tiled and agrees(full[0], page) for page in full[1:])


def _own_page(pages: list[Page], layout: Layout | None) -> Page | None:
    """The one page that is meant, where it lies in the file itself."""
    at = layout.planes[0] if layout else Plane(0)
    return pages[at.page] if at.file is None and at.page < len(pages) else None


def _as_slide(structure: Structure, pages: list[Page], page: Page) -> TiffSlide | None:
    """The picture as a slide, where it is large or has smaller versions, and may be shown as it is."""
    below = [read_page(directory) for directory in structure.below[page.directory.offset]]
    smaller = [other for other in [*below, *pages] if other is not page and other.tiled and agrees(page, other)]
    large = page.width * page.height > LARGE_PIXELS
    if not can_be_slide(page) or not (large or (smaller and page.tiled)):
        return None
    check_colour(page)
    ordered = sorted(smaller, key=lambda other: -other.width)
    slide = TiffSlide((page, *ordered))
    for level, size in enumerate(slide.levels):
        slide.region(level, size.width - 1, size.height - 1, 1, 1)
    return slide


@dataclass(slots=True)
class _Stack:
    """Reads planes into one array."""

    files: Files
    pages: list[Page]
    layout: Layout
    memory: int

    def read(self) -> Volume:
        first = self._page(self.layout.planes[0])
        check_colour(first)
        check_coding(first)
        copies = 3 if len(self.layout.planes) == 1 else 1
        cost = max(3, first.samples) * first.item_bytes * copies * len(self.layout.planes)
        cost += max(3, first.samples) * first.item_bytes * 3
        check_memory(width=first.width, height=first.height, bytes_per_pixel=cost, memory=self.memory)
        pages = [self._page(plane) for plane in self.layout.planes]
        for page in pages:
            if page.kind != first.kind or page.orientation != first.orientation:
                raise unsupported("The pages of this TIFF differ in size or kind.", _SEVERAL)
            check_coding(page)
            assert page.places
        meaning = _read_plane(first)
        voxels, colour = self._fill(pages, meaning)
        notes = list(meaning.notes)
        if self.layout.slices > 1 and self.layout.whole_spacing is None:
            notes.append("The file does not say how far its slices are apart.")
        return Volume(
            voxels,
            Geometry(spacing=self._spacing(first)),
            colour,
            dimensions=4 if self.layout.times > 1 else 3 if self.layout.slices > 1 else 2,
            time_step=self.layout.time_step if self.layout.times > 1 else None,
            facts=Facts(inverted=meaning.inverted),
            notes=tuple(notes),
        )

    def _page(self, plane: Plane) -> Page:
        if plane.file is None or plane.file == self.files.main.rpartition("/")[2]:
            if plane.page >= len(self.pages):
                raise truncated(f"page {plane.page + 1:,} is missing")
            return self.pages[plane.page]
        # Files of one OME-TIFF lie side by side; a name with a folder in it is none of theirs.
        folder = self.files.main.rpartition("/")[0]
        name = f"{folder}/{plane.file}" if folder else plane.file
        structure = read_structure(self.files.view(name))
        if plane.page >= len(structure.pages):
            raise truncated(f"page {plane.page + 1:,} is missing from one of its files")
        return read_page(structure.pages[plane.page])

    def _fill(self, pages: list[Page], meaning: Meaning) -> tuple[NDArray[Any], Any]:
        layout, samples = self.layout, meaning.samples
        height, width, channels = samples.shape
        if layout.channels > 1 and channels > 1:
            raise unsupported("This TIFF holds several channels of colours.", _SEVERAL)
        colour = "vector" if layout.channels > 1 else meaning.colour
        if len(pages) == 1:
            only = samples[:, :, 0] if colour == "grey" else samples
            return native(only)[np.newaxis, np.newaxis], colour
        depth = max(channels, layout.channels)
        voxels = np.empty((layout.times, layout.slices, height, width, depth), samples.dtype)
        for at, page in enumerate(pages):
            time, rest = divmod(at, layout.slices * layout.channels)
            slice_, channel = divmod(rest, layout.channels)
            plane = (meaning if at == 0 else _read_plane(page)).samples
            if layout.channels > 1:
                voxels[time, slice_, :, :, channel] = plane[:, :, 0]
            else:
                voxels[time, slice_] = plane
        return (voxels.reshape(voxels.shape[:-1]) if colour == "grey" else voxels), colour

    def _spacing(self, page: Page) -> tuple[float, float, float] | None:
        stated = self.layout.whole_spacing
        if stated is None and self.layout.slices == 1 and page.spacing:
            stated = (*page.spacing, 1.0)
        if stated is None:
            return None
        return (stated[1], stated[0], stated[2]) if page.orientation > 4 else stated


def _read_plane(page: Page) -> Meaning:
    """One page decoded, its colours understood, upright. Of float16 it makes float32, which is kept."""
    samples = np.empty((page.height, page.width, page.samples), dtype_of(page))
    across = page.columns * page.rows
    for index in range(len(page.places)):
        plane, place = divmod(index, across)
        row, column = divmod(place, page.columns)
        top, left = row * page.tile_height, column * page.tile_width
        tile = decode_tile(page, index)[: page.height - top, : page.width - left]
        if tile.shape[0] < min(page.tile_height, page.height - top):
            raise corrupt("a strip is shorter than it should be")
        channels = slice(plane, plane + 1) if page.separate else slice(None)
        samples[top : top + tile.shape[0], left : left + tile.shape[1], channels] = tile
    meaning = interpret(page, samples)
    upright = native(turn(meaning.samples, page.orientation))
    if upright.dtype == np.float16:
        upright = upright.astype(np.float32)
    if upright.dtype.name not in VALUE_TYPES:
        raise unsupported(f"This TIFF holds values of type {upright.dtype.name}.", "Save it as float32.")
    return Meaning(upright, meaning.colour, meaning.inverted, meaning.notes)
