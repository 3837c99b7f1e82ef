"""What a query may name: the searchable columns of the packs, and what an archive knows of each image beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Literal

from medtheca.toolkit.schemas import ACQUISITION, DERMATOLOGY, LICENCES, Column, Field, Kind, Pack, Search
from medtheca.toolkit.schemas.registry import Facet, Terms
from medtheca.toolkit.schemas.vocabulary import SEPARATOR, Hierarchy, Vocabulary
from medtheca.toolkit.suggest import close_matches


class ValueKind(StrEnum):
    """What values of a field are, and so what may stand behind its colon."""

    KEYWORD = "keyword"
    NUMBER = "number"
    BOOL = "bool"
    HIERARCHY = "hierarchy"
    DATE = "date"


Source = Literal["record", "metadata", "header"]
"""Who says it: the archive's own records, a sheet (`DERMATOLOGY`), or the image's file (`ACQUISITION`)."""


@dataclass(frozen=True, eq=False, kw_only=True)
class SearchField:
    """One name of the query language. There is one object a field, so that they are compared by identity.

    `vocabulary` has the values as they are stored. Where it is `closed`, a value outside of it is an error; elsewhere
    such a value is found nowhere, as in ISIC's language. `aliases` are other words for values. `shown` are the names
    that a stored value has in queries, the preferred one first: wildcards match any of them. `units` are suffixes of
    numbers, with their factor. `multiple` says that an image may have several values, `by_name` that a value is the id
    or the whole name of a thing, for which no wildcards stand. `isic` says that ISIC's
    language has the field.
    """

    name: str
    label: str
    kind: ValueKind
    source: Source
    description: str
    vocabulary: Vocabulary | None = None
    closed: bool = False
    aliases: Mapping[str, str] = field(default_factory=dict)
    shown: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unit: str = ""
    units: Mapping[str, float] = field(default_factory=dict)
    multiple: bool = False
    by_name: bool = False
    isic: bool = False
    facet: Facet | None = None

    def names_of(self, value: str) -> tuple[str, ...]:
        """The names that a stored value has in queries; of a path, its last term."""
        if self.kind is ValueKind.HIERARCHY:
            return (value.rsplit(SEPARATOR, 1)[-1],)
        return self.shown.get(value, (value,))

    def stored_value(self, text: str) -> str | None:
        """What is stored for a value as somebody writes it; None for one outside of a closed vocabulary.

        >>> FIELDS["image_type"].stored_value("overview"), FIELDS["copyright_license"].stored_value("CC-BY")
        ('clinical: overview', 'CC-BY-4.0')
        >>> FIELDS["modality"].stored_value("computed tomography"), FIELDS["modality"].stored_value("XYZ")
        ('CT', None)
        """
        if self.vocabulary is not None and self.closed:
            return self.vocabulary.resolve(text) or self.vocabulary.resolve(text.lower())
        return self._stored.get(text, text)

    def matching_values(self, matches: Callable[[str], bool]) -> tuple[str, ...]:
        """The stored values of the vocabulary, of a tree the paths, a name of which matches."""
        values = self.vocabulary.values if self.vocabulary else ()
        return tuple(value for value in values if any(map(matches, self.names_of(value))))

    @cached_property
    def _stored(self) -> dict[str, str]:
        return {**{name: value for value, names in self.shown.items() for name in names}, **self.aliases}

    def __repr__(self) -> str:
        return f"<{self.name}>"


_BYTES = {"kB": 1e3, "MB": 1e6, "GB": 1e9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
_LICENCE_NAMES = {licence.spdx: (licence.isic_code, licence.spdx) for licence in LICENCES}

RECORD_FIELDS = (
    SearchField(
        name="isic_id",
        label="Public id",
        kind=ValueKind.KEYWORD,
        source="record",
        isic=True,
        description="The image's public id. Images that were never published have none.",
    ),
    SearchField(
        name="public",
        label="Public",
        kind=ValueKind.BOOL,
        source="record",
        isic=True,
        description="Whether everybody sees the image now.",
    ),
    SearchField(
        name="copyright_license",
        label="Licence",
        kind=ValueKind.KEYWORD,
        source="record",
        isic=True,
        vocabulary=Vocabulary("copyright_license", tuple(_LICENCE_NAMES)),
        shown=_LICENCE_NAMES,
        facet=Terms(),
        description="The licence, by ISIC's code (CC-BY) or its SPDX name (CC-BY-4.0). Also `license` and `licence`.",
    ),
    SearchField(
        name="attribution",
        label="Attribution",
        kind=ValueKind.KEYWORD,
        source="record",
        description="Whom to name when the image is used.",
    ),
    SearchField(
        name="created",
        label="Added",
        kind=ValueKind.DATE,
        source="record",
        description="When the archive took the image in, in UTC: a year, a month, a day or a moment.",
    ),
    SearchField(
        name="cohort",
        label="Cohort",
        kind=ValueKind.KEYWORD,
        source="record",
        by_name=True,
        description="One of the asker's cohorts, by id or name. Those of others hold nothing.",
    ),
    SearchField(
        name="collection",
        label="Collection",
        kind=ValueKind.KEYWORD,
        source="record",
        multiple=True,
        by_name=True,
        description="A collection that the asker sees, by id or name. Others hold nothing.",
    ),
    SearchField(
        name="near_duplicates",
        label="Near-duplicates",
        kind=ValueKind.NUMBER,
        source="record",
        description="How many other images that the asker sees look nearly the same: of the 64 bits of their "
        "perceptual hashes at most 6 differ, or their pixels are equal.",
    ),
    SearchField(
        name="exact_duplicates",
        label="Exact duplicates",
        kind=ValueKind.NUMBER,
        source="record",
        description="How many other images that the asker sees have the very same pixels.",
    ),
    SearchField(
        name="duplicate_group",
        label="Duplicate group",
        kind=ValueKind.KEYWORD,
        source="record",
        by_name=True,
        description="An image that the asker sees, by its public id: it, its near-duplicates, theirs, and so on.",
    ),
    SearchField(
        name="pixels_x",
        label="Width",
        kind=ValueKind.NUMBER,
        source="record",
        unit="pixels",
        description="Columns of the upright picture.",
    ),
    SearchField(
        name="pixels_y",
        label="Height",
        kind=ValueKind.NUMBER,
        source="record",
        unit="pixels",
        description="Rows of the upright picture.",
    ),
    SearchField(
        name="file_size",
        label="File size",
        kind=ValueKind.NUMBER,
        source="record",
        unit="bytes",
        units=_BYTES,
        description="Bytes of the file that is served, as `files.full.size` of the API. May carry kB, MB, GB, "
        "KiB, MiB or GiB.",
    ),
)

NAME_ALIASES = {"license": "copyright_license", "licence": "copyright_license"}
"""Other names of fields."""

_KINDS = {
    Search.KEYWORD: ValueKind.KEYWORD,
    Search.NUMBER: ValueKind.NUMBER,
    Search.BOOL: ValueKind.BOOL,
    Search.HIERARCHY: ValueKind.HIERARCHY,
}
_HAVE_SEVERAL = frozenset({"stain"})


def _fields_of(pack: Pack) -> Iterator[SearchField]:
    for item in pack.fields:
        if isinstance(item.vocabulary, Hierarchy):
            yield _search_field(pack, item, item.columns[0], name=item.name, kind=ValueKind.HIERARCHY)
        for column in item.columns:
            # The exact age is private, so that its column is not searched; ids are, by the public ones.
            if column.search is not Search.NONE:
                yield _search_field(pack, item, column, name=column.name, kind=_KINDS[column.search])


def _search_field(pack: Pack, item: Field, column: Column, *, name: str, kind: ValueKind) -> SearchField:
    of_a_sheet = pack.source == "sheet"
    whole_tree = kind is ValueKind.HIERARCHY
    return SearchField(
        name=name,
        label=item.label if whole_tree else column.label,
        kind=kind,
        source="metadata" if of_a_sheet else "header",
        vocabulary=item.vocabulary if whole_tree else _vocabulary(item, column),
        closed=whole_tree or (not of_a_sheet and item.vocabulary is not None),
        aliases=item.search_aliases,
        unit=item.unit,
        units=item.units,
        multiple=name in _HAVE_SEVERAL,
        isic=of_a_sheet and not whole_tree,
        facet=column.facet,
        description=_description(item, whole_tree=whole_tree),
    )


def _vocabulary(item: Field, column: Column) -> Vocabulary | None:
    """The values of one column: of a level of a tree, the terms on that level."""
    tree = item.vocabulary
    if not isinstance(tree, Hierarchy):
        return tree
    level = item.level_names.index(column.name)
    on_level = (path.split(SEPARATOR) for path in tree.values)
    return Vocabulary(column.name, tuple(terms[-1] for terms in on_level if len(terms) == level + 1))


def _description(item: Field, *, whole_tree: bool) -> str:
    if item.kind is Kind.IDENTIFIER:
        return f"{item.label}, by its public id."
    return f"{item.description} Found with all terms below it." if whole_tree else item.description


FIELDS: Mapping[str, SearchField] = {
    item.name: item for item in (*RECORD_FIELDS, *_fields_of(DERMATOLOGY), *_fields_of(ACQUISITION))
}
"""Every searchable field by its name, in the order in which they are shown."""


def find_field(name: str) -> SearchField | None:
    """The field of a name or of another name for it; None where there is none. Upper and lower case differ."""
    return FIELDS.get(NAME_ALIASES.get(name, name))


def similar_names(name: str) -> list[str]:
    """Names of fields that look like `name`, the nearest first.

    >>> similar_names("diagnosys")[0]
    'diagnosis'
    """
    return close_matches(name, (*FIELDS, *NAME_ALIASES))
