"""Which files make one item of an archive, and which socket each goes to: a rule that people read and change.

A rule is a JSON object:
    by: `each` (every image is an item), `folder` (what lies in one folder), or `pattern` (what has the same text where
        the pattern has stars).
    depth: with `folder`, how many folders from the top name the item; 0 is the whole path of the folder. Folders that
        all files lie in name nothing.
    pattern: with `pattern`, such as `*_t1.nii.gz`: what the first star stands for names the item; several patterns are
        the keys of `sockets`.
    sockets: patterns of paths or file names → slugs of sockets; the first that fits decides, and what fits none goes to
        the socket that the files were given to.

>>> rule = Rule.of({"by": "folder", "sockets": {"*mask*": "lesion-mask"}})
>>> [(group.title, [(file.path, file.socket) for file in group.files]) for group in group_paths(rule, ["P1/t1.mha",
... "P1/t1_mask.mha", "P2/t1.mha"], "scan")]
[('P1', [('P1/t1.mha', 'scan'), ('P1/t1_mask.mha', 'lesion-mask')]), ('P2', [('P2/t1.mha', 'scan')])]
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import translate
from pathlib import PurePosixPath
from typing import Any

from medtheca.toolkit.errors import Refused

WAYS = ("each", "folder", "pattern")
MOST_PATTERNS = 50
_LONGEST_PATTERN = 200
_DEEPEST = 32


@dataclass(frozen=True, slots=True)
class Rule:
    """How files are grouped; see the module."""

    by: str = "each"
    depth: int = 0
    pattern: str = ""
    sockets: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, given: object) -> Rule:
        """The rule that a JSON object says. Raises `Refused` with what is wrong in it."""
        if not isinstance(given, dict):
            raise _wrong("A rule is an object.", 'Such as {"by": "folder"}.')
        if unknown := sorted(set(given) - {"by", "depth", "pattern", "sockets"}):
            raise _wrong(f"A rule has no {unknown[0]}.", "It has by, depth, pattern and sockets.")
        rule = cls(given.get("by", "each"), given.get("depth", 0), given.get("pattern", ""), given.get("sockets", {}))
        rule.check()
        return rule

    def check(self) -> None:
        """Raise `Refused` with what is wrong."""
        if self.by not in WAYS:
            raise _wrong(f"Files are not grouped by {self.by!r}.", f"One of {', '.join(WAYS)}.")
        if not isinstance(self.depth, int) or isinstance(self.depth, bool) or not 0 <= self.depth <= _DEEPEST:
            raise _wrong("The depth is no number of folders.", f"Write 0 to {_DEEPEST}.")
        if self.by == "pattern" and not (_is_pattern(self.pattern) and "*" in self.pattern):
            raise _wrong("The pattern has no star.", "Such as *_t1.nii.gz: what the star stands for names the item.")
        fits = isinstance(self.sockets, dict) and len(self.sockets) <= MOST_PATTERNS
        if not fits or not all(_is_pattern(key) and isinstance(slug, str) for key, slug in self.sockets.items()):
            raise _wrong("The sockets are not patterns with slugs.", 'Such as {"*mask*": "lesion-mask"}.')

    def to_json(self) -> dict[str, Any]:
        """What `of` reads."""
        return {"by": self.by, "depth": self.depth, "pattern": self.pattern, "sockets": dict(self.sockets)}


@dataclass(frozen=True, slots=True)
class GroupedFile:
    """One file, and the socket it goes to. `place` is that in the list that was given."""

    place: int
    path: str
    socket: str


@dataclass(frozen=True, slots=True)
class Group:
    """Files that make one item, and what it is called; empty where nothing names it."""

    title: str
    files: tuple[GroupedFile, ...]


def group_paths(rule: Rule, paths: Sequence[str], socket: str) -> list[Group]:
    """The items that files make, in the order of their first file. `socket` takes what no pattern fits."""
    groups: dict[tuple[str, int], list[GroupedFile]] = {}
    patterns = [(re.compile(translate(key), re.IGNORECASE), slug) for key, slug in rule.sockets.items()]
    stars = _stars(rule.pattern) if rule.by == "pattern" else None
    above = _common_folders(paths)
    for place, path in enumerate(paths):
        name = PurePosixPath(path).name
        slug = next((slug for fits, slug in patterns if fits.match(name) or fits.match(path)), socket)
        title = _title(rule, stars, path, above)
        groups.setdefault((title, 0 if title else place + 1), []).append(GroupedFile(place, path, slug))
    return [Group(title, tuple(files)) for (title, _), files in groups.items()]


def _common_folders(paths: Sequence[str]) -> int:
    """How many folders from the top all files lie in; where they all lie in the same one, it still names them."""
    folders = {PurePosixPath(path).parts[:-1] for path in paths}
    shortest = min(folders, key=len, default=())
    common = next((at for at in range(len(shortest)) if len({one[at] for one in folders}) > 1), len(shortest))
    return max(0, common - 1) if len(folders) == 1 else common


def _title(rule: Rule, stars: re.Pattern[str] | None, path: str, above: int) -> str:
    folders = PurePosixPath(path).parts[above:-1]
    if rule.by == "folder":
        return "/".join(folders[: rule.depth] if rule.depth else folders)
    if stars is not None and (found := stars.fullmatch(PurePosixPath(path).name)):
        return str(found[1])
    return ""


def _stars(pattern: str) -> re.Pattern[str]:
    """The first star as a group, shortest first; the others stand for anything."""
    first, _, rest = pattern.partition("*")
    tail = ".*".join(re.escape(part) for part in rest.split("*"))
    return re.compile(f"{re.escape(first)}(.+?){tail}", re.IGNORECASE)


def _is_pattern(text: object) -> bool:
    return isinstance(text, str) and 0 < len(text) <= _LONGEST_PATTERN and text.count("*") <= 5


def _wrong(message: str, remedy: str) -> Refused:
    return Refused("wrong_rule", message, remedy)
