"""The words of a trial."""

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

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
    removed: tuple[str, ...] = ()
    exif: tuple[str, ...] = ()
    alike: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FilesReport:
    """Verdicts in the order of the files; containers that could not be read at all, by name."""

    verdicts: tuple[FileVerdict, ...] = ()
    refused: dict[str, Problem] = field(default_factory=dict)

    def counts(self) -> dict[str, int]:
        """How many files have which outcome; outcomes of none left out."""
        numbers = {outcome.value: 0 for outcome in Outcome}
        for verdict in self.verdicts:
            numbers[verdict.outcome] += 1
        return {outcome: number for outcome, number in numbers.items() if number}

    def names(self) -> list[str]:
        """Names of the files that would be taken in, which is what a spreadsheet names."""
        return [verdict.name for verdict in self.verdicts if verdict.outcome in {Outcome.ACCEPTED, Outcome.LINKED}]
