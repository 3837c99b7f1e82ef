"""All that is to be learnt and made from one file, in one go: the task that decoder children run.

The pixels are decoded once, from the public copy, strictly. That the original has the same pixels needs
no second decoding: stripping copies every byte that a decoder makes pixels of, unchanged and in order.
"""

import io
from typing import Any

import numpy as np
from PIL import Image, ImageCms

from medtheca.toolkit.deidentify.stripped import Buffer
from medtheca.toolkit.errors import Refused
from medtheca.toolkit.images.embedded import name_exif
from medtheca.toolkit.images.formats import REMEDY
from medtheca.toolkit.images.hashes import perceptual_hash, pixel_hash
from medtheca.toolkit.images.identify import FORMAT_WORDS, identify
from medtheca.toolkit.images.labels import labels_of
from medtheca.toolkit.images.raster import Raster
from medtheca.toolkit.images.readers import DEFAULT_MEMORY, READERS, Reader, Reading, find_reader
from medtheca.toolkit.images.reports import MOST_COPIED
from medtheca.toolkit.ranges.making import LEAST_COPIED
from medtheca.toolkit.renditions import pictures, recipes
from medtheca.toolkit.renditions.colour import describe_profile


def examine(data: memoryview, options: dict[str, Any]) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Report on a file, and the files made from it.

    Options: `memory`, the bytes that decoding may take; `exif`, whether to say what the EXIF tells.

    The report is plain JSON: `format`, `media_type`; `width`, `height` (as stored), `upright_width`,
    `upright_height`, `orientation` (1 to 8); `colour_space` (`grey`, `sRGB`, `RGB`, `CMYK`), `alpha`,
    `channels`, `bits`, `icc` (the profile's own name, or null); `geometry` with the `labels` of a grey PNG;
    `pixel_hash` (64 hex digits), `perceptual_hash` (16); `removed`, a list of `kind` and `bytes`;
    `public`: `original` or `part`;
    `copied`, where the public copy is a part, what of it are bytes of the file: target, source, length;
    `thumbnail` and `web`: `public` or `part`; `recipes` for `public`, `thumbnail` and `web`; `parts`, for each
    part its `media_type`, `width`, `height`, `bytes`. Parts are `public`, `thumbnail` and `web`, as said. With the
    option `exif` also `exif`, the kinds of `embedded.name_exif`.

    Raises:
        Refused: `empty`, `unknown_format`, `unsupported_format`, `unsupported_variant`, `truncated`,
            `corrupt`, `animated` or `too_many_pixels`.
    """
    reader = choose_reader(data)
    reading = reader.read(data, memory=int(options.get("memory", DEFAULT_MEMORY)))
    raster = reading.raster
    report, parts = _describe(raster, reader), dict[str, bytes]()
    if reader.format == "png" and raster.colour_model == "grey":
        # JPEG changes values, and photographs in colour are no masks.
        report["geometry"] = {"labels": _labels(raster)}
    if options.get("exif"):
        report["exif"] = name_exif(data, reader.format)
    report["removed"] = [{"kind": item.kind, "bytes": item.bytes} for item in reading.public.removed]
    report |= {"public": "original", "thumbnail": "public", "web": "public", "recipes": {}, "parts": {}}
    report["recipes"]["public"] = reading.strip_recipe
    if reading.public.removed:
        parts["public"] = bytes(reading.public.data)
        report["public"] = "part"
        report["copied"] = [
            [it.target, it.source, it.length] for it in reading.public.copied if it.length >= LEAST_COPIED
        ][:MOST_COPIED]
        report["parts"]["public"] = {
            "media_type": reader.media_type,
            "width": raster.width,
            "height": raster.height,
            "bytes": len(parts["public"]),
        }
    made, small = _make_renditions(reader, reading)
    report["perceptual_hash"] = f"{perceptual_hash(small):016x}"
    for name, rendition in made.items():
        parts[name] = rendition.data
        report[name] = "part"
        report["recipes"][name] = rendition.recipe
        report["parts"][name] = {
            "media_type": rendition.media_type,
            "width": rendition.width,
            "height": rendition.height,
            "bytes": len(rendition.data),
        }
    return report, parts


def choose_reader(data: Buffer) -> Reader:
    """The reader for a file, by its content; refuses what has none."""
    if not len(data):
        raise Refused("empty", "The file is empty.", "Send the file again.")
    found = identify(data)
    if found is None:
        raise Refused("unknown_format", "The content is not that of any image format known here.", REMEDY)
    reader = find_reader(found)
    if reader is None:
        raise Refused(
            "unsupported_format", f"The content is {FORMAT_WORDS[found]}, which is not supported here.", REMEDY
        )
    return reader


def _labels(raster: Raster) -> list[int] | None:
    """The values of a mask, as the file has them: samples of fewer than 8 bits were scaled to 8."""
    found = labels_of(raster.pixels[:, :, 0])
    scale = 255 // ((1 << raster.bits) - 1) if raster.bits < 8 else 1
    return [value // scale for value in found] if found is not None else None


def _describe(raster: Raster, reader: Reader) -> dict[str, Any]:
    upright_width, upright_height = raster.upright_size
    icc = describe_profile(raster.icc)
    return {
        "format": reader.format,
        "media_type": reader.media_type,
        "width": raster.width,
        "height": raster.height,
        "upright_width": upright_width,
        "upright_height": upright_height,
        "orientation": raster.orientation,
        "colour_space": _name_colour_space(raster, icc),
        "alpha": raster.colour_model.endswith("+alpha"),
        "channels": raster.channels,
        "bits": raster.bits,
        "icc": icc,
        "pixel_hash": pixel_hash(raster).hex(),
    }


def _name_colour_space(raster: Raster, icc: str | None) -> str:
    model = raster.colour_model.partition("+")[0]
    if model == "rgb":
        return "sRGB" if icc is None or "srgb" in icc.lower() else "RGB"
    return {"grey": "grey", "cmyk": "CMYK"}[model]


def _make_renditions(reader: Reader, reading: Reading) -> tuple[dict[str, pictures.Rendition], Image.Image]:
    """The renditions that are needed, and the small upright picture that the perceptual hash is made of."""
    raster, made = reading.raster, dict[str, pictures.Rendition]()
    public_bytes = len(reading.public.data)
    small = pictures.show(raster, recipes.THUMBNAIL_SIDE)
    if pictures.needs_thumbnail(raster, media_type=reader.media_type, public_bytes=public_bytes):
        made["thumbnail"] = pictures.encode_thumbnail(small)
    if pictures.needs_web_picture(raster, media_type=reader.media_type):
        made["web"] = pictures.web_picture(raster)
    return made, small


def warm_up() -> None:
    """Do everything once, so that nothing is left to load behind the fence, where there is no file system."""
    samples = np.arange(40 * 300 * 3, dtype=np.uint32).astype(np.uint8).reshape(40, 300, 3)
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    picture = Image.fromarray(samples)
    files = []
    for mode in ("L", "RGB", "CMYK"):
        files.append(io.BytesIO())
        picture.convert(mode).save(files[-1], "JPEG", icc_profile=icc, progressive=mode == "RGB")
    for mode in ("1", "L", "I;16", "P", "LA", "RGB", "RGBA"):
        files.append(io.BytesIO())
        converted = picture.convert("L").convert(mode) if mode == "I;16" else picture.convert(mode)
        converted.save(files[-1], "PNG", icc_profile=icc)
    for file in files:
        examine(memoryview(file.getvalue()), {})
    for damaged in (b"", b"text", files[0].getvalue()[:-40], files[-1].getvalue()[:-40]):
        try:
            examine(memoryview(damaged), {})
        except Refused:
            continue
    assert READERS
