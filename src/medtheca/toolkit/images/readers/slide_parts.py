"""Which files a slide's key file names: each must have come with it, and none may lie elsewhere.

And what OpenSlide 4.0.1 takes for granted of Hamamatsu, MIRAX and DICOM: where it is not so, it does not refuse the
slide but dies.
"""

import math
import re
from collections.abc import Iterator
from pathlib import PurePosixPath

import simplejpeg

from medtheca.toolkit.deidentify.faults import corrupt, unsupported
from medtheca.toolkit.images.dicom.codes import is_slide
from medtheca.toolkit.images.dicom.formats import read_format
from medtheca.toolkit.images.dicom.frames import find_frames
from medtheca.toolkit.images.dicom.headers import read_header
from medtheca.toolkit.images.dicom.structure import looks_like_dicom
from medtheca.toolkit.images.files import Files
from medtheca.toolkit.images.formats import THREADED
from medtheca.toolkit.images.readers.reading import DEFAULT_MEMORY
from medtheca.toolkit.images.readers.tiff_structure import is_tiff

_LINE = re.compile(r"^\s*([^=\[;#]+?)\s*=\s*(.*?)\s*$")
_MOST_BYTES = 4_000_000
_HAMAMATSU = re.compile(r"(ImageFile|MapFile|MacroImage|OptimisationFile)(\([0-9]+,[0-9]+(,-?[0-9]+)?\))?")
_PLACE = re.compile(r"ImageFile(?:\(([0-9]{1,4}),([0-9]{1,4})\))?")
_MIRAX = re.compile(r"INDEXFILE|FILE_[0-9]+")
_VMU = {"BitsPerPixel": "36", "PixelOrder": "RGB"}
_HEADER = 1_000_000
_COUNT = re.compile(r"(NON)?HIER_([0-9]+_)?COUNT|FILE_COUNT")
_GRID = {"NoLayers", "NoJpegColumns", "NoJpegRows"}
_DIGITS = re.compile(r"[0-9]{1,9}")
_SIDE = re.compile(r"[0-9]{1,5}")
_LENGTH = re.compile(r"-?[0-9]{1,5}(\.[0-9]{0,20})?")
_MOST_IMAGES = 50_000_000
"""Of a camera: 7,000 by 7,000 pictures are more than any stage reaches."""


def check_parts(files: Files, vendor: str) -> None:
    """Refuse a slide that names a file which did not come with it (`missing_file`), or whose key file is none."""
    name = PurePosixPath(files.main)
    if vendor == "mirax":
        folder = name.with_suffix("")
        keys = _read_keys(files, str(folder / "Slidedat.ini"))
        _check_names(files, keys, folder, _MIRAX)
        _check_counts(keys)
    elif vendor == "dicom":
        _check_frames(files)
    elif vendor == "hamamatsu" and is_tiff(files.view(files.main)):
        _check_name(name, ".ndpi")
    elif vendor == "hamamatsu":
        keys = _read_keys(files, files.main)
        _check_names(files, keys, name.parent, _HAMAMATSU)
        _check_grid_counts(keys)
        if "Uncompressed" not in bytes(files.view(files.main)[:200]).decode("latin-1"):
            _check_grid(files, keys, name.parent)
            _check_name(name, ".vms")
        elif any(dict(keys).get(key) != value for key, value in _VMU.items()):
            raise unsupported("This .vmu slide does not say to hold 36 bits of RGB a pixel.", "Send it as TIFF.")


def _check_name(name: PurePosixPath, suffix: str) -> None:
    # OpenSlide looks through these in a thread, which is allowed to what is called so and to nothing else.
    assert suffix in THREADED
    if name.suffix.lower() != suffix:
        raise unsupported(f"The file is that of a {suffix} slide, and not called so.", f"Call it {suffix}.")


def _read_keys(files: Files, name: str) -> list[tuple[str, str]]:
    data = files.view(name)
    if len(data) > _MOST_BYTES:
        raise corrupt("its key file is far too long")
    lines = (_LINE.match(line) for line in bytes(data).decode("utf-8-sig", "replace").splitlines())
    return [(found[1], found[2]) for found in lines if found]


def _check_names(files: Files, keys: list[tuple[str, str]], folder: PurePosixPath, pattern: re.Pattern[str]) -> None:
    for key, value in keys:
        if value and pattern.fullmatch(key):
            # The optimisation file is an index that can be done without, but never one from elsewhere.
            files.path(str(folder / value))


def _check_counts(keys: list[tuple[str, str]]) -> None:
    """Numbers that OpenSlide believes: it makes room for them, and counts by them (`corrupt`)."""
    counted = [value for key, value in keys if _COUNT.fullmatch(key)]
    images = [value for key, value in keys if key in {"IMAGENUMBER_X", "IMAGENUMBER_Y"}]
    divisions = [value for key, value in keys if key == "CameraImageDivisionsPerSide"]
    if not all(_DIGITS.fullmatch(value) for value in (*counted, *images, *divisions)):
        raise corrupt("its key file counts by what is no number")
    sides = [value for key, value in keys if key in {"DIGITIZER_WIDTH", "DIGITIZER_HEIGHT"}]
    overlaps = [value for key, value in keys if key in {"OVERLAP_X", "OVERLAP_Y"}]
    if not all(map(_SIDE.fullmatch, sides)) or not all(map(_LENGTH.fullmatch, overlaps)):
        raise corrupt("its key file measures pictures by what is no number")
    # It goes from one to the next by what they do not overlap, and for ever where that is nothing.
    if any(abs(float(overlap)) >= min(map(int, sides), default=1) for overlap in overlaps):
        raise corrupt("its pictures overlap by more than they are large")
    # OpenSlide numbers the camera's pictures, and writes beside its table where they do not come out even.
    if any(not int(side) or int(number) % int(side) for side in divisions for number in images):
        raise corrupt("its pictures cannot be divided as its key file says")
    # Everything counted has a line of its own.
    if any(int(value) > len(keys) for value in counted) or math.prod(map(int, images)) > _MOST_IMAGES:
        raise corrupt("its key file counts more than there can be")


def _check_frames(files: Files) -> None:
    """The tables that say where tiles begin must agree with the tiles, in every file of the slide.

    Raises:
        Refused: as `find_frames`.
    """
    for name in files.names:
        data = files.view(name)
        if looks_like_dicom(data[:132]):
            header, body = read_header(data, memory=DEFAULT_MEMORY)
            if is_slide(header) and header.pixels is not None and header.pixels.fragments is not None:
                find_frames(header, read_format(header), body)


def _check_grid_counts(keys: list[tuple[str, str]]) -> None:
    """The pictures of a Hamamatsu slide, for which OpenSlide makes room before it looks for them (`corrupt`)."""
    counted = [value for key, value in keys if key in _GRID]
    # Each picture has a line of its own.
    if not all(map(_DIGITS.fullmatch, counted)) or math.prod(map(int, counted)) > len(keys):
        raise corrupt("its key file counts more pictures than it names")


def _check_grid(files: Files, keys: list[tuple[str, str]], folder: PurePosixPath) -> None:
    """The JPEGs of a .vms slide must be as wide as their column and as high as their row (`corrupt`)."""
    widths: dict[int, set[int]] = {}
    heights: dict[int, set[int]] = {}
    for column, row, name in _places(keys):
        try:
            height, width, _, _ = simplejpeg.decode_jpeg_header(files.view(str(folder / name))[:_HEADER])
        except ValueError as error:
            raise corrupt("one of its pictures is no JPEG") from error
        widths.setdefault(column, set()).add(width)
        heights.setdefault(row, set()).add(height)
    for sizes in (widths, heights):
        full = [next(iter(found)) for _, found in sorted(sizes.items())][:-1]
        if any(len(found) > 1 for found in sizes.values()) or len(set(full)) > 1:
            raise corrupt("its pictures do not make a regular grid")
        last = next(iter(sizes[max(sizes)])) if sizes else 0
        if full and last > full[0]:
            raise corrupt("its pictures do not make a regular grid")


def _places(keys: list[tuple[str, str]]) -> Iterator[tuple[int, int, str]]:
    for key, value in keys:
        found = _PLACE.fullmatch(key)
        if found and value:
            yield int(found[1] or 0), int(found[2] or 0), value
