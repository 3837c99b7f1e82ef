"""What is told of a de-identified image, and whether it can be true: its decoder may have been taken over."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from medtheca.toolkit.images.identify import identify

MEDIA_TYPES = {
    "application/dicom": ".dcm",
    "application/zip": ".zip",
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "application/x-metaimage": ".mha",
    "image/tiff": ".tif",
}
"""What may come of an image, and the suffix of such a file."""

PIXELS = {
    "copied": "the same coded bytes",
    "values": "the same values, coded anew without loss",
    "coded": "coded anew as JPEG",
}
"""What became of the pixels."""

_HEADS = {"image/jpeg": "jpeg", "image/png": "png", "application/x-metaimage": "mha", "image/tiff": "tiff"}
_PLACE = re.compile(r"[0-9A-F]{8}(/[0-9A-F]{8}){0,63}")
_KEYWORD = re.compile(r"[A-Za-z0-9]{0,64}")
_ACTION = re.compile(r"[A-Z]( \([a-z0-9 ,-]{1,80}\))?")
_KIND = re.compile(r"[\x20-\x7e]{1,80}")
_MOST_ACTIONS = 20_000


def find_fault(report: Mapping[str, Any], head: bytes) -> str:
    """What is wrong with a report, as the end of a sentence; empty if nothing. `head`: the output's first bytes.

    `actions` are, for DICOM, what was done to each attribute: path, keyword, action, how often; for others what was
    taken out: kind, and bytes where that is known. `files` is how many files of the image are in the output.
    """
    media_type = report.get("media_type")
    if media_type not in MEDIA_TYPES:
        return f"its media type is {ascii(media_type)[:40]}"
    if not _is_head(head, str(media_type)):
        return "its file is not what it says it is"
    sound: dict[str, Callable[[object], bool]] = {
        "format": lambda value: isinstance(value, str) and len(value) <= 16,
        "pixels": lambda value: value in PIXELS,
        "files": lambda value: _is_count(value) and value != 0,
        "text_suspected": lambda value: isinstance(value, str) and len(value) <= 200,
        "notes": lambda value: (
            isinstance(value, list) and len(value) <= 100 and all(isinstance(one, str) for one in value)
        ),
        "removed": lambda value: isinstance(value, list) and len(value) <= 1000 and all(map(_is_removed, value)),
        "actions": lambda value: (
            isinstance(value, list) and len(value) <= _MOST_ACTIONS and all(map(_is_action, value))
        ),
    }
    wrong = [name for name, is_sound in sound.items() if not is_sound(report.get(name))]
    return f"its {wrong[0]} is damaged" if wrong else ""


def _is_head(head: bytes, media_type: str) -> bool:
    if media_type == "application/dicom":
        return head[:132] == bytes(128) + b"DICM"
    if media_type == "application/zip":
        return head.startswith(b"PK\x03\x04")
    return identify(head) == _HEADS[media_type]


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53


def _is_list(value: object, most: int, fits: Callable[[object], bool]) -> bool:
    return isinstance(value, list) and len(value) <= most and all(map(fits, value))


def _is_removed(value: object) -> bool:
    return isinstance(value, list) and len(value) == 2 and _is_text(value[0], _KIND) and _is_count(value[1])


def _is_action(value: object) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 4
        and _is_text(value[0], _PLACE)
        and _is_text(value[1], _KEYWORD)
        and _is_text(value[2], _ACTION)
        and _is_count(value[3])
    )


def _is_text(value: object, pattern: re.Pattern[str]) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None
