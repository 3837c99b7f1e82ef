"""Where the panels of a hanging protocol are."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from medtheca.toolkit.viewing.protocols import PLACE, VIEWPORTS

Protocol = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Panel:
    """One viewport as a rectangle: fractions of the whole, from the top left corner.

    Attributes:
        order: what lies over what; the lowest is in front.
        specialized: what it is instead of a picture of slices, or empty.
        opacity: 0 for invisible to 1.
    """

    name: str
    x: float
    y: float
    w: float
    h: float
    order: int = 0
    label: str = ""
    specialized: str = ""
    orientation: str = ""
    parent: str = ""
    opacity: float = 1.0


def layout(protocol: Protocol) -> tuple[Panel, ...]:
    """The panels of a right hanging protocol, those behind first, so that they can be drawn one over the other.

    The grid is as large as what is on it. Viewports without places are columns of one width.

    >>> for panel in layout([{"viewport_name": "main", "x": 0, "y": 0, "w": 2, "h": 2},
    ...                      {"viewport_name": "secondary", "x": 2, "y": 0, "w": 2, "h": 1}]):
    ...     print(panel.name, panel.x, panel.y, panel.w, panel.h)
    main 0.0 0.0 0.5 1.0
    secondary 0.5 0.0 0.5 0.5
    >>> [panel.x for panel in layout([{"viewport_name": "main"}, {"viewport_name": "secondary"}])]
    [0.0, 0.5]
    """
    placed = all(key in viewport for viewport in protocol for key in PLACE)
    places = [_place(viewport) for viewport in protocol] if placed else [(n, 0, 1, 1) for n in range(len(protocol))]
    left, top = min(x for x, _, _, _ in places), min(y for _, y, _, _ in places)
    width = max(x + w for x, _, w, _ in places) - left
    height = max(y + h for _, y, _, h in places) - top
    panels = [
        _panel(viewport, (x - left) / width, (y - top) / height, w / width, h / height)
        for viewport, (x, y, w, h) in zip(protocol, places, strict=True)
    ]
    return tuple(sorted(panels, key=lambda panel: (-panel.order, panel.parent != "")))


def grid(names: Sequence[str]) -> list[dict[str, Any]]:
    """A hanging protocol of so many viewports, as square as it can be; the last row is stretched to the full width.

    >>> [(one["x"], one["y"], one["w"], one["h"]) for one in grid(["main", "secondary", "tertiary"])]
    [(0, 0, 1, 1), (1, 0, 1, 1), (0, 1, 2, 1)]
    """
    columns = max(1, math.ceil(math.sqrt(len(names))))
    rows = [names[start : start + columns] for start in range(0, len(names), columns)]
    unit = math.lcm(*(len(row) for row in rows)) if rows else 1
    return [
        {
            "viewport_name": name,
            "x": place * (unit // len(row)),
            "y": y,
            "w": unit // len(row),
            "h": 1,
            "order": 0,
            "fullsizable": True,
            "selectable": True,
        }
        for y, row in enumerate(rows)
        for place, name in enumerate(row)
    ]


def in_order(names: Sequence[str]) -> list[str]:
    """Names of viewports, main first, as they are counted."""
    return sorted(names, key=lambda name: (VIEWPORTS.index(name) if name in VIEWPORTS else len(VIEWPORTS), name))


def _place(viewport: Mapping[str, Any]) -> tuple[int, int, int, int]:
    x, y, w, h = (int(viewport[key]) for key in PLACE)
    return x, y, w, h


def _panel(viewport: Mapping[str, Any], x: float, y: float, w: float, h: float) -> Panel:
    return Panel(
        name=str(viewport["viewport_name"]),
        x=x,
        y=y,
        w=w,
        h=h,
        order=int(viewport.get("order", 0)),
        label=str(viewport.get("label", "")),
        specialized=str(viewport.get("specialized_view", "")),
        orientation=str(viewport.get("orientation", "")),
        parent=str(viewport.get("parent_id", "")),
        opacity=float(viewport.get("opacity", 1.0)),
    )
