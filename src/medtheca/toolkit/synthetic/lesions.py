"""One painter for each kind of lesion, with the features by which dermoscopy tells them apart.

A painter adds pigments and veils to a canvas. Asymmetry, irregular border and variety of colour (the A, B and C of the
ABCD rule) grow from nevus to melanoma. They illustrate; nobody can learn or test a diagnosis on them.
"""

import math
from collections.abc import Callable

import numpy as np

from medtheca.toolkit.synthetic.canvas import Canvas, Outline, curve, spots, strokes
from medtheca.toolkit.synthetic.noise import Cells, Field, clouds, smooth_step, waves

Painter = Callable[[np.random.Generator, Canvas, "Placement"], None]
_BLUE_WHITE = (122, 136, 168)
_SCAR_WHITE = (236, 212, 206)
_SCALE_YELLOW = (232, 208, 160)


class Placement:
    """Where the lesion lies, in pixels, and how far the camera was turned and moved between two pictures of it."""

    def __init__(self, shape: tuple[int, int], *, radius: float, x: float, y: float, turn: float) -> None:
        self.shape, self.radius, self.turn = shape, radius, turn
        self.centre = (shape[1] / 2 + x, shape[0] / 2 + y)

    def outline(
        self,
        rng: np.random.Generator,
        *,
        irregular: float,
        stretch: float = 1.25,
        ragged: float = 0.0,
        scale: float = 1.0,
        shift: tuple[float, float] = (0.0, 0.0),
    ) -> Outline:
        """`irregular`: size of the bulges; `ragged`: size of the fine notches; both as shares of the radius."""
        height, width = self.shape
        radius = self.radius * scale
        x = np.arange(width, dtype=np.float32)[None, :] - np.float32(self.centre[0] + shift[0] * self.radius)
        y = np.arange(height, dtype=np.float32)[:, None] - np.float32(self.centre[1] + shift[1] * self.radius)
        tilt = rng.uniform(0, math.pi) + self.turn
        along = (x * np.float32(math.cos(tilt)) + y * np.float32(math.sin(tilt))) / np.float32(math.sqrt(stretch))
        across = (y * np.float32(math.cos(tilt)) - x * np.float32(math.sin(tilt))) * np.float32(math.sqrt(stretch))
        angle = np.arctan2(across, along)
        turn = np.linspace(-math.pi, math.pi, 361)
        reach = np.ones_like(turn)
        for lobes in range(2, 9):
            reach += irregular * rng.normal(0, 1) / lobes**0.8 * np.cos(lobes * turn + rng.uniform(0, 2 * math.pi))
        reach = np.maximum(reach, 0.35)
        table = np.interp(angle.ravel(), turn, reach).astype(np.float32).reshape(angle.shape)
        depth = 1 - np.sqrt(along * along + across * across) / (np.float32(radius) * table)
        if ragged:
            depth = depth + clouds(rng, self.shape, radius * 0.22, 3) * np.float32(ragged)
        return Outline(depth, angle, radius, self.centre)


def _network(rng: np.random.Generator, shape: tuple[int, int], cell: float, width: float = 0.22) -> Field:
    """Dark lines around pale holes, 0 to 1, of uneven strength."""
    lines = smooth_step(Cells(rng, shape, cell).border, width * 1.9, width * 0.2)
    return lines * smooth_step(clouds(rng, shape, cell * 4, 2), -2.2, 1.2)


def _globules(rng: np.random.Generator, shape: tuple[int, int], cell: float) -> Field:
    """Round dots of uneven strength, 0 to 1."""
    cells = Cells(rng, shape, cell, jitter=0.7)
    return smooth_step(cells.centre, 0.42, 0.2) * smooth_step(cells.tone, 0.15, 0.9)


def _random_inside(
    rng: np.random.Generator, outline: Outline, count: int, reach: float = 0.8
) -> list[tuple[float, float]]:
    """Places within the outline's circle, dense in the middle."""
    found = []
    for _ in range(count):
        r, a = outline.radius * reach * math.sqrt(rng.uniform(0, 1)), rng.uniform(0, 2 * math.pi)
        found.append((outline.centre[0] + r * math.cos(a), outline.centre[1] + r * math.sin(a)))
    return found


def paint_nevus(rng: np.random.Generator, canvas: Canvas, place: Placement) -> None:
    """Even and round: a network, globules, or neither, darker in the middle and fading out."""
    outline = place.outline(rng, irregular=0.05, stretch=rng.uniform(1.05, 1.5), ragged=0.03)
    body = outline.inside(rng.uniform(0.1, 0.24), 0.06)
    style = rng.choice(["network", "globules", "even", "two-toned"], p=[0.42, 0.25, 0.18, 0.15])
    depth = rng.uniform(0.5, 1.05)
    texture = 1 + clouds(rng, canvas.shape, outline.radius * 0.4) * np.float32(0.14)
    middle = smooth_step(outline.depth, 0.1, 0.85) * np.float32(rng.uniform(0.0, 0.5))
    if style == "network":
        lines = _network(rng, canvas.shape, rng.uniform(10, 17))
        pattern = 0.42 + 0.95 * lines * smooth_step(outline.depth, 0.95, 0.35) + middle * np.float32(0.8)
    elif style == "globules":
        pattern = 0.5 + 0.95 * _globules(rng, canvas.shape, rng.uniform(9, 16)) + middle * np.float32(0.5)
    elif style == "two-toned":
        eccentric = place.outline(rng, irregular=0.08, scale=0.5, shift=tuple(rng.normal(0, 0.2, 2)))
        pattern = 0.45 + eccentric.inside(0.25) * np.float32(0.9) + 0.25 * _network(rng, canvas.shape, 12)
    else:
        pattern = 0.65 + middle + 0.12 * _globules(rng, canvas.shape, 11)
    canvas.melanin += body * texture * pattern.astype(np.float32) * np.float32(depth)
    canvas.blood += body * np.float32(rng.uniform(0.02, 0.25))


def paint_atypical_nevus(rng: np.random.Generator, canvas: Canvas, place: Placement) -> None:
    """A nevus on the way: one side darker, the border uneven, pink between the network."""
    outline = place.outline(rng, irregular=0.1, stretch=rng.uniform(1.1, 1.6), ragged=0.08)
    body = outline.inside(0.16, 0.05)
    side = smooth_step(np.cos(outline.angle + np.float32(rng.uniform(0, 6))) * (1 - outline.depth), -0.5, 0.9)
    lines = _network(rng, canvas.shape, rng.uniform(11, 18), 0.26)
    blotch = smooth_step(clouds(rng, canvas.shape, outline.radius * 0.5), 0.1, 1.6)
    canvas.melanin += (
        body * (0.35 + 0.7 * lines + 0.55 * side + 0.7 * blotch * outline.inside(0.3, 0.3)) * np.float32(0.85)
    )
    canvas.blood += body * (1 - side) * np.float32(0.35)


def paint_spitz(rng: np.random.Generator, canvas: Canvas, place: Placement) -> None:
    """Starburst: black in the middle, streaks all around."""
    outline = place.outline(rng, irregular=0.03, stretch=1.08, scale=0.85)
    count = int(rng.integers(30, 52))
    wobble = clouds(rng, canvas.shape, outline.radius * 0.5, 2) * np.float32(2.2)
    long = smooth_step(clouds(rng, canvas.shape, outline.radius * 0.5, 2), -2.0, 1.2)
    rays = np.cos(outline.angle * np.float32(count) + wobble) * long * np.float32(0.085)
    body = smooth_step(outline.depth + rays * smooth_step(outline.depth, 0.6, 0.05), -0.1, 0.16)
    middle = smooth_step(outline.depth, -0.05, 0.7)
    texture = 1 + clouds(rng, canvas.shape, 22) * np.float32(0.12)
    canvas.melanin += body * (0.85 + 1.2 * middle) * texture
    canvas.deep += middle * np.float32(0.5)


def paint_blue_nevus(rng: np.random.Generator, canvas: Canvas, place: Placement) -> None:
    """Even steel blue with a soft border."""
    outline = place.outline(rng, irregular=0.035, stretch=rng.uniform(1.05, 1.3), scale=0.8)
    body = outline.inside(0.17, 0.08)
    texture = 1 + clouds(rng, canvas.shape, outline.radius * 0.35) * np.float32(0.1)
    canvas.deep += body * texture * np.float32(rng.uniform(0.85, 1.3))
    canvas.melanin += body * np.float32(rng.uniform(0.1, 0.35)) * texture
    canvas.veils.append((body * smooth_step(clouds(rng, canvas.shape, 70, 2), -0.5, 3) * np.float32(0.4), _BLUE_WHITE))


def paint_melanoma(rng: np.random.Generator, canvas: Canvas, place: Placement) -> None:
    """Asymmetric, notched, of many colours: broken network, blotches, blue-white veil, regression, streaks."""
    parts = [place.outline(rng, irregular=0.15, stretch=rng.uniform(1.2, 1.7), ragged=0.1)]
    for _ in range(int(rng.integers(1, 3))):
        shift = rng.normal(0, 0.45, 2)
        parts.append(
            place.outline(rng, irregular=0.16, ragged=0.1, scale=rng.uniform(0.5, 0.75), shift=(shift[0], shift[1]))
        )
    outline = parts[0]
    depth = np.maximum.reduce([part.depth * np.float32(part.radius / outline.radius) for part in parts])
    streaks = np.cos(outline.angle * np.float32(rng.integers(26, 44)) + waves(rng, canvas.shape, 40) * np.float32(1.5))
    patchy = smooth_step(clouds(rng, canvas.shape, outline.radius * 0.6), 0.0, 1.0)
    edge = depth + streaks * patchy * np.float32(0.055) * smooth_step(depth, 0.4, 0.0)
    body = smooth_step(edge, -0.06, 0.24)
    zones = clouds(rng, canvas.shape, outline.radius * 0.6, 3)
    lines = _network(rng, canvas.shape, rng.uniform(13, 21), 0.3)
    blotch = smooth_step(zones, -0.5, 1.6) * smooth_step(depth, 0.0, 0.4)
    tan = np.float32(rng.uniform(0.5, 0.95)) * (1 + np.float32(0.2) * clouds(rng, canvas.shape, 30, 2))
    canvas.melanin += body * (
        tan + 0.75 * lines * smooth_step(zones, 0.8, -0.8) + np.float32(rng.uniform(1.2, 2.2)) * blotch
    )
    canvas.blood += body * smooth_step(clouds(rng, canvas.shape, outline.radius * 0.6, 2), 0.0, 2.2) * np.float32(0.8)
    canvas.deep += blotch * np.float32(rng.uniform(0.2, 0.8))
    veil = smooth_step(clouds(rng, canvas.shape, outline.radius * 0.7, 2), -0.1, 2.0) * smooth_step(depth, 0.1, 0.5)
    canvas.veils.append((veil * np.float32(rng.uniform(0.3, 0.72)), _BLUE_WHITE))
    if rng.random() < 0.45:
        scar = smooth_step(clouds(rng, canvas.shape, outline.radius * 0.5, 2), 0.5, 2.2) * smooth_step(depth, 0.1, 0.4)
        canvas.veils.append((scar * np.float32(0.6), _SCAR_WHITE))
    dots = [(x, y, rng.uniform(0.8, 2.4), rng.uniform(0.3, 0.9)) for x, y in _random_inside(rng, outline, 24, 0.9)]
    canvas.melanin += spots(canvas.shape, dots, blur=0.9) * body * np.float32(1.6)


def paint_seborrheic_keratosis(rng: np.random.Generator, canvas: Canvas, place: Placement) -> None:
    """Stuck on: sharp border, waxy brown, white milia-like cysts, dark pits, fissures."""
    outline = place.outline(rng, irregular=0.07, stretch=rng.uniform(1.1, 1.7), ragged=0.05)
    body = outline.inside(0.035)
    warp = clouds(rng, canvas.shape, 34, 3)
    fissures = smooth_step(np.abs(clouds(rng, canvas.shape, rng.uniform(18, 32), 2)), 0.42, 0.0)
    dark = rng.uniform(0.45, 1.25)
    furrowed = rng.random() < 0.6
    texture = 0.8 + 0.16 * warp + (0.6 if furrowed else 0.12) * fissures
    canvas.melanin += body * texture.astype(np.float32) * np.float32(dark)
    # From waxy yellow over brown to grey-black.
    canvas.deep += body * np.float32(rng.uniform(0.0, 0.4) * dark)
    waxy = rng.uniform(0.0, 0.45)
    rim = smooth_step(np.abs(outline.depth - 0.03), 0.07, 0.0)
    canvas.melanin += rim * np.float32(0.18)
    pits = [
        (x, y, rng.uniform(1.5, 5.0), rng.uniform(0.3, 0.9))
        for x, y in _random_inside(rng, outline, int(rng.integers(4, 26)), 0.85)
    ]
    canvas.melanin += spots(canvas.shape, pits, blur=1.7) * body * np.float32(1.2)
    cysts = [
        (x, y, rng.uniform(1.6, 4.2), rng.uniform(0.4, 0.9))
        for x, y in _random_inside(rng, outline, int(rng.integers(5, 34)), 0.85)
    ]
    canvas.veils.append((spots(canvas.shape, cysts, blur=1.2) * body, (244, 226, 190)))
    canvas.veils.append((body * smooth_step(warp, -1.5, 2.2) * np.float32(waxy), _SCALE_YELLOW))


def paint_basal_cell_carcinoma(rng: np.random.Generator, canvas: Canvas, place: Placement) -> None:
    """Pink and pearly, tree-like vessels, blue-grey ovoid nests, a crust."""
    outline = place.outline(rng, irregular=0.09, stretch=rng.uniform(1.05, 1.5), ragged=0.06)
    body = outline.inside(0.16)
    canvas.blood += (
        body * (0.3 + 0.12 * clouds(rng, canvas.shape, outline.radius * 0.3)) * np.float32(rng.uniform(0.7, 1.4))
    )
    canvas.veils.append(
        (
            body * smooth_step(clouds(rng, canvas.shape, outline.radius * 0.4, 2), -0.4, 2.6) * np.float32(0.5),
            _SCAR_WHITE,
        )
    )
    if rng.random() < 0.75:
        nests = [
            (x, y, rng.uniform(4, 15), rng.uniform(0.4, 1))
            for x, y in _random_inside(rng, outline, int(rng.integers(4, 14)), 0.9)
        ]
        nest = spots(canvas.shape, nests, blur=3.0) * (1 + clouds(rng, canvas.shape, 14, 2) * np.float32(0.25))
        canvas.deep += nest * np.float32(0.85)
        canvas.melanin += nest * np.float32(rng.uniform(0.2, 0.6))
    lines: list[tuple[list[tuple[float, float]], float]] = []
    for _ in range(int(rng.integers(3, 7))):
        angle = rng.uniform(0, 2 * math.pi)
        x = outline.centre[0] + 1.05 * outline.radius * math.cos(angle)
        y = outline.centre[1] + 1.05 * outline.radius * math.sin(angle)
        inwards = angle + math.pi + rng.normal(0, 0.4)
        _branch(rng, lines, (x, y), angle=inwards, length=outline.radius * 0.75, thickness=rng.uniform(1.6, 2.8))
    canvas.blood += strokes(canvas.shape, lines, blur=0.8) * np.float32(1.25)
    if rng.random() < 0.5:
        shift = rng.normal(0, 0.25, 2)
        crust = place.outline(rng, irregular=0.12, ragged=0.1, scale=0.22, shift=(shift[0], shift[1])).inside(0.15)
        canvas.blood += crust * np.float32(1.3)
        canvas.melanin += crust * (0.7 + 0.3 * clouds(rng, canvas.shape, 8, 2))


def _branch(
    rng: np.random.Generator,
    lines: list[tuple[list[tuple[float, float]], float]],
    start: tuple[float, float],
    *,
    angle: float,
    length: float,
    thickness: float,
) -> None:
    """A vessel that bends, thins and forks."""
    end = (start[0] + length * math.cos(angle), start[1] + length * math.sin(angle))
    sag = rng.normal(0, 0.2) * length
    bend = ((start[0] + end[0]) / 2 - sag * math.sin(angle), (start[1] + end[1]) / 2 + sag * math.cos(angle))
    points = curve(start, bend, end)
    lines.append((points, thickness))
    if thickness < 0.8:
        return
    for _ in range(int(rng.integers(2, 4))):
        fork = points[int(rng.integers(4, len(points)))]
        turned, shorter = angle + rng.normal(0, 0.75), length * rng.uniform(0.4, 0.65)
        _branch(rng, lines, fork, angle=turned, length=shorter, thickness=thickness * 0.58)


def paint_dermatofibroma(rng: np.random.Generator, canvas: Canvas, place: Placement) -> None:
    """A white scar-like middle in a delicate brown network."""
    outline = place.outline(rng, irregular=0.05, stretch=rng.uniform(1.05, 1.3), ragged=0.05)
    body = outline.inside(0.34, 0.18)
    lines = _network(rng, canvas.shape, rng.uniform(8, 12))
    canvas.melanin += body * (0.3 + 0.42 * lines) * np.float32(rng.uniform(0.7, 1.15))
    canvas.blood += body * np.float32(0.22)
    middle = smooth_step(outline.depth + waves(rng, canvas.shape, outline.radius * 0.3) * np.float32(0.06), 0.3, 0.9)
    canvas.melanin *= 1 - middle * np.float32(0.75)
    web = _network(rng, canvas.shape, rng.uniform(13, 20), 0.3)
    canvas.veils.append((middle * (0.35 + 0.4 * web) * np.float32(rng.uniform(0.7, 1.1)), _SCAR_WHITE))


def paint_solar_lentigo(rng: np.random.Generator, canvas: Canvas, place: Placement) -> None:
    """Light brown, moth-eaten border, lines as of a fingerprint."""
    outline = place.outline(rng, irregular=0.13, stretch=rng.uniform(1.1, 1.7), ragged=0.08)
    body = outline.inside(0.09)
    height, width = canvas.shape
    angle, pitch = rng.uniform(0, math.pi), rng.uniform(8, 12)
    across = np.arange(width, dtype=np.float32)[None, :] * np.float32(math.cos(angle))
    across = across + np.arange(height, dtype=np.float32)[:, None] * np.float32(math.sin(angle))
    ridges = np.sin(
        (across / np.float32(pitch)) * np.float32(2 * math.pi) + clouds(rng, canvas.shape, 60, 2) * np.float32(2.6)
    )
    faded = smooth_step(clouds(rng, canvas.shape, outline.radius * 0.5), -1.6, 1.2)
    canvas.melanin += (
        body
        * (0.42 + 0.07 * ridges + 0.12 * clouds(rng, canvas.shape, 18))
        * (0.5 + 0.6 * faded)
        * np.float32(rng.uniform(0.7, 1.3))
    )


def paint_actinic_keratosis(rng: np.random.Generator, canvas: Canvas, place: Placement) -> None:
    """Strawberry: red between pale follicles, each with a yellow plug; flakes of scale."""
    outline = place.outline(rng, irregular=0.1, stretch=rng.uniform(1.1, 1.6), ragged=0.12)
    body = outline.inside(0.3)
    cells = Cells(rng, canvas.shape, rng.uniform(19, 27), jitter=0.75)
    canvas.blood += (
        body
        * (0.2 + 0.34 * smooth_step(cells.border, 0.6, 0.0) * smooth_step(clouds(rng, canvas.shape, 70, 2), -1.6, 1.0))
        * np.float32(rng.uniform(0.7, 1.2))
    )
    halo = smooth_step(cells.centre, 0.36, 0.12) * body * smooth_step(cells.tone, -0.4, 1.0)
    canvas.veils.append((halo * np.float32(0.42), (246, 226, 214)))
    canvas.melanin += smooth_step(cells.centre, 0.14, 0.06) * body * np.float32(0.45)
    flakes = smooth_step(clouds(rng, canvas.shape, 26, 3), 0.7, 2.4) * body
    canvas.veils.append((flakes * np.float32(0.6), (246, 236, 214)))


def paint_bowen(rng: np.random.Generator, canvas: Canvas, place: Placement) -> None:
    """A pink scaly plaque with clusters of dotted, coiled vessels."""
    outline = place.outline(rng, irregular=0.1, stretch=rng.uniform(1.1, 1.6), ragged=0.07)
    body = outline.inside(0.1)
    canvas.blood += body * (0.42 + 0.12 * clouds(rng, canvas.shape, 30))
    canvas.melanin += body * np.float32(rng.uniform(0.05, 0.35)) * (1 + 0.4 * clouds(rng, canvas.shape, 40))
    cluster = smooth_step(clouds(rng, canvas.shape, outline.radius * 0.45, 2), -0.6, 1.0)
    canvas.blood += body * cluster * _globules(rng, canvas.shape, rng.uniform(9, 12)) * np.float32(1.3)
    scale = smooth_step(clouds(rng, canvas.shape, 36, 3), 0.1, 3.0) * body
    canvas.veils.append((scale * np.float32(0.7), (240, 226, 200)))


def paint_hemangioma(rng: np.random.Generator, canvas: Canvas, place: Placement) -> None:
    """Red to purple lagoons with pale walls between them."""
    outline = place.outline(rng, irregular=0.07, stretch=rng.uniform(1.05, 1.35), scale=0.75, ragged=0.04)
    body = outline.inside(0.1)
    cells = Cells(rng, canvas.shape, outline.radius * rng.uniform(0.26, 0.42), jitter=0.8)
    rounded = smooth_step(cells.centre + clouds(rng, canvas.shape, 16, 2) * np.float32(0.05), 0.85, 0.2)
    lagoon = rounded * smooth_step(cells.border, -0.15, 0.5)
    canvas.blood += body * (0.55 + lagoon * (0.8 + 0.9 * cells.tone)) * np.float32(rng.uniform(0.9, 1.3))
    canvas.deep += body * lagoon * smooth_step(cells.tone, 0.5, 1.0) * np.float32(rng.uniform(0.2, 0.8))
    canvas.veils.append((body * (1 - lagoon) * np.float32(0.2), _BLUE_WHITE))
