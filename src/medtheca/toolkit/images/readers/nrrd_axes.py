"""What the axes of an NRRD file are, and how its grid lies in the patient."""

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medtheca.toolkit.deidentify.faults import corrupt, unsupported
from medtheca.toolkit.images.readers.grids import (
    check_origin,
    check_spacing,
    decimal,
    direction_of,
    split_axes,
    whole,
)
from medtheca.toolkit.images.readers.metaimage_header import MOST_CHANNELS
from medtheca.toolkit.images.readers.nrrd_header import NrrdHeader
from medtheca.toolkit.images.volume import Geometry, Triple

_SPACE_KINDS = {"domain", "space"}
# Kinds of an axis along a voxel's samples, whose values are plain numbers or colours.
_SAMPLE_KINDS = {
    "list",
    "point",
    "vector",
    "covariant-vector",
    "normal",
    "scalar",
    "2-vector",
    "3-vector",
    "4-vector",
    "3-gradient",
    "3-normal",
    "3-color",
    "4-color",
    "rgb-color",
    "rgba-color",
}
_UNKNOWN = {"none", "???"}
_FLIPS: dict[str, tuple[float, float, float]] = {
    "left-posterior-superior": (1, 1, 1),
    "lps": (1, 1, 1),
    "right-anterior-superior": (-1, -1, 1),
    "ras": (-1, -1, 1),
    "left-anterior-superior": (1, -1, 1),
    "las": (1, -1, 1),
}
_UNNAMED = {"scanner-xyz", "3d-right-handed", "3d-left-handed"}
_MILLIMETRES = {"mm": 1.0, "cm": 10.0, "m": 1000.0, "um": 1e-3, "µm": 1e-3, "μm": 1e-3, "micron": 1e-3, "microns": 1e-3}
_MILLIMETRES |= {"millimeter": 1.0, "millimeters": 1.0, "millimetre": 1.0, "millimetres": 1.0}
_SECONDS = {"s": 1.0, "sec": 1.0, "seconds": 1.0, "ms": 1e-3, "msec": 1e-3, "us": 1e-6}
_VECTOR = re.compile(r"\(([^()]*)\)|([Nn]one)")


@dataclass(frozen=True, slots=True)
class Axes:
    """`order` transposes the array of the file (slowest axis first) to (t, z, y, x, c); `shape` is what it is then.

    `samples` is the kind of the axis along samples, None without one. `moved`: transposing takes a copy.
    """

    order: tuple[int, ...]
    shape: tuple[int, ...]
    samples: str | None
    channels: int
    dimensions: int
    geometry: Geometry
    time_step: float | None
    moved: bool
    notes: tuple[str, ...]


def read_axes(header: NrrdHeader) -> Axes:
    """Sort the axes into space, time and samples. Raises `Refused` (`corrupt`, `unsupported_variant`)."""
    count = len(header.sizes)
    directions = _directions(header)
    kinds = _kinds(header, directions)
    samples = [axis for axis in range(count) if kinds[axis] in _SAMPLE_KINDS]
    times = [axis for axis in range(count) if kinds[axis] == "time"]
    space = [axis for axis in range(count) if kinds[axis] == "space"]
    if len(samples) > 1 or len(times) > 1 or len(space) not in {2, 3}:
        raise unsupported(
            f"It has {len(space)} axes of space, {len(times)} of time and {len(samples)} of samples; "
            "2 or 3 of space and one of each other are read.",
            "Write it anew with “kinds” that say which axis is which.",
        )
    channels = header.sizes[samples[0]] if samples else 1
    if channels > MOST_CHANNELS:
        raise unsupported(f"It has more than {MOST_CHANNELS:,} samples a voxel.", "Send it in parts.")
    geometry, notes = _geometry(header, space, directions)
    wanted = [*samples, *space, *times]  # fastest first, as in the file
    shape = [header.sizes[times[0]] if times else 1, *(header.sizes[axis] for axis in reversed(space))]
    if len(space) == 2:
        shape.insert(1, 1)
    if channels > 1:
        shape.append(channels)
    return Axes(
        order=tuple(count - 1 - axis for axis in reversed(wanted)),
        shape=tuple(shape),
        samples=kinds[samples[0]] if samples else None,
        channels=channels,
        dimensions=4 if times and shape[0] > 1 else len(space),
        geometry=geometry,
        time_step=_time_step(header, times),
        moved=wanted != sorted(wanted),
        notes=notes,
    )


def _per_axis(header: NrrdHeader, name: str) -> list[str] | None:
    if (text := header.fields.get(name)) is None:
        return None
    words = _quoted(text) if name == "units" else text.split()
    if len(words) != len(header.sizes):
        raise corrupt(f"its header has {len(words):,} {name} for {len(header.sizes)} axes")
    return words


def _quoted(text: str) -> list[str]:
    return [quoted or bare for quoted, bare in re.findall(r'"([^"]*)"|([^\s"]+)', text)]


def _kinds(header: NrrdHeader, directions: list[NDArray[np.float64] | None] | None) -> list[str]:
    """For each axis `space`, `time` or a kind of samples. What has a direction is space."""
    count = len(header.sizes)
    kinds = [kind.lower() for kind in _per_axis(header, "kinds") or ["???"] * count]
    for axis, kind in enumerate(kinds):
        placed = directions is not None and directions[axis] is not None
        if kind in _SPACE_KINDS or (kind in _UNKNOWN and placed):
            kinds[axis] = "space"
        elif kind in _UNKNOWN:
            kinds[axis] = "space" if directions is None else "list"
        elif kind != "time" and kind not in _SAMPLE_KINDS:
            raise unsupported(
                "Its voxels are complex numbers, matrices, colours other than RGB, or of a kind that NRRD has not.",
                "Write it anew with grey values, RGB colours or vectors.",
            )
        if directions is not None and placed != (kinds[axis] == "space"):
            if placed or axis != count - 1:
                raise corrupt("its kinds and space directions say different things")
            kinds[axis] = "time"  # a last axis without a direction, called a domain: frames
    if directions is None and kinds.count("space") == 4 and kinds[-1] == "space":
        kinds[-1] = "time"  # as ITK takes it
    return kinds


def _directions(header: NrrdHeader) -> list[NDArray[np.float64] | None] | None:
    """The step of each axis in space, None for axes that are not of space; None where the file does not say."""
    if (text := header.fields.get("space directions")) is None:
        return None
    found = [_vector(match) for match in _VECTOR.finditer(text)]
    if _VECTOR.sub("", text).strip() or len(found) != len(header.sizes):
        raise corrupt("its space directions are not one vector or “none” for each axis")
    count = _space_dimension(header)
    if any(vector is not None and len(vector) != count for vector in found):
        raise corrupt(f"its space directions are not vectors of {count} numbers")
    return found


def _vector(match: re.Match[str]) -> NDArray[np.float64] | None:
    if match[2]:
        return None
    return np.array([decimal(word.strip(), "space directions") for word in match[1].split(",")])


def _space_dimension(header: NrrdHeader) -> int:
    name, number = header.fields.get("space"), header.fields.get("space dimension")
    if name is not None and number is not None:
        raise corrupt("its header says both space and space dimension")
    if name is None and number is None:
        raise corrupt("its header says space directions and not which space")
    if number is not None:
        if (count := whole(number, "space dimension")) not in {2, 3}:
            raise unsupported("Its space does not have 2 or 3 dimensions.", "Write it anew with time as an axis alone.")
        return count
    if name is None or name.lower() not in {*_FLIPS, *_UNNAMED}:
        raise unsupported(
            "Its space is not one of LPS, RAS and LAS.", "Write it anew in left-posterior-superior, without time."
        )
    return 3


def _geometry(
    header: NrrdHeader, space: list[int], directions: list[NDArray[np.float64] | None] | None
) -> tuple[Geometry, tuple[str, ...]]:
    spacings = _spacings(header)
    if directions is None:
        return _plain_geometry(header, space, spacings), ()
    steps = [vector for axis in space if (vector := directions[axis]) is not None]
    if len(steps) != len(steps[0]):
        raise unsupported("It has 2 axes in a space of 3 dimensions.", "Write it with 3 axes, the third of size 1.")
    matrix = np.eye(3)
    matrix[: len(steps), : len(steps)] = np.array(steps).T
    name = header.fields.get("space", "").lower()
    flips = np.array(_FLIPS.get(name, (1, 1, 1)))
    scale, notes = _scale(header)
    if name not in _FLIPS and len(steps) == 3:
        notes = (*notes, "The file does not say how its space lies in the patient; LPS was taken.")
    if spacings is not None and any(spacings[axis] is not None for axis in space):
        raise corrupt("its header says spacings and space directions of one axis")
    spacing, unit = split_axes(matrix * scale if len(steps) == 3 else matrix * np.array([scale, scale, 1.0]))
    origin = _space_origin(header, len(steps))
    if origin is not None:
        origin = origin * scale * flips
        check_origin([float(value) for value in origin])
    return Geometry(
        spacing=_triple(spacing),
        origin=None if origin is None else _triple(origin),
        direction=direction_of(unit * flips[:, np.newaxis]),
    ), notes


def _space_origin(header: NrrdHeader, count: int) -> NDArray[np.float64] | None:
    if (text := header.fields.get("space origin")) is None:
        return None
    match = _VECTOR.fullmatch(text)
    if match is None or (vector := _vector(match)) is None or len(vector) != count:
        raise corrupt(f"its space origin is not a vector of {count} numbers")
    origin = np.zeros(3)
    origin[:count] = vector
    return origin


def _scale(header: NrrdHeader) -> tuple[float, tuple[str, ...]]:
    """Millimetres of a unit of the space."""
    units = {unit.strip().lower() for unit in _quoted(header.fields.get("space units", ""))} - {""}
    if not units:
        return 1.0, ()
    known = {_MILLIMETRES.get(unit) for unit in units}
    if None in known or len(known) > 1:
        return 1.0, ("The unit of its space is not known; millimetres were taken.",)
    return known.pop() or 1.0, ()


def _spacings(header: NrrdHeader) -> list[float | None] | None:
    if (words := _per_axis(header, "spacings")) is None:
        return None
    return [None if word.lower() == "nan" else decimal(word, "spacings") for word in words]


def _plain_geometry(header: NrrdHeader, space: list[int], spacings: list[float | None] | None) -> Geometry:
    """A file without a space: distances, and perhaps where its axes begin."""
    if spacings is None or any(spacings[axis] is None for axis in space):
        return Geometry()
    units = _per_axis(header, "units") or [""] * len(header.sizes)
    scales = [_MILLIMETRES.get(units[axis].strip().lower(), 1.0) for axis in space]
    spacing = [(spacings[axis] or 0.0) * scale for axis, scale in zip(space, scales, strict=True)]
    check_spacing(spacing)
    origin = None
    if (words := _per_axis(header, "axis mins")) is not None and not any(words[a].lower() == "nan" for a in space):
        centres = _per_axis(header, "centerings") or ["cell"] * len(header.sizes)
        origin = [
            # Cells begin half a step before their centres. Where the file does not say, ITK takes cells.
            decimal(words[axis], "axis mins") * scale + (0.0 if centres[axis].lower() == "node" else step / 2)
            for axis, scale, step in zip(space, scales, spacing, strict=True)
        ]
        check_origin(origin)
        origin = [*origin, 0.0][:3]
    return Geometry(
        spacing=_triple(np.array([*spacing, 1.0][:3])), origin=None if origin is None else _triple(np.array(origin))
    )


def _time_step(header: NrrdHeader, times: list[int]) -> float | None:
    """Seconds between frames, where the file says them with a unit."""
    spacings, units = _spacings(header), _per_axis(header, "units")
    if not times or spacings is None or units is None:
        return None
    step, unit = spacings[times[0]], _SECONDS.get(units[times[0]].strip().lower())
    return step * unit if step is not None and step > 0 and unit is not None else None


def _triple(values: NDArray[np.float64]) -> Triple:
    x, y, z = (float(value) + 0.0 for value in values)
    return x, y, z
