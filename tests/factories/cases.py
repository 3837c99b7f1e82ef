"""Volumes, slides and documents with real files: made by the task of the sandbox, in this process, from generated ones.

Only the conversion's workflow is left out: rows and blobs are written directly.
"""

import io
import secrets
from itertools import count

import numpy as np
import tifffile
from django.db import transaction

from medtheca.base.clock import now
from medtheca.domains.access.operations import place_images, set_visibility
from medtheca.domains.imaging.enums import FileKind
from medtheca.domains.imaging.models import Image, ImageFile
from medtheca.domains.imaging.operations import create_images
from medtheca.domains.provenance.enums import AccessionState
from medtheca.domains.provenance.models import Accession
from medtheca.domains.storage.operations import keeping_blobs, store_blobs
from medtheca.domains.storage.queries import blob_store
from medtheca.toolkit.images import case_task
from medtheca.toolkit.images.case_reports import CASE_PARTS, find_case_fault
from tests.generators import dicoms, volumes

_numbers = count(1)
_KINDS = {
    "public": FileKind.PUBLIC,
    "thumbnail": FileKind.THUMBNAIL,
    "web": FileKind.WEB,
    "geometry": FileKind.GEOMETRY,
    "small": FileKind.SMALL,
}


def make_case(cohort, folder, files, *, visibility="private", name="", facts=None):
    """An image of a case: `files` are (name, bytes), the first is the one by which it is called."""
    serial = next(_numbers)
    home = folder / f"case-{serial}-{secrets.token_hex(4)}"
    home.mkdir()
    for path, data in files:
        (home / path).write_bytes(data)
    outputs = {part: io.BytesIO() for part in CASE_PARTS}
    report = case_task.run(home, outputs, {"main": files[0][0]}, lambda _: None)
    made = {part: outputs[part].getvalue() for part in report["parts"]}
    assert find_case_fault(report, {part: data[:4096] for part, data in made.items()}) == ""
    with transaction.atomic(), keeping_blobs():
        rows = {}
        # A cohort has each original once; tests may make the same image twice.
        for part, data in [*made.items(), ("original", files[0][1] + b"%d" % serial)]:
            staged = blob_store().stage([data])
            rows[part] = store_blobs([staged])[staged.sha256]
        image = _image(report, serial, visibility)
        image.facts |= facts or {}
        create_images(
            images=[image],
            files=[
                *(
                    ImageFile(
                        image=image,
                        kind=_KINDS[part],
                        blob=rows[part],
                        media_type=report["parts"][part]["media_type"],
                        recipe=report["parts"][part]["recipe"],
                    )
                    for part in made
                ),
                ImageFile(image=image, kind=FileKind.ORIGINAL, blob=rows["original"], media_type=report["media_type"]),
            ],
        )
        called = name or f"case_{serial:04}_{files[0][0]}"
        Accession.objects.create(
            cohort=cohort,
            name=called,
            name_key=called,
            original_path=files[0][0],
            creator=cohort.creator,
            state=AccessionState.CONVERTED,
            original=rows["original"],
            image=image,
            licence=cohort.licence,
            attribution=cohort.attribution,
            published=None if visibility == "private" else now(),
        )
        place_images(image_ids=[image.pk], scope_ids=[cohort.scope_id, cohort.contributor.scope_id])
        set_visibility(image_ids=[image.pk], visibility=visibility)
    return image


def _image(report, serial, visibility):
    spacing = report["spacing"] or (None, None, None)
    return Image(
        public_id=None if visibility == "private" else f"ISIC_{8_000_000 + serial}",
        kind=report["kind"],
        format=report["format"],
        media_type=report["media_type"],
        width=report["upright_width"],
        height=report["upright_height"],
        depth=report["depth"],
        timepoints=report["timepoints"],
        spacing_x=spacing[0],
        spacing_y=spacing[1],
        spacing_z=spacing[2],
        colour_space=report["colour_space"],
        bits=report["bits"],
        channels=report["channels"],
        pixel_hash=report["pixel_hash"],
        perceptual_hash=int(report["perceptual_hash"], 16) - 2**63,
        geometry=report["geometry"],
        facts=report["facts"],
    )


def draw_slide(width=1500, height=1100, *, seed=0):
    """Colours that tell where they are: red grows to the right, green downwards, blue in squares. (height, width, 3)"""
    y, x = np.mgrid[0:height, 0:width]
    blue = ((x // 64 + y // 64 + seed) % 2 * 180).astype(np.uint8)
    return np.dstack([x * 255 // (width - 1), y * 255 // (height - 1), blue]).astype(np.uint8)


def tiled_tiff(pixels, *, tile=256):
    """A pyramid of JPEG tiles in two levels, as scanners write it."""
    file = io.BytesIO()
    common = {"photometric": "rgb", "tile": (tile, tile), "compression": "jpeg", "compressionargs": {"level": 92}}
    with tifffile.TiffWriter(file) as writer:
        writer.write(pixels, resolution=(40000, 40000), resolutionunit="CENTIMETER", **common)
        writer.write(np.ascontiguousarray(pixels[::4, ::4]), subfiletype=1, **common)
    return file.getvalue()


def make_volume(cohort, folder, voxels, *, visibility="private", name="", facts=None, **options):
    """A volume of voxels (t, z, y, x) or (t, z, y, x, c); options as of `volumes.metaimage`."""
    files = [("volume.mha", volumes.mha(voxels, **options))]
    return make_case(cohort, folder, files, visibility=visibility, name=name, facts=facts)


def make_slide(cohort, folder, pixels, **options):
    """A slide of pixels (height, width, 3), 8 bits."""
    return make_case(cohort, folder, [("slide.tif", tiled_tiff(pixels))], **options)


def make_document(cohort, folder, **options):
    """A structured report of DICOM, which becomes a card."""
    report = dicoms.write(dicoms.dataset(SOPClassUID=dicoms.STORAGE + "88.22", Modality="SR"))
    return make_case(cohort, folder, [("report.dcm", report)], **options)
