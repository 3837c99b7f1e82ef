"""Stored numbers as real-world values: rescale slope and intercept of each frame, or a modality look-up table."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medtheca.toolkit.deidentify.faults import corrupt
from medtheca.toolkit.images.dicom.formats import PixelFormat
from medtheca.toolkit.images.dicom.headers import Header
from medtheca.toolkit.images.dicom.planes import Plane

Samples = NDArray[Any]

# In the order of liking for values that fit: those that everything else reads come first.
_WHOLE = ("uint8", "int16", "uint16", "int32", "uint32", "int64")
_SHORT = ("int16", "uint16")
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Values:
    """Which type all frames become, and whether they are real-world values.

    `may_narrow`: the type has room for every value that 16 stored bits could give, which few scanners use up.
    """

    dtype: np.dtype[Any]
    rescaled: bool
    may_narrow: bool = False

    def put(self, samples: Samples, plane: Plane, table: "Table | None", out: Samples) -> None:
        """Write one frame as values into its place of the volume."""
        if table is not None:
            out[...] = table.look_up(samples)
            return
        slope, intercept = _line(plane)
        if (slope, intercept) == (1.0, 0.0):
            out[...] = samples
        elif self.dtype.kind in "iu":
            narrow = samples.dtype.itemsize <= 2 and abs(slope) < 2**14 and self.dtype.itemsize <= 4
            wide = np.dtype(np.int32 if narrow and self.dtype != np.uint32 else np.int64)
            out[...] = samples.astype(wide) * wide.type(int(slope)) + wide.type(int(intercept))
        else:
            out[...] = samples.astype(np.float64) * slope + intercept

    def narrow(self, voxels: Samples) -> Samples:
        """The same values in 16 bits where all of them fit, in the memory that they are in; `voxels` is used up.

        A CT of 16 stored bits and an intercept of -1024 could hold -33,792, and never does.
        """
        if not self.may_narrow:
            return voxels
        least, most = int(voxels.min()), int(voxels.max())
        for name in _SHORT:
            if np.iinfo(name).min <= least and most <= np.iinfo(name).max:
                return _pack(voxels, np.dtype(name))
        return voxels


def _pack(voxels: Samples, kind: np.dtype[Any]) -> Samples:
    source = voxels.reshape(-1)
    target = source.view(kind)[: source.size]
    for at in range(0, source.size, _PIECE):
        # The cast is a copy, and writing never overtakes reading: a narrow value lies before its wide one.
        target[at : at + _PIECE] = source[at : at + _PIECE].astype(kind)
    return target.reshape(voxels.shape)


@dataclass(frozen=True, slots=True)
class Table:
    """A modality look-up table: `entries[stored value - first]`, its ends beyond."""

    first: int
    entries: Samples

    def look_up(self, samples: Samples) -> Samples:
        places = np.clip(samples.astype(np.int64) - self.first, 0, len(self.entries) - 1)
        return self.entries[places]


def read_table(header: Header) -> Table | None:
    """The modality look-up table (PS3.3 C.11.1), None where there is none."""
    item = header.item("ModalityLUTSequence")
    if item is None:
        return None
    descriptor = item.wholes("LUTDescriptor")
    if descriptor is None or len(descriptor) != 3 or descriptor[2] not in {8, 16}:
        raise corrupt("its modality look-up table is not described")
    count = descriptor[0] & 0xFFFF or 65536
    raw = item.raw("LUTData")
    if raw is not None:
        entries = np.frombuffer(raw[: len(raw) // 2 * 2], "<u2" if header.little else ">u2").astype(np.uint16)
    else:
        entries = np.array(item.wholes("LUTData") or (), np.int64).astype(np.uint16)
    if len(entries) < count:
        raise corrupt(f"its modality look-up table has {len(entries):,} entries and not {count:,}")
    return Table(descriptor[1], entries[:count])


def plan_values(forms: Sequence[PixelFormat], planes: Sequence[Plane], tables: Sequence[Table | None]) -> Values:
    """One type for all frames that holds every value they can have, so that nothing is cut (see `Values.narrow`).

    Whole numbers stay whole where every slope and intercept is whole; others become float32 (float64 for doubles).
    `forms` and `tables` are those of each plane's file.
    """
    if any(table is not None for table in tables):
        if not all(table is not None for table in tables):
            raise corrupt("some of its slices have a modality look-up table and others have none")
        return Values(np.dtype(np.uint16), rescaled=True)
    lines = {_line(plane) for plane in planes}
    rescaled = any(plane.slope is not None or plane.intercept is not None for plane in planes)
    if any(slope == 0 for slope, _ in lines):
        raise corrupt("its slope of values (RescaleSlope) is 0")
    kinds = {form.dtype for form in forms}
    if lines == {(1.0, 0.0)} and len(kinds) == 1:
        return Values(kinds.pop(), rescaled)
    if any(form.floating for form in forms):
        return Values(max(np.dtype(np.float32), *kinds, key=lambda kind: kind.itemsize), rescaled)
    whole = all(number.is_integer() and abs(number) < 2**31 for line in lines for number in line)
    if whole and (kind := _whole_type(forms, planes)) is not None:
        return Values(kind, rescaled, may_narrow=kind.itemsize > 2 and max(form.stored for form in forms) <= 16)
    return Values(np.dtype(np.float32), rescaled)


def _whole_type(forms: Sequence[PixelFormat], planes: Sequence[Plane]) -> np.dtype[Any] | None:
    lines = {(form.lowest, form.highest, *_line(plane)) for form, plane in zip(forms, planes, strict=True)}
    ends = [int(slope) * end + int(intercept) for low, high, slope, intercept in lines for end in (low, high)]
    for name in _WHOLE:
        if np.iinfo(name).min <= min(ends) and max(ends) <= np.iinfo(name).max:
            return np.dtype(name)
    return None


def _line(plane: Plane) -> tuple[float, float]:
    return (1.0 if plane.slope is None else plane.slope), (plane.intercept or 0.0)
