"""What a metadata field is, and what a pack of them is.

Everything that deals with metadata reads these values and keeps no list of its own: validation, search,
facets, spreadsheet templates, API shapes and documentation. A new specialty is one file in `packs/` and one
entry in its list.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Literal

from medtheca.toolkit.schemas.rules import BatchRule, Requires
from medtheca.toolkit.schemas.vocabulary import Hierarchy, Vocabulary

Group = Literal["acquisition", "clinical"]
Source = Literal["sheet", "header"]

# Columns that name the image of a row. They are never metadata.
RESERVED_COLUMNS = frozenset({"filename", "isic_id"})


class Kind(StrEnum):
    ENUM = "enum"
    HIERARCHY = "hierarchy"
    BOOL = "bool"
    INTEGER = "integer"
    DECIMAL = "decimal"
    IDENTIFIER = "identifier"
    TEXT = "text"


class Search(StrEnum):
    NONE = "none"
    KEYWORD = "keyword"
    NUMBER = "number"
    BOOL = "bool"
    HIERARCHY = "hierarchy"


@dataclass(frozen=True)
class Terms:
    """A facet with one entry a value, the `size` most frequent first."""

    size: int = 10


@dataclass(frozen=True)
class Histogram:
    """A facet of equal steps."""

    interval: int
    minimum: int
    maximum: int


@dataclass(frozen=True)
class Ranges:
    """A facet of half-open ranges between these edges; the last is open upwards."""

    edges: tuple[float, ...]


Facet = Terms | Histogram | Ranges


@dataclass(frozen=True)
class Approximation:
    """A coarser value that may be shown where the exact one may not."""

    name: str
    label: str
    step: int

    def of(self, value: int) -> int:
        """The nearest multiple of the step; halves go to the even multiple, as in ISIC.

        >>> [Approximation("age_approx", "Age", 5).of(age) for age in (0, 2, 3, 53, 85)]
        [0, 0, 5, 55, 85]
        """
        return int(round(value / self.step) * self.step)


@dataclass(frozen=True)
class Column:
    """One stored value. A plain field has one, a hierarchy one a level, age an exact and a coarse one."""

    name: str
    label: str
    field: str
    group: Group
    kind: Kind
    search: Search
    public: bool
    facet: Facet | None


@dataclass(frozen=True, eq=False, kw_only=True)
class Field:
    """A field as its writers see it: one column of a spreadsheet.

    `units` are suffixes that a cell may carry, with the factor to `unit`; where `unit_places` is set, a value
    written with a suffix is rounded to so many places. A value above `clamp` is stored as `clamp`.
    `standards` is what DICOM calls it: keywords with their tags, and context groups of its codes.
    Identifiers are private: what is shown and searched under their name is the public id that replaces them.
    """

    name: str
    label: str
    group: Group
    kind: Kind
    description: str
    vocabulary: Vocabulary | None = None
    unit: str = ""
    units: Mapping[str, float] = field(default_factory=dict)
    unit_places: int | None = None
    minimum: float | None = None
    maximum: float | None = None
    clamp: int | None = None
    places: int = 0
    lower_case: bool = False
    search: Search = Search.NONE
    search_aliases: Mapping[str, str] = field(default_factory=dict)
    facet: Facet | None = None
    public: bool = True
    approximation: Approximation | None = None
    synonyms: tuple[str, ...] = ()
    standards: tuple[str, ...] = ()

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        if isinstance(self.vocabulary, Hierarchy):
            return tuple(
                self._column(name, f"{self.label} {level}", Search.KEYWORD)
                for level, name in enumerate(self.level_names, start=1)
            )
        if self.approximation is None:
            return (self._column(self.name, self.label, self.search),)
        exact = Column(self.name, self.label, self.name, self.group, self.kind, Search.NONE, False, None)
        shown = Column(
            self.approximation.name,
            self.approximation.label,
            self.name,
            self.group,
            self.kind,
            self.search,
            True,
            self.facet,
        )
        return (exact, shown)

    @cached_property
    def level_names(self) -> tuple[str, ...]:
        """`diagnosis_1` … `diagnosis_5` for a hierarchy; empty for all else."""
        if not isinstance(self.vocabulary, Hierarchy):
            return ()
        return tuple(f"{self.name}_{level}" for level in range(1, self.vocabulary.depth + 1))

    def _column(self, name: str, label: str, search: Search) -> Column:
        return Column(name, label, self.name, self.group, self.kind, search, self.public, self.facet)


@dataclass(frozen=True, eq=False, kw_only=True)
class Pack:
    """The fields and rules of one specialty, in one version.

    `former_columns` were fields of earlier versions: they are kept as unstructured, with a remark for their owner.
    `example` is a row that passes. Where the `source` is the header, files say it and nobody else: such values are
    facts of an image and no metadata, no sheet sets them, and what a sheet says in a column of the same name is kept
    beside them.
    """

    name: str
    version: str
    title: str
    fields: tuple[Field, ...]
    source: Source = "sheet"
    row_rules: tuple[Requires, ...] = ()
    batch_rules: tuple[BatchRule, ...] = ()
    former_columns: Mapping[str, str] = field(default_factory=dict)
    example: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def by_name(self) -> dict[str, Field]:
        return {item.name: item for item in self.fields}

    @cached_property
    def columns(self) -> dict[str, Column]:
        """All stored columns by name, in the order of the fields."""
        return {column.name: column for item in self.fields for column in item.columns}

    @cached_property
    def level_columns(self) -> dict[str, str]:
        """`diagnosis_1` → `diagnosis`, for all levels of all hierarchies."""
        return {level: item.name for item in self.fields for level in item.level_names}

    @property
    def public_columns(self) -> tuple[Column, ...]:
        return tuple(column for column in self.columns.values() if column.public)

    @property
    def search_columns(self) -> tuple[Column, ...]:
        """What a query may name. Identifiers are among them: they are searched by their public ids."""
        return tuple(column for column in self.columns.values() if column.search is not Search.NONE)

    @cached_property
    def identifiers(self) -> tuple[str, ...]:
        return tuple(item.name for item in self.fields if item.kind is Kind.IDENTIFIER)
