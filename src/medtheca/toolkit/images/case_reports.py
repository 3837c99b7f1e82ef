"""What is reported of a case, and whether it can be true: see `reports`, which does it for photographs."""

import math
import re
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from medtheca.toolkit.images.devices import public_maker, public_model
from medtheca.toolkit.images.identify import identify
from medtheca.toolkit.images.labels import MOST_LABELS
from medtheca.toolkit.images.terms import SIDES
from medtheca.toolkit.images.volume import VALUE_TYPES
from medtheca.toolkit.renditions.planes import PLANES

CASE_PARTS: dict[str, tuple[str, ...]] = {
    "public": ("application/x-metaimage", "image/tiff", "application/json"),
    "thumbnail": ("image/jpeg",),
    "web": ("image/jpeg",),
    "geometry": ("application/json",),
    "small": ("application/x-metaimage",),
}
"""Files that may be made of a case, with the media types that each may have."""

COPIED = "copied"
"""The output that says what of the public part are ranges of the case's first file. It is no part, and not kept."""

ORIGINAL_TYPES = {
    "dicom": "application/dicom",
    "nifti": "application/x-nifti",
    "nrrd": "application/x-nrrd",
    "mha": "application/x-metaimage",
    "tiff": "image/tiff",
    "oct": "application/x-topcon-oct",
    "slide": "application/x-slide",
}
"""Media type of an original by its format; registered ones where there are such."""

LONGEST_FACT = 200
"""Characters of what a header says of a device."""

_BY_CONTENT = {"application/x-metaimage": "mha", "image/tiff": "tiff", "image/jpeg": "jpeg"}
_LARGEST = 2**31 - 1
_LONGEST_RECIPE = 120
_MOST_WINDOWS, _MOST_LEVELS, _MOST_STAINS = 20, 100, 100
_HEX64, _HEX16 = re.compile("[0-9a-f]{64}"), re.compile("[0-9a-f]{16}")
_NEEDED, _OF_TRIAL = {"public", "thumbnail", "web"}, {"thumbnail", "web"}
_KINDS = {"volume", "slide", "document"}
_SIZES = ("width", "height", "depth", "timepoints", "upright_width", "upright_height")
_COLOUR_SPACES = {"grey", "sRGB", "RGB", "vector", ""}
# What a photograph may have and a case has not.
_ALWAYS: dict[str, object] = {"orientation": 1, "icc": None, "removed": []}


def find_case_fault(report: Mapping[str, Any], heads: Mapping[str, bytes], *, trial: bool = False) -> str:
    """What is wrong with the report of a case and the files made of it, as the end of a sentence; empty if nothing.

    `heads` are the first bytes, 4,096 at most, of every file that was written. In a `trial` voxels were not.

    >>> find_case_fault({"kind": "film"}, {})
    "its kind is 'film'"
    """
    kind = report.get("kind")
    if not isinstance(kind, str) or kind not in _KINDS:
        return f"its kind is {ascii(kind)[:40]}"
    name, media_type = report.get("format"), report.get("media_type")
    if not isinstance(name, str) or ORIGINAL_TYPES.get(name, "") != media_type:
        return f"its media type is {ascii(media_type)[:40]}"
    return _fault_of_values(report, kind) or _fault_of_parts(report, heads, _OF_TRIAL if trial else _NEEDED)


def _fault_of_values(report: Mapping[str, Any], kind: str) -> str:
    least = 0 if kind == "document" else 1
    wrong = [name for name in _SIZES if not _is_whole(report.get(name), least, _LARGEST)]
    wrong += [name for name in ("bits", "channels") if not _is_whole(report.get(name), 0, 4096)]
    if wrong:
        return f"its {wrong[0]} is {ascii(report.get(wrong[0]))[:40]}"
    for name, pattern in (("pixel_hash", _HEX64), ("perceptual_hash", _HEX16)):
        if not isinstance(report.get(name), str) or not pattern.fullmatch(report[name]):
            return f"its {name} is no hash"
    damaged = [name for name, only in _ALWAYS.items() if report.get(name, "") != only]
    damaged += [name for name, is_sound in _SOUND.items() if not is_sound(report.get(name))]
    damaged += [] if _GEOMETRIES[kind](report.get("geometry")) else ["geometry"]
    return f"its {damaged[0]} is damaged" if damaged else ""


def _is_whole(value: object, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _is_spacing(value: object) -> bool:
    return value is None or (isinstance(value, list) and len(value) == 3 and all(map(_is_length, value)))


def _is_text(most: int) -> Callable[[object], bool]:
    return lambda value: isinstance(value, str) and len(value) <= most


def _is_number(value: object) -> bool:
    return isinstance(value, float | int) and not isinstance(value, bool) and math.isfinite(value)


def _are_numbers(value: object, count: int) -> bool:
    return isinstance(value, list) and len(value) == count and all(map(_is_number, value))


def _is_record(value: object, fields: Mapping[str, Callable[[object], bool]], *, whole: bool = True) -> bool:
    """Whether it is an object of these fields, of all of them where it is `whole`."""
    if not isinstance(value, dict) or not set(value) <= set(fields) or (whole and len(value) < len(fields)):
        return False
    return all(fields[name](item) for name, item in value.items())


def _is_code(value: object) -> bool:
    return _is_record(value, {"value": _is_text(64), "scheme": _is_text(16), "meaning": _is_text(200)})


def _is_list(value: object, most: int, fits: Callable[[object], bool]) -> bool:
    return isinstance(value, list | tuple) and len(value) <= most and all(map(fits, value))


def is_labels(value: object) -> bool:
    """Whether it is what `labels.labels_of` gives."""
    return value is None or _is_list(value, MOST_LABELS, lambda one: _is_whole(one, -_LARGEST, _LARGEST))


def _is_facts(value: object) -> bool:
    return _is_record(value, _FACTS, whole=False)


def _is_notes(value: object) -> bool:
    return (
        isinstance(value, list)
        and len(value) <= 100
        and all(isinstance(note, str) and len(note) <= 1000 for note in value)
    )


def _is_length(value: object) -> bool:
    return value is None or (isinstance(value, float | int) and _is_number(value) and value > 0)


def _is_size(value: object) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(_is_whole(side, 1, _LARGEST) for side in value)


def _is_truth(value: object) -> bool:
    return isinstance(value, bool)


_FACTS: dict[str, Callable[[object], bool]] = {
    "modality": _is_text(16),
    "body_part": _is_code,
    "laterality": lambda value: isinstance(value, str) and value in SIDES,
    "magnification": _is_length,
    "stain": lambda value: _is_list(value, _MOST_STAINS, _is_code),
    # Asked again here: a decoder that was taken over could make anything public.
    "manufacturer": lambda value: isinstance(value, str) and public_maker(value) is not None,
    "model": lambda value: isinstance(value, str) and public_model(value) is not None,
    "stated": lambda value: _is_list(value, 2, _is_text(LONGEST_FACT)),
    "inverted": _is_truth,
}
_WINDOW: dict[str, Callable[[object], bool]] = {"centre": _is_number, "width": _is_number, "name": _is_text(200)}
_VOLUME: dict[str, Callable[[object], bool]] = {
    "origin": lambda value: value is None or _are_numbers(value, 3),
    "direction": lambda value: _are_numbers(value, 9),
    "dimensions": lambda value: _is_whole(value, 1, 4),
    "time_step": lambda value: value is None or _is_number(value),
    "value_type": lambda value: isinstance(value, str) and value in VALUE_TYPES,
    "rescaled": _is_truth,
    "windows": lambda value: _is_list(value, _MOST_WINDOWS, lambda one: _is_record(one, _WINDOW)),
    "plane": lambda value: isinstance(value, str) and value in PLANES,
    "labels": is_labels,
}
_SLIDE: dict[str, Callable[[object], bool]] = {
    "vendor": _is_text(64),
    "levels": lambda value: _is_list(value, _MOST_LEVELS, _is_size),
    "copied": _is_truth,
}
_DOCUMENT: dict[str, Callable[[object], bool]] = {"document": _is_text(64), "title": _is_text(200)}
_GEOMETRIES: dict[str, Callable[[object], bool]] = {
    "volume": lambda value: _is_record(value, _VOLUME),
    "slide": lambda value: _is_record(value, _SLIDE),
    "document": lambda value: _is_record(value, _DOCUMENT),
}
_SOUND: dict[str, Callable[[object], bool]] = {
    "spacing": _is_spacing,
    "colour_space": lambda value: isinstance(value, str) and value in _COLOUR_SPACES,
    "facts": _is_facts,
    "notes": _is_notes,
    "text_suspected": lambda value: isinstance(value, str) and len(value) <= 200,
}


def _fault_of_parts(report: Mapping[str, Any], heads: Mapping[str, bytes], needed: AbstractSet[str]) -> str:
    parts = report.get("parts")
    if not isinstance(parts, dict) or not needed <= set(parts) <= set(CASE_PARTS) or set(parts) != set(heads):
        return "its parts are not those it describes"
    for name, part in parts.items():
        media_type = part.get("media_type") if isinstance(part, dict) else None
        recipe = part.get("recipe") if isinstance(part, dict) else None
        if (
            not isinstance(media_type, str)
            or media_type not in CASE_PARTS[name]
            or not isinstance(recipe, str)
            or not 0 < len(recipe) <= _LONGEST_RECIPE
        ):
            return f"its {name} part is not described"
        content = _BY_CONTENT.get(media_type)
        if content is None:
            if not heads[name].startswith(b"{"):
                return f"its {name} part is not what it says it is"
        elif identify(heads[name]) != content:
            return f"its {name} part is not the file it says it is"
    return ""
