"""The files of an upload that may belong together become cases: what each is called, and how its files are laid out."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from medtheca.toolkit.errors import Problem
from medtheca.toolkit.images.grouping import Group, find_description_fault, group_files
from medtheca.toolkit.names import display_name

_log = logging.getLogger(__name__)
Description = Mapping[str, Any]

LONGEST_PATH = 500
"""Characters of a path within a case."""

_LONGEST_PART = 255  # bytes of one name in a path, in most file systems
_LONGEST_TITLE = 200


@dataclass(frozen=True, slots=True)
class Case:
    """Files that make one image, the one by which it is called first, or that are refused together.

    `places` count in the files that were gathered. `paths` are those within the folder of the case, one for each file.
    `name` is what the image shall be called; where it is free to choose (`names_itself` false), a number is added until
    it is not taken. `note` is what was found.
    """

    places: tuple[int, ...]
    paths: tuple[str, ...]
    name: str
    names_itself: bool = True
    note: str = ""
    problem: Problem | None = None


def by_likeness(paths: Iterable[str]) -> dict[str, list[int]]:
    """Places of files, by a name that says as much as theirs to `describe_file`, which is asked about many at once.

    >>> by_likeness(["a/1.DCM", "b/2.dcm", "s/slide.mrxs", "DICOMDIR"])
    {'file.dcm': [0, 1], 'slide.mrxs': [2], 'DICOMDIR': [3]}
    """
    alike: dict[str, list[int]] = {}
    for place, path in enumerate(paths):
        plain = PurePosixPath(_posix(path))
        name = "DICOMDIR" if plain.name.upper() == "DICOMDIR" else plain.name
        if plain.suffix.lower() != ".mrxs" and name != "DICOMDIR":
            name = f"file{plain.suffix.lower()}"
        alike.setdefault(name, []).append(place)
    return alike


def gather_files(paths: Sequence[str], names: Sequence[str], descriptions: Mapping[int, Description]) -> list[Case]:
    r"""Cases of those files that `descriptions` (by place) describe; a path may come twice, with `/` or `\\`.

    Descriptions are taken as they came out of the sandbox: a file of which something impossible is said is refused.
    """
    faults = {place: find_description_fault(described) for place, described in descriptions.items()}
    first: dict[str, int] = {}
    for place in sorted(place for place, fault in faults.items() if not fault):
        first.setdefault(_posix(paths[place]), place)
    groups = group_files([{**descriptions[place], "name": path} for path, place in first.items()])
    cases = [_case(group, [first[path] for path in group.names], names) for group in groups]
    # Two members of a ZIP may have the same path; the second is an image of its own, or a name that is taken.
    alone = sorted(set(descriptions) - set(first.values()))
    return cases + [
        Case((place,), (names[place],), names[place], problem=_unusable(fault) if (fault := faults[place]) else None)
        for place in alone
    ]


def _unusable(fault: str) -> Problem:
    _log.error("A description is not sound: %s.", fault)
    return Problem(
        "decoder_output",
        f"What the decoder made of this file cannot be used: {fault}.",
        "Check that the file opens in another program; export it again.",
    )


def _case(group: Group, places: list[int], names: Sequence[str]) -> Case:
    main = PurePosixPath(group.names[0])
    name = names[places[0]]
    if group.kind == "dicom" and len(places) > 1:
        folder = main.parent.name or PurePosixPath(name).stem or "series"
        name = f"{folder[:_LONGEST_TITLE]}.dcm"
    paths = _paths(group)
    problem = group.problems[0] if group.problems else _find_path_problem(paths)
    # Scanners number the files of every series and of every disc from one: such a name is nobody's own.
    return Case(tuple(places), paths, name, group.kind != "dicom", " ".join(group.notes), problem)


def _paths(group: Group) -> tuple[str, ...]:
    """Paths within the case: as the files name each other, or for DICOM, which names none, plain numbers."""
    if group.kind == "dicom":
        return tuple(f"{place:06}.dcm" for place in range(len(group.names)))
    main = PurePosixPath(group.names[0])
    above = len(main.parent.parts)
    inside = [PurePosixPath(name).parts[above:] for name in group.names]
    if group.kind == "mrxs":
        # Letters' case aside it is the folder called like the slide, and so it is looked for.
        inside[1:] = [(main.stem, *parts[1:]) for parts in inside[1:]]
    return tuple("/".join(parts) for parts in inside)


def _find_path_problem(paths: Sequence[str]) -> Problem | None:
    """Why files cannot lie in one folder under these paths; None where they can.

    >>> _find_path_problem(["m.mrxs", "m/Index.dat"]) is None
    True
    >>> _find_path_problem(["m.mrxs", "m/x", "m/x/y"]).message
    '"m/x" is a file and a folder at once.'
    """
    if len(paths) == 1:
        return None  # What lies alone is given a name of ours.
    folders = {str(folder) for path in paths for folder in PurePosixPath(path).parents}
    seen: set[str] = set()
    for path in paths:
        shown = display_name(path, limit=80)
        if len(path) > LONGEST_PATH or any(len(part.encode()) > _LONGEST_PART for part in path.split("/")):
            words = f'The path "{shown}" is too long for the files of one image to be laid out.'
            return Problem("path_too_long", words, "Shorten the names of its files and folders.")
        if path in folders:
            return Problem(
                "unsafe_path", f'"{shown}" is a file and a folder at once.', "Pack the files again as they came."
            )
        if path in seen:
            words = f'Two of its files are called "{shown}", but for the case of letters.'
            return Problem("unsafe_path", words, "Upload one of them only.")
        seen.add(path)
    return None


def _posix(path: str) -> str:
    return path.replace("\\", "/")
