"""All that is made of a case, in one go: the task that a child of the sandbox runs in the folder of the case."""

import hashlib
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import Image

from medtheca.toolkit.images.case_readers import read_case
from medtheca.toolkit.images.case_reports import CASE_PARTS, COPIED, LONGEST_FACT, ORIGINAL_TYPES
from medtheca.toolkit.images.case_warmth import warm_up_cases
from medtheca.toolkit.images.cases import Content
from medtheca.toolkit.images.facts import Facts
from medtheca.toolkit.images.files import Files
from medtheca.toolkit.images.hashes import perceptual_hash
from medtheca.toolkit.images.labels import labels_of
from medtheca.toolkit.images.readers.reading import DEFAULT_MEMORY
from medtheca.toolkit.images.slide import Document, Slide
from medtheca.toolkit.images.volume import Volume
from medtheca.toolkit.renditions import cards, mha, pictures, planes, recipes
from medtheca.toolkit.renditions.pyramid import write as write_pyramid

Progress = Callable[[float], None]
VOXEL_HASH = "medtheca-voxels/1"
TILE_HASH = "medtheca-tiles/1"
# What a reduced volume is at most along an axis; a smaller one needs no reduced copy.
SMALL_SIDE = 128


def run(
    folder: Path, outputs: Mapping[str, BinaryIO], options: Mapping[str, Any], progress: Progress
) -> dict[str, Any]:
    """Read a case and write what is made of it; the report as `case_reports.find_case_fault` checks it.

    Options: `main`, the name of the file by which the image is called; `memory`, the bytes that voxels may take;
    `trial`, whether nobody will look at more than the report, so that voxels need not be written again.
    `outputs` are files open for writing, by the names of `case_reports.CASE_PARTS`; what is not in the report's
    `parts` was not written. Where there is one by the name `COPIED`, it is told what of the public part is copied.

    Raises:
        Refused: see `CaseReader.read`.
    """
    files = files_in(folder, str(options["main"]))
    memory = int(options.get("memory", DEFAULT_MEMORY))
    format_name, content = read_case(files, memory=memory)
    progress(0.05)
    report = _common(format_name, content)
    if isinstance(content, Volume):
        return report | _keep_volume(content, outputs, progress, trial=bool(options.get("trial")))
    if isinstance(content, Document):
        return report | _keep_document(files, content, outputs)
    try:
        return report | _keep_slide(content, outputs, progress)
    finally:
        content.close()


def files_in(folder: Path, main: str) -> Files:
    """All files of a folder, `main` first and the others in the order of their names."""
    found = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return Files(folder, (main, *(name for name in found if name != main)))


def _common(format_name: str, content: Content) -> dict[str, Any]:
    notes = [] if not isinstance(content, Volume | Document) else list(content.notes)
    return {
        "format": format_name,
        "media_type": ORIGINAL_TYPES[format_name],
        "orientation": 1,
        "alpha": False,
        "icc": None,
        "removed": [],
        "facts": _plain(content.facts),
        "notes": notes,
        "text_suspected": getattr(content, "text_suspected", ""),
    }


def _plain(facts: Facts) -> dict[str, Any]:
    said = {name: value for name, value in asdict(facts).items() if value not in (None, False, ())}
    said["stated"] = tuple(text[:LONGEST_FACT] for text in said.get("stated", ()))
    return {name: value for name, value in said.items() if value != ()}


def _keep_volume(volume: Volume, outputs: Mapping[str, BinaryIO], progress: Progress, *, trial: bool) -> dict[str, Any]:
    parts = {} if trial else _write_voxels(volume, outputs, progress)
    picture = planes.overview(volume, recipes.WEB_SIDE)
    perceptual = _write_pictures(picture, outputs, parts)
    geometry = volume.geometry
    return {
        "kind": "volume",
        "width": volume.width,
        "height": volume.height,
        "upright_width": volume.width,
        "upright_height": volume.height,
        "depth": volume.depth,
        "timepoints": volume.timepoints,
        "spacing": list(geometry.spacing) if geometry.spacing else None,
        "colour_space": {"grey": "grey", "rgb": "RGB", "rgba": "RGB", "vector": "vector"}[volume.colour],
        "bits": volume.voxels.dtype.itemsize * 8,
        "channels": volume.channels,
        "geometry": {
            "origin": list(geometry.origin) if geometry.origin else None,
            "direction": list(geometry.direction),
            "dimensions": volume.dimensions,
            "time_step": volume.time_step,
            "value_type": volume.voxels.dtype.name,
            "rescaled": volume.rescaled,
            "windows": [asdict(window) for window in volume.windows[:20]],
            "plane": planes.natural_plane(volume),
            "labels": _labels(volume),
        },
        "pixel_hash": hash_voxels(volume),
        "perceptual_hash": perceptual,
        "parts": parts,
    }


def _labels(volume: Volume) -> list[int] | None:
    """What a segmentation may be checked by."""
    return labels_of(plane for time in volume.voxels for plane in time) if volume.colour == "grey" else None


def _write_voxels(volume: Volume, outputs: Mapping[str, BinaryIO], progress: Progress) -> dict[str, dict[str, Any]]:
    """The volume itself, reduced where it is large, and where the slices of both lie."""
    parts: dict[str, dict[str, Any]] = {}
    described = mha.write(volume, outputs["public"])
    parts["public"] = _part("application/x-metaimage", mha.RECIPE, volume.width, volume.height)
    progress(0.7)
    if max(volume.width, volume.height, volume.depth) > SMALL_SIDE and volume.depth > 1:
        small = mha.reduce(volume, SMALL_SIDE)
        described["small"] = mha.write(small, outputs["small"])
        parts["small"] = _part("application/x-metaimage", mha.SMALL_RECIPE, small.width, small.height)
    progress(0.9)
    outputs["geometry"].write(json.dumps(described, allow_nan=False, separators=(",", ":")).encode())
    parts["geometry"] = _part("application/json", mha.RECIPE, volume.width, volume.height)
    return parts


def _keep_slide(slide: Slide, outputs: Mapping[str, BinaryIO], progress: Progress) -> dict[str, Any]:
    made = write_pyramid(
        slide, outputs["public"], progress=lambda share: progress(0.05 + 0.9 * share), copied=outputs.get(COPIED)
    )
    finest = slide.levels[0]
    parts = {"public": _part("image/tiff", made.recipe, finest.width, finest.height)}
    perceptual = _write_pictures(made.overview(recipes.WEB_SIDE), outputs, parts)
    micron = slide.microns_per_pixel
    return {
        "kind": "slide",
        "width": finest.width,
        "height": finest.height,
        "upright_width": finest.width,
        "upright_height": finest.height,
        "depth": 1,
        "timepoints": 1,
        "spacing": [micron[0] / 1000, micron[1] / 1000, None] if micron else None,
        "colour_space": "sRGB",
        "bits": 8,
        "channels": 3,
        "geometry": {
            "vendor": slide.vendor,
            "levels": [[level.width, level.height] for level in slide.levels],
            "copied": made.copied,
        },
        "pixel_hash": made.pixel_hash,
        "perceptual_hash": perceptual,
        "parts": parts,
    }


def _keep_document(files: Files, document: Document, outputs: Mapping[str, BinaryIO]) -> dict[str, Any]:
    """Nothing of its content: a card that says what it is, and the same in words for programs."""
    digest = hashlib.sha256(f"{document.kind}\n".encode())
    for name in files.names:
        digest.update(files.view(name))
    sizes = dict.fromkeys(("width", "height", "depth", "timepoints", "upright_width", "upright_height"), 0)
    said = {"document": document.kind, "title": document.title}
    outputs["public"].write(json.dumps(said).encode())
    parts = {"public": _part("application/json", cards.RECIPE, 0, 0)}
    _write_pictures(cards.draw_card(document.title), outputs, parts)
    return {
        "kind": "document",
        **sizes,
        "spacing": None,
        "colour_space": "",
        "bits": 0,
        "channels": 0,
        "geometry": said,
        "pixel_hash": digest.hexdigest(),
        # All cards are alike to the eye: that they look the same says nothing.
        "perceptual_hash": digest.hexdigest()[:16],
        "parts": parts,
    }


def _write_pictures(picture: Image.Image, outputs: Mapping[str, BinaryIO], parts: dict[str, dict[str, Any]]) -> str:
    """The web picture, the thumbnail made from it, and the hash by which pictures are alike."""
    web = pictures.encode_web_picture(picture)
    small = picture.copy()
    small.thumbnail((recipes.THUMBNAIL_SIDE, recipes.THUMBNAIL_SIDE), Image.Resampling.BOX)
    thumbnail = pictures.encode_thumbnail(small)
    for name, rendition in (("web", web), ("thumbnail", thumbnail)):
        outputs[name].write(rendition.data)
        parts[name] = _part(rendition.media_type, rendition.recipe, rendition.width, rendition.height)
    return f"{perceptual_hash(small):016x}"


def _part(media_type: str, recipe: str, width: int, height: int) -> dict[str, Any]:
    return {"media_type": media_type, "recipe": recipe, "width": width, "height": height}


def hash_voxels(volume: Volume) -> str:
    """SHA-256 over type, shape and values with the low byte first, in 64 hex digits; geometry does not enter."""
    shape = "x".join(map(str, volume.voxels.shape))
    digest = hashlib.sha256(f"{VOXEL_HASH} {volume.colour} {volume.voxels.dtype.name} {shape}\n".encode())
    for frame in volume.voxels:
        digest.update(np.ascontiguousarray(frame.astype(frame.dtype.newbyteorder("<"), copy=False)).data)
    return digest.hexdigest()


def warm_up() -> None:
    """Do everything once, so that nothing is left to load behind the fence."""

    def once(folder: Path, main: str) -> None:
        outputs = {name: io.BytesIO() for name in CASE_PARTS}
        run(folder, outputs, {"main": main}, lambda _share: None)

    warm_up_cases(once)
