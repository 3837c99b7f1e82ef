"""Numbers of the small pictures that templates draw as SVG: panels, look-up tables, windows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from medtheca.toolkit.errors import Refused
from medtheca.toolkit.sockets.look_up_tables import parse_alphas, parse_colours, shades
from medtheca.toolkit.viewing.layouts import Panel, Protocol, layout

if TYPE_CHECKING:
    from medtheca.domains.viewing.models import WindowPreset

WIDTH, HEIGHT = 320, 180
_DARKEST, _BRIGHTEST = -1100, 1500
"""Hounsfield units between which windows of CT are drawn: from air to bone."""


def panels_of(protocol: Protocol) -> list[dict[str, Any]]:
    """Rectangles of a hanging protocol's panels, those behind first, in a picture of `WIDTH` by `HEIGHT`."""
    return [
        {
            "name": panel.name,
            "x": _plain(panel.x * WIDTH + 1),
            "y": _plain(panel.y * HEIGHT + 1),
            "w": _plain(max(1.0, panel.w * WIDTH - 2)),
            "h": _plain(max(1.0, panel.h * HEIGHT - 2)),
            # Where words would be cut off, only the frame is drawn.
            "words": _words(panel.w, panel.h, panel.name),
            "note": " · ".join(_notes(panel)) if panel.h * HEIGHT > 50 and panel.w * WIDTH > 100 else "",
            "is_main": panel.name == "main",
            "opacity": _plain(max(0.15, panel.opacity)),
        }
        for panel in layout(protocol)
    ]


def _notes(panel: Panel) -> list[str]:
    """What a panel says besides its name; a label that repeats the orientation is said once."""
    said = [panel.specialized, panel.orientation]
    return [word for word in said if word] + ([panel.label] if panel.label.lower() not in ("", *said) else [])


def _words(width: float, height: float, name: str) -> str:
    fits = int(width * WIDTH / 7.5)
    if height * HEIGHT < 18 or fits < 3:
        return ""
    return name if len(name) <= fits else f"{name[: fits - 1]}…"


def bar_of(color: str, alpha: str, interpolation: str) -> dict[str, Any]:
    """A look-up table as the stops of a gradient, and how many stops it has; none where it cannot be read."""
    try:
        colours, alphas = parse_colours(color), parse_alphas(alpha)
    except Refused:
        return {"stops": [], "count": 0}
    stops = [
        {
            "offset": f"{_plain(place * 100)}%",
            "colour": "#" + "".join(f"{round(part):02x}" for part in shade),
            "opacity": _plain(opacity),
        }
        for place, shade, opacity in shades(colours, alphas, interpolation)
    ]
    return {"stops": stops, "count": len(colours)}


def window_of(preset: WindowPreset) -> dict[str, str]:
    """From where to where a preset goes from black to white, in hundredths of the picture's width."""
    if preset.center is None or preset.width is None:
        low, high = float(preset.lower_percentile or 0), float(preset.upper_percentile or 0)
    else:
        reach = _BRIGHTEST - _DARKEST
        low = (preset.center - preset.width / 2 - _DARKEST) / reach * 100
        high = (preset.center + preset.width / 2 - _DARKEST) / reach * 100
    return {"low": _plain(min(99.0, max(0.0, low))), "high": _plain(min(100.0, max(1.0, high)))}


def _plain(number: float) -> str:
    """A number as SVG reads it, whatever the language of the page."""
    return f"{number:.2f}".rstrip("0").rstrip(".")
