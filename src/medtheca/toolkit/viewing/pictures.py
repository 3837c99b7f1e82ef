"""Pictures of panels, as SVG that stands in pages and in answers of the API."""

from __future__ import annotations

from medtheca.toolkit.viewing.layouts import Protocol, layout

ICON_WIDTH, ICON_HEIGHT = 32, 18


def svg_icon(protocol: Protocol) -> str:
    """A small picture of a right hanging protocol, 32 by 18, as Grand Challenge's API gives it.

    It says its colours itself, since it is shown on pages that are not ours.

    >>> svg_icon([{"viewport_name": "main"}]).partition("<rect ")[2]
    'x="0.5" y="0.5" width="31" height="17" stroke="currentColor"/></svg>'
    """
    rects = "".join(
        f'<rect x="{_short(panel.x * (ICON_WIDTH - 1) + 0.5)}" y="{_short(panel.y * (ICON_HEIGHT - 1) + 0.5)}" '
        f'width="{_short(panel.w * (ICON_WIDTH - 1))}" height="{_short(panel.h * (ICON_HEIGHT - 1))}" '
        'stroke="currentColor"/>'
        for panel in layout(protocol)
    )
    size = f'width="{ICON_WIDTH}" height="{ICON_HEIGHT}" viewBox="0 0 {ICON_WIDTH} {ICON_HEIGHT}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} fill-opacity="0">{rects}</svg>'


def _short(number: float) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".")
