"""What an image's page shows on its stage, and what its tile says, by kind of image."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from medtheca.domains.imaging.enums import FileKind, ImageKind
from medtheca.interfaces.http.file_urls import file_url
from medtheca.toolkit.images.volume import IDENTITY, Geometry
from medtheca.toolkit.renditions.planes import PLANES, orientation_of

if TYPE_CHECKING:
    from medtheca.domains.imaging.models import Image, ImageFile

Row = dict[str, Any]
_TIMES = "\N{MULTIPLICATION SIGN}"
# In Hounsfield units, as radiologists set them.
_CT_WINDOWS = (
    ("Soft tissue", 40, 400),
    ("Lung", -600, 1500),
    ("Bone", 480, 2500),
    ("Brain", 40, 80),
)
_MOST_WINDOWS = 8
# The patient's axis that slices of a plane follow.
_STANDS_ON = {"axial": 2, "coronal": 1, "sagittal": 0}


def stage_of(image: Image, files: Mapping[FileKind, ImageFile], *, takeable: bool = True) -> Row:
    """What `pages/parts/stage_KIND.html` shows of an image, beside its `web_url`; `takeable` as for its files."""
    if image.kind == ImageKind.VOLUME and FileKind.GEOMETRY in files:
        return _volume_stage(image)
    if image.kind == ImageKind.SLIDE:
        return {"kind": "slide", "dzi_url": f"{_base(image)}/tiles.dzi"}
    if image.kind == ImageKind.DOCUMENT:
        title = str(image.geometry.get("title", "")) or "Document"
        media_type = files[FileKind.PUBLIC].media_type
        card = file_url(image, FileKind.PUBLIC, media_type=media_type) if takeable else ""
        return {"kind": "document", "title": title[:200], "card_url": card}
    return {"kind": "picture"}


def _base(image: Image) -> str:
    return file_url(image, FileKind.WEB).rsplit("/", 1)[0]


def _volume_stage(image: Image) -> Row:
    geometry = image.geometry
    counts = _slices_by_plane(image)
    natural = geometry.get("plane")
    plane = natural if natural in counts else "axial"
    return {
        "kind": "volume",
        "slices_url": f"{_base(image)}/slices",
        # A single slice is looked at as it is: across it there is nothing but lines.
        "planes": [
            {"name": name, "label": name.capitalize(), "count": counts[name], "current": name == plane}
            for name in PLANES
            if image.depth > 1 or name == plane
        ],
        "plane": plane,
        "count": counts[plane],
        "middle": counts[plane] // 2 + 1,
        "timepoints": image.timepoints,
        "windows": _windows(image) if image.colour_space in {"grey", "vector"} or image.bits > 8 else [],
    }


def _slices_by_plane(image: Image) -> dict[str, int]:
    direction = image.geometry.get("direction") or IDENTITY
    axes = orientation_of(Geometry(direction=tuple(float(value) for value in direction))).axes
    sizes = (image.width, image.height, image.depth)
    return {plane: sizes[axes[_STANDS_ON[plane]]] for plane in PLANES}


def _windows(image: Image) -> list[Row]:
    """Presets: the file's own, then those of the modality; `value` is centre and width as addresses have them."""
    found = [
        (str(window.get("name") or "").strip()[:40] or f"From the file {number}", window["centre"], window["width"])
        for number, window in enumerate(image.geometry.get("windows") or [], 1)
        if window.get("width", 0) > 0
    ][:_MOST_WINDOWS]
    if image.facts.get("modality") == "CT" and image.bits > 8:
        found += _CT_WINDOWS
    return [
        {"label": f"{name} ({_number(centre)} / {_number(width)})", "value": f"{centre!r},{width!r}"}
        for name, centre, width in found
    ]


def chip_of(image: Image) -> Row | None:
    """What a photograph is not: icon and words for tiles and pages; None for a photograph."""
    if image.kind == ImageKind.VOLUME:
        sizes = [image.width, image.height] + ([image.depth] if image.depth > 1 else [])
        words = f" {_TIMES} ".join(f"{size:,}" for size in sizes)
        times = f", {image.timepoints:,} times" if image.timepoints > 1 else ""
        return {"icon": "box", "label": f"Volume {words}{times}" if image.depth > 1 else f"Slice {words}{times}"}
    if image.kind == ImageKind.SLIDE:
        return {"icon": "microscope", "label": "Slide"}
    if image.kind == ImageKind.DOCUMENT:
        return {"icon": "file", "label": "Document"}
    return None


def size_of(image: Image) -> str:
    """The size in words: pixels, or voxels; empty for a document."""
    if image.kind == ImageKind.DOCUMENT:
        return ""
    deep = image.kind == ImageKind.VOLUME and image.depth > 1
    sizes = (image.width, image.height, image.depth) if deep else (image.width, image.height)
    return f" {_TIMES} ".join(f"{size:,}" for size in sizes) + (" voxels" if deep else " pixels")


def _number(value: float) -> str:
    """Four digits are enough to read.

    >>> _number(0.66666667), _number(40), _number(-1500.0), _number(12345.6)
    ('0.6667', '40', '-1500', '12346')
    """
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.4g}"
