"""Which slices form a regular grid. Pure geometry, used both when files are grouped and when they are read.

Nothing is ever averaged: slices that do not fit are split into stacks that do, or stay alone, and notes say why.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise, product
from operator import add
from typing import Any

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]

SAME_PLACE = 0.01
"""Millimetres within which two positions are one."""

_SAME_COSINE = 1e-3
_SAME_SPACING = 1e-3
_EVEN = 0.03  # of a gap: what rounding in headers leaves
_EVEN_LEAST = 0.011  # mm, as positions are often written with two decimals

# Each file of a series is told the same, so a word on every one of thousands of holes would be gigabytes.
_MOST_HOLES = 10

# What tells volumes of one place apart, in the order of trust; the words are for notes.
_TIMES: dict[str, str] = {
    "temporal": "their temporal position",
    "acquisition": "their acquisition number",
    "trigger": "their trigger time",
    "echo": "their echo time",
    "b_value": "their b-value",
    "time": "the time they were taken",
}
_KINDS: dict[str, str] = {
    "image_type": "kind (ImageType)",
    "echo": "echo time",
    "b_value": "b-value",
    "acquisition": "acquisition number",
    "temporal": "temporal position",
}
_RANKS: dict[str, str] = {
    "trigger": "the order of their trigger times",
    "time": "the order in which they were taken",
    "instance": "the order of their instance numbers",
}


@dataclass(frozen=True, slots=True)
class Slice:
    """A picture of one plane. `index` is the caller's.

    `position` is the centre of its first pixel, `orientation` the unit vectors along a row and down a column, `spacing`
    (between rows, between columns) as PixelSpacing has it. `keys` are what may tell slices of one place apart.
    """

    index: int
    position: tuple[float, float, float] | None
    orientation: tuple[float, ...] | None
    spacing: tuple[float, float] | None = None
    keys: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Stack:
    """Slices that form a regular grid: `indices[time][depth]`, along the normal.

    `gap` is the distance of slices, None for a single one. `times` names the key that tells the time points apart.
    """

    indices: tuple[tuple[int, ...], ...]
    gap: float | None = None
    times: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        return len(self.indices) * len(self.indices[0])


def normal_of(orientation: Sequence[float]) -> Vector:
    """The unit vector in which slices are counted: the cross product of row and column."""
    vectors = np.asarray(orientation, np.float64)
    normal: Vector = np.cross(vectors[:3], vectors[3:])
    return normal / np.linalg.norm(normal)


def arrange(slices: Sequence[Slice]) -> list[Stack]:
    """Stacks that are regular; together they hold every slice once.

    >>> plane = dict(orientation=(1.0, 0, 0, 0, 1, 0), spacing=(1.0, 1.0))
    >>> [stack] = arrange([Slice(0, (0.0, 0, 5), **plane), Slice(1, (0.0, 0, 3), **plane)])
    >>> stack.indices, stack.gap
    (((1, 0),), 2.0)
    """
    placed = [one for one in slices if one.position is not None and one.orientation is not None]
    alone = [Stack(((one.index,),)) for one in slices if one.position is None or one.orientation is None]
    clusters = _cluster(placed, _same_plane)
    notes = _orientation_notes(clusters)
    return [stack for cluster in clusters for stack in _arrange_parallel(cluster, notes)] + alone


def _cluster(slices: Sequence[Slice], same: Callable[[Slice, Slice], bool]) -> list[list[Slice]]:
    clusters: list[list[Slice]] = []
    for one in slices:
        # The last cluster first: neighbours come together, and a radial series must not cost the square of its length.
        home = next((cluster for cluster in reversed(clusters[-64:]) if same(cluster[0], one)), None)
        if home is None:
            clusters.append([one])
        else:
            home.append(one)
    return clusters


def _same_plane(one: Slice, two: Slice) -> bool:
    assert one.orientation is not None
    assert two.orientation is not None
    if max(abs(a - b) for a, b in zip(one.orientation, two.orientation, strict=True)) > _SAME_COSINE:
        return False
    if one.spacing is None or two.spacing is None:
        return one.spacing == two.spacing and one.keys.get("stack") == two.keys.get("stack")
    if one.keys.get("stack") != two.keys.get("stack"):
        return False
    return all(abs(a - b) <= _SAME_SPACING * a for a, b in zip(one.spacing, two.spacing, strict=True))


def _orientation_notes(clusters: list[list[Slice]]) -> tuple[str, ...]:
    if len(clusters) < 2:
        return ()
    normals = np.array([normal_of(cluster[0].orientation or ()) for cluster in clusters])
    # Sums and no matrix products: these would start threads for long series, which the sandbox forbids.
    spread = np.linalg.eigvalsh((normals[:, :, None] * normals[:, None, :]).sum(axis=0))
    if len(clusters) >= 3 and max(map(len, clusters)) == 1 and spread[0] < 0.05**2 * spread[-1]:
        return (
            f"The {len(clusters)} slices lie radially, each in a direction of its own: each is an image by itself.",
        )
    turned = _cluster([cluster[0] for cluster in clusters], _same_orientation)
    if len(turned) == 1:
        return (f"The series mixes {len(clusters)} stacks or sizes of pixels: each is an image by itself.",)
    return (f"The series mixes {len(turned)} orientations: each is an image by itself.",)


def _same_orientation(one: Slice, two: Slice) -> bool:
    pairs = zip(one.orientation or (), two.orientation or (), strict=True)
    return max(abs(a - b) for a, b in pairs) <= _SAME_COSINE


def _arrange_parallel(cluster: list[Slice], notes: tuple[str, ...]) -> list[Stack]:
    """Slices of one orientation: those that lie beside each other apart, then by place and time."""
    normal = normal_of(cluster[0].orientation or ())
    positions = np.array([one.position for one in cluster], np.float64)
    along = (positions * normal).sum(axis=1)
    across = positions - along[:, None] * normal
    order = np.argsort(along, kind="stable")
    beside = any(
        along[two] - along[one] < SAME_PLACE and np.linalg.norm(across[two] - across[one]) > SAME_PLACE
        for one, two in pairwise(order)
    )
    if not beside:
        return _tell_apart([cluster[at] for at in order], along[order], across[order], notes)
    columns = _columns(across)
    notes = (*notes, f"The slices lie in {len(columns)} columns beside each other: each is an image by itself.")
    stacks: list[Stack] = []
    for column in columns:
        sorted_ = np.array(sorted(column, key=lambda at: along[at]))
        stacks += _tell_apart([cluster[at] for at in sorted_], along[sorted_], across[sorted_], notes)
    return stacks


def _columns(across: Vector) -> list[list[int]]:
    """Slices by where they lie within their planes; each column is found by its first one."""
    columns: list[list[int]] = []
    # Each by the box of space it begins in: looking through all of them takes the square of their number.
    begun: dict[tuple[int, ...], list[int]] = defaultdict(list)
    boxes = np.floor(across / SAME_PLACE).astype(np.int64)
    for at, box in enumerate(boxes.tolist()):
        near = sorted(one for step in product((-1, 0, 1), repeat=3) for one in begun.get(_moved(box, step), ()))
        home = next(
            (one for one in near if np.linalg.norm(across[columns[one][0]] - across[at]) <= SAME_PLACE), len(columns)
        )
        if home == len(columns):
            columns.append([])
            begun[_moved(box, (0, 0, 0))].append(home)
        columns[home].append(at)
    return columns


def _moved(box: Sequence[int], step: Sequence[int]) -> tuple[int, ...]:
    return tuple(map(add, box, step))


@dataclass(slots=True)
class _Placed:
    """Slices of one orientation with the number of the place each lies at, counted along the normal."""

    slices: list[Slice]
    places: list[int]
    along: Vector  # of each place
    across: Vector

    def part(self, members: Sequence[int]) -> "_Placed":
        return _Placed(
            [self.slices[at] for at in members], [self.places[at] for at in members], self.along, self.across
        )

    @property
    def most(self) -> int:
        return max(Counter(self.places).values())


def _tell_apart(slices: list[Slice], along: Vector, across: Vector, notes: tuple[str, ...]) -> list[Stack]:
    places, firsts = [], [0]
    for at in range(len(slices)):
        if along[at] - along[firsts[-1]] >= SAME_PLACE:
            firsts.append(at)
        places.append(len(firsts) - 1)
    return _by_time(_Placed(slices, places, along[firsts], across[firsts]), notes)


def _by_time(placed: _Placed, notes: tuple[str, ...]) -> list[Stack]:
    if placed.most == 1:
        return _stack_up(placed, [placed.slices], None, notes)
    kinds = _partition(placed, "image_type")
    if kinds and max(placed.part(members).most for members in kinds.values()) < placed.most:
        return _apart(placed, "image_type", kinds, notes)
    for key, words in _TIMES.items():
        if found := _times_by(placed, key, words, notes):
            return found
    for key in _KINDS:
        kinds = _partition(placed, key)
        if kinds and max(placed.part(members).most for members in kinds.values()) < placed.most:
            return _apart(placed, key, kinds, notes)
    for key, words in _RANKS.items():
        if ranked := _times_by_rank(placed, key):
            said = f"The series holds {len(ranked)} volumes, which are told apart by {words}."
            return _stack_up(placed, ranked, key, (*notes, said))
    return _without_doubles(placed, notes)


def _partition(placed: _Placed, key: str) -> dict[Any, list[int]]:
    """Members by the value of a key, in its order; none where a value is missing or all are equal."""
    parts: dict[Any, list[int]] = defaultdict(list)
    for at, one in enumerate(placed.slices):
        value = one.keys.get(key)
        if value is None:
            return {}
        parts[value].append(at)
    return {value: parts[value] for value in sorted(parts)} if len(parts) > 1 else {}


def _apart(placed: _Placed, key: str, kinds: dict[Any, list[int]], notes: tuple[str, ...]) -> list[Stack]:
    said = f"The series holds {len(kinds)} volumes that differ by {_KINDS[key]}: each is an image by itself."
    return [stack for members in kinds.values() for stack in _by_time(placed.part(members), (*notes, said))]


def _times_by(placed: _Placed, key: str, words: str, notes: tuple[str, ...]) -> list[Stack]:
    """Time points by a key, where most of its values have the same places once each; what is incomplete stays apart."""
    parts = _partition(placed, key)
    if not parts or any(placed.part(members).most > 1 for members in parts.values()):
        return []
    shapes = {value: tuple(sorted(placed.places[at] for at in members)) for value, members in parts.items()}
    usual, count = Counter(shapes.values()).most_common(1)[0]
    if count < 2 or count * 2 <= len(parts):
        return []
    whole = [value for value in parts if shapes[value] == usual]
    said = f"The series holds {len(whole)} volumes, which are told apart by {words}."
    if odd := len(parts) - len(whole):
        said += f" {odd} more have other slices and stay by themselves."
    times = [[placed.slices[at] for at in parts[value]] for value in whole]
    members = [at for value in whole for at in parts[value]]
    stacks = _stack_up(placed.part(members), times, key, (*notes, said))
    for value in parts:
        if shapes[value] != usual:
            rest = placed.part(parts[value])
            stacks += _stack_up(rest, [rest.slices], None, (*notes, said))
    return stacks


def _times_by_rank(placed: _Placed, key: str) -> list[list[Slice]]:
    at_place: dict[int, list[Slice]] = defaultdict(list)
    for one, place in zip(placed.slices, placed.places, strict=True):
        if one.keys.get(key) is None:
            return []
        at_place[place].append(one)
    counts = {len(members) for members in at_place.values()}
    if len(counts) != 1:
        return []
    for members in at_place.values():
        members.sort(key=lambda one: one.keys[key])
        if len({one.keys[key] for one in members}) != len(members):
            return []
    return [[at_place[place][rank] for place in sorted(at_place)] for rank in range(counts.pop())]


def _without_doubles(placed: _Placed, notes: tuple[str, ...]) -> list[Stack]:
    firsts: dict[int, int] = {}
    for at in sorted(range(len(placed.slices)), key=lambda at: (placed.slices[at].keys.get("instance") or 0, at)):
        firsts.setdefault(placed.places[at], at)
    kept = placed.part([firsts[place] for place in sorted(firsts)])
    doubles = [at for at in range(len(placed.slices)) if firsts[placed.places[at]] != at]
    said = (
        f"{_counted(len(doubles), 'slice lies', 'slices lie')} where another one lies already, and nothing in the "
        "headers tells them apart: each of them is an image by itself."
    )
    stacks = _stack_up(kept, [kept.slices], None, (*notes, said))
    return stacks + [Stack(((placed.slices[at].index,),), notes=(*notes, said)) for at in doubles]


def _stack_up(placed: _Placed, times: list[list[Slice]], key: str | None, notes: tuple[str, ...]) -> list[Stack]:
    """Stacks of even gaps from time points that all have the same places."""
    numbers = sorted(set(placed.places))
    place_of = {one.index: place for one, place in zip(placed.slices, placed.places, strict=True)}
    columns = [sorted(time, key=lambda one: place_of[one.index]) for time in times]
    along, across = placed.along[numbers], placed.across[numbers]
    tilt = _tilt_note(along, across, placed.slices[0].spacing)
    runs = [(at, at + 1) for at in range(len(numbers))] if tilt else even_runs(along)
    if said := tilt or _gap_note(along, runs):
        notes = (*notes, said)
    stacks = []
    for start, end in runs:
        gap = float(along[end - 1] - along[start]) / (end - start - 1) if end - start > 1 else None
        indices = tuple(tuple(one.index for one in column[start:end]) for column in columns)
        stacks.append(Stack(indices, gap, key if len(times) > 1 else None, notes))
    return stacks


def _tilt_note(along: Vector, across: Vector, spacing: tuple[float, float] | None) -> str | None:
    """Words for slices whose first pixels do not lie above each other; None where they do."""
    if len(along) < 2:
        return None
    drift = np.linalg.norm(across - across[0], axis=1)
    if drift.max() <= 0.01 + 0.1 * min(spacing or (1.0, 1.0)):
        return None
    steps = np.diff(across, axis=0) / np.diff(along)[:, None]
    if np.linalg.norm(steps - steps.mean(axis=0), axis=1).max() < 0.02:
        angle = float(np.degrees(np.arctan(np.linalg.norm(steps.mean(axis=0)))))
        return f"The slices are tilted by {angle:.1f}° against the normal: each is an image by itself."
    return "The slices are shifted against each other within their planes: each is an image by itself."


def even_runs(along: Vector) -> list[tuple[int, int]]:
    """Ranges (start, end) of slices at even gaps; each slice is in one. The longest are taken first.

    >>> even_runs(np.array([0.0, 1, 2, 3, 6, 7, 8]))
    [(0, 4), (4, 7)]
    >>> even_runs(np.array([0.0, 3, 12]))
    [(0, 2), (2, 3)]
    """
    gaps = np.diff(along)
    candidates: list[tuple[int, int]] = []  # from the first slice to the one after the last
    start = 0
    for at in range(1, len(gaps) + 1):
        if at == len(gaps) or not _even(along, start, at + 2):
            candidates.append((start, at + 1))
            start = at
    candidates.sort(key=lambda run: (run[0] - run[1], float(gaps[run[0]]) if len(gaps) else 0.0))
    free = np.ones(len(along), bool)
    runs: list[tuple[int, int]] = []
    known: list[float] = []
    for begin, behind in candidates:
        first, end = begin, behind
        # A slice at the border belongs to the longer neighbour.
        while first < end and not free[first]:
            first += 1
        while end > first and not free[end - 1]:
            end -= 1
        gap = float(along[end - 1] - along[first]) / (end - first - 1) if end - first > 1 else 0.0
        # What is left of a run, when two slices, is a pair only where its gap is found elsewhere too.
        if end - first > 2 or (end - first == 2 and (not known or any(_close(gap, one) for one in known))):
            runs.append((first, end))
            known.append(gap)
            free[first:end] = False
    runs += [(at, at + 1) for at in map(int, np.flatnonzero(free))]
    return sorted(runs)


def _close(one: float, two: float) -> bool:
    return abs(one - two) <= max(_EVEN * min(one, two), _EVEN_LEAST)


def _even(along: Vector, start: int, end: int) -> bool:
    """Whether the slices from start to end lie at even gaps, within what rounding does."""
    part = along[start:end]
    gap = (part[-1] - part[0]) / (len(part) - 1)
    off = np.abs(part - (part[0] + gap * np.arange(len(part))))
    return bool(off.max() <= max(_EVEN * gap, _EVEN_LEAST) and gap > SAME_PLACE)


def _gap_note(along: Vector, runs: list[tuple[int, int]]) -> str | None:
    if len(runs) < 2:
        return None
    longest = max(runs, key=lambda run: run[1] - run[0])
    if longest[1] - longest[0] > 2:
        step = float(along[longest[1] - 1] - along[longest[0]]) / (longest[1] - longest[0] - 1)
        ratios = [float(along[two[0]] - along[one[1] - 1]) / step for one, two in pairwise(runs)]
        inner = [run for run in runs if run[1] - run[0] > 1]
        even = all(_close(float(along[b - 1] - along[a]) / (b - a - 1), step) for a, b in inner)
        if even and all(abs(ratio - round(ratio)) < 0.05 and 2 <= round(ratio) <= len(along) for ratio in ratios):
            missing = [round(ratio) - 1 for ratio in ratios]
            told = list(zip(missing, runs, strict=False))[:_MOST_HOLES]
            where = ", ".join(f"{count} between slices {one[1]} and {one[1] + 1}" for count, one in told)
            if len(missing) > len(told):
                where += f", and in {len(missing) - len(told)} other places"
            total = sum(missing)
            return (
                f"{total} of {len(along) + total} slices {'is' if total == 1 else 'are'} missing ({where} of those "
                f"that came): the {len(runs)} parts are images by themselves."
            )
    gaps = np.diff(along)
    return (
        f"The slices are not evenly spaced: their distances are {gaps.min():.4g} to {gaps.max():.4g} mm. "
        f"They are {len(runs)} images, each of which is even."
    )


def _counted(count: int, one: str, more: str) -> str:
    return f"{count} {one if count == 1 else more}"
