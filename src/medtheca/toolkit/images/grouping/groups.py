"""Files into images, from descriptions alone."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from medtheca.toolkit.errors import Problem
from medtheca.toolkit.images.dicom.grids import Slice, arrange

Description = Mapping[str, Any]

_UNWANTED = Problem(
    "unreferenced_data",
    "No header among the files names this data file, so nobody knows what its numbers mean.",
    "Upload it together with its .mhd or .nhdr header, with the names as they are.",
)
_TWICE = Problem(
    "duplicate", "The same DICOM instance came twice; this is the second of them.", "Leave one of the two out."
)


@dataclass(frozen=True, slots=True)
class Group:
    """Files that are one image, in their order: the main one first, slices by time and along the normal.

    `kind` is the format whose reader takes them, as `identify` calls it, or `mrxs`, `vms`, `vmu`, `dicom-slide`,
    `dicom-index` (a DICOMDIR, which is not followed) and `data` (a data file that nothing refers to); None where
    nothing knows the format. `notes` are sentences about what was found; a group with `problems` is no image.
    """

    names: tuple[str, ...]
    kind: str | None
    notes: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


def group_files(descriptions: Iterable[Description]) -> list[Group]:
    """Every file in exactly one group, groups in the order of their first files.

    >>> mhd = {"name": "a/x.mhd", "format": "mha", "companions": ["x.raw"], "required": True}
    >>> group_files([{"name": "a/x.raw", "format": "data"}, mhd])[0].names
    ('a/x.mhd', 'a/x.raw')
    """
    files = list(descriptions)
    order = {file["name"]: number for number, file in enumerate(files)}
    groups, taken = _with_companions(files, order)
    series: dict[tuple[Any, ...], list[Description]] = defaultdict(list)
    for file in files:
        if file["name"] in taken:
            continue
        if "problem" in file:
            groups.append(Group((file["name"],), file["format"], problems=(Problem(**file["problem"]),)))
        elif file["format"] == "dicom":
            series[_series_key(file)].append(file)
        elif file["format"] == "data":
            groups.append(Group((file["name"],), "data", problems=(_UNWANTED,)))
        else:
            groups.append(Group((file["name"],), file["format"]))
    for key, members in series.items():
        groups += _group_series(str(key[0]), members)
    return sorted(groups, key=lambda group: min(order[name] for name in group.names))


def _with_companions(files: list[Description], order: Mapping[str, int]) -> tuple[list[Group], set[str]]:
    """Groups of headers and slides that name other files, and the names of all these files."""
    lower: dict[str, list[str]] = defaultdict(list)
    folders: dict[str, list[str]] = defaultdict(list)
    for name in order:
        lower[name.lower()].append(name)
        parts = name.lower().split("/")
        for depth in range(1, len(parts)):
            folders["/".join(parts[:depth])].append(name)
    groups: list[Group] = []
    taken: set[str] = set()
    for file in files:
        if "problem" in file or not ("companions" in file or "folder" in file):
            continue
        found, missing = _find_companions(file, order, lower, folders)
        found = [name for name in found if name != file["name"]]
        if shared := next((name for name in found if name in taken), None):
            missing_problem: tuple[Problem, ...] = (_shared(shared),)
            found = []
        else:
            missing_problem = (_missing(missing, file),) if missing else ()
        names = (file["name"], *found)
        taken.update(names)
        groups.append(Group(names, file["format"], problems=missing_problem))
    return groups, taken


def _find_companions(
    file: Description, order: Mapping[str, int], lower: Mapping[str, list[str]], folders: Mapping[str, list[str]]
) -> tuple[list[str], list[str]]:
    """Names of companions as they came, and those that did not come. Case of letters does not matter where clear."""
    home = PurePosixPath(file["name"]).parent
    if "folder" in file:
        members = folders.get(str(home / file["folder"]).lower(), [])
        return sorted(members), [] if members else [f"{file['folder']}/"]
    found, missing = [], []
    for companion in file["companions"]:
        name = str(home / companion)
        alike = lower.get(name.lower(), [])
        if name in order:
            found.append(name)
        elif len(alike) == 1:
            found.append(alike[0])
        else:
            missing.append(companion)
    return found, missing


def _missing(names: Sequence[str], file: Description) -> Problem:
    what = "the folder" if "folder" in file else "the file" if len(names) == 1 else f"{len(names)} files, such as"
    return Problem(
        "missing_file",
        f"It refers to {what} {names[0][:200]!r}, which did not come with it.",
        "Upload the files that belong together in one ZIP or one folder, with their names as they are.",
    )


def _shared(name: str) -> Problem:
    return Problem(
        "shared_data",
        f"It refers to {PurePosixPath(name).name[:200]!r}, which belongs to another header already.",
        "Give each header its own data file.",
    )


def _series_key(file: Description) -> tuple[Any, ...]:
    """What must be equal for slices to be of one image. The first says what kind of group it is."""
    dicom = file["dicom"]
    kind = dicom["kind"]
    if kind == "slide":
        return "dicom-slide", dicom["study"], dicom["series"]
    if kind == "index":
        return "dicom-index", file["name"]
    if kind == "document" or dicom["frames"] > 1 or not dicom["position"] or not dicom["series"]:
        return "dicom", file["name"]
    keys = dicom["keys"]
    # Grand Challenge's documented way to send 4D: a stack whose time points are series of their own.
    together = "stack" in keys and "temporal" in keys
    return (
        "dicom",
        dicom["study"],
        "stack" if together else "series",
        keys["stack"] if together else dicom["series"],
        dicom["sop_class"],
        dicom["rows"],
        dicom["columns"],
        dicom["photometric"],
    )


def _group_series(kind: str, members: list[Description]) -> list[Group]:
    names = [file["name"] for file in members]
    if kind == "dicom-index":
        note = "The index of a disc (DICOMDIR) is not followed: the files that it lists are taken by themselves."
        return [Group((name,), kind, notes=(note,)) for name in names]
    if len(members) == 1 or kind == "dicom-slide":
        return [Group(tuple(names), kind)]
    members, doubles = _take_doubles(members)
    groups = [Group((file["name"],), kind, problems=(_TWICE,)) for file in doubles]
    slices = [_slice(number, file["dicom"]) for number, file in enumerate(members)]
    for stack in arrange(slices):
        ordered = (members[number]["name"] for time in stack.indices for number in time)
        groups.append(Group(tuple(ordered), kind, notes=stack.notes))
    return groups


def _take_doubles(members: list[Description]) -> tuple[list[Description], list[Description]]:
    """Files that are the same instance at the same place and time. The UID alone is not enough: some tools reuse it."""
    seen: set[tuple[Any, ...]] = set()
    kept: list[Description] = []
    doubles: list[Description] = []
    for file in members:
        dicom = file["dicom"]
        same = (dicom["instance"], *dicom["position"], *sorted(dicom["keys"].items()))
        (doubles if dicom["instance"] and same in seen else kept).append(file)
        seen.add(same)
    return kept, doubles


def _slice(number: int, dicom: Mapping[str, Any]) -> Slice:
    x, y, z = dicom["position"]
    spacing = dicom["spacing"]
    return Slice(
        number,
        (x, y, z),
        tuple(dicom["orientation"]) if dicom["orientation"] else None,
        (spacing[0], spacing[1]) if spacing else None,
        dicom["keys"],
    )
