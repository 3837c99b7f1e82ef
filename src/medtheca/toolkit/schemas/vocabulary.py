"""Closed lists of values: flat enumerations, and trees whose terms are written as paths."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files

from medtheca.toolkit.suggest import close_matches

SEPARATOR = ":"
INDENT = "  "


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """The allowed values, in the order in which they are shown.

    >>> sex = Vocabulary("sex", ("male", "female"))
    >>> sex.resolve("male"), sex.resolve("Male")
    ('male', None)
    """

    name: str
    values: tuple[str, ...]

    @cached_property
    def members(self) -> frozenset[str]:
        return frozenset(self.values)

    def resolve(self, text: str) -> str | None:
        """The value that `text` stands for, or None. Upper and lower case differ."""
        return text if text in self.members else None

    def suggest(self, text: str) -> list[str]:
        """Up to three values that look like `text`."""
        return close_matches(text, self.values)


@dataclass(frozen=True, eq=False)
class Coded(Vocabulary):
    """Terms of a coding scheme: `names` are codes and meanings, in small letters, by which a value goes too.

    >>> part = Coded("part", ("Brain",), {"12738006": "Brain", "head, brain": "Brain"})
    >>> part.resolve("12738006"), part.resolve("BRAIN"), part.resolve("Foot")
    ('Brain', 'Brain', None)
    """

    names: Mapping[str, str]

    def resolve(self, text: str) -> str | None:
        """The value that a value, a code or a meaning stands for, whatever its case; or None."""
        return text if text in self.members else self._known.get(text.casefold())

    def suggest(self, text: str) -> list[str]:
        """Up to three values of which the value, a code or a meaning looks like `text`."""
        return list(dict.fromkeys(self._known[near] for near in close_matches(text.casefold(), tuple(self._known))))

    @cached_property
    def _known(self) -> dict[str, str]:
        return {**self.names, **{value.casefold(): value for value in self.values}}


@dataclass(frozen=True, eq=False)
class Hierarchy(Vocabulary):
    """A tree. `values` are the paths of all its terms, each parent before its children.

    >>> tree = Hierarchy("site", ("Trunk", "Trunk:Chest", "Trunk:Chest:Breast"))
    >>> tree.resolve("Breast"), tree.depth
    ('Trunk:Chest:Breast', 3)
    >>> tree.levels("Trunk:Chest")
    ['Trunk', 'Chest']
    >>> tree.children("Trunk")
    ['Trunk:Chest']
    """

    @cached_property
    def terms(self) -> dict[str, str]:
        """The last part of each path, with the path. Terms are unique in the trees we have (tested)."""
        return {path.rsplit(SEPARATOR, 1)[-1]: path for path in self.values}

    @cached_property
    def depth(self) -> int:
        return max(path.count(SEPARATOR) + 1 for path in self.values)

    def resolve(self, text: str) -> str | None:
        """The path that a path or a bare term stands for, or None."""
        return text if text in self.members else self.terms.get(text)

    def suggest(self, text: str) -> list[str]:
        """Paths for somebody who wrote a path, bare terms for somebody who wrote a term."""
        return close_matches(text, self.values if SEPARATOR in text else tuple(self.terms))

    def levels(self, path: str) -> list[str]:
        return path.split(SEPARATOR)

    def children(self, path: str | None = None) -> list[str]:
        """The paths one level below `path`; the roots for None."""
        prefix, level = ("", 0) if path is None else (path + SEPARATOR, path.count(SEPARATOR) + 1)
        return [value for value in self.values if value.startswith(prefix) and value.count(SEPARATOR) == level]


def is_under(path: str, ancestor: str) -> bool:
    """Whether a path is the ancestor itself or a term below it.

    >>> is_under("Trunk:Chest", "Trunk"), is_under("Trunks", "Trunk")
    (True, False)
    """
    return path == ancestor or path.startswith(ancestor + SEPARATOR)


def load_hierarchy(name: str) -> Hierarchy:
    """Read `vocabularies/<name>.txt`, which is part of this package."""
    text = files(__package__).joinpath("vocabularies", f"{name}.txt").read_text(encoding="utf-8")
    return Hierarchy(name, tuple(paths_of_outline(text.splitlines())))


def paths_of_outline(lines: Iterable[str]) -> Iterable[str]:
    """Turn an outline (two spaces of indentation a level, `#` for remarks) into paths.

    >>> list(paths_of_outline(["# sites", "Trunk", "  Chest", "Head"]))
    ['Trunk', 'Trunk:Chest', 'Head']
    """
    parents: list[str] = []
    for line in lines:
        term = line.strip()
        if not term or term.startswith("#"):
            continue
        level = (len(line) - len(line.lstrip())) // len(INDENT)
        if level > len(parents):
            raise ValueError(f"'{term}' is indented more than one level below its parent.")
        parents[level:] = [term]
        yield SEPARATOR.join(parents)
