"""How many of the images that a query finds have each value of a field."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Coalesce

from medtheca.base.errors import Invalid, Problem
from medtheca.domains.imaging.enums import FileKind
from medtheca.domains.imaging.models import Image, ImageFile
from medtheca.domains.search.headers import FACTS
from medtheca.domains.search.index.asking import Answer, asking
from medtheca.domains.search.index.snapshots import one_snapshot
from medtheca.domains.search.naming import Asker, Listings
from medtheca.domains.search.queries import Wanted, count_by_sql, find, tree_of
from medtheca.domains.search.sql_leaves import NUMBERS, TEXTS, is_structured
from medtheca.toolkit.bitmaps import Value
from medtheca.toolkit.bitmaps.archive import ALIKE_FIELDS
from medtheca.toolkit.querylang import (
    FIELDS,
    And,
    Node,
    SearchField,
    ValueKind,
    Words,
    all_of,
    fields_of,
    leaves_of,
)
from medtheca.toolkit.schemas import DERMATOLOGY, Kind
from medtheca.toolkit.schemas.vocabulary import Hierarchy

_NOT_COUNTED = frozenset(
    {"isic_id", "patient_id", "lesion_id", "rcm_case_id"}
    | {"created", "public", "cohort", "collection", "file_size", "pixels_x", "pixels_y"}
    | {*ALIKE_FIELDS, "duplicate_group"}
)
COUNTED = tuple(
    field for field in FIELDS.values() if field.name not in _NOT_COUNTED and field.kind is not ValueKind.HIERARCHY
)
"""Fields that can be counted by, of hierarchies each level; a whole hierarchy is counted by its paths."""


@dataclass(frozen=True, slots=True)
class Counts:
    """The number of images with each value, as text; those with any value, and those with none.

    Where an image may have several values, the numbers add up to more than `present`. `missing` is None where nobody
    asked for it: without the index it takes a statement of its own.
    """

    values: dict[str, int]
    present: int
    missing: int | None


def facet(wanted: Wanted, field: str, *, asker: Asker, listings: Listings | None = None) -> dict[str, int]:
    """How many images each value of a field has among those that match; absent values are left out.

    Raises `Invalid` for a field that is not counted by, such as a private one.
    """
    return count_values(wanted, (field,), asker=asker, listings=listings)[field].values


def count_values(
    wanted: Wanted,
    fields: tuple[str, ...],
    *,
    asker: Asker,
    listings: Listings | None = None,
    disjunctive: bool = False,
    with_missing: bool = True,
) -> dict[str, Counts]:
    """As `facet`, of several fields, each with how many images have a value and how many have none.

    Of a hierarchy (`diagnosis`) each path is counted with all below it. With `disjunctive` a field's own conditions do
    not narrow its own counts, so that further values can be chosen beside those that are.
    """
    with one_snapshot():
        with asking(tree_of(wanted), asker=asker, listings=listings) as answer:
            if answer is not None:
                return counts_in(answer, fields, disjunctive=disjunctive)
        return counts_by_sql(
            wanted, fields, asker=asker, listings=listings, disjunctive=disjunctive, with_missing=with_missing
        )


def counts_in(answer: Answer, fields: tuple[str, ...], *, disjunctive: bool = False) -> dict[str, Counts]:
    """As `count_values`, by the index."""
    found = {}
    for name in fields:
        field = field_counted(name)
        counted = answer.counts(field, among=without_own(answer.tree, field) if disjunctive else None)
        values: Counter[str] = Counter()
        for value, number in counted.values.items():
            values[_text(field, value)] += number
        found[name] = Counts(dict(values), counted.present, counted.missing)
    return found


def counts_by_sql(
    wanted: Wanted,
    fields: tuple[str, ...],
    *,
    asker: Asker,
    listings: Listings | None = None,
    disjunctive: bool = False,
    with_missing: bool = True,
) -> dict[str, Counts]:
    """As `count_values`, from the tables."""
    found, totals = {}, dict[Node, int]()
    for name in fields:
        field = field_counted(name)
        tree = without_own(tree_of(wanted), field) if disjunctive else tree_of(wanted)
        images = find(tree, asker=asker, listings=listings)
        if with_missing and tree not in totals:
            totals[tree] = count_by_sql(tree, asker=asker, listings=listings)
        found[name] = _counts(images, field, totals.get(tree))
    return found


def without_own(tree: Node, field: SearchField) -> Node:
    """The query without those of its conditions, joined by AND, that are about the field alone.

    A hierarchy and its levels are one field here.
    """
    parts = tree.parts if isinstance(tree, And) else (tree,)
    own = {_family(field)}
    return all_of(*(part for part in parts if {_family(named) for named in fields_of(part)} != own or _has_words(part)))


def _family(field: SearchField) -> str:
    return DERMATOLOGY.level_columns.get(field.name, field.name)


def _has_words(part: Node) -> bool:
    return any(isinstance(leaf, Words) for leaf in leaves_of(part))


def bytes_of(wanted: Wanted, *, asker: Asker, listings: Listings | None = None) -> int:
    """Bytes of the files that are served of the images that match."""
    with one_snapshot():
        with asking(tree_of(wanted), asker=asker, listings=listings) as answer:
            if answer is not None:
                return answer.bytes()
        return bytes_by_sql(wanted, asker=asker, listings=listings)


def bytes_by_sql(wanted: Wanted, *, asker: Asker, listings: Listings | None = None) -> int:
    """As `bytes_of`, from the tables."""
    found = find(wanted, asker=asker, listings=listings)
    files = ImageFile.objects.filter(kind=FileKind.PUBLIC, image__in=found.order_by().values("pk"))
    return int(files.aggregate(size=Coalesce(Sum("blob__size"), 0))["size"])


def field_counted(name: str) -> SearchField:
    """A field that can be counted by. Raises `Invalid`."""
    field = FIELDS.get(name)
    if field is None or field.name in _NOT_COUNTED:
        raise Invalid(f"{name} is not a field to count by.", problems=[Problem("field", f"{name} is not counted by.")])
    return field


def _text(field: SearchField, value: Value) -> str:
    """A value of the index as the tables have it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return f"{value[0]:g}"
    if isinstance(value, float):
        column = DERMATOLOGY.columns.get(field.name)
        if column is not None and column.kind is Kind.DECIMAL:
            return f"{value:.{DERMATOLOGY.by_name[column.field].places}f}"
        return f"{value:g}" if field.name == "magnification" else str(int(value))
    return value


def _counts(images: QuerySet[Image], field: SearchField, total: int | None) -> Counts:
    if field.kind is ValueKind.HIERARCHY:
        paths = field.vocabulary.terms if isinstance(field.vocabulary, Hierarchy) else {}
        by_level = [_counted(images, FIELDS[level]) for level in DERMATOLOGY.by_name[field.name].level_names]
        values = {paths[term]: number for level in by_level for term, number in level.items() if term in paths}
        present = sum(by_level[0].values())
    else:
        values = _counted(images, field)
        present = _number_present(images, field) if field.multiple else sum(values.values())
    return Counts(values, present, None if total is None else total - present)


def _counted(images: QuerySet[Image], field: SearchField) -> dict[str, int]:
    rows = _having(images, field).order_by().values_list(_value(field)).annotate(number=Count("pk"))
    counted: Counter[str] = Counter()
    for value, number in rows.order_by():
        for text in _names(field, value):
            counted[text] += number
    return dict(counted)


def _having(images: QuerySet[Image], field: SearchField) -> QuerySet[Image]:
    """Those of the images that have a value."""
    if field.name == "pixel_spacing":
        return images.filter(spacing_x__isnull=False, spacing_y__isnull=False)
    if field.name in NUMBERS:
        return images
    if field.name in TEXTS:
        return images.filter(**{f"{TEXTS[field.name]}__gt": ""})
    if field.name in FACTS:
        # Photographs say nothing, and the indexes on facts are without them.
        return images.filter(~Q(facts={}), facts__has_key=FACTS[field.name])
    return images.filter(accession__description__structured__has_key=field.name)


def _value(field: SearchField) -> Any:
    if field.name == "pixel_spacing":
        return F("spacing_x")
    if field.name in NUMBERS or field.name in TEXTS:
        return F(NUMBERS.get(field.name) or TEXTS[field.name])
    if field.name == "body_part":
        return KeyTextTransform("meaning", KeyTransform("body_part", "facts"))
    if field.name == "stain":
        return KeyTransform("stain", "facts")
    if field.name in FACTS:
        return KeyTextTransform(FACTS[field.name], "facts")
    assert is_structured(field)
    return KeyTextTransform(field.name, "accession__description__structured")


def _names(field: SearchField, value: Any) -> list[str]:
    if field.name == "stain":
        return [str(code["meaning"]) for code in value]
    if field.name in {"magnification", "pixel_spacing"}:
        return [f"{float(value):g}"]
    return [str(value)]


def _number_present(images: QuerySet[Image], field: SearchField) -> int:
    return _having(images, field).count()
