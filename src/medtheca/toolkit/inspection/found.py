"""What a decoder reports of an image, as a trial tells it."""

import json
import math
from collections.abc import Mapping
from typing import Any

from medtheca.toolkit.inspection.values import ImageFound

_WIDE = 8


def describe_image(
    report: Mapping[str, Any], *, number: int, name: str, files: tuple[str, ...], container: str, note: str = ""
) -> ImageFound:
    """From a report that `find_fault` or `find_case_fault` found sound. `note` is what grouping the files found.

    Raises ValueError for a geometry or facts that no decoder of ours would report.
    """
    try:
        return _describe(report, number=number, name=name, files=files, container=container, note=note)
    except (TypeError, KeyError, IndexError, AttributeError, RecursionError) as error:
        raise ValueError("its geometry is damaged") from error


def _describe(
    report: Mapping[str, Any], *, number: int, name: str, files: tuple[str, ...], container: str, note: str
) -> ImageFound:
    kind = report.get("kind", "picture")
    geometry = report.get("geometry", {})
    spacing = report.get("spacing")
    return ImageFound(
        number=number,
        name=name,
        files=files,
        container=container,
        kind=kind,
        format=report["format"],
        media_type=report["media_type"],
        size=(report["upright_width"], report["upright_height"], report.get("depth", 1)),
        timepoints=report.get("timepoints", 1),
        channels=report["channels"],
        bits=report["bits"],
        colour_space=report["colour_space"],
        value_type=_text(geometry.get("value_type")) or _type_of(kind, report["bits"]),
        spacing=None if spacing is None else dict(zip("xyz", spacing, strict=True)),
        time_step=_number(geometry.get("time_step")),
        origin=_numbers(geometry.get("origin")),
        direction=_numbers(geometry.get("direction")),
        windows=tuple(map(_window, geometry.get("windows", ()))),
        levels=tuple((int(level[0]), int(level[1])) for level in geometry.get("levels", ())),
        vendor=_text(geometry.get("vendor")),
        title=_text(geometry.get("title")),
        facts=_plain(report.get("facts", {})),
        # What grouping says of a series its reader may say again.
        notes=tuple(dict.fromkeys(filter(None, [note, *report.get("notes", ())]))),
        text_suspected=report.get("text_suspected", ""),
    )


def _type_of(kind: str, bits: int) -> str:
    if kind == "document":
        return ""
    return "uint8" if bits <= _WIDE else "uint16"


def _number(value: Any) -> float | None:
    if value is None:
        return None
    if not math.isfinite(value):
        raise ValueError("its geometry has a number that is none")
    return float(value)


def _numbers(value: Any) -> tuple[float, ...] | None:
    return None if value is None else tuple(_number(number) or 0.0 for number in value)


def _window(window: Any) -> dict[str, Any]:
    return {
        "centre": _number(window["centre"]),
        "width": _number(window["width"]),
        "name": _text(window["name"])[:80],
    }


def _plain(facts: Mapping[str, Any]) -> dict[str, Any]:
    json.dumps(facts, allow_nan=False)
    return dict(facts)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
