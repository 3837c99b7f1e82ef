"""The verdict of every file: by its name, by its bytes, by its picture, in this order, as in an upload."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from medtheca.toolkit.deidentify.exif import CONTENTS
from medtheca.toolkit.errors import Problem, Refused
from medtheca.toolkit.images.case_folders import plain_name
from medtheca.toolkit.images.companions import HEAD, Companions
from medtheca.toolkit.images.formats import is_case
from medtheca.toolkit.images.gathering import Case, by_likeness, gather_files
from medtheca.toolkit.images.reports import find_fault
from medtheca.toolkit.inspection.alike import find_alike
from medtheca.toolkit.inspection.cases import try_case, unusable
from medtheca.toolkit.inspection.found import describe_image
from medtheca.toolkit.inspection.sources import Source, list_sources
from medtheca.toolkit.inspection.values import Bounds, Container, FilesReport, FileVerdict, ImageFound, Outcome
from medtheca.toolkit.names import name_key, with_number
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

    `pool` has the tasks `toolkit.images.tasks:run` and, for cases, `toolkit.images.case_task:run`. Members of ZIPs lie
    in `scratch`, a folder of the caller's, while they are decoded. Raises `TooMuch`.
    """
    sources, refused = list_sources(list(containers), bounds=bounds, limits=limits)
    trial = _Trial(sources, pool, scratch, progress)
    trial.decode_photographs(trial.to_decode())
    trial.gather_held()
    trial.decode_cases()
    verdicts, images = trial.settle()
    return FilesReport(tuple(verdicts), refused, tuple(images))


@dataclass(slots=True)
class _Unit:
    """Files that make one image, the one by which it is called first; its report, once it is decoded."""

    places: tuple[int, ...]
    paths: tuple[str, ...]
    name: str
    sha256: str
    note: str = ""
    report: dict[str, Any] = field(default_factory=dict)

    @property
    def main(self) -> int:
        return self.places[0]


class _Trial:
    """Hands files to the decoders as there is room for them, and remembers what each came to."""

    def __init__(self, sources: list[Source], pool: DecoderPool, scratch: Path, progress: Progress) -> None:
        self._sources = sources
        self._pool = pool
        self._scratch = scratch
        self._progress = progress
        self._verdicts: dict[int, FileVerdict] = {}
        self._hashes: dict[int, str] = {}
        self._held: list[int] = []
        self._units: dict[int, _Unit] = {}
        self._cases: list[_Unit] = []
        self._holders: dict[str, _Unit] = {}
        self._done = 0
        paths: dict[int, list[str]] = defaultdict(list)
        for source in sources:
            paths[source.delivery].append(source.path)
        self._companions = {delivery: Companions.of(those) for delivery, those in paths.items()}

    # -- one after the other, as they come

    def to_decode(self) -> Iterator[tuple[str, Path]]:
        """Photographs whose names and bytes are in order, each with its place as its key; other files are put by."""
        for place, source in enumerate(self._sources):
            path = self._stage(place, source)
            if path is None:
                continue
            with path.open("rb") as file:
                head = file.read(HEAD)
            if self._companions[source.delivery].may_concern(source.path, head):
                self._held.append(place)
                continue
            unit = _Unit((place,), (plain_name(source.name),), source.name, self._hashes[place])
            if self._takes_name(unit):
                if is_case(head):
                    self._cases.append(unit)
                else:
                    yield str(place), path

    def _path(self, place: int) -> Path:
        source = self._sources[place]
        return source.file if source.member is None else self._scratch / f"{place}.member"

    def _stage(self, place: int, source: Source) -> Path | None:
        path, problem = self._path(place), source.problem
        if problem is None:
            try:
                self._hashes[place], size = _copy(source, path if source.member else None)
            except Refused as refusal:
                problem = refusal.problem
            else:
                self._sources[place] = replace(source, size=size)
        if problem is not None:
            outcome = Outcome.SKIPPED if source.skipped else Outcome.REFUSED
            self._judge((place,), outcome, problem.code, problem.message, problem.remedy)
            return None
        return path

    def _takes_name(self, unit: _Unit) -> bool:
        source = self._sources[unit.main]
        holder = self._holders.setdefault(name_key(unit.name), unit)
        if holder is unit:
            self._units[unit.main] = unit
            return True
        first = self._sources[holder.main]
        if holder.sha256 == unit.sha256:
            words = f"The same file is in the cohort already, as {first.path}."
            self._judge(unit.places, Outcome.LINKED, "already_here", words)
        else:
            words = (
                f"{source.path} and {first.path} have the same name, {holder.name}, "
                "and a name is unique in its cohort whatever its folder."
            )
            remedy = "Rename one of them and upload it again."
            self._judge(unit.places, Outcome.DUPLICATE, "duplicate_name", words, remedy)
        return False

    def _judge(self, places: Sequence[int], outcome: Outcome, code: str, message: str, remedy: str = "") -> None:
        """A verdict that needs no more looking at the files."""
        for place in places:
            self._units.pop(place, None)
            self._verdicts[place] = _verdict(self._sources[place], outcome, code, message, remedy)
        self._finish(places)

    def _finish(self, places: Sequence[int]) -> None:
        for place in places:
            if self._sources[place].member is not None:
                self._path(place).unlink(missing_ok=True)
        self._done += len(places)
        self._progress(self._done, len(self._sources))

    def decode_photographs(self, items: Iterator[tuple[str, Path]]) -> None:
        """Decode files each by itself. What is made of them is forgotten here."""
        for outcome in self._pool.run(items, {"exif": True}):
            unit = self._units[int(outcome.key)]
            self._hear(unit, outcome.refusal or _find_problem(outcome) or outcome.report or {})

    def _hear(self, unit: _Unit, found: dict[str, Any] | Problem) -> None:
        if isinstance(found, Problem):
            self._judge(unit.places, Outcome.REFUSED, found.code, found.message, found.remedy)
        else:
            unit.report = found
            self._finish(unit.places)

    # -- files that may belong together

    def gather_held(self) -> None:
        """Put files together by what they are, delivery by delivery; photographs among them are decoded."""
        deliveries: dict[int, list[int]] = defaultdict(list)
        for place in self._held:
            deliveries[self._sources[place].delivery].append(place)
        photographs = [unit for held in deliveries.values() for unit in self._gather(held)]
        self.decode_photographs((str(unit.main), self._path(unit.main)) for unit in photographs)

    def _gather(self, held: list[int]) -> Iterator[_Unit]:
        paths = [self._sources[place].path for place in held]
        described: dict[int, dict[str, Any]] = {}
        for name, alike in by_likeness(paths).items():
            items = [(str(index), self._path(held[index])) for index in alike]
            for outcome in self._pool.run(items, {"describe": name}):
                index, problem = int(outcome.key), outcome.refusal
                if problem is None:
                    described[index] = outcome.report or {}
                else:
                    self._judge((held[index],), Outcome.REFUSED, problem.code, problem.message, problem.remedy)
        for case in gather_files(paths, [self._sources[place].name for place in held], described):
            places = tuple(held[index] for index in case.places)
            if case.problem is not None:
                problem = case.problem
                self._judge(places, Outcome.REFUSED, problem.code, problem.message, problem.remedy)
                continue
            unit = self._unit_of(case, places)
            if self._takes_name(unit):
                if len(places) > 1 or is_case(self._head(unit.main)):
                    self._cases.append(unit)
                else:
                    yield unit

    def _unit_of(self, case: Case, places: tuple[int, ...]) -> _Unit:
        paths = case.paths
        if len(places) == 1:
            paths, digest = (plain_name(self._sources[places[0]].name),), self._hashes[places[0]]
        else:
            listed = [(path, self._hashes[place]) for path, place in zip(paths, places, strict=True)]
            digest = hashlib.sha256(json.dumps(listed).encode()).hexdigest()
        unit = _Unit(places, paths, case.name, digest, case.note)
        number = 1
        while not case.names_itself and self._is_anothers(name_key(unit.name), unit.sha256):
            number += 1
            unit.name = with_number(case.name, number)
        return unit

    def _is_anothers(self, key: str, sha256: str) -> bool:
        holder = self._holders.get(key)
        return holder is not None and holder.sha256 != sha256

    def _head(self, place: int) -> bytes:
        with self._path(place).open("rb") as file:
            return file.read(HEAD)

    def decode_cases(self) -> None:
        """Decode everything that is no photograph, each image in a folder of its own."""
        for unit in self._cases:
            files = [(path, self._path(place)) for path, place in zip(unit.paths, unit.places, strict=True)]
            self._hear(unit, try_case(self._pool, files, scratch=self._scratch))

    # -- in the end

    def settle(self) -> tuple[list[FileVerdict], list[ImageFound]]:
        """All verdicts, in the order of the files, and the images: only now is it known which come first of equals."""
        images: list[ImageFound] = []
        for unit in sorted(self._units.values(), key=lambda unit: unit.main):
            image = self._describe(unit, len(images) + 1)
            if image is not None:
                images.append(image)
        units = [self._units[place] for place in sorted(self._units)]
        alike = find_alike([_look(unit.report) for unit in units])
        by_bytes: dict[str, _Unit] = {}
        by_pixels: dict[str, _Unit] = {}
        # In the order in which an upload would take them in.
        for unit in self._units.values():
            by_bytes.setdefault(unit.sha256, unit)
            by_pixels.setdefault(unit.report["pixel_hash"], unit)
        for index, (unit, image) in enumerate(zip(units, images, strict=True)):
            same, twin = by_bytes[unit.sha256], by_pixels[unit.report["pixel_hash"]]
            # Equal files are told as such already.
            others = [units[other] for other in alike.get(index, []) if units[other].sha256 != unit.sha256]
            near = tuple(self._sources[other.main].path for other in others)
            self._accept(unit, image.number, same=same, twin=twin, near=near)
        return [self._verdicts[place] for place in range(len(self._sources))], images

    def _describe(self, unit: _Unit, number: int) -> ImageFound | None:
        source = self._sources[unit.main]
        try:
            return describe_image(
                unit.report,
                number=number,
                name=unit.name,
                files=tuple(self._sources[place].path for place in unit.places),
                container=source.container,
                note=unit.note,
            )
        except ValueError as error:
            problem = unusable(str(error))
            del self._units[unit.main]
            for place in unit.places:
                words = (problem.code, problem.message, problem.remedy)
                self._verdicts[place] = _verdict(self._sources[place], Outcome.REFUSED, *words)
            return None

    def _accept(self, unit: _Unit, number: int, *, same: _Unit, twin: _Unit, near: tuple[str, ...]) -> None:
        report = unit.report
        outcome, code, words = Outcome.ACCEPTED, "accepted", "Accepted."
        if same is not unit:
            outcome, code = Outcome.LINKED, "same_content"
            words = f"Accepted, and linked: its bytes are those of {self._sources[same.main].path}."
        elif twin is not unit:
            code = "same_pixels"
            words = f"Accepted. Its pixels are those of {self._sources[twin.main].path}, in another file."
        for place in unit.places:
            self._verdicts[place] = replace(
                _verdict(self._sources[place], outcome, code, words, ""),
                format=report["format"],
                width=report["upright_width"],
                height=report["upright_height"],
                image=number,
                removed=tuple(item["kind"] for item in report["removed"]),
                exif=tuple(words for words in report.get("exif", []) if isinstance(words, str) and words in CONTENTS),
                alike=near if place == unit.main else (),
            )


def _look(report: dict[str, Any]) -> int:
    """The perceptual hash; of documents none, whose cards all look alike."""
    return 0 if report.get("kind") == "document" else int(report["perceptual_hash"], 16)


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


def _find_problem(outcome: Decoded) -> Problem | None:
    report = outcome.report or {}
    fault = find_fault(report, outcome.parts)
    if not fault and not isinstance(report.get("exif", []), list):
        fault = "its list of what the EXIF tells is damaged"
    return unusable(fault) if fault else None


def _verdict(source: Source, outcome: Outcome, code: str, message: str, remedy: str) -> FileVerdict:
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
