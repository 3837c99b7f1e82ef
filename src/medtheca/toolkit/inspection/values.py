"""The words of a trial."""

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from medtheca.toolkit.errors import Problem


class Outcome(StrEnum):
    """What an upload would do with a file."""

    ACCEPTED = "accepted"
    LINKED = "linked"
    DUPLICATE = "duplicate"
    SKIPPED = "skipped"
    REFUSED = "refused"


REFUSALS = frozenset({Outcome.REFUSED, Outcome.DUPLICATE})
"""Outcomes after which somebody has to do something."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How much one trial may hold; None for as much as an upload may.

    Attributes:
        files: files, folders and junk apart.
        unpacked_bytes: what all ZIPs together come to when unpacked.
        rows: rows of the spreadsheet.
    """

    files: int | None = None
    unpacked_bytes: int | None = None
    rows: int | None = None


class TooMuch(Exception):
    """More than a trial may hold; the message is for the person."""


@dataclass(frozen=True, slots=True)
class Container:
    """A file as it was given: a ZIP, or one that is looked at by itself.

    `name` is what it is called, its folder with it where it has one. Of several loose files of a folder (`packed`) an
    upload makes a ZIP, in which system files are skipped and not refused.
    """

    name: str
    path: Path
    packed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FileVerdict:
    """What an upload would say of one file.

    Attributes:
        container: the ZIP that it is in; empty for a file given by itself.
        image: which of the report's images it is a file of, counted from 1; 0 for none.
        removed: kinds of data that the public copy would be without.
        exif: what the EXIF tells about a person or place, in words.
        alike: paths of pictures of this trial that look nearly the same, equal files apart.
    """

    container: str
    path: str
    name: str
    size: int
    outcome: Outcome
    code: str
    message: str
    remedy: str = ""
    format: str = ""
    width: int = 0
    height: int = 0
    image: int = 0
    removed: tuple[str, ...] = ()
    exif: tuple[str, ...] = ()
    alike: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFound:
    """An image that files would become, with what they say of it.

    Attributes:
        number: counted from 1; `FileVerdict.image` refers to it.
        name: what it would be called in its cohort.
        files: paths of its files, the one by which it is called first, slices in their order.
        kind: `picture`, `volume`, `slide` or `document`.
        size: pixels or voxels along x, y and z, upright; zeros for a document.
        value_type: NumPy's name of the type of values; empty for a document.
        spacing: millimetres between centres along `x`, `y` and `z`, None along an axis that the file is silent of.
        time_step: seconds between time points.
        origin: of the first voxel's centre, in mm, LPS (left, posterior, superior).
        direction: 3 by 3, row by row, LPS: its columns are the directions of x, y and z.
        windows: `centre`, `width` and `name` of what to show.
        levels: widths and heights of a slide's resolutions.
        facts: modality, body part, laterality, magnification, stain and device, where the file names them.
        notes: sentences on what was found.
        text_suspected: why words may be burned into the pixels, so that a person looks before anybody else does.
    """

    number: int
    name: str
    files: tuple[str, ...]
    container: str
    kind: str
    format: str
    media_type: str
    size: tuple[int, int, int]
    timepoints: int = 1
    channels: int = 1
    bits: int = 8
    colour_space: str = ""
    value_type: str = ""
    spacing: dict[str, float | None] | None = None
    time_step: float | None = None
    origin: tuple[float, ...] | None = None
    direction: tuple[float, ...] | None = None
    windows: tuple[dict[str, Any], ...] = ()
    levels: tuple[tuple[int, int], ...] = ()
    vendor: str = ""
    title: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    text_suspected: str = ""


@dataclass(frozen=True, slots=True)
class FilesReport:
    """Verdicts in the order of the files; containers that could not be read at all, by name; images that would be."""

    verdicts: tuple[FileVerdict, ...] = ()
    refused: dict[str, Problem] = field(default_factory=dict)
    images: tuple[ImageFound, ...] = ()

    def counts(self) -> dict[str, int]:
        """How many files have which outcome; outcomes of none left out."""
        numbers = {outcome.value: 0 for outcome in Outcome}
        for verdict in self.verdicts:
            numbers[verdict.outcome] += 1
        return {outcome: number for outcome, number in numbers.items() if number}

    def names(self) -> list[str]:
        """Names of the files that would be taken in, which is what a spreadsheet names."""
        taken = {Outcome.ACCEPTED, Outcome.LINKED}
        called = {image.number: image.name for image in self.images}
        # A series has one name for all its files.
        names = [called.get(verdict.image, verdict.name) for verdict in self.verdicts if verdict.outcome in taken]
        return list(dict.fromkeys(names))
