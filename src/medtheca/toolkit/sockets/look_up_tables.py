"""Look-up tables as MeVisLab writes them: `[red green blue x, …]` with `[opacity x, …]`."""

from __future__ import annotations

import colorsys
import math
import re
from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise
from operator import itemgetter

from medtheca.toolkit.errors import Refused

MOST_STOPS = 4096
LONGEST_TEXT = 64 * MOST_STOPS
"""Characters of one list that are read at all: four long numbers a stop."""

SAMPLES = 128
"""Places at which a table is drawn that has many stops or no straight lines between them."""

Stops = list[tuple[float, ...]]
_NUMBER = re.compile(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?", re.ASCII)
_FARTHEST = 2**31 - 1
_SEEN = 1.0  # of 255: less is no jump
_COLOURS, _OPACITIES = "[red green blue x, …]", "[opacity x, …]"


def parse_colours(text: str) -> Stops:
    """Rows of red, green, blue (0 to 255) and place, places ascending. Raises `Refused`.

    >>> parse_colours("[0 0 0 0, 255 255 255 4095]")
    [(0.0, 0.0, 0.0, 0.0), (255.0, 255.0, 255.0, 4095.0)]
    """
    return _rows(text, 4, 255, _COLOURS)


def parse_alphas(text: str) -> Stops:
    """Rows of opacity (0 to 1) and place, places ascending. Raises `Refused`.

    >>> parse_alphas("[0 0, 1 4095]")
    [(0.0, 0.0), (1.0, 4095.0)]
    """
    return _rows(text, 2, 1, _OPACITIES)


def check_table(color: str, alpha: str) -> None:
    """Raise `Refused` unless both can be read and have as many stops."""
    require_as_many(parse_colours(color), parse_alphas(alpha))


def require_as_many(colours: Stops, alphas: Stops) -> None:
    """Raise `Refused` unless there are as many opacities as colours."""
    if len(colours) != len(alphas):
        words = f"There are {len(colours):,} colours, and {len(alphas):,} opacities."
        raise _refused(words, "Give both as many stops.")


def shades(
    colours: Stops, alphas: Stops, interpolation: str = "RGB"
) -> list[tuple[float, tuple[float, float, float], float]]:
    """A table as something that draws straight lines between stops can draw it.

    Rows of the place (0 to 1, from the first colour to the last), the colour (0 to 255 each) and the opacity. What lies
    between colours is found as `interpolation` says: RGB mixes them, HLS goes round the circle of hues the short way,
    HLSpos upwards, HLSneg downwards, and Constant keeps the colour to the next stop.

    >>> shades(parse_colours("[0 0 0 0, 200 0 0 10]"), parse_alphas("[0 0, 1 10]"))
    [(0.0, (0.0, 0.0, 0.0), 0.0), (1.0, (200.0, 0.0, 0.0), 1.0)]
    """
    first, last = colours[0][-1], colours[-1][-1]
    reach = (last - first) or 1.0
    places = sorted({row[-1] for row in (*colours, *alphas) if first <= row[-1] <= last})
    if interpolation.startswith("HLS") or len(places) > SAMPLES:
        places = [first + (last - first) * number / (SAMPLES - 1) for number in range(SAMPLES)]
    rows = []
    for place in places:
        here = _shade(colours, alphas, place, interpolation)
        # Just before it, since a table may jump: two stops at one place, or colours that are kept.
        before = _shade(colours, alphas, math.nextafter(place, first), interpolation)
        reached = (place - first) / reach
        if any(abs(one - other) > _SEEN for one, other in zip(here, before, strict=True)):
            rows.append((reached, before[:3], before[3] / 255))
        rows.append((reached, here[:3], here[3] / 255))
    return rows


def _shade(colours: Stops, alphas: Stops, place: float, way: str) -> tuple[float, float, float, float]:
    """Red, green, blue and opacity at a place, each from 0 to 255."""
    part, low, high = _neighbours(colours, place)
    red, green, blue = _mixed(low, high, 0.0 if way == "Constant" else part, way)
    part, low, high = _neighbours(alphas, place)
    return red, green, blue, (low[0] + (high[0] - low[0]) * part) * 255


def _neighbours(rows: Stops, place: float) -> tuple[float, tuple[float, ...], tuple[float, ...]]:
    """How far a place is from the stop before it to the one after (0 to 1), and both stops."""
    after = bisect_right(rows, place, key=itemgetter(-1))
    if after in (0, len(rows)):
        return 0.0, rows[after - 1 if after else 0], rows[after - 1 if after else 0]
    low, high = rows[after - 1], rows[after]
    return (place - low[-1]) / (high[-1] - low[-1]), low, high


def _mixed(low: Sequence[float], high: Sequence[float], part: float, way: str) -> Sequence[float]:
    """A colour on the way from one to another, of each of which the first three numbers are red, green and blue."""
    if not way.startswith("HLS"):
        return [low[each] + (high[each] - low[each]) * part for each in range(3)]
    start, end = (colorsys.rgb_to_hls(*(each / 255 for each in colour[:3])) for colour in (low, high))
    turn = end[0] - start[0]
    if way == "HLS":
        turn -= round(turn)
    elif way == "HLSpos":
        turn %= 1
    else:
        turn = -(-turn % 1)
    light, full = (start[index] + (end[index] - start[index]) * part for index in (1, 2))
    red, green, blue = colorsys.hls_to_rgb((start[0] + turn * part) % 1, light, full)
    return red * 255, green * 255, blue * 255


def _rows(text: str, width: int, most: float, form: str) -> Stops:
    example = f"Write {form}."
    whole = text.strip()
    if not whole:
        raise _refused("There is nothing.", example)
    if len(whole) > LONGEST_TEXT:
        raise _refused(f"There are {len(whole):,} characters.", f"Write at most {LONGEST_TEXT:,}.")
    if not (whole.startswith("[") and whole.endswith("]") and len(whole) > 1):
        raise _refused("The list does not stand between [ and ].", example)
    parts = whole[1:-1].strip().removesuffix(",").split(",")
    if not 2 <= len(parts) <= MOST_STOPS:
        count = "is 1 stop" if len(parts) == 1 else f"are {len(parts):,} stops"
        raise _refused(f"There {count}.", f"Write between 2 and {MOST_STOPS:,}, with commas between them.")
    rows = [_row(part, number, width, most, form) for number, part in enumerate(parts, 1)]
    for number, (before, after) in enumerate(pairwise(rows), 2):
        if before[-1] > after[-1]:
            words = f"Stop {number} is at {after[-1]:g}, before the one that it follows, at {before[-1]:g}."
            raise _refused(words, f"{example[:-1]}, from the lowest x to the highest.")
    return rows


def _row(part: str, number: int, width: int, most: float, form: str) -> tuple[float, ...]:
    words = part.split()
    if len(words) != width or not all(_NUMBER.fullmatch(word) for word in words):
        shown = " ".join(words)
        shown = shown if len(shown) <= 40 else f"{shown[:39]}…"
        raise _refused(f"Stop {number}, “{shown}”, is not {width} numbers.", f"Write {form}.")
    row = tuple(map(float, words))
    if not math.isfinite(row[-1]) or abs(row[-1]) > _FARTHEST:
        raise _refused(f"Stop {number} is farther away than any value.", f"Write an x of at most {_FARTHEST:,}.")
    if not all(0 <= each <= most for each in row[:-1]):
        what = "a colour" if width > 2 else "an opacity"
        raise _refused(
            f"Stop {number} has {what} that is not between 0 and {most:g}.",
            f"Write {form}, all but x from 0 to {most:g}.",
        )
    return row


def _refused(message: str, remedy: str) -> Refused:
    return Refused("invalid_table", message, remedy)
