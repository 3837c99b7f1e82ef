"""Files of this machine → copies without identity in a folder, each by a child of the sandbox; see `case_task`."""

import contextlib
import errno
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Any

from medtheca.toolkit.confidentiality.reports import MEDIA_TYPES, find_fault
from medtheca.toolkit.errors import Problem
from medtheca.toolkit.images.case_folders import folder_of, limits_for, plain_name
from medtheca.toolkit.images.case_reports import CASE_PARTS
from medtheca.toolkit.images.companions import HEAD, Companions
from medtheca.toolkit.images.formats import name_case
from medtheca.toolkit.images.gathering import by_likeness, gather_files
from medtheca.toolkit.sandbox import DecoderPool

TASK = "medtheca.toolkit.images.tasks:run"
CASE_TASK = "medtheca.toolkit.confidentiality.case_task:run"
_FILE_MODE = 0o666
_NO_LINKS = frozenset((errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK))
_ALIKE = {".jpg": (".jpeg",), ".tif": (".tiff",)}
Progress = Callable[[int, int], None]
"""Called with images done and images in all."""


class Outcome(StrEnum):
    """What became of an image."""

    WRITTEN = "written"
    REFUSED = "refused"
    EXISTS = "exists"


@dataclass(frozen=True, slots=True)
class Copied:
    """One image: the names of its files as they were given, and what became of it. `target` is within the folder.

    `report` is that of `reports.find_fault`, empty where nothing was written; `problem` says why.
    """

    names: tuple[str, ...]
    outcome: Outcome
    target: str = ""
    report: Mapping[str, Any] = field(default_factory=dict)
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """How copies are made. `profile`: the names of `Profile` fields that are wanted; `key`: 16 bytes at least.

    Copies are numbered in the order of the files, or with `keep_names` called as these are, folders and all: a name
    may tell whose it is. `force` replaces what is there.
    """

    profile: frozenset[str]
    key: bytes
    keep_names: bool = False
    force: bool = False

    def options(self) -> dict[str, Any]:
        """What the sandbox is told."""
        return {"profile": dict.fromkeys(sorted(self.profile), True), "key": self.key.hex(), "patient": None}


@dataclass(frozen=True, slots=True)
class _Unit:
    """Files that make one image; for DICOM each by itself. `laid` are their paths in the folder of the case."""

    names: tuple[str, ...]
    paths: tuple[Path, ...]
    laid: tuple[str, ...]
    problem: Problem | None = None


def copy_files(
    files: Sequence[tuple[str, Path]],
    *,
    into: Path,
    wanted: Wanted,
    pool: DecoderPool,
    scratch: Path,
    workers: int = 1,
    progress: Progress = lambda _done, _of: None,
) -> list[Copied]:
    """Make a copy of each image of `files` (names with `/`, and where they lie) in the folder `into`, which is there.

    `pool` has the tasks `TASK` and `CASE_TASK`, and is closed where this is interrupted. A copy appears whole or not at
    all. Names of copies never come from what is in a file. Images are told of in the order of the files.
    """
    units = _gather(files, pool)
    copier = _Copier(into, wanted, pool, scratch, frozenset(path.resolve() for _, path in files), _read_mask())
    done: dict[int, Copied] = {}
    progress(0, len(units))
    with ThreadPoolExecutor(max_workers=workers) as threads:
        places = {threads.submit(copier.copy, unit, place + 1): place for place, unit in enumerate(units)}
        try:
            for job in as_completed(places):
                done[places[job]] = job.result()
                progress(len(done), len(units))
        except BaseException:
            threads.shutdown(wait=False, cancel_futures=True)
            # Threads wait for children, which end with their server.
            pool.close()
            raise
    return [done[place] for place in range(len(units))]


def _read_mask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _gather(files: Sequence[tuple[str, Path]], pool: DecoderPool) -> list[_Unit]:
    """Images: several files where some name others, else each file by itself; in the order of the files."""
    companions = Companions.of(name for name, _ in files)
    units: dict[int, _Unit] = {}
    held: list[int] = []
    for place, (name, path) in enumerate(files):
        try:
            with path.open("rb") as opened:
                head = opened.read(HEAD)
        except OSError as error:
            units[place] = _Unit((name,), (path,), (), _unreadable(error))
            continue
        if not head:
            units[place] = _Unit((name,), (path,), (), Problem("empty_file", "The file is empty.", "Send it again."))
        elif name_case(head, name) != "dicom" and companions.may_concern(name, head):
            held.append(place)
        else:
            units[place] = _Unit((name,), (path,), (plain_name(name),))
    units |= _gather_held(files, held, pool)
    return [units[place] for place in sorted(units)]


def _gather_held(files: Sequence[tuple[str, Path]], held: list[int], pool: DecoderPool) -> dict[int, _Unit]:
    names = [files[place][0] for place in held]
    described: dict[int, Mapping[str, Any]] = {}
    units: dict[int, _Unit] = {}
    for name, alike in by_likeness(names).items():
        items = [(str(index), files[held[index]][1]) for index in alike]
        for outcome in pool.run(items, {"describe": name}):
            index = int(outcome.key)
            if outcome.refusal is None:
                described[index] = outcome.report or {}
            else:
                place = held[index]
                units[place] = _Unit((files[place][0],), (files[place][1],), (), outcome.refusal)
    for case in gather_files(names, [PurePosixPath(name).name for name in names], described):
        places = [held[index] for index in case.places]
        laid = case.paths if len(places) > 1 else (plain_name(files[places[0]][0]),)
        units[places[0]] = _Unit(
            tuple(files[place][0] for place in places), tuple(files[place][1] for place in places), laid, case.problem
        )
    return units


def _unreadable(error: OSError) -> Problem:
    return Problem("input_unreadable", f"The file cannot be read: {error.strerror}.", "Check who may read it.")


@dataclass(frozen=True, slots=True)
class _Copier:
    """Makes the copy of one image after the other; threads share it."""

    into: Path
    wanted: Wanted
    pool: DecoderPool
    scratch: Path
    sources: frozenset[Path]
    mask: int

    def copy(self, unit: _Unit, number: int) -> Copied:
        """Make the copy of an image, or say why there is none."""
        if unit.problem is not None:
            return Copied(unit.names, Outcome.REFUSED, problem=unit.problem)
        with _new_file(self.into) as made:
            try:
                report, problem = self._run(unit, made)
            except FileNotFoundError as error:
                report, problem = {}, _unreadable(error)
            if problem is not None:
                return Copied(unit.names, Outcome.REFUSED, problem=problem)
            target = _name_target(unit, number, MEDIA_TYPES[report["media_type"]], keep=self.wanted.keep_names)
            if problem := self._publish(made, target):
                return Copied(unit.names, Outcome.EXISTS, problem=problem)
        return Copied(unit.names, Outcome.WRITTEN, target=target, report=report)

    def _run(self, unit: _Unit, made: Path) -> tuple[dict[str, Any], Problem | None]:
        main = unit.laid[0]
        size = sum(path.stat().st_size for path in unit.paths)
        with (
            folder_of(list(zip(unit.laid, unit.paths, strict=True)), scratch=self.scratch) as folder,
            tempfile.TemporaryDirectory(dir=self.scratch, prefix="made-", ignore_cleanup_errors=True) as beside,
        ):
            outputs = {name: made if name == "public" else Path(beside) / name for name in CASE_PARTS}
            options = {"main": main, "deidentify": self.wanted.options()}
            limits = limits_for(size, main)
            outcome = self.pool.run_case(options, folder=folder, outputs=outputs, limits=limits)
        if outcome.refusal is not None:
            return {}, outcome.refusal
        report = outcome.report or {}
        with made.open("rb") as opened:
            fault = find_fault(report, opened.read(HEAD))
        if fault:
            words = f"What was made of this file cannot be used: {fault}."
            remedy = "Check that the file opens in another program; export it again."
            return {}, Problem("decoder_output", words, remedy)
        return report, None

    def _publish(self, made: Path, name: str) -> Problem | None:
        """Give a file that is whole its name, durably, or say what stands in the way."""
        target = self.into / name
        if target.resolve() in self.sources:
            words = f"{name} is one of the files that are read, and is not replaced."
            return Problem("is_source", words, "Choose another folder.")
        made.chmod(_FILE_MODE & ~self.mask)
        with made.open("rb") as opened:
            os.fsync(opened.fileno())
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            if self.wanted.force:
                made.replace(target)
            else:
                _give_name(made, target)
        except FileExistsError:
            return Problem("exists", f"{name} is there already.", "Choose an empty folder, or replace with --force.")
        except IsADirectoryError:
            return Problem("exists", f"{name} is a folder.", "Choose another folder.")
        sync_folder(target.parent)
        return None


@contextlib.contextmanager
def _new_file(into: Path) -> Iterator[Path]:
    """A file in the folder, under a name of its own, that is gone afterwards unless it was moved."""
    descriptor, name = tempfile.mkstemp(dir=into, prefix=".medtheca-", suffix=".part")
    os.close(descriptor)
    try:
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def _give_name(made: Path, target: Path) -> None:
    """Raises FileExistsError where something has the name, also something that came a moment ago."""
    try:
        target.hardlink_to(made)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        # Some file systems have no hard links: the name is taken first, and then given to the file.
        target.open("x").close()
        made.replace(target)


def _name_target(unit: _Unit, number: int, suffix: str, *, keep: bool) -> str:
    if not keep:
        return f"{number:06}{suffix}"
    name = unit.names[0]
    # What has another format now, or had no suffix, keeps all of its name.
    return name if name.lower().endswith((suffix, *_ALIKE.get(suffix, ()))) else f"{name}{suffix}"


def sync_folder(folder: Path) -> None:
    """Wait until names in a folder are on disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
