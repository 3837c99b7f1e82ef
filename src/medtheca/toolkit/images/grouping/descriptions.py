"""Whether a description can be true. A file may have taken its decoder over; see `reports`, which looks at pictures."""

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

_CODE = re.compile(r"[a-z][a-z0-9_.-]{0,39}")
_MOST_COMPANIONS = 10_000
_LONGEST_NAME, _LONGEST_WORD, _LONGEST_TEXT = 255, 1000, 1000
_LONGEST_KEY = 65_536
_LARGEST = 2**31 - 1
_FARTHEST = 1e7  # millimetres
_CROOKED = 0.03
_KINDS = {"index", "slide", "document", "image"}
_NUMBERS = {"temporal", "acquisition", "trigger", "echo", "b_value", "time", "instance"}
_WORDS = {"stack", "image_type"}


def find_description_fault(described: Mapping[str, Any]) -> str:
    """What is wrong with a description of `describe_file`, as the end of a sentence; empty where nothing is.

    >>> find_description_fault({"format": "dicom"})
    'what it says of DICOM is damaged'
    """
    if "format" not in described or not _is_word(described["format"]):
        return "its format is no name"
    if "problem" in described:
        return "" if _is_problem(described["problem"]) else "its problem is damaged"
    if "companions" in described and not _is_companions(described["companions"]):
        return "its list of other files is damaged"
    if "folder" in described and not (_is_inside(described["folder"]) and "/" not in described["folder"]):
        return "its folder is damaged"
    if described["format"] == "dicom" and not _is_dicom(described.get("dicom")):
        return "what it says of DICOM is damaged"
    return ""


def _is_word(value: object) -> bool:
    return value is None or (isinstance(value, str) and len(value) <= _LONGEST_WORD)


def _is_problem(value: object) -> bool:
    match value:
        case {"code": str(code), "message": str(message), "remedy": str(remedy), **rest}:
            words = bool(message.strip()) and max(len(message), len(remedy)) <= _LONGEST_TEXT
            return not rest and words and bool(_CODE.fullmatch(code))
    return False


def _is_companions(value: object) -> bool:
    return isinstance(value, list) and len(value) <= _MOST_COMPANIONS and all(map(_is_inside, value))


def _is_inside(value: object) -> bool:
    """Whether it is a path to something below the file's own folder."""
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_NAME:
        return False
    parts = value.split("/")
    return parts[0] != "" and ".." not in parts and set(parts) != {"."}


def _is_dicom(value: object) -> bool:
    if not isinstance(value, dict) or not isinstance(value.get("kind"), str) or value["kind"] not in _KINDS:
        return False
    if value["kind"] == "index":
        return True
    if not all(name in value and _is_word(value[name]) for name in ("study", "series", "sop_class", "instance")):
        return False
    return value["kind"] != "image" or _is_picture(value)


def _is_picture(value: Mapping[str, Any]) -> bool:
    sizes = ("rows", "columns", "frames")
    if not all(_is_whole(value.get(name)) and 0 < value[name] <= _LARGEST for name in sizes):
        return False
    if not _is_word(value.get("photometric")):
        return False
    return value["frames"] > 1 or all(name in value and is_sound(value[name]) for name, is_sound in _PLANE.items())


def _is_position(value: object) -> bool:
    return value is None or _are_numbers(value, 3, lambda number: abs(number) <= _FARTHEST)


def _is_spacing(value: object) -> bool:
    return value is None or _are_numbers(value, 2, lambda number: 0 < number <= _FARTHEST)


def _is_orientation(value: object) -> bool:
    if value is None:
        return True
    if not isinstance(value, list) or not _are_numbers(value, 6, lambda number: abs(number) <= 1 + _CROOKED):
        return False
    row, column = value[:3], value[3:]
    straight = abs(sum(a * b for a, b in zip(row, column, strict=True))) <= _CROOKED
    return straight and all(abs(math.hypot(*axis) - 1) <= _CROOKED for axis in (row, column))


def _is_keys(value: object) -> bool:
    if not isinstance(value, dict) or not set(value) <= _NUMBERS | _WORDS:
        return False
    return all(
        _is_number(item) if name in _NUMBERS else isinstance(item, str) and len(item) <= _LONGEST_KEY
        for name, item in value.items()
    )


_PLANE: dict[str, Callable[[object], bool]] = {
    "position": _is_position,
    "orientation": _is_orientation,
    "spacing": _is_spacing,
    "keys": _is_keys,
}


def _are_numbers(value: object, count: int, fits: Callable[[float], bool]) -> bool:
    return isinstance(value, list) and len(value) == count and all(_is_number(item) and fits(item) for item in value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
