"""What the sandbox found in a file, as rows: an image, and the files derived from its original."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from medtheca.domains.imaging.enums import FileKind, ImageKind
from medtheca.domains.imaging.models import Image, ImageFile
from medtheca.domains.provenance.models import Accession
from medtheca.domains.storage.models import Blob

_DERIVED = (FileKind.PUBLIC, FileKind.THUMBNAIL, FileKind.WEB)


def image_of(report: dict[str, Any]) -> Image:
    """A new image, not saved, with what its file decides."""
    unsigned = int(report["perceptual_hash"], 16)
    spacing = report.get("spacing") or [None, None, None]
    return Image(
        kind=report.get("kind", ImageKind.PICTURE),
        depth=report.get("depth", 1),
        timepoints=report.get("timepoints", 1),
        spacing_x=spacing[0],
        spacing_y=spacing[1],
        spacing_z=spacing[2],
        geometry=report.get("geometry", {}),
        facts=report.get("facts", {}),
        text_suspected=report.get("text_suspected", ""),
        format=report["format"],
        media_type=report["media_type"],
        width=report["upright_width"],
        height=report["upright_height"],
        orientation=report["orientation"],
        colour_space=report["colour_space"],
        bits=report["bits"],
        channels=report["channels"],
        icc_profile=(report["icc"] or "")[:120],
        pixel_hash=report["pixel_hash"],
        perceptual_hash=unsigned - (1 << 64) if unsigned >= 1 << 63 else unsigned,
        stripped=report["removed"],
    )


def derived_files(
    image: Image, accession: Accession, report: dict[str, Any], made: Mapping[str, Blob]
) -> list[ImageFile]:
    """The public copy, thumbnail and web picture: each a part of its own, or the file that serves for it.

    Of a case all files are parts, and a document has none: its original is never served as it is.
    """
    source = accession.original.sha256 if accession.original else ""
    if "kind" in report:
        return [
            ImageFile(
                image=image,
                kind=FileKind(name),
                blob=made[name],
                media_type=part["media_type"],
                recipe=part["recipe"],
                source=source,
            )
            for name, part in report["parts"].items()
        ]
    files: list[ImageFile] = []
    public = made.get("public", accession.original)
    for kind in _DERIVED:
        own = made.get(kind.value)
        media_type = report["parts"][kind.value]["media_type"] if own else report["media_type"]
        recipe = report["recipes"].get(kind.value) or report["recipes"]["public"]
        file = ImageFile(image=image, kind=kind, blob=own or public, media_type=media_type, recipe=recipe)
        file.source = source
        files.append(file)
    return files
