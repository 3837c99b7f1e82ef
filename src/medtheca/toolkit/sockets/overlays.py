"""Overlays: what their labels mean, and whether an image is one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from medtheca.toolkit.errors import Refused
from medtheca.toolkit.sockets.kinds import KINDS

MOST_SEGMENTS = 64
LONGEST_NAME = 255
_KEYS = {"name", "visible", "voxel_value"}
_EXAMPLE = '{"name": "Lung", "visible": true, "voxel_value": 1}'


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """What was read of an image when it was converted.

    Attributes:
        kind: picture, volume, slide or document.
        format: of its original.
        channels: numbers a voxel.
        colour: whether they are a colour.
        depth: slices.
        timepoints: volumes after each other.
        segments: all values that its voxels have, where they are few whole numbers; None where they are not, or
            nobody looked.
    """

    kind: str
    format: str
    channels: int
    colour: bool
    depth: int
    timepoints: int
    segments: tuple[int, ...] | None = None


def check_segments(segments: Any) -> list[dict[str, Any]]:
    """Overlay segments as they may be stored. Raises `Refused` with the place and what would be right.

    >>> check_segments([{"name": "Lung", "visible": True, "voxel_value": 1}])[0]["name"]
    'Lung'
    """
    if not isinstance(segments, list):
        raise _no_segments("They are no list", f"Write [{_EXAMPLE}].")
    if len(segments) > MOST_SEGMENTS:
        raise _no_segments(f"There are {len(segments)}, and {MOST_SEGMENTS} are the most", "Leave some out.")
    for place, segment in enumerate(segments):
        if not isinstance(segment, dict) or set(segment) != _KEYS:
            raise _no_segments(
                f"[{place}] has to have name, visible and voxel_value, and nothing else", f"Write {_EXAMPLE}."
            )
        value, name = segment["voxel_value"], segment["name"]
        if isinstance(value, bool) or not isinstance(value, int) or not -(2**31) <= value < 2**31:
            raise _no_segments(f"[{place}].voxel_value is no whole number of 32 bits", f"Write {_EXAMPLE}.")
        if not isinstance(name, str) or not 0 < len(name.strip()) <= LONGEST_NAME or "\0" in name:
            raise _no_segments(f"[{place}].name is no text of 1 to {LONGEST_NAME} characters", f"Write {_EXAMPLE}.")
        if not isinstance(segment["visible"], bool):
            raise _no_segments(f"[{place}].visible is neither true nor false", f"Write {_EXAMPLE}.")
    values = [segment["voxel_value"] for segment in segments]
    if len(set(values)) < len(values):
        raise _no_segments("Two have the same voxel_value", "Give each value one name.")
    found = sorted({0, *values})
    if segments and found != list(range(found[0], found[-1] + 1)):
        gaps = sorted(set(range(found[0], found[-1] + 1)) - set(found)) if found[-1] - found[0] < 1000 else []
        missing = f": {', '.join(map(str, gaps[:5]))} would be next" if gaps else ""
        raise _no_segments("Their values, with 0 for the background, are not without gaps", f"Number them on{missing}.")
    return segments


def check_extension(before: Sequence[dict[str, Any]], after: Sequence[dict[str, Any]]) -> None:
    """Raise `Refused` unless everything that was there is still there: overlays that exist mean it."""
    kept = {segment["voxel_value"]: segment["name"] for segment in after}
    for segment in before:
        if kept.get(segment["voxel_value"]) != segment["name"]:
            words = f"There are values already, in which {segment['voxel_value']} means {segment['name']}"
            raise _no_segments(words, "Leave what is there, and add others; or define another socket.")


def check_image(code: str, image: ImageFacts, *, segments: Sequence[dict[str, Any]] = ()) -> None:
    """Raise `Refused` unless an image can be in a socket of a kind with those overlay segments.

    A displacement field is three volumes after each other, as Grand Challenge has it, or one whose voxels are vectors
    of three numbers, as ITK writes it.
    """
    if image.kind == "document":
        raise _no_image(code, "it is a document and has no picture", "Choose an image.")
    if code == "DCMIS" and image.format != "dicom":
        raise _no_image(code, f"it was uploaded as {image.format}, and has to be DICOM", "Upload the DICOM series.")
    if code == "DSPF" and not _is_field(image):
        found = f"it has {image.channels} numbers a voxel and {image.timepoints} volumes after each other"
        raise _no_image(code, found, "Write a volume in four dimensions of which the first has the length 3.")
    if code in ("SEG", "HMAP") and (image.colour or image.channels != 1):
        raise _no_image(code, f"it has {image.channels} channels, and an overlay has one", "Save it in grey.")
    if code == "SEG":
        _check_labels(image, segments)


def _is_field(image: ImageFacts) -> bool:
    if image.kind != "volume" or image.colour:
        return False
    return (image.channels, image.timepoints) in ((1, 3), (3, 1))


def _check_labels(image: ImageFacts, segments: Sequence[dict[str, Any]]) -> None:
    if image.segments is None:
        why = f"its values are not labels: they are no whole numbers, or more than {MOST_SEGMENTS}"
        raise _no_image("SEG", why, "Write each label as one whole number; or have an old image converted again.")
    known = {0, *(segment["voxel_value"] for segment in segments)}
    extra = sorted(set(image.segments) - known)
    if extra:
        shown = ", ".join(map(str, extra[:10])) + (" …" if len(extra) > 10 else "")
        meant = ", ".join(f"{segment['voxel_value']} {segment['name']}" for segment in segments)
        remedy = f"Those of the socket are 0 and {meant[:300]}."
        raise _no_image("SEG", f"it has the values {shown}, which the socket gives no meaning", remedy)


def _no_image(code: str, why: str, remedy: str) -> Refused:
    return Refused("wrong_image", f"The image cannot be in a socket of kind {KINDS[code].label}: {why}.", remedy)


def _no_segments(why: str, remedy: str) -> Refused:
    return Refused("invalid_segments", f"The overlay segments cannot be used. {why}.", remedy)
