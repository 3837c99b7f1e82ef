"""The verdict of every file: by its name, by its bytes, by its picture, in this order, as in an upload."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from medtheca.toolkit.deidentify.exif import CONTENTS
from medtheca.toolkit.errors import Problem, Refused
from medtheca.toolkit.images.reports import find_fault
from medtheca.toolkit.inspection.alike import find_alike
from medtheca.toolkit.inspection.sources import Source, list_sources
from medtheca.toolkit.inspection.values import Bounds, Container, FilesReport, FileVerdict, Outcome
from medtheca.toolkit.names import name_key
from medtheca.toolkit.sandbox import DecoderPool
from medtheca.toolkit.sandbox import Outcome as Decoded
from medtheca.toolkit.unpack import Limits

_BOUNDS, _LIMITS = Bounds(), Limits()
Progress = Callable[[int, int], None]
"""Called with files done and files in all."""


def inspect_files(
    containers: Sequence[Container],
    *,
    pool: DecoderPool,
    scratch: Path,
    bounds: Bounds = _BOUNDS,
    limits: Limits = _LIMITS,
    progress: Progress = lambda _done, _of: None,
) -> FilesReport:
    """Judge files and the files within ZIPs, as an upload to an empty cohort would.

    Members of ZIPs lie in `scratch`, a folder of the caller's, while they are decoded. Raises `TooMuch`.
    """
    sources, refused = list_sources(list(containers), bounds=bounds, limits=limits)
    trial = _Trial(sources, scratch, progress)
    for outcome in pool.run(trial.to_decode(), {"exif": True}):
        trial.hear(outcome)
    return FilesReport(tuple(trial.settle()), refused)


@dataclass(slots=True)
class _Seen:
    """What was found in a picture that can be taken in."""

    sha256: str
    report: dict[str, Any]


class _Trial:
    """Hands files to the decoders as there is room for them, and remembers what each came to."""

    def __init__(self, sources: list[Source], scratch: Path, progress: Progress) -> None:
        self._sources = sources
        self._scratch = scratch
        self._progress = progress
        self._verdicts: dict[int, FileVerdict] = {}
        self._seen: dict[int, _Seen] = {}
        self._hashes: dict[int, str] = {}
        self._holders: dict[str, int] = {}

    def to_decode(self) -> Iterator[tuple[str, Path]]:
        """Files whose names and bytes are in order, each with its place as its key."""
        for place, source in enumerate(self._sources):
            path = self._stage(place, source)
            if path is not None:
                yield str(place), path
            self._progress(len(self._verdicts) + len(self._seen), len(self._sources))

    def _stage(self, place: int, source: Source) -> Path | None:
        path = source.file if source.member is None else self._scratch / f"{place}.member"
        problem = source.problem
        if problem is None:
            try:
                self._hashes[place], size = _copy(source, path if source.member else None)
            except Refused as refusal:
                problem = refusal.problem
                self._discard(place)
            else:
                self._sources[place] = replace(source, size=size)
        if problem is not None:
            outcome = Outcome.SKIPPED if source.skipped else Outcome.REFUSED
            self._verdicts[place] = _verdict(source, outcome, problem.code, problem.message, problem.remedy)
            return None
        return path if self._takes_name(place) else None

    def _takes_name(self, place: int) -> bool:
        source = self._sources[place]
        key = name_key(source.name)
        holder = self._holders.setdefault(key, place)
        if holder == place:
            return True
        self._discard(place)
        first = self._sources[holder]
        if self._hashes[holder] == self._hashes[place]:
            words = f"The same file is in the cohort already, as {first.path}."
            self._verdicts[place] = _verdict(source, Outcome.LINKED, "already_here", words)
        else:
            words = (
                f"{source.path} and {first.path} have the same name, {first.name}, "
                "and a name is unique in its cohort whatever its folder."
            )
            remedy = "Rename one of them and upload it again."
            self._verdicts[place] = _verdict(source, Outcome.DUPLICATE, "duplicate_name", words, remedy)
        return False

    def hear(self, outcome: Decoded) -> None:
        """Take what the sandbox says of a file. What was made of it is forgotten here."""
        place = int(outcome.key)
        self._discard(place)
        problem = outcome.refusal
        if problem is None:
            problem = _find_problem(outcome.report or {}, outcome.parts)
        if problem is not None:
            source = self._sources[place]
            self._verdicts[place] = _verdict(source, Outcome.REFUSED, problem.code, problem.message, problem.remedy)
        else:
            assert outcome.report is not None
            self._seen[place] = _Seen(self._hashes[place], outcome.report)
        self._progress(len(self._verdicts) + len(self._seen), len(self._sources))

    def _discard(self, place: int) -> None:
        if self._sources[place].member is not None:
            (self._scratch / f"{place}.member").unlink(missing_ok=True)

    def settle(self) -> list[FileVerdict]:
        """All verdicts, in the order of the files: only now is it known which come first of equal ones."""
        places = sorted(self._seen)
        alike = find_alike([int(self._seen[place].report["perceptual_hash"], 16) for place in places])
        by_bytes: dict[str, int] = {}
        by_pixels: dict[str, int] = {}
        for index, place in enumerate(places):
            seen = self._seen[place]
            same = by_bytes.setdefault(seen.sha256, place)
            twin = by_pixels.setdefault(seen.report["pixel_hash"], place)
            # Equal files are told as such already.
            others = [places[other] for other in alike.get(index, [])]
            near = tuple(self._sources[other].path for other in others if self._seen[other].sha256 != seen.sha256)
            self._verdicts[place] = self._accept(place, same=same, twin=twin, near=near)
        return [self._verdicts[place] for place in range(len(self._sources))]

    def _accept(self, place: int, *, same: int, twin: int, near: tuple[str, ...]) -> FileVerdict:
        source, report = self._sources[place], self._seen[place].report
        outcome, code, words = Outcome.ACCEPTED, "accepted", "Accepted."
        if same != place:
            outcome, code = Outcome.LINKED, "same_content"
            words = f"Accepted, and linked: its bytes are those of {self._sources[same].path}."
        elif twin != place:
            code = "same_pixels"
            words = f"Accepted. Its pixels are those of {self._sources[twin].path}, in another file."
        return replace(
            _verdict(source, outcome, code, words),
            format=report["format"],
            width=report["upright_width"],
            height=report["upright_height"],
            removed=tuple(item["kind"] for item in report["removed"]),
            exif=tuple(words for words in report.get("exif", []) if isinstance(words, str) and words in CONTENTS),
            alike=near,
        )


def _copy(source: Source, target: Path | None) -> tuple[str, int]:
    """Hash a file, writing it to `target` where one is given; SHA-256 and size. Raises `Refused`."""
    digest, size = hashlib.sha256(), 0
    if target is None:
        for chunk in source.chunks():
            digest.update(chunk)
            size += len(chunk)
        return digest.hexdigest(), size
    with target.open("wb") as file:
        for chunk in source.chunks():
            file.write(chunk)
            digest.update(chunk)
            size += len(chunk)
    return digest.hexdigest(), size


def _find_problem(report: dict[str, Any], parts: dict[str, bytes]) -> Problem | None:
    fault = find_fault(report, parts)
    if not fault and not isinstance(report.get("exif", []), list):
        fault = "its list of what the EXIF tells is damaged"
    if not fault:
        return None
    return Problem(
        "decoder_output",
        f"What the decoder made of this file cannot be used: {fault}.",
        "Check that the file opens in another program; export it again.",
    )


def _verdict(source: Source, outcome: Outcome, code: str, message: str, remedy: str = "") -> FileVerdict:
    return FileVerdict(
        container=source.container,
        path=source.path,
        name=source.name,
        size=source.size,
        outcome=outcome,
        code=code,
        message=message,
        remedy=remedy,
    )
