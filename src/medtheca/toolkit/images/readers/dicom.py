"""DICOM: one file, or the files of one series, as one volume in its exact place; or as the document that it is.

Grouping has decided which files belong together; here it is verified again by the same code. Files are opened one at a
time: headers first, then, once all is known to fit, the pixels frame by frame into the volume.
"""

from dataclasses import dataclass, replace
from itertools import chain, pairwise

import numpy as np

from medtheca.toolkit.deidentify.faults import corrupt, unsupported
from medtheca.toolkit.errors import Refused
from medtheca.toolkit.images.cases import Content
from medtheca.toolkit.images.dicom import codes
from medtheca.toolkit.images.dicom.burned_in import needs_review_for_text
from medtheca.toolkit.images.dicom.formats import PixelFormat, read_format
from medtheca.toolkit.images.dicom.frames import Frames
from medtheca.toolkit.images.dicom.grids import Stack, arrange, normal_of
from medtheca.toolkit.images.dicom.headers import Header, read_header
from medtheca.toolkit.images.dicom.planes import RT_DOSE, Plane, read_planes, read_spacing
from medtheca.toolkit.images.dicom.values import Table, Values, plan_values, read_table
from medtheca.toolkit.images.facts import Window
from medtheca.toolkit.images.files import Files
from medtheca.toolkit.images.slide import Document
from medtheca.toolkit.images.volume import Geometry, Volume, Voxels

# What decoding one pixel of one frame may take beside the volume: samples, wider numbers, and a copy of each.
_BYTES_BESIDE = 24
_OVERLAYS = range(0x60003000, 0x60200000, 0x20000)


@dataclass(frozen=True, slots=True)
class _Part:
    """One file: the form of its pixels, and the plane of each frame. Headers are not kept: a series has thousands."""

    name: str
    form: PixelFormat
    planes: list[Plane]
    table: Table | None
    text_suspected: str


class DicomReader:
    format = "dicom"

    def read(self, files: Files, *, memory: int) -> Content:
        """As `CaseReader.read`; also refuses by `irregular_grid` where several files do not form one regular grid."""
        header, _ = read_header(files.view(files.main), memory=memory)
        refuse_what_is_no_image(header)
        if kind := codes.document_kind(header):
            if len(files.names) > 1:
                raise corrupt("several files that are not images were taken for one")
            return Document(kind[0], kind[1], codes.read_facts(header))
        others = (read_header(files.view(name), memory=memory)[0] for name in files.names[1:])
        parts = [_open(name, one) for name, one in zip(files.names, chain([header], others), strict=True)]
        stack, placed = _arrange(parts)
        return _build(files, header, parts, stack, placed=placed, memory=memory)


def refuse_what_is_no_image(header: Header) -> None:
    """Slides are read tile by tile elsewhere, and a DICOMDIR is never followed."""
    if codes.is_slide(header):
        raise unsupported(
            "It is part of a whole-slide image in DICOM, which is not read as a volume.", "Send it as TIFF."
        )
    if header.sop_class == codes.DICOMDIR or "DirectoryRecordSequence" in header:
        raise unsupported("It is the index of a disc (DICOMDIR) and holds no image.", "Send the files that it lists.")


def _open(name: str, header: Header) -> _Part:
    form = read_format(header)
    table = None if form.colour else read_table(header)
    return _Part(name, form, read_planes(header), table, needs_review_for_text(header)[1])


def _arrange(parts: list[_Part]) -> tuple[Stack, bool]:
    """All frames of all files as one grid, by numbers that count them in order; and whether they lie in space."""
    planes = [plane for part in parts for plane in part.planes]
    first = parts[0].form
    for part in parts[1:]:
        form = part.form
        same = (form.rows, form.columns, form.samples, form.photometric)
        if same != (first.rows, first.columns, first.samples, first.photometric) or form.frames + first.frames > 2:
            raise _irregular("its files differ in size, colour or number of frames")
    if len(planes) == 1:
        return Stack(((0,),)), planes[0].position is not None and planes[0].orientation is not None
    placed = all(plane.position is not None and plane.orientation is not None for plane in planes)
    stacks = arrange([plane.slice(number) for number, plane in enumerate(planes)]) if placed else []
    if len(stacks) == 1:
        return stacks[0], True
    notes = stacks[0].notes if stacks else ()
    if len(parts) > 1:
        raise _irregular(" ".join(map(_only_finding, notes)) or "its files do not say where their slices lie")
    # One file cannot be split: its frames stay what they are, pictures one after another.
    said = tuple(map(_only_finding, notes))
    if said:
        said += ("They are kept as single pictures, one after another, without a place in space.",)
    return Stack(tuple((number,) for number in range(len(planes))), notes=said), False


def _only_finding(note: str) -> str:
    return note.replace(": each is an image by itself", "")


def _irregular(what: str) -> Refused:
    return Refused(
        "irregular_grid",
        f"These files do not form one regular grid: {what}.".replace("..", "."),
        "Send the series as it left the scanner; Medtheca itself finds which of its slices belong together.",
    )


def _build(files: Files, header: Header, parts: list[_Part], stack: Stack, *, placed: bool, memory: int) -> Volume:
    planes = [plane for part in parts for plane in part.planes]
    forms = [part.form for part in parts for _ in part.planes]
    values = _plan(parts, planes, forms)
    form = forms[0]
    shape = (len(stack.indices), len(stack.indices[0]), form.rows, form.columns) + (3,) * form.colour
    _check_memory(shape, values, memory)
    voxels = _decode(files, parts, stack, values=values, shape=shape, memory=memory)
    middle = planes[stack.indices[len(stack.indices) // 2][len(stack.indices[0]) // 2]]
    windows, window_notes = _windows(planes, middle, colour=form.colour)
    facts = codes.read_facts(header)
    return Volume(
        voxels,
        _geometry(planes, stack, placed=placed),
        colour="rgb" if form.colour else "grey",
        dimensions=4 if shape[0] > 1 else 3 if shape[1] > 1 else 2,
        time_step=_time_step(header, planes, stack) if shape[0] > 1 else None,
        rescaled=values.rescaled,
        windows=windows,
        facts=replace(facts, inverted=facts.inverted and not form.colour),
        notes=(*stack.notes, *window_notes, *_notes(header, parts[0], form)),
        text_suspected=next((part.text_suspected for part in parts if part.text_suspected), ""),
    )


def _plan(parts: list[_Part], planes: list[Plane], forms: list[PixelFormat]) -> Values:
    if forms[0].colour:
        # A palette may give 16 bits; `_decode` widens once it is known.
        return Values(forms[0].dtype, rescaled=False)
    return plan_values(forms, planes, [part.table for part in parts for _ in part.planes])


def _check_memory(shape: tuple[int, ...], values: Values, memory: int) -> None:
    times, depth, rows, columns, *rest = shape
    samples = rows * columns * (rest[0] if rest else 1)
    kept = times * depth * samples * max(values.dtype.itemsize, 1 + bool(rest))
    if kept + samples * _BYTES_BESIDE > memory:
        raise Refused(
            "too_many_pixels",
            f"The image has {columns:,} by {rows:,} pixels in {times * depth:,} frames, which take "
            f"{kept / 1e6:,.0f} MB; at most {memory / 1e6:,.0f} MB are read.",
            "Send it smaller, or in parts.",
        )


def _decode(
    files: Files, parts: list[_Part], stack: Stack, *, values: Values, shape: tuple[int, ...], memory: int
) -> Voxels:
    # From the number of a frame to its place in the volume.
    places = {number: (t, z) for t, row in enumerate(stack.indices) for z, number in enumerate(row)}
    voxels: Voxels | None = None
    number = 0
    for part in parts:
        frames = Frames(part.form, files.view(part.name), memory=memory)
        if voxels is None:
            voxels = np.empty(shape, frames.dtype if part.form.colour else values.dtype)
        elif part.form.colour and frames.dtype != voxels.dtype:
            raise _irregular("its files differ in the depth of their colours")
        for index, plane in enumerate(part.planes):
            samples = frames.frame(index)
            if part.form.colour:
                voxels[places[number]] = samples
            else:
                values.put(samples, plane, part.table, voxels[places[number]])
            number += 1
    assert voxels is not None
    return values.narrow(voxels)


def _geometry(planes: list[Plane], stack: Stack, *, placed: bool) -> Geometry:
    plane = planes[stack.indices[0][0]]
    gap = stack.gap or (plane.thickness if plane.thickness and plane.thickness > 0 else 1.0)
    spacing = None if plane.spacing is None else (plane.spacing[1], plane.spacing[0], gap)
    if not placed or plane.orientation is None:
        return Geometry(spacing)
    normal = normal_of(plane.orientation)
    row, column = plane.orientation[:3], plane.orientation[3:]
    direction = tuple(float(vector[axis]) for axis in range(3) for vector in (row, column, normal))
    return Geometry(spacing, plane.position, direction)


def _windows(planes: list[Plane], middle: Plane, *, colour: bool) -> tuple[tuple[Window, ...], tuple[str, ...]]:
    if colour:
        return (), ()
    notes = []
    if len({plane.windows for plane in planes}) > 1:
        notes.append("The windows differ from slice to slice: that of the middle one is kept.")
    if middle.windows and middle.curve not in {None, "LINEAR"}:
        notes.append(f"Its windows are meant with the function {middle.curve} (VOILUTFunction).")
    return middle.windows, tuple(notes)


def _time_step(header: Header, planes: list[Plane], stack: Stack) -> float | None:
    """Seconds between time points, where they are even and the file says so."""
    if stack.times in {"trigger", "time"}:
        scale = 1000 if stack.times == "trigger" else 1
        values = [planes[time[0]].keys[stack.times] / scale for time in stack.indices]
        return _even_step(values)
    if stack.times == "temporal" and (resolution := header.number("TemporalResolution")):
        return resolution / 1000 if resolution > 0 else None
    if stack.times == "temporal":
        known = [planes[time[0]].keys.get("time") for time in stack.indices]
        return _even_step([value for value in known if value is not None]) if None not in known else None
    if stack.times is None:
        return _cine_step(header)
    return None


def _cine_step(header: Header) -> float | None:
    if (milliseconds := header.number("FrameTime")) and milliseconds > 0:
        return milliseconds / 1000
    if vector := header.numbers("FrameTimeVector"):
        return vector[1] / 1000 if len(vector) > 1 and vector[1] > 0 and len(set(vector[1:])) == 1 else None
    for keyword in ("CineRate", "RecommendedDisplayFrameRate"):
        if (rate := header.number(keyword)) and rate > 0:
            return 1 / rate
    return None


def _even_step(values: list[float]) -> float | None:
    steps = [two - one for one, two in pairwise(values)]
    mean = sum(steps) / len(steps) if steps else 0.0
    return mean if mean > 0 and all(abs(step - mean) <= 0.05 * mean for step in steps) else None


def _notes(header: Header, part: _Part, form: PixelFormat) -> list[str]:
    notes = []
    if note := read_spacing(header)[1]:
        notes.append(note)
    padding = header.whole("PixelPaddingValue") if not form.colour and not form.floating else None
    if padding is not None:
        notes.append(f"Pixels whose stored value is {padding} are padding and no part of the picture.")
    if part.table is not None:
        notes.append("Its values are those of its modality look-up table.")
    if "VOILUTSequence" in header and not form.colour:
        notes.append("It has a table for display (VOILUTSequence), which is not applied.")
    if header.sop_class == RT_DOSE:
        units = "Gy" if header.text("DoseUnits") == "GY" else "relative units"
        notes.append(f"Its values are doses in {units}.")
    if any(header.has(tag) for tag in _OVERLAYS):
        notes.append("It has overlays, which are not drawn into the picture.")
    return notes
