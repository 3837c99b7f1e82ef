"""The rules of hanging protocols, which are Grand Challenge's.

A hanging protocol is a list of viewports. Its viewports have places on a grid (`x`, `y`, `w`, `h`: all of them, or none
of them, and then they are equal columns), and say how they behave.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from medtheca.toolkit.suggest import did_you_mean
from medtheca.toolkit.viewing.faults import Fault, fits_depth, one_of, said, shown

VIEWPORTS = (
    "main",
    "secondary",
    "tertiary",
    "quaternary",
    "quinary",
    "senary",
    "septenary",
    "octonary",
    "nonary",
    "denary",
    "undenary",
    "duodenary",
    "tredenary",
    "quattuordenary",
    "quindenary",
    "sexdenary",
    "septendenary",
    "octodenary",
    "novemdenary",
    "vigintenary",
)
"""Names of viewports, first to last."""

MINIMAP, SIDEVIEW, CLIENTSIDE, TIME_CHART = SPECIALIZED = (
    "minimap",
    "3D-sideview",
    "clientside",
    "intensity-over-time-chart",
)
"""What a viewport can be instead of a picture of slices."""

FREELY_NAMED = (MINIMAP, SIDEVIEW)
WITH_PARENT = (MINIMAP, SIDEVIEW, TIME_CHART)
ORIENTATIONS = ("axial", "coronal", "sagittal")

PLACE = ("x", "y", "w", "h")
FLAGS = (
    "fullsizable",
    "draggable",
    "selectable",
    "linkable",
    "show_current_slice",
    "show_mouse_coordinate",
    "show_mouse_voxel_value",
    "scalebar_visible",
)
KEYS = (
    "viewport_name",
    "specialized_view",
    *PLACE,
    "order",
    *FLAGS,
    "label",
    "orientation",
    "parent_id",
    "opacity",
    "relative_start_position",
    "slice_plane_indicator",
    "slice_plane_indicator_fade_ms",
)
"""All keys that a viewport may have."""

MOST_VIEWPORTS = 100
FARTHEST = 1_000_000
"""Beyond this no grid unit lies."""

_FREE_NAME = re.compile(r"[a-zA-Z0-9_]+")
_LABEL = re.compile(r"[a-zA-Z0-9 -]*")
_LONGEST = 255

Viewport = Mapping[str, Any]
_Check = Callable[[Any], tuple[str, str] | None]
"""Judges the value of one key: None, or what is wrong and what would be right."""


def protocol_faults(protocol: object) -> list[Fault]:
    """Every rule that a hanging protocol breaks, in the order of its viewports; none for a right one.

    >>> protocol_faults([{"viewport_name": "main"}])
    []
    >>> print(protocol_faults([{"viewport_name": "main", "parent_id": "main"}])[0].message)
    Viewport 1 (main): parent_id names the viewport itself.
    >>> fault = protocol_faults([{"viewport_name": "main", "orient": "axial"}])[0]
    >>> print(fault.place, fault.message, fault.remedy)
    [0].orient Viewport 1 (main): there is no key orient. Did you mean 'orientation'?
    """
    if not isinstance(protocol, list) or not protocol:
        remedy = 'Write a list of viewports, such as [{"viewport_name": "main"}].'
        return [Fault((), "no_list", "A hanging protocol is a list of at least one viewport.", remedy)]
    if len(protocol) > MOST_VIEWPORTS:
        message = f"There are {len(protocol):,} viewports, and {MOST_VIEWPORTS} at most can be shown."
        return [Fault((), "too_many", message, "Take some out.")]
    if not fits_depth(protocol):
        return [Fault((), "too_deep", "The JSON is nested too deeply.", "No value of a viewport is a list or object.")]
    faults: list[Fault] = []
    viewports: list[tuple[int, Viewport]] = []
    for number, viewport in enumerate(protocol):
        if isinstance(viewport, dict):
            viewports.append((number, viewport))
            faults += _own_faults(number, viewport)
        else:
            remedy = 'Write an object, such as {"viewport_name": "main"}.'
            faults.append(Fault((number,), "no_object", f"Viewport {number + 1} is {shown(viewport)}.", remedy))
    faults += _names_faults(viewports)
    faults += _place_faults(viewports)
    for number, viewport in viewports:
        faults += _relation_faults(number, viewport, {_name(one) for _, one in viewports})
    return sorted(faults, key=lambda fault: fault.path[:1] if fault.path else (-1,))


def viewport_names(protocol: object) -> tuple[str, ...]:
    """The names of a protocol's viewports in their order, as far as they can be read.

    >>> viewport_names([{"viewport_name": "main"}, {"viewport_name": "secondary"}])
    ('main', 'secondary')
    """
    viewports = protocol if isinstance(protocol, list) else []
    names = (viewport.get("viewport_name") for viewport in viewports if isinstance(viewport, dict))
    return tuple(dict.fromkeys(name for name in names if isinstance(name, str)))


def _own_faults(number: int, viewport: Viewport) -> Iterator[Fault]:
    """What is wrong with one viewport whatever the others are."""
    if "viewport_name" not in viewport:
        message = f"Viewport {number + 1}: viewport_name is missing."
        yield Fault((number, "viewport_name"), "missing", message, one_of(VIEWPORTS))
    for key, value in viewport.items():
        if key not in KEYS:
            message = f"{_called(number, viewport)}: there is no key {said(key)}."
            remedy = did_you_mean(key, KEYS) or f"Take it out. Known are {', '.join(KEYS)}."
            yield Fault((number, key), "unknown_key", message, remedy)
        elif wrong := _name_fault(value, viewport) if key == "viewport_name" else _CHECKS[key](value):
            yield Fault((number, key), "wrong_value", f"{_called(number, viewport)}: {key} {wrong[0]}.", wrong[1])
    special = viewport.get("specialized_view")
    if special in WITH_PARENT and "parent_id" not in viewport:
        message = f"{_called(number, viewport)}: parent_id is missing."
        yield Fault((number, "parent_id"), "missing", message, f"Name the viewport that this {special} belongs to.")
    if special == SIDEVIEW and "orientation" not in viewport:
        message = f"{_called(number, viewport)}: orientation is missing."
        yield Fault((number, "orientation"), "missing", message, f"A {SIDEVIEW} needs one. {one_of(ORIENTATIONS)}")


def _name_fault(value: Any, viewport: Viewport) -> tuple[str, str] | None:
    if viewport.get("specialized_view") in FREELY_NAMED:
        if isinstance(value, str) and len(value) <= _LONGEST and _FREE_NAME.fullmatch(value):
            return None
        return f"is {shown(value)}", "Write letters of a to z, digits and underscores."
    if isinstance(value, str) and value in VIEWPORTS:
        return None
    return f"is {shown(value)}", one_of(VIEWPORTS, value)


def _names_faults(viewports: list[tuple[int, Viewport]]) -> Iterator[Fault]:
    first: dict[str, int] = {}
    for number, viewport in viewports:
        name = _name(viewport)
        if name is not None and name in first:
            message = f"{_called(number, viewport)}: viewport {first[name] + 1} has this viewport_name already."
            free = next((one for one in VIEWPORTS if one not in {_name(other) for _, other in viewports}), None)
            remedy = f"Each name can be used once. Free is {free}." if free else "Each name can be used once."
            yield Fault((number, "viewport_name"), "name_twice", message, remedy)
        elif name is not None:
            first[name] = number
    if "main" not in first:
        yield Fault((), "no_main", "No viewport is called main.", "Give one of them the viewport_name main.")


def _place_faults(viewports: list[tuple[int, Viewport]]) -> Iterator[Fault]:
    """All four numbers of every viewport, or none of any."""
    if not any(key in viewport for _, viewport in viewports for key in PLACE):
        return
    for number, viewport in viewports:
        missing = [key for key in PLACE if key not in viewport]
        if missing:
            named = missing[0] if len(missing) == 1 else f"{', '.join(missing[:-1])} and {missing[-1]}"
            are = "is" if len(missing) == 1 else "are"
            message = f"{_called(number, viewport)}: {named} {are} missing."
            remedy = "Give every viewport x, y, w and h, or none of them any: then they are columns of one width."
            yield Fault((number, missing[0]), "half_placed", message, remedy)


def _relation_faults(number: int, viewport: Viewport, names: set[str | None]) -> Iterator[Fault]:
    for key in ("parent_id", "slice_plane_indicator"):
        other = viewport.get(key)
        if not isinstance(other, str):
            continue
        if other == _name(viewport):
            message = f"{_called(number, viewport)}: {key} names the viewport itself."
            yield Fault((number, key), "names_itself", message, "Name another viewport.")
        elif other not in names:
            message = f"{_called(number, viewport)}: {key} names {shown(other)}, which is not in the protocol."
            there = sorted(name for name in names if name is not None and name != _name(viewport))
            remedy = one_of(there, other) if there else "Add that viewport, or take the key out."
            yield Fault((number, key), "unknown_viewport", message, remedy)
    if "parent_id" in viewport and viewport.get("draggable") is not True:
        special = viewport.get("specialized_view")
        if special not in WITH_PARENT:
            message = f"{_called(number, viewport)}: parent_id needs a viewport that can be dragged."
            remedy = (
                f"Set draggable to true, or specialized_view to {', '.join(WITH_PARENT[:-1])} or {WITH_PARENT[-1]}."
            )
            yield Fault((number, "parent_id"), "parent_of_fixed", message, remedy)


def _name(viewport: Viewport) -> str | None:
    name = viewport.get("viewport_name")
    return name if isinstance(name, str) else None


def _called(number: int, viewport: Viewport) -> str:
    name = _name(viewport)
    return f"Viewport {number + 1} ({said(name)})" if name else f"Viewport {number + 1}"


def is_integer(value: object) -> bool:
    """Whether JSON Schema takes a value for an integer: 1.0 is one, true is none."""
    return not isinstance(value, bool) and (isinstance(value, int) or (isinstance(value, float) and value.is_integer()))


def _integer(least: int) -> _Check:
    def check(value: Any) -> tuple[str, str] | None:
        if is_integer(value) and least <= value <= FARTHEST:
            return None
        bound = f" from {least:,}" if least > -FARTHEST else ""
        return f"is {shown(value)}", f"Write a whole number{bound}, at most {FARTHEST:,}."

    return check


def _number(least: float, most: float | None) -> _Check:
    def check(value: Any) -> tuple[str, str] | None:
        right = isinstance(value, (int, float)) and not isinstance(value, bool)
        if right and least <= value <= (FARTHEST if most is None else most):
            return None
        return f"is {shown(value)}", f"Write a number from {least:g}" + ("." if most is None else f" to {most:g}.")

    return check


def _word(words: tuple[str, ...]) -> _Check:
    def check(value: Any) -> tuple[str, str] | None:
        return None if isinstance(value, str) and value in words else (f"is {shown(value)}", one_of(words, value))

    return check


def _flag(value: Any) -> tuple[str, str] | None:
    return None if isinstance(value, bool) else (f"is {shown(value)}", "Write true or false.")


def _viewport(value: Any) -> tuple[str, str] | None:
    return None if isinstance(value, str) and value else (f"is {shown(value)}", "Write the name of a viewport.")


def _label(value: Any) -> tuple[str, str] | None:
    if isinstance(value, str) and len(value) <= _LONGEST and _LABEL.fullmatch(value):
        return None
    return f"is {shown(value)}", "Write letters of a to z, digits, spaces and hyphens."


_CHECKS: dict[str, _Check] = {
    "specialized_view": _word(SPECIALIZED),
    "x": _integer(-FARTHEST),
    "y": _integer(-FARTHEST),
    # Grand Challenge takes any integer; a panel without width could never be seen.
    "w": _integer(1),
    "h": _integer(1),
    "order": _integer(-FARTHEST),
    **dict.fromkeys(FLAGS, _flag),
    "label": _label,
    "orientation": _word(ORIENTATIONS),
    "parent_id": _viewport,
    "opacity": _number(0, 1),
    "relative_start_position": _number(0, 1),
    "slice_plane_indicator": _viewport,
    "slice_plane_indicator_fade_ms": _number(0, None),
}
