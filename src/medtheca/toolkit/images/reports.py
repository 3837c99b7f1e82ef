"""Whether what a decoder says of a file can be true. A file may have taken its decoder over.

The sandbox keeps such a decoder from everything but its answer; this looks at the answer. Nothing of it is decoded.
"""

import re
from collections.abc import Mapping
from typing import Any, TypeGuard

from medtheca.toolkit.images.identify import FORMAT_WORDS, identify
from medtheca.toolkit.images.labels import MOST_LABELS

# What may be sent to browsers as a picture, and the format that its first bytes must be in.
SERVED_TYPES = {"image/jpeg": "jpeg", "image/png": "png", "image/webp": "webp"}
KINDS = ("public", "thumbnail", "web")

MOST_COPIED = 1000
"""Ranges of which a photograph's public copy says that they are the file's: JPEG has one a scan, PNG usually one."""

_LARGEST = 2**31 - 1
_LARGEST_FILE = 2**48
_MOST_REMOVED = 1000
_LONGEST_RECIPE = 120
_LONGEST_KIND = 64
_COLOUR_SPACES = frozenset({"grey", "sRGB", "RGB", "CMYK"})
_NUMBERS = {
    "width": (1, _LARGEST),
    "height": (1, _LARGEST),
    "upright_width": (1, _LARGEST),
    "upright_height": (1, _LARGEST),
    "orientation": (1, 8),
    "bits": (1, 64),
    "channels": (1, 16),
}
_HASHES = {"pixel_hash": re.compile("[0-9a-f]{64}"), "perceptual_hash": re.compile("[0-9a-f]{16}")}


def find_fault(report: Mapping[str, Any], parts: Mapping[str, bytes]) -> str:
    """What is wrong with a report of `examine` and its parts, as the end of a sentence; empty where nothing is.

    >>> find_fault({}, {})
    'its format is None'
    """
    kind, media_type = report.get("format"), report.get("media_type")
    if not isinstance(kind, str) or kind not in FORMAT_WORDS:
        return f"its format is {str(kind)[:40]}"
    if not isinstance(media_type, str) or SERVED_TYPES.get(media_type) != kind:
        return f"its media type is {str(media_type)[:40]}, which {kind} has not"
    return _fault_of_values(report) or _fault_of_parts(report, parts)


def _fault_of_values(report: Mapping[str, Any]) -> str:
    for name, (least, most) in _NUMBERS.items():
        value = report.get(name)
        if not _is_whole(value) or not least <= value <= most:
            return f"its {name} is {str(value)[:40]}"
    for name, pattern in _HASHES.items():
        if not isinstance(report.get(name), str) or not pattern.fullmatch(report[name]):
            return f"its {name} is no hash"
    if report.get("colour_space") not in _COLOUR_SPACES:
        return f"its colour space is {str(report.get('colour_space'))[:40]}"
    if not isinstance(report.get("icc"), str | None):
        return "its profile has no name"
    removed = report.get("removed")
    if not isinstance(removed, list) or len(removed) > _MOST_REMOVED or not all(map(_is_removed, removed)):
        return "its list of what was removed is damaged"
    listed = {
        "what was copied": _is_copied(report.get("copied", [])),
        "labels": _is_geometry(report.get("geometry", {})),
    }
    return next((f"its list of {name} is damaged" for name, is_sound in listed.items() if not is_sound), "")


def _fault_of_parts(report: Mapping[str, Any], parts: Mapping[str, bytes]) -> str:
    recipes, described = report.get("recipes"), report.get("parts")
    if not isinstance(recipes, dict) or not isinstance(described, dict):
        return "its parts are not described"
    if not set(parts) <= set(KINDS) or set(parts) != set(described):
        return "its parts are not those it describes"
    sound = all(isinstance(recipe, str) and 0 < len(recipe) <= _LONGEST_RECIPE for recipe in recipes.values())
    if not sound or not {"public", *parts} <= set(recipes) <= set(KINDS):
        return "its recipes are damaged"
    for name, content in parts.items():
        media_type = described[name].get("media_type") if isinstance(described[name], dict) else None
        wanted = SERVED_TYPES.get(media_type) if isinstance(media_type, str) else None
        if wanted is None or identify(content) != wanted:
            return f"its {name} part is not the picture it says it is"
        if name == "public" and media_type != report["media_type"]:
            return "its public copy is in another format than the file"
    return ""


def _is_removed(item: object) -> bool:
    match item:
        case {"kind": str(kind), "bytes": count, **rest}:
            return not rest and len(kind) <= _LONGEST_KIND and _is_whole(count) and count >= 0
    return False


def _is_geometry(value: object) -> bool:
    """Nothing, or the values that a mask has (`labels.labels_of`)."""
    match value:
        case {"labels": list(values), **rest}:
            return (
                not rest and len(values) <= MOST_LABELS and all(_is_whole(one) and 0 <= one < 2**16 for one in values)
            )
        case {"labels": None, **rest}:
            return not rest
    return value == {}


def _is_copied(listed: object) -> bool:
    return (
        isinstance(listed, list)
        and len(listed) <= MOST_COPIED
        and all(isinstance(one, list) and len(one) == 3 and all(map(_is_offset, one)) for one in listed)
    )


def _is_offset(value: object) -> bool:
    return _is_whole(value) and 0 <= value <= _LARGEST_FILE


def _is_whole(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)
