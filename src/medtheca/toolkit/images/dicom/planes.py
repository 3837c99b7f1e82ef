"""Where each frame of a file lies, and what its values mean: top-level attributes or functional groups."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from medtheca.toolkit.deidentify.faults import corrupt
from medtheca.toolkit.images.dicom.grids import Slice, normal_of
from medtheca.toolkit.images.dicom.headers import Header, Item
from medtheca.toolkit.images.facts import Window
from medtheca.toolkit.images.terms import name_window

_FRAME_TYPES = ("MRImageFrameTypeSequence", "CTImageFrameTypeSequence", "PETFrameTypeSequence")
RT_DOSE = "1.2.840.10008.5.1.4.1.1.481.2"
NUCLEAR = "1.2.840.10008.5.1.4.1.1.20"
_CENTIMETRES = 3
_TWO_DIMENSIONAL = 1
_FARTHEST = 1e7  # millimetres


@dataclass(frozen=True, slots=True)
class Plane:
    """One frame. `slope` and `intercept` are None where the file gives none; `windows` are in real-world values."""

    position: tuple[float, float, float] | None = None
    orientation: tuple[float, ...] | None = None
    spacing: tuple[float, float] | None = None
    thickness: float | None = None
    slope: float | None = None
    intercept: float | None = None
    windows: tuple[Window, ...] = ()
    curve: str | None = None
    keys: dict[str, Any] = field(default_factory=dict)

    def slice(self, index: int) -> Slice:
        """As `grids` takes it."""
        return Slice(index, self.position, self.orientation, self.spacing, self.keys)


def read_planes(header: Header) -> list[Plane]:
    """One plane for each frame of the file.

    Raises:
        Refused: `corrupt` for spacing that is not positive, axes that are not perpendicular, or functional groups
            that are not as many as frames.
    """
    shared = header.item("SharedFunctionalGroupsSequence")
    each = header.items("PerFrameFunctionalGroupsSequence")
    frames = header.frames
    if each:
        if len(each) != frames:
            raise corrupt(f"it has {frames} frames and {len(each)} functional groups")
        return [_functional(header, shared, group, number) for number, group in enumerate(each)]
    if shared is not None:
        return [_functional(header, shared, None, number) for number in range(frames)]
    plane = _plain(header)
    if frames == 1 and "GridFrameOffsetVector" not in header:
        return [plane]
    return _moved(plane, _frame_offsets(header, plane, frames), frames)


def _moved(plane: Plane, offsets: tuple[float, ...] | None, frames: int) -> list[Plane]:
    """The plane, moved along its normal; unplaced where there are no offsets."""
    if offsets is None or plane.position is None or plane.orientation is None:
        return [_with(plane, None, number) for number in range(frames)]
    normal, origin = normal_of(plane.orientation), np.asarray(plane.position)
    return [_with(plane, _triple(origin + normal * offset), number) for number, offset in enumerate(offsets)]


def _with(plane: Plane, position: tuple[float, float, float] | None, number: int) -> Plane:
    keys = plane.keys | {"instance": number}
    return Plane(
        position, plane.orientation, plane.spacing, plane.thickness, plane.slope, plane.intercept, plane.windows,
        plane.curve, keys,
    )  # fmt: skip


def _frame_offsets(header: Header, plane: Plane, frames: int) -> tuple[float, ...] | None:
    """How far each frame of a multi-frame file without functional groups lies from the first, along the normal."""
    if header.sop_class == RT_DOSE or "GridFrameOffsetVector" in header:
        vector = header.numbers("GridFrameOffsetVector", frames)
        if vector is None:
            return (0.0,) if frames == 1 else None
        # PS3.3 C.8.8.3.2: either distances from the first, which is then 0, or coordinates along the axis.
        return tuple(offset - vector[0] for offset in vector)
    if header.sop_class == NUCLEAR and "TOMO" in header.texts("ImageType"):
        gap, numbers = header.number("SpacingBetweenSlices"), header.wholes("SliceVector")
        if gap and numbers and len(numbers) == frames:
            return tuple((number - 1) * gap for number in numbers)
    return None


def _plain(header: Header) -> Plane:
    position, orientation = _position(header), _orientation(header)
    if header.sop_class == NUCLEAR and position is None:
        detector = header.item("DetectorInformationSequence")
        if detector is not None:
            position, orientation = _position(detector), _orientation(detector)
    slope, intercept = header.number("RescaleSlope"), header.number("RescaleIntercept")
    if header.sop_class == RT_DOSE:
        slope, intercept = header.number("DoseGridScaling"), None
    return Plane(
        position=position,
        orientation=orientation,
        spacing=read_spacing(header)[0],
        thickness=header.number("SliceThickness"),
        slope=slope,
        intercept=intercept,
        windows=_windows(header),
        curve=header.text("VOILUTFunction"),
        keys=_clean(
            stack=header.text("StackID"),
            temporal=header.whole("TemporalPositionIndex") or header.whole("TemporalPositionIdentifier"),
            acquisition=header.whole("AcquisitionNumber"),
            trigger=header.number("TriggerTime"),
            echo=header.number("EchoTime") if header.whole("EchoNumbers") is None else header.whole("EchoNumbers"),
            b_value=header.number("DiffusionBValue"),
            time=_seconds(header.text("AcquisitionTime")) or _seconds(header.text("ContentTime")),
            instance=header.whole("InstanceNumber"),
            image_type="\\".join(header.texts("ImageType")) or None,
        ),
    )


def _functional(header: Header, shared: Item | None, own: Item | None, number: int) -> Plane:
    """PS3.3 C.7.6.16: what a frame has itself goes before what all share."""

    def group(name: str) -> Item | None:
        found = own.item(name) if own is not None else None
        return found or (shared.item(name) if shared is not None else None)

    measures, content = group("PixelMeasuresSequence"), group("FrameContentSequence")
    where, turned = group("PlanePositionSequence"), group("PlaneOrientationSequence")
    values, shown = group("PixelValueTransformationSequence"), group("FrameVOILUTSequence")
    heart, echo, diffusion = (
        group("CardiacSynchronizationSequence"),
        group("MREchoSequence"),
        group("MRDiffusionSequence"),
    )
    kind = next((found for name in _FRAME_TYPES if (found := group(name)) is not None), None)
    return Plane(
        position=_position(where) if where else None,
        orientation=_orientation(turned) if turned else None,
        spacing=_pair(measures, "PixelSpacing") if measures else read_spacing(header)[0],
        thickness=measures.number("SliceThickness") if measures else None,
        slope=values.number("RescaleSlope") if values else header.number("RescaleSlope"),
        intercept=values.number("RescaleIntercept") if values else header.number("RescaleIntercept"),
        windows=_windows(shown or header),
        curve=(shown or header).text("VOILUTFunction"),
        keys=_clean(
            stack=content.text("StackID") if content else None,
            temporal=content.whole("TemporalPositionIndex") if content else None,
            trigger=heart.number("NominalCardiacTriggerDelayTime") if heart else None,
            echo=echo.number("EffectiveEchoTime") if echo else None,
            b_value=diffusion.number("DiffusionBValue") if diffusion else None,
            instance=number,
            image_type="\\".join(kind.texts("FrameType")) or None if kind else None,
        ),
    )


def read_spacing(header: Item) -> tuple[tuple[float, float] | None, str | None]:
    """(between rows, between columns) of a picture in millimetres, and a note on what was measured, if it matters."""
    if pair := _pair(header, "PixelSpacing"):
        return pair, None
    if pair := _pair(header, "ImagerPixelSpacing"):
        return pair, "The size of its pixels is that at the detector: the body is magnified there."
    if pair := _pair(header, "NominalScannedPixelSpacing"):
        return pair, "The size of its pixels is that of the scanned film or paper."
    return _ultrasound_spacing(header.items("SequenceOfUltrasoundRegions")), None


def _ultrasound_spacing(regions: Iterable[Item]) -> tuple[float, float] | None:
    """Of the regions in centimetres, where all agree."""
    found = set()
    for region in regions:
        units = region.whole("PhysicalUnitsXDirection"), region.whole("PhysicalUnitsYDirection")
        if region.whole("RegionSpatialFormat") == _TWO_DIMENSIONAL and units == (_CENTIMETRES, _CENTIMETRES):
            across, down = region.number("PhysicalDeltaX"), region.number("PhysicalDeltaY")
            if across and down:
                found.add((abs(down) * 10, abs(across) * 10))
    return found.pop() if len(found) == 1 else None


def _pair(item: Item, keyword: str) -> tuple[float, float] | None:
    values = item.numbers(keyword, 2)
    if values is None:
        return None
    if min(values) <= 0 or max(values) > _FARTHEST:
        raise corrupt(f"its {keyword} is not a distance")
    return values[0], values[1]


def _position(item: Item) -> tuple[float, float, float] | None:
    values = item.numbers("ImagePositionPatient", 3)
    if values is None:
        return None
    if max(map(abs, values)) > _FARTHEST:
        raise corrupt("its ImagePositionPatient lies outside of any patient")
    return _triple(values)


def _orientation(item: Item) -> tuple[float, ...] | None:
    """Unit vectors along a row and down a column, made exactly perpendicular where rounding has left them less so."""
    values = item.numbers("ImageOrientationPatient", 6)
    if values is None:
        return None
    row, column = np.array(values[:3]), np.array(values[3:])
    lengths = np.linalg.norm(row), np.linalg.norm(column)
    if max(abs(length - 1) for length in lengths) > 0.02 or abs(row @ column) > 0.02:
        raise corrupt("its ImageOrientationPatient is not two perpendicular directions")
    row /= lengths[0]
    column -= (row @ column) * row
    column /= np.linalg.norm(column)
    return tuple(float(value) for value in (*row, *column))


def _windows(item: Item) -> tuple[Window, ...]:
    centres, widths = item.numbers("WindowCenter") or (), item.numbers("WindowWidth") or ()
    names = [name_window(name) for name in item.texts("WindowCenterWidthExplanation")]
    pairs = list(zip(centres, widths, strict=False))
    given = [*names, *[""] * len(pairs)]
    return tuple(Window(centre, width, name) for (centre, width), name in zip(pairs, given, strict=False) if width > 0)


def _seconds(time: str | None) -> float | None:
    """A TM value as seconds of the day."""
    if time is None:
        return None
    plain = time.replace(":", "")
    try:
        whole = float(plain[4:] or 0)
        value = int(plain[:2]) * 3600 + int(plain[2:4] or 0) * 60 + whole
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _triple(values: Iterable[float]) -> tuple[float, float, float]:
    x, y, z = (float(value) for value in values)
    return x, y, z


def _clean(**keys: Any) -> dict[str, Any]:
    return {name: value for name, value in keys.items() if value is not None}
